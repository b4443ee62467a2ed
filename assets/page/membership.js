/* The membership explorer: see dashboard/membership.py for the payload. Nothing here asks the server. */
(() => {
  "use strict";

  const SVG = "http://www.w3.org/2000/svg";
  const HEIGHT = 96, FLOOR = 80, MIDDLE = 40, SIDE = 8, DOT = 7;

  const make = (tag, look, attributes = {}, text) => {
    const made = document.createElementNS(SVG, tag);
    made.setAttribute("class", look);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    if (text !== undefined) made.textContent = text;
    return made;
  };

  const said = (tag, look, words) => {
    const made = document.createElement(tag);
    made.className = look;
    made.textContent = words;
    return made;
  };

  const below = (scores, threshold) => scores.filter((score) => score < threshold).length;
  const short = (value) => String(Number(value.toPrecision(3)));

  class Explorer {
    constructor(element, props) {
      this.props = props;
      this.note = element.querySelector(".membership-note");
      this.body = element.querySelector(".membership-body");
      this.attack = element.querySelector("#membership-attack");
      this.range = element.querySelector("#membership-threshold");
      this.output = element.querySelector("output");
      this.place = element.querySelector(".membership-models");
      this.known = null;
      this.chosen = {};
      this.rows = [];
      this.attack.addEventListener("change", () => this.open());
      this.range.addEventListener("input", () => this.move());
      new ResizeObserver(() => this.draw()).observe(this.place);
    }

    receive() {
      const news = this.props.value;
      if (!news || news.attacks === undefined) return;
      if (this.known && this.known.run !== news.run) this.chosen = {};
      this.known = news;
      this.note.textContent = news.note;
      this.body.hidden = !news.attacks.length;
      const before = this.attack.value;
      this.attack.replaceChildren(...news.attacks.map(({ name, title }) => {
        const option = said("option", "", title);
        option.value = name;
        return option;
      }));
      if (news.attacks.some(({ name }) => name === before)) this.attack.value = before;
      this.open();
      this.props.value = { drawn: { tag: news.tag } };
    }

    /* Rows for the attack that is chosen; each attack keeps its threshold. */
    open() {
      this.now = this.known.attacks.find(({ name }) => name === this.attack.value);
      if (!this.now) return;
      const all = this.now.models.flatMap(([, , forget, unseen]) => [...forget, ...unseen]);
      const low = Math.min(...all), high = Math.max(...all), room = (high - low || 1) * 0.03;
      Object.assign(this, { low: low - room, high: high + room });
      if (this.chosen[this.now.name] === undefined) this.chosen[this.now.name] = this.now.first;
      const share = (this.chosen[this.now.name] - this.low) / (this.high - this.low);
      this.range.value = String(Math.round(share * Number(this.range.max)));
      this.rows = this.now.models.map((model) => this.row(model));
      this.place.replaceChildren(...this.rows.map(({ box }) => box));
      this.draw();
    }

    row([title, key, forget, unseen, auc, from, to]) {
      const box = said("div", "membership-model " + key, "");
      const plot = said("div", "membership-plot", "");
      plot.setAttribute("role", "img");
      const words = said("p", "membership-words", ""), counts = said("span", "", "");
      counts.setAttribute("aria-live", "polite");
      const area = auc === null ? "" : from === null
        ? letheSay("AUC {auc}; 0.5 is guessing.", { auc: auc.toFixed(2) })
        : letheSay("AUC {auc} (95 % interval {from} to {to}); 0.5 is guessing.",
          { auc: auc.toFixed(2), from: from.toFixed(2), to: to.toFixed(2) });
      words.append(said("b", "", title), counts, " ", said("small", "", area));
      box.append(plot, words);
      return { box, plot, counts, title, forget, unseen };
    }

    move() {
      const share = Number(this.range.value) / Number(this.range.max);
      this.chosen[this.now.name] = this.low + share * (this.high - this.low);
      this.draw();
    }

    draw() {
      if (!this.now) return;
      const threshold = this.chosen[this.now.name];
      this.output.textContent = short(threshold);
      this.range.setAttribute("aria-valuetext", letheSay("score {score}", { score: short(threshold) }));
      for (const row of this.rows) {
        const right = below(row.forget, threshold), wrong = below(row.unseen, threshold);
        const told = letheSay(
          "{right} of {forget} forget texts are called seen, rightly; {wrong} of {unseen} unseen texts are, wrongly.",
          { right, wrong, forget: row.forget.length, unseen: row.unseen.length });
        if (row.counts.textContent !== told) row.counts.textContent = told;
        row.plot.setAttribute("aria-label", letheSay("{title}, scores from {low} to {high}.",
          { title: row.title, low: short(this.low), high: short(this.high) }) + " " + told);
        this.picture(row, threshold);
      }
    }

    picture(row, threshold) {
      const width = row.plot.clientWidth;
      if (width < 80) return;
      const x = (score) => SIDE + ((score - this.low) / (this.high - this.low)) * (width - 2 * SIDE);
      const svg = make("svg", "", { viewBox: `0 0 ${width} ${HEIGHT}`, "aria-hidden": "true" });
      const line = x(threshold);
      svg.append(
        make("rect", "seen-side", { x: 0, y: 0, width: Math.max(line, 0), height: FLOOR }),
        make("path", "axis", { d: `M0 ${MIDDLE}H${width}M0 ${FLOOR}H${width}` }),
        ...this.lane(row.forget, x, MIDDLE, "forget"),
        ...this.lane(row.unseen, x, FLOOR, "unseen"),
        make("path", "line", { d: `M${line} 0V${FLOOR + 3}` }),
        make("text", "", { x: 0, y: HEIGHT - 2 }, "\u2190 " + letheSay("like seen text")),
        make("text", "", { x: width, y: HEIGHT - 2, "text-anchor": "end" }, letheSay("like unseen text") + " \u2192"),
      );
      row.plot.replaceChildren(svg);
    }

    /* Marks of equal place stand on each other, closer where they would not fit. */
    lane(scores, x, floor, look) {
      const stacks = new Map();
      for (const score of scores) {
        const place = Math.round(x(score) / DOT);
        stacks.set(place, [...(stacks.get(place) || []), score]);
      }
      const highest = Math.max(2, ...[...stacks.values()].map((stack) => stack.length));
      const step = Math.min(DOT, (MIDDLE - DOT - 2) / (highest - 1));
      return [...stacks.values()].flatMap((stack) => stack.map((score, i) => {
        const at = x(score), y = floor - DOT / 2 - 1 - i * step;
        return look === "forget"
          ? make("rect", look, { x: at - 2.5, y: y - 2.5, width: 5, height: 5 })
          : make("circle", look, { cx: at, cy: y, r: 2.5 });
      }));
    }
  }

  window.letheMembership = (element, props, watch) => {
    const explorer = new Explorer(element, props);
    watch("value", () => explorer.receive());
    explorer.receive();
  };
})();
