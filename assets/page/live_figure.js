/* Draws one live chart: see dashboard/live_figure.py for the payload. */
(() => {
  "use strict";

  const FONT = 11; // pixels; a chart with larger labels scales what follows
  const MARGIN = { l: 40, r: 12, t: 8, b: 20 };
  const ROW = 13; // a row of labels above the plot
  const AGAIN = 2000; // milliseconds until the drawing library is asked for again

  const short = (value) => {
    const digits = Math.abs(value) >= 1000 ? Math.round(value) : Number(value.toPrecision(3));
    return String(digits).replace("-", "\u2212");
  };

  const theme = (element) => {
    const style = getComputedStyle(element);
    const of = (name, other) => style.getPropertyValue(name).trim() || other;
    return {
      text: of("--body-text-color", "#808080"),
      quiet: of("--body-text-color-subdued", "#808080"),
      grid: of("--border-color-primary", "rgba(128,128,128,0.25)"),
      panel: of("--background-fill-primary", "#ffffff"),
      font: style.fontFamily,
      bad: of("--lethe-forget", "#D55E00"),
      good: of("--lethe-healthy", "#009E73"),
    };
  };

  /* Plotly is megabytes: asked for in idle time, and run once there is something to draw. */
  let hinted = false;
  const hint = (source) => {
    if (hinted || window.Plotly) return;
    hinted = true;
    document.head.append(Object.assign(document.createElement("link"), { rel: "prefetch", as: "script", href: source }));
  };

  let fetched = null;
  const plotly = (source) => {
    fetched = fetched || new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.onerror = () => {
        fetched = null;
        reject(new Error("The drawing library could not be loaded"));
      };
      // What a proxy sends in its place may load as well.
      script.onload = () => (window.Plotly ? resolve() : script.onerror());
      script.src = source;
      document.head.append(script);
    });
    return fetched;
  };

  class LiveFigure {
    constructor(element, props) {
      this.props = props;
      this.library = element.querySelector(".figure").dataset.plotly;
      hint(this.library);
      this.chart = JSON.parse(element.querySelector(".figure").dataset.chart);
      this.font = this.chart.font || FONT;
      this.scale = this.font / FONT;
      this.margin = Object.fromEntries(Object.entries(MARGIN).map(([side, size]) => [side, size * this.scale]));
      this.find = (name) => element.querySelector(".figure-" + name);
      this.plot = this.find("plot");
      this.plot.style.height = this.chart.height + "px";
      this.become(this.chart);
      this.hidden = new Set();
      this.forget(null);
      this.follow(element);
    }

    /* A chart may be told with the payload: then its heading and its curves are of that payload. */
    become(chart) {
      this.chart = { ...chart, height: this.chart.height };
      this.find("title").textContent = this.chart.title;
      this.find("direction").textContent = this.chart.direction;
    }

    forget(run) {
      this.run = run;
      this.tag = "";
      this.traces = new Map();
      this.rest = { marks: [], levels: [], steps: null, summary: letheSay("Nothing measured yet.") };
    }

    /* Redraw when the theme changes, resize when the room does. */
    follow(element) {
      const themes = new MutationObserver(() => {
        if (element.isConnected) this.draw();
        else themes.disconnect();
      });
      for (const node of [document.documentElement, document.body]) {
        themes.observe(node, { attributes: true, attributeFilter: ["class"] });
      }
      new ResizeObserver(() => {
        if (this.plot.clientWidth === 0) return;
        this.draw();
      }).observe(this.plot);
    }

    receive() {
      const payload = this.props.value;
      if (!payload || payload.run === undefined) return;
      if (payload.run !== this.run) this.forget(payload.run);
      if (payload.chart) this.become(payload.chart);
      let whole = true;
      for (const [key, part] of Object.entries(payload.traces)) whole = this.take(key, part) && whole;
      const { marks, levels, steps, summary } = payload;
      this.rest = { marks, levels, steps, summary };
      // Without the tag the server sends again what did not fit.
      this.tag = whole ? payload.tag : "";
      this.report();
      this.draw();
    }

    /* Join new points to a curve; false if they follow points that are not here. */
    take(key, part) {
      if (part.from === null) {
        this.traces.set(key, { x: [...part.x], y: [...part.y] });
        return true;
      }
      const held = this.traces.get(key);
      if (!held || held.x[held.x.length - 1] < part.from) return false;
      while (held.x.length && held.x[held.x.length - 1] >= part.from) {
        held.x.pop();
        held.y.pop();
      }
      held.x.push(...part.x);
      held.y.push(...part.y);
      return true;
    }

    /* The component's value becomes what is on the screen: the next tick's cursor. */
    report() {
      const traces = {};
      for (const [key, { x }] of this.traces) traces[key] = [x[x.length - 1], x.length];
      this.props.value = { drawn: { run: this.run, tag: this.tag, traces } };
    }

    draw() {
      const { summary } = this.rest;
      this.find("summary").textContent = summary;
      this.find("foot").classList.toggle("drawn", this.traces.size > 0);
      this.plot.setAttribute("aria-label", this.chart.title + ". " + summary);
      this.drawLegend();
      // Hidden by style: a component that is mounted late loses what it was built with.
      const place = this.plot.closest(".until-drawn");
      if (place) place.classList.toggle("drawn", this.traces.size > 0);
      if (this.plot.clientWidth === 0 || this.run === null) return;
      if (!window.Plotly) {
        plotly(this.library).then(() => this.draw(), () => this.drawLater());
        return;
      }
      const colours = theme(this.plot);
      const config = { displayModeBar: false, responsive: false, doubleClick: "reset" };
      window.Plotly.react(this.plot, this.data(colours), this.layout(colours), config);
    }

    /* The server was told that all is here, and will not send it again. */
    drawLater() {
      clearTimeout(this.later);
      this.later = setTimeout(() => this.plot.isConnected && this.draw(), AGAIN);
    }

    data(colours) {
      const curves = this.chart.traces
        .filter(({ key }) => this.traces.has(key))
        .map(({ key, name, colour, dash }) => {
          const { x, y } = this.traces.get(key);
          return {
            // Plotly looks for a curve that goes away by ".cb" + uid: no slashes in a selector.
            // Copies: it takes the same array for unchanged data.
            uid: key.replace(/\W/g, "-"), type: "scatter", x: [...x], y: [...y], name,
            mode: x.length > 60 ? "lines" : "lines+markers",
            line: { color: colour, width: 2.25, dash },
            marker: { color: colour, size: x.length > 1 ? 4 : 8 },
            visible: !this.hidden.has(key),
            hovertemplate: "%{y:.3~g}<extra>" + name + "</extra>",
          };
        });
      const levels = this.rest.levels.map(({ y }, i) => ({
        uid: "level" + i, type: "scatter", mode: "lines", hoverinfo: "skip",
        x: this.rest.steps ? [0, this.rest.steps] : [0, 1], y: [y, y],
        line: { color: colours.quiet, width: 1.25, dash: "dot" },
      }));
      return [...levels, ...curves];
    }

    layout(colours) {
      const axis = {
        gridcolor: colours.grid, zeroline: false, tickfont: { size: this.font, color: colours.quiet },
        ticks: "", automargin: false,
      };
      const { steps } = this.rest;
      const places = this.placeMarks();
      const rows = Math.max(0, ...places.map(({ row }) => row + 1));
      return {
        uirevision: this.run,
        width: this.plot.clientWidth, height: this.plot.clientHeight,
        paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
        margin: { ...this.margin, t: this.margin.t + rows * ROW * this.scale },
        font: { family: colours.font, size: this.font, color: colours.text },
        showlegend: false, hovermode: "x unified",
        hoverlabel: { bgcolor: colours.panel, bordercolor: colours.grid, font: { color: colours.text } },
        dragmode: window.matchMedia("(pointer: coarse)").matches ? false : "zoom",
        xaxis: { ...axis, showgrid: false, nticks: 7, tickformat: "d", hoverformat: "d",
                 spikethickness: 1, spikedash: "solid", spikecolor: colours.grid,
                 ...(steps ? { range: [-0.01 * steps, steps * 1.01] } : { rangemode: "tozero" }) },
        yaxis: { ...axis, nticks: 5, ...(this.chart.y_range ? { range: this.padded() } : {}) },
        shapes: this.rest.marks.map(({ step, kind }) => ({
          type: "line", x0: step, x1: step, yref: "paper", y0: 0, y1: 1,
          line: { color: colours[kind] || colours.quiet, width: 1.5, dash: "dash" },
        })),
        annotations: [...this.markLabels(colours, places), ...this.levelLabels(colours)],
      };
    }

    /* A fixed range with a little air, so that a line at its end is not cut in half. */
    padded() {
      const [low, high] = this.chart.y_range;
      const air = (high - low) * 0.04;
      return [low - air, high + air];
    }

    /* Labels of marks stand above the plot, where they cover no curve: each in the first row, and
       on the first side of its line, where it meets no other and no edge. */
    placeMarks() {
      const { marks, steps } = this.rest;
      const width = Math.max(this.plot.clientWidth - this.margin.l - this.margin.r, 1);
      const last = steps || Math.max(1, ...marks.map(({ step }) => step));
      const rows = [];
      return marks.map(({ step, text }) => {
        const at = (step / last) * width;
        const size = (text.length * 6.2 + 8) * this.scale;
        const sides = { center: at - size / 2, right: at - size, left: at };
        const fits = ([, from], row) => from >= -this.margin.l && from + size <= width + this.margin.r
          && (rows[row] || []).every(([low, high]) => from + size <= low || from >= high);
        for (let row = 0; row < marks.length; row += 1) {
          const side = Object.entries(sides).find((entry) => fits(entry, row));
          if (!side) continue;
          rows[row] = [...(rows[row] || []), [side[1], side[1] + size]];
          return { row, xanchor: side[0] };
        }
        return { row: marks.length, xanchor: at > width / 2 ? "right" : "left" };
      });
    }

    markLabels(colours, places) {
      return this.rest.marks.map(({ step, text }, i) => ({
        x: step, xanchor: places[i].xanchor, yref: "paper", y: 1, yanchor: "bottom",
        yshift: places[i].row * ROW * this.scale, showarrow: false, text, borderpad: 0,
        font: { size: this.font, color: colours.text },
      }));
    }

    levelLabels(colours) {
      return this.rest.levels.map(({ y, text }) => ({
        xref: "paper", x: 0.01, xanchor: "left", y, yanchor: "bottom", showarrow: false,
        text, font: { size: this.font, color: colours.quiet },
      }));
    }

    /* Own legend: buttons, so that it is reached by keyboard and never clipped. */
    drawLegend() {
      const legend = this.find("legend");
      const traces = this.chart.traces.filter(({ key }) => this.traces.has(key));
      const keys = traces.map(({ key }) => key).join();
      if (legend.dataset.keys !== keys) {
        legend.dataset.keys = keys;
        legend.replaceChildren(...traces.map((trace) => this.legendItem(trace)));
      }
      traces.forEach(({ key }, i) => {
        const values = this.traces.get(key).y.filter((value) => value !== null);
        const button = legend.children[i];
        button.setAttribute("aria-pressed", String(!this.hidden.has(key)));
        const ends = [values[0], values[values.length - 1]].slice(values.length > 1 ? 0 : 1);
        button.lastChild.textContent = values.length ? ends.map(short).join(" \u2192 ") : "";
      });
    }

    legendItem({ key, name, colour, dash }) {
      const button = document.createElement("button");
      const line = document.createElement("i");
      line.style.borderTop = `3px ${dash === "solid" ? "solid" : dash === "dot" ? "dotted" : "dashed"} ${colour}`;
      const value = document.createElement("b");
      button.type = "button";
      button.title = letheSay("Show or hide");
      button.append(line, document.createTextNode(name + " "), value);
      button.addEventListener("click", () => {
        if (!this.hidden.delete(key)) this.hidden.add(key);
        this.draw();
      });
      return button;
    }
  }

  window.letheFigure = (element, props, watch) => {
    const figure = new LiveFigure(element, props);
    watch("value", () => figure.receive());
    figure.receive();
    figure.draw();
  };
})();
