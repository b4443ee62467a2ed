/* The slider over the looks at a model: see dashboard/travel.py. Arrow keys, Home and End are the
   browser's own. */
(() => {
  "use strict";

  const SIGNS = { good: "\u2713", bad: "\u2715", plain: "\u25c6" };

  const unfold = (stretches) => stretches.flatMap(([first, last, stride]) =>
    Array.from({ length: Math.floor((last - first) / stride) + 1 }, (_, i) => first + i * stride));

  class Travel {
    constructor(element, props, trigger) {
      Object.assign(this, { props, trigger, looks: [], chosen: null, known: null });
      this.box = element.querySelector(".travel");
      this.range = element.querySelector("#travel-step");
      this.marks = element.querySelector(".travel-marks");
      this.told = element.querySelector(".travel-at");
      this.follow = element.querySelector(".travel-follow input");
      this.range.addEventListener("input", () => this.choose(this.looks[Number(this.range.value)]));
      this.follow.addEventListener("change", () => {
        this.choose(this.follow.checked ? null : this.looks[Number(this.range.value)]);
      });
      // A point of the path was pressed.
      document.addEventListener("lethe-step", ({ detail }) => {
        if (this.looks.includes(detail)) this.choose(detail);
      });
    }

    receive() {
      const news = this.props.value;
      if (!news || news.looks === undefined) return;
      const other = this.known && this.known.run !== news.run;
      this.known = news;
      this.looks = unfold(news.looks);
      const lost = this.chosen !== null && (other || !this.looks.includes(this.chosen));
      if (lost) this.choose(null);
      else this.report();
      this.draw();
    }

    choose(step) {
      this.chosen = step === undefined ? null : step;
      this.draw();
      this.report();
      // Once the value has arrived where events look for it.
      setTimeout(() => this.trigger("input"), 0);
    }

    report() {
      const chosen = this.chosen === null ? "" : this.known.id + "@" + this.chosen;
      this.props.value = { chosen, drawn: { tag: this.known.tag } };
    }

    draw() {
      const { now, steps, marks } = this.known;
      this.box.hidden = this.looks.length < 2;
      this.range.max = String(Math.max(this.looks.length - 1, 0));
      const step = this.chosen === null ? now : this.chosen;
      this.range.value = String(Math.max(this.looks.indexOf(step), 0));
      this.range.style.setProperty("--share", `${(100 * this.range.value) / Math.max(this.looks.length - 1, 1)}%`);
      this.follow.checked = this.chosen === null;
      const here = marks.filter(([at]) => at === step).map(([, words]) => words);
      this.told.textContent = [letheSay("step {step}", { step }), ...here].join(", ");
      this.range.setAttribute("aria-valuetext", [letheSay("step {step} of {steps}", { step, steps }), ...here].join(", "));
      this.drawMarks(marks);
    }

    drawMarks(marks) {
      const last = Math.max(this.looks.length - 1, 1);
      this.marks.replaceChildren(...marks.map(([at, words, kind]) => {
        const mark = document.createElement("span");
        const share = this.looks.indexOf(at) / last;
        mark.className = "travel-mark " + kind;
        mark.style.left = `calc(8px + (100% - 16px) * ${share})`;
        mark.dataset.side = share > 0.85 ? "left" : share < 0.15 ? "right" : "middle";
        mark.textContent = SIGNS[kind] + " " + words + " " + at;
        return mark;
      }));
    }
  }

  window.letheTravel = (element, props, watch, trigger) => {
    const travel = new Travel(element, props, trigger);
    watch("value", () => travel.receive());
    travel.receive();
  };
})();
