/* The texts of the step at the slider. Texts of models go through textContent only. */
(() => {
  "use strict";
  const { texts, steps } = JSON.parse(document.getElementById("answers").textContent);
  const body = document.querySelector("#said tbody");
  if (!body || !steps.length) return;
  const names = { forget: "text to forget", retain: "text to keep", generic: "general text" };
  let shown = null;

  const cell = (tag, text, before) => {
    const made = document.createElement(tag);
    if (before) made.append(before);
    made.append(document.createTextNode(text));
    return made;
  };

  const row = ([role, prompt, original, unlearned, looped]) => {
    const line = document.createElement("tr");
    const kind = document.createElement("small");
    kind.textContent = names[texts[role]] || texts[role];
    const first = cell("th", texts[prompt], kind);
    first.scope = "row";
    let mark = null;
    if (looped) {
      mark = document.createElement("b");
      mark.textContent = "repeats itself ";
    }
    line.append(first, cell("td", texts[original]), cell("td", texts[unlearned], mark));
    return line;
  };

  document.addEventListener("lethe-step", ({ detail }) => {
    const found = steps.filter(([step]) => step <= detail).pop() || steps[0];
    if (found === shown) return;
    shown = found;
    document.getElementById("looked").textContent = "What the model says at step " + found[0];
    body.replaceChildren(...found[1].map(row));
  });
})();
