// A trained network, rescaled by a without changing its function: a slider, every sharpness against a, and why it stays
// or moves. All numbers and words come from the server (samviz/figures/rescaling.py); the slider goes from one measured a
// to the next, so that nothing is made up between them.

import { drawCurves, nearest } from "./chart.js";
import { element } from "./controls.js";
import { brief } from "./legend.js";
import { mounting } from "./mount.js";
import { readTheme } from "./plane.js";

/** 3.2e-07 for what is nearly nothing, else three digits. */
function digits(value) {
  if (value === null) return "no value";
  return value !== 0 && Math.abs(value) < 1e-3 ? value.toExponential(1).replace("-", "−") : brief(value);
}

class Rescaling {
  constructor(root, data) {
    Object.assign(this, { root, data, at: data.middle });
    this.range = element("input", {
      type: "range",
      min: 0,
      max: data.factors.length - 1,
      step: 1,
      value: data.middle,
      "aria-label": "a",
      input: () => this.go(Number(this.range.value)),
    });
    this.shown = element("output", {});
    this.canvas = element("canvas", {
      role: "img",
      "aria-label": "Every sharpness against a, relative to a = 1, and below it the change of the logits",
      pointerdown: (event) => this.grab(event),
      pointermove: (event) => event.buttons === 1 && this.grab(event),
    });
    this.rows = data.lines.map((line) => this.row(line));
    this.logits = element("td", { class: "number", "data-column": "now" });
    this.root.replaceChildren(
      element("label", { class: "lever" }, element("span", {}, "Rescale by a"), this.shown, this.range),
      this.canvas,
      element("div", { class: "sentences" }, ...data.summary.map((text) => element("p", {}, text))),
      this.table(),
      this.details("What is rescaled", [data.spread, ...data.where, ...data.seams]),
      data.refused.length ? this.details("What cannot be rescaled, and why", data.refused) : "",
    );
    this.sizes = new ResizeObserver(() => this.draw());
    this.sizes.observe(this.canvas);
    this.clock = setInterval(() => this.tick(), 1000);
    this.go(data.middle);
  }

  row(line) {
    const mark = element("i", { class: line.dashed ? "line dashed" : "line", style: `color:${line.color}` });
    const name = element("span", { class: "patch" }, mark, element("span", {}, line.label, element("small", {}, line.loss)));
    const now = element("td", { class: "number", "data-column": "now" });
    const ratio = element("td", { class: "number", "data-column": "times a = 1" });
    const verdict = line.stays ? "stays" : "moves";
    const node = element(
      "tr",
      {},
      element("th", { scope: "row" }, name),
      now,
      ratio,
      element("td", {}, element("b", { "data-verdict": verdict }, verdict), element("small", {}, line.reason)),
    );
    return { node, now, ratio, line };
  }

  table() {
    const column = (text) => element("th", { scope: "col" }, text);
    const logits = element("tr", {}, element("th", { scope: "row" }, "largest change of a logit"), this.logits);
    logits.append(element("td"), element("td", {}, element("small", {}, "relative to the largest logit")));
    return element(
      "table",
      {},
      element("caption", {}, "Sharpness at a: what Definition 1 of ASAM says, and why"),
      element("thead", {}, element("tr", {}, ...["sharpness", "now", "times a = 1", "under this rescaling"].map(column))),
      element("tbody", {}, ...this.rows.map(({ node }) => node), logits),
    );
  }

  details(title, sentences) {
    const list = element("ul", {}, ...sentences.map((text) => element("li", {}, text)));
    return element("details", {}, element("summary", {}, title), list);
  }

  get xs() {
    return { values: this.data.factors, title: "a", log: true };
  }

  grab(event) {
    this.go(nearest(this.canvas, this.xs, event.offsetX));
  }

  go(k) {
    this.at = k;
    const a = brief(this.data.factors[k]);
    this.range.value = k;
    this.range.setAttribute("aria-valuetext", a);
    this.shown.textContent = `a = ${a}`;
    for (const { now, ratio, line } of this.rows) {
      now.textContent = digits(line.values[k]);
      ratio.textContent = line.ratios[k] === null ? "no value" : `× ${brief(line.ratios[k])}`;
    }
    this.logits.textContent = digits(this.data.logits.values[k]);
    this.draw();
  }

  draw() {
    this.theme = readTheme(this.root);
    const number = (value) => (value === null ? NaN : value);
    const lines = this.data.lines.map(({ ratios, color, dashed }) => ({ values: ratios.map(number), color, dashed, width: 2.25 }));
    const { values, color } = this.data.logits;
    const panels = [
      { title: "sharpness, times its value at a = 1", log: true, lines },
      { title: "largest change of a logit, relative", log: true, lines: [{ values: values.map((v) => v || NaN), color }] },
    ];
    drawCurves(this.canvas, { x: this.xs, panels, marks: [], bands: null, cursor: this.at }, this.theme);
  }

  tick() {
    if (JSON.stringify(readTheme(this.root)) !== JSON.stringify(this.theme)) this.draw();
  }

  refreshTheme() {
    this.draw();
  }

  close() {
    clearInterval(this.clock);
    this.sizes.disconnect();
  }
}

export default mounting(Rescaling);
