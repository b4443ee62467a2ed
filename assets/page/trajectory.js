/* Draws the path of a run: see dashboard/trajectory.py for the payload. Colours are in live.css. */
(() => {
  "use strict";

  const SVG = "http://www.w3.org/2000/svg";
  const MARGIN = { l: 38, r: 10, t: 12, b: 34 };
  const percent = (share) => Math.round(share * 100) + "%";

  const make = (tag, look, attributes = {}, text) => {
    const made = document.createElementNS(SVG, tag);
    if (look) made.setAttribute("class", look);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    if (text !== undefined) made.textContent = text;
    return made;
  };

  const titled = (element, words) => {
    element.append(make("title", "", {}, words));
    return element;
  };

  class Trajectory {
    constructor(element, props) {
      this.props = props;
      this.plot = element.querySelector(".trajectory-plot");
      this.summary = element.querySelector(".trajectory-summary");
      this.known = null;
      this.earlier = [];
      new ResizeObserver(() => this.draw()).observe(this.plot);
    }

    receive() {
      const news = this.props.value;
      if (!news || news.path === undefined) return;
      if (news.earlier) this.earlier = news.earlier;
      this.known = news;
      this.draw();
      this.props.value = { drawn: { run: news.run, tag: news.tag } };
    }

    draw() {
      if (!this.known) return;
      const { summary, marks } = this.known;
      this.summary.textContent = summary;
      const told = marks.map(([, , words]) => words).join("; ");
      this.plot.setAttribute("aria-label", letheSay("Forgetting against what is kept.") + " " + summary + " " + told);
      const width = this.plot.clientWidth, height = this.plot.clientHeight;
      if (width < 80 || height < 80) return;
      const svg = make("svg", "", { width, height, viewBox: `0 0 ${width} ${height}` });
      this.inner = { w: width - MARGIN.l - MARGIN.r, h: height - MARGIN.t - MARGIN.b };
      svg.append(...this.ground(), ...this.axes(), ...this.others(), ...this.run());
      this.plot.replaceChildren(svg);
    }

    x(forgotten) {
      return MARGIN.l + (forgotten / this.known.right) * this.inner.w;
    }

    y(kept) {
      const { bottom } = this.known;
      return MARGIN.t + ((1 - kept) / (1 - bottom)) * this.inner.h;
    }

    /* Where no run should go. */
    ground() {
      const { collapse, over, right, bottom } = this.known;
      const parts = [];
      const end = this.x(right), floor = this.y(bottom);
      if (over !== null && over < right) {
        const x = this.x(over);
        parts.push(make("rect", "ground over", { x, y: MARGIN.t, width: end - x, height: this.inner.h }));
        const mid = (x + end) / 2 + 4, at = MARGIN.t + this.inner.h * 0.3;
        parts.push(make("text", "ground-name", { x: mid, y: at, "text-anchor": "middle",
          transform: `rotate(-90 ${mid} ${at})` }, letheSay("forgotten too much")));
      }
      if (collapse > bottom) {
        const y = this.y(collapse);
        parts.push(make("rect", "ground collapse", { x: MARGIN.l, y, width: this.inner.w, height: floor - y }));
        parts.push(make("text", "ground-name", { x: MARGIN.l + 6, y: floor - 6 }, letheSay("collapse")));
      }
      return parts;
    }

    axes() {
      const { right, bottom, level } = this.known;
      const floor = this.y(bottom), end = this.x(right);
      const parts = [make("path", "axis", { d: `M${MARGIN.l} ${MARGIN.t}V${floor}H${end}` })];
      const stride = right > 0.62 ? 0.25 : right > 0.3 ? 0.1 : 0.05;
      for (let at = 0; at <= right + 1e-9; at += stride) {
        parts.push(make("text", "tick", { x: this.x(at), y: floor + 13, "text-anchor": "middle" }, percent(at)));
      }
      for (let at = Math.ceil(bottom * 5 - 1e-9) / 5; at <= 1 + 1e-9; at += 0.2) {
        parts.push(make("text", "tick", { x: MARGIN.l - 5, y: this.y(at) + 4, "text-anchor": "end" }, percent(at)));
        parts.push(make("path", "grid", { d: `M${MARGIN.l} ${this.y(at)}H${end}` }));
      }
      parts.push(make("text", "axis-name", { x: end, y: floor + 29, "text-anchor": "end" }, letheSay("words forgotten") + " \u2192"));
      parts.push(make("text", "axis-name", { x: 2, y: floor + 29 }, "\u2191 " + letheSay("kept")));
      if (level !== null) {
        const x = this.x(level);
        parts.push(make("path", "level", { d: `M${x} ${MARGIN.t}V${floor}` }));
        const left = x > MARGIN.l + this.inner.w / 2;
        parts.push(make("text", "level-name", { x: x + (left ? -5 : 5), y: floor - 6,
          "text-anchor": left ? "end" : "start" }, letheSay("never saw it")));
        parts.push(titled(make("circle", "goal", { cx: x, cy: this.y(1), r: 6 }), letheSay("The goal: a model that never saw the text")));
        parts.push(make("circle", "goal-heart", { cx: x, cy: this.y(1), r: 2 }));
      }
      return parts;
    }

    others() {
      const best = this.earlier.filter(([, , , kind]) => kind === "front");
      const parts = [];
      if (best.length > 1) {
        const d = best.map(([x, y], i) => `${i ? "L" : "M"}${this.x(x)} ${this.y(y)}`).join("");
        parts.push(make("path", "front", { d }));
      }
      for (const [forgotten, kept, words, kind] of this.earlier) {
        const x = this.x(forgotten), y = this.y(kept);
        const told = words + ": " + this.told(forgotten, kept);
        const shape = kind === "collapsed" ? this.cross(x, y, 4, "other collapsed")
          : kind === "front" ? make("path", "other best", { d: `M${x - 5} ${y}l5 -5l5 5l-5 5z` })
            : make("circle", "other beaten", { cx: x, cy: y, r: 3.5 });
        parts.push(titled(shape, told));
      }
      return parts;
    }

    cross(x, y, r, look) {
      return make("path", look, { d: `M${x - r} ${y - r}l${2 * r} ${2 * r}M${x - r} ${y + r}l${2 * r} ${-2 * r}` });
    }

    run() {
      const { path, now, at, marks } = this.known;
      if (!path.length) return [];
      const place = ([, forgotten, kept]) => [this.x(forgotten), this.y(kept)];
      const d = path.map((point, i) => `${i ? "L" : "M"}${place(point).join(" ")}`).join("");
      const parts = [make("path", "way", { d })];
      const last = path[path.length - 1];
      if (now && now[0] < last[0]) {
        parts.push(make("path", "way back", { d: `M${place(last).join(" ")}L${place(now).join(" ")}` }));
      }
      path.forEach((point, i) => {
        const [cx, cy] = place(point);
        const dot = make("circle", i ? "look" : "look first", { cx, cy, r: i ? 3 : 4.5 });
        titled(dot, letheSay("step {step}", { step: point[0] }) + ": " + this.told(point[1], point[2]));
        dot.addEventListener("click", () => {
          document.dispatchEvent(new CustomEvent("lethe-step", { detail: point[0] }));
        });
        parts.push(dot);
      });
      for (const [forgotten, kept, words, kind] of marks) {
        const x = this.x(forgotten), y = this.y(kept);
        const sign = kind === "bad" ? this.cross(x, y, 6, "sign bad") : make("circle", "sign good", { cx: x, cy: y, r: 6 });
        parts.push(titled(sign, words));
      }
      if (now) {
        const [cx, cy] = place(now);
        parts.push(make("circle", "here", { cx, cy, r: 5.5 }));
        if (!at) parts.push(this.name(cx, cy, letheSay("step {step}", { step: now[0] })));
      }
      if (at) {
        const [cx, cy] = place(at);
        parts.push(make("circle", "chosen", { cx, cy, r: 8 }), this.name(cx, cy, letheSay("step {step}", { step: at[0] })));
      }
      return parts;
    }

    told(forgotten, kept) {
      return letheSay("{forgotten} forgotten, {kept} kept", { forgotten: percent(forgotten), kept: percent(kept) });
    }

    name(x, y, words) {
      const left = x > MARGIN.l + this.inner.w * 0.6;
      return make("text", "here-name", { x: x + (left ? -11 : 11), y: y + 17, "text-anchor": left ? "end" : "start" }, words);
    }
  }

  window.letheTrajectory = (element, props, watch) => {
    const trajectory = new Trajectory(element, props);
    watch("value", () => trajectory.receive());
    trajectory.receive();
  };
})();
