/* The present view: shown in place of the page where the address says view=present. */
(() => {
  const root = document.documentElement;

  /* Links with the address of this page before them, whatever it is served under. */
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy-href]");
    if (!button) return;
    const link = new URL(button.dataset.copyHref, window.location.href);
    link.hash = "";
    try {
      await navigator.clipboard.writeText(link.href);
      button.textContent = letheSay("Copied");
    } catch {
      // Without https a browser keeps its clipboard closed: show the link instead.
      window.prompt(letheSay("The link of the present view:"), link.href);
    }
  });

  if (new URLSearchParams(window.location.search).get("view") !== "present") return;
  root.classList.add("present");

  const all = () => [...document.querySelectorAll("#present-texts .said-pair")];
  let chosen = 0;

  const tell = (text) => {
    const told = document.querySelector("#present .present-told");
    if (told) told.textContent = text;
  };

  /* Every look brings the texts anew, with the first one shown. */
  const choose = () => {
    const pairs = all();
    if (!pairs.length) return;
    const at = ((chosen % pairs.length) + pairs.length) % pairs.length;
    pairs.forEach((pair, i) => {
      if (pair.hidden !== (i !== at)) pair.hidden = i !== at;
    });
  };

  document.addEventListener("DOMContentLoaded", () => {
    // The page replaces whole elements when it brings news, so nothing smaller can be watched.
    new MutationObserver(choose).observe(document.body, { childList: true, subtree: true });
  });

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "b" || event.key === "B") {
      const veiled = root.classList.toggle("blurred");
      tell(veiled ? letheSay("The texts are blurred; B shows them.") : letheSay("The texts are shown."));
    } else if (event.key === "ArrowRight" || event.key === "ArrowLeft") {
      chosen += event.key === "ArrowRight" ? 1 : -1;
      choose();
    }
  });
})();
