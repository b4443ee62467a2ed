/* Sets of small charts with one cursor: see unlearning/exports/curves.py. The slider moves it by
   mouse, finger or arrow key; pointing at a chart moves it, too. Text goes through textContent. */
(() => {
  "use strict";

  const places = {}; // by set, so that a set that is drawn anew keeps its cursor
  let held = ""; // the set whose slider has the focus, for the same reason

  const at = (steps, step) => {
    let low = 0, high = steps.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (steps[middle] <= step) low = middle + 1; else high = middle;
    }
    return low - 1;
  };

  const move = (set, step) => {
    const slider = set.querySelector("input[type=range]");
    slider.value = step;
    const now = Number(slider.value);
    places[set.dataset.set] = now === Number(slider.max) ? undefined : now;
    set.querySelector("output").textContent = now;
    for (const chart of set.querySelectorAll(".curve")) {
      const cursor = chart.querySelector(".cursor");
      const grid = chart.querySelector(".grid").getAttribute("d").match(/[\d.]+/g).map(Number);
      const last = Number(chart.dataset.last);
      const x = grid[0] + (grid[2] - grid[0]) * Math.min(now / last, 1);
      cursor.setAttribute("d", cursor.getAttribute("d").replace(/^M[\d.]+/, "M" + x.toFixed(1)));
      cursor.setAttribute("visibility", "visible");
      const told = JSON.parse(chart.dataset.curves).map(([name, steps, values]) => {
        const place = at(steps, now);
        return name + "\u00a0" + (place < 0 ? "–" : values[place].replace("-", "−"));
      });
      chart.querySelector(".at").textContent = told.join("   ");
    }
    set.dispatchEvent(new CustomEvent("lethe-step", { bubbles: true, detail: now }));
  };

  document.addEventListener("input", (event) => {
    const set = event.target.closest?.(".curve-set");
    if (set && event.target.type === "range") move(set, event.target.value);
  });

  document.addEventListener("focusin", (event) => {
    held = event.target.closest?.(".curve-slider") ? event.target.closest(".curve-set").dataset.set : "";
  });

  document.addEventListener("pointermove", (event) => {
    const svg = event.target.closest?.(".curve-set svg");
    if (!svg || (event.pointerType === "touch" && !event.isPrimary)) return;
    const chart = svg.closest(".curve"), box = svg.getBoundingClientRect();
    const view = svg.viewBox.baseVal, last = Number(chart.dataset.last);
    const grid = svg.querySelector(".grid").getAttribute("d").match(/[\d.]+/g).map(Number);
    const x = ((event.clientX - box.left) / box.width) * view.width;
    const share = (x - grid[0]) / (grid[2] - grid[0]);
    move(svg.closest(".curve-set"), Math.round(Math.min(Math.max(share, 0), 1) * last));
  });

  /* A set that was drawn anew gets its cursor back. */
  const again = () => {
    for (const set of document.querySelectorAll(".curve-set:not([data-drawn])")) {
      set.dataset.drawn = "";
      const kept = places[set.dataset.set];
      if (kept !== undefined) move(set, kept);
      const lost = document.activeElement === document.body || !document.activeElement;
      if (held === set.dataset.set && lost) set.querySelector("input[type=range]").focus();
    }
  };
  const watch = () => {
    again();
    new MutationObserver(again).observe(document.body, { childList: true, subtree: true });
  };
  if (document.body) watch(); else document.addEventListener("DOMContentLoaded", watch);
})();
