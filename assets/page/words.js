/* Words of an answer: the arrow keys walk over them, and the chosen one tells what each side
   thought likely at its place. Text of models goes through textContent only. */
(() => {
  const NAMES = ["A", "B"];
  const WAYS = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: 1, ArrowUp: -1 };

  const element = (tag, text, look) => {
    const made = document.createElement(tag);
    if (text !== undefined) made.textContent = text;
    if (look) made.className = look;
    return made;
  };

  const percent = (share) => {
    if (share === null) return letheSay("no number");
    if (share >= 0.1) return Math.round(share * 100) + " %";
    return share >= 0.001 ? (share * 100).toFixed(1) + " %" : letheSay("under 0.1 %");
  };

  /* Spaces and unfinished characters are to be seen. */
  const visible = (text) => {
    if (text === "") return letheSay("(part of a character)");
    return text.replace(/ /g, "\u2423").replace(/\n/g, "\u21b5").replace(/\ufffd+/g, letheSay("(part of a character)"));
  };

  const list = (text, top) => {
    const body = element("ol", undefined, "top");
    top.forEach(([candidate, share]) => {
      const line = element("li", undefined, candidate === text ? "said" : "");
      const bar = element("i");
      bar.style.width = Math.max(share * 100, 0.5) + "%";
      const name = element("span", visible(candidate));
      if (candidate === text) name.append(element("em", " \u2190 " + letheSay("this word")));
      line.append(name, element("b", percent(share)), bar);
      body.append(line);
    });
    return body;
  };

  const side = (name, pieces) => {
    const column = element("div", undefined, "inspected side-" + name.toLowerCase());
    const share = pieces.reduce((all, [, p]) => (all === null || p === null ? null : all * p), 1);
    column.append(element("h4", letheSay("{name} gave this word {share}", { name, share: percent(share) })));
    const parts = element("div", undefined, "pieces");
    pieces.forEach(([text, p, top], i) => {
      const part = element("div");
      if (pieces.length > 1) {
        const head = letheSay("Part {number}", { number: i + 1 }) + " " + visible(text) + ", " + percent(p);
        part.append(element("p", head, "note"));
      }
      part.append(list(text, top));
      parts.append(part);
    });
    column.append(parts);
    return column;
  };

  const inspect = (word) => {
    const answer = word.closest(".answer");
    const box = document.getElementById("inspector");
    if (!box || !answer.dataset.words) return;
    for (const other of document.querySelectorAll(".w.chosen")) other.classList.remove("chosen");
    for (const other of answer.querySelectorAll('.w[tabindex="0"]')) other.tabIndex = -1;
    word.tabIndex = 0;
    word.classList.add("chosen");
    const judged = JSON.parse(answer.dataset.words)[Number(word.dataset.i)];
    const head = element("p", letheSay("In place of \u201c{word}\u201d:", { word: word.textContent.trim() }), "inspector-head");
    const columns = element("div", undefined, "columns");
    columns.append(...judged.map((pieces, i) => side(NAMES[i], pieces)));
    box.replaceChildren(head, columns);
  };

  document.addEventListener("focusin", (event) => {
    const word = event.target.closest(".w");
    if (word) inspect(word);
  });

  document.addEventListener("keydown", (event) => {
    const word = event.target.closest?.(".w");
    if (!word) return;
    const all = [...word.closest(".answer").querySelectorAll(".w")];
    const at = all.indexOf(word);
    const to = { Home: 0, End: all.length - 1 }[event.key] ?? at + (WAYS[event.key] ?? NaN);
    if (Number.isNaN(to)) return;
    event.preventDefault();
    all[Math.min(Math.max(to, 0), all.length - 1)].focus();
  });
})();
