// Curves over steps, one below the other or side by side: loss, sharpness, distance and position. They share their
// range of steps, the player's step and the step under the pointer; zooming one zooms all.

import { element, iconButton } from "./controls.js";
import { label, mark, wipe } from "./plane.js";

const MARGIN = { left: 46, right: 12, top: 24, bottom: 20 }; // for text of the usual size
const LOWEST = 1e-6; // of a logarithmic axis

/** What is drawn: `solid` and `dashed` name arrays of a path; those of `sampled` panels stand at the told steps. */
const PANELS = [
  { title: "loss", solid: "loss", log: true },
  { title: "sharpness in SAM's sphere", solid: "sphere", dashed: "sphere_first", sampled: true },
  { title: "sharpness in ASAM's ellipsoid", solid: "ellipsoid", dashed: "ellipsoid_first", sampled: true },
  { title: "distance to the valley", solid: "distance", log: true },
  { title: "position log(w₁/w₂)", solid: "position" },
];

export class Panels {
  /**
   * @param {(step: number) => void} go called with the step that was clicked or dragged to
   * @param {() => void} zoomed called when another range of steps is shown
   */
  constructor(go, zoomed) {
    this.go = go;
    this.zoomed = zoomed;
    this.steps = 1;
    this.range = [0, 1];
    this.hover = null;
    this.sampled = new Map();
    this.canvases = PANELS.map((panel) => this.#canvas(panel));
    const zoom = (factor) => () => this.#zoom(factor);
    this.section = element(
      "section",
      { class: "linked", "aria-label": "Curves over steps" },
      element(
        "div",
        { class: "heading" },
        element("h3", {}, "Along the paths"),
        element("span", { class: "key" }, element("i", {}), " exact", element("i", { class: "dashes" }), " first order"),
        element(
          "div",
          { class: "bar" },
          iconButton("plus", "Fewer steps, around the current one (Ctrl+wheel)", zoom(3)),
          iconButton("minus", "More steps (Ctrl+wheel)", zoom(1 / 3)),
          iconButton("fit", "All steps", () => this.#show(0, this.steps)),
        ),
      ),
      element("div", { class: "curves" }, ...this.canvases),
    );
  }

  /** The range of steps as it stands in the address: "" is all. */
  get mark() {
    const [from, to] = this.range;
    return from === 0 && to === this.steps ? "" : `${from},${to}`;
  }

  /** Take over the paths and how many steps they have; the range is kept where it still fits, unless it is given. */
  show(paths, steps, range) {
    const all = this.range[0] === 0 && this.range[1] === this.steps;
    this.steps = steps;
    this.paths = paths;
    this.sampled.clear();
    if (range) this.range = range.split(",").map(Number);
    else if (all || range === "" || this.range[1] > steps) this.range = [0, steps];
  }

  /** Take over sampled curves: steps, and arrays by `start:variant`. */
  tell(steps, curves) {
    this.sampled.clear();
    for (const curve of curves) this.sampled.set(`${curve.start}:${curve.variant}`, { ...curve, steps });
  }

  get margin() {
    return Object.fromEntries(Object.entries(MARGIN).map(([edge, size]) => [edge, size * this.theme.type]));
  }

  // ---- range of steps ------------------------------------------------------------------------------------------

  #show(first, last) {
    const from = Math.max(0, Math.round(first));
    const to = Math.min(this.steps, Math.max(Math.round(last), from + 4));
    if (from === this.range[0] && to === this.range[1]) return;
    this.range = [from, to];
    this.zoomed();
  }

  /** Show a part of the range, on its logarithmic scale, around a step. */
  #zoom(factor, around = this.step) {
    const [low, high] = this.range.map(Math.log1p);
    const middle = Math.log1p(Math.max(this.range[0], Math.min(this.range[1], around)));
    const at = (edge) => Math.expm1(middle + (edge - middle) / factor);
    this.#show(Math.max(0, at(low)), at(high));
  }

  #canvas(panel) {
    const canvas = element("canvas", { role: "img", "aria-label": panel.title });
    const stepAt = (event) => {
      const part = (event.offsetX - this.margin.left) / (canvas.clientWidth - this.margin.left - this.margin.right);
      const [low, high] = this.range.map(Math.log1p);
      return Math.round(Math.expm1(low + Math.max(0, Math.min(1, part)) * (high - low)));
    };
    canvas.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      canvas.setPointerCapture(event.pointerId);
      this.go(stepAt(event));
    });
    canvas.addEventListener("pointermove", (event) => {
      this.hover = stepAt(event);
      if (event.buttons & 1) this.go(this.hover);
      else this.draw();
    });
    canvas.addEventListener("pointerleave", () => {
      this.hover = null;
      this.draw();
    });
    canvas.addEventListener(
      "wheel",
      (event) => {
        if (!event.ctrlKey && !event.metaKey) return;
        event.preventDefault();
        this.#zoom(Math.exp(-event.deltaY / 300), stepAt(event));
      },
      { passive: false },
    );
    return canvas;
  }

  // ---- picture -------------------------------------------------------------------------------------------------

  /** @param step the player's @param followed the path whose numbers are written @param theme as in plane.js */
  draw(step = this.step, followed = this.followed, theme = this.theme) {
    Object.assign(this, { step, followed, theme });
    if (!this.paths || !theme) return;
    PANELS.forEach((panel, i) => this.#panel(this.canvases[i], panel));
    this.section.dataset.range = this.range.join(" ");
    this.section.dataset.hover = this.hover ?? "";
  }

  #panel(canvas, panel) {
    const pen = wipe(canvas);
    const margin = this.margin;
    const width = canvas.clientWidth - margin.left - margin.right;
    const height = canvas.clientHeight - margin.top - margin.bottom;
    if (width < 10) return;
    const curves = this.#curves(panel);
    const [low, high] = extent(curves, panel, this.range);
    const [from, to] = this.range.map(Math.log1p);
    const x = (i) => margin.left + (width * (Math.log1p(i) - from)) / (to - from);
    const up = (value) => (panel.log ? Math.log10(Math.max(value, 10 ** low)) : value);
    const y = (value) => margin.top + height * (1 - (Math.min(up(value), high) - low) / (high - low));
    this.#frame(pen, panel, x, y, low, high, canvas.clientHeight);

    pen.save();
    pen.beginPath();
    pen.rect(margin.left, margin.top - 4, width, height + 8);
    pen.clip();
    for (const { path, steps, solid, dashed } of curves) {
      pen.strokeStyle = path.color;
      pen.globalAlpha = path.key === this.followed ? 1 : 0.7;
      pen.lineWidth = path.key === this.followed ? 2 : 1.25;
      if (solid) envelope(pen, steps, solid, this.range, x, y);
      if (!dashed) continue;
      pen.lineWidth = 1;
      pen.setLineDash([4, 3]);
      envelope(pen, steps, dashed, this.range, x, y);
      pen.setLineDash([]);
    }
    pen.restore();
    this.#cursor(pen, curves, x, y, height);
    const chosen = curves.find(({ path }) => path.key === this.followed);
    const value = chosen && valueAt(chosen.steps, chosen.solid, this.hover ?? this.step);
    const text = Number.isFinite(value) ? value.toPrecision(3) : "";
    label(pen, this.theme, text, canvas.clientWidth - margin.right, margin.top / 2 - 2, { align: "right", size: 12, alpha: 1 });
  }

  #curves(panel) {
    const found = [];
    for (const [key, path] of this.paths) {
      const source = panel.sampled ? this.sampled.get(key) : path;
      if (!source?.[panel.solid]) continue;
      found.push({ path: { key, ...pick(path) }, steps: source.steps, ...arrays(source, panel) });
    }
    return found;
  }

  #frame(pen, panel, x, y, low, high, bottom) {
    const { theme, margin } = this;
    const values = panel.log ? powers(low, high) : evenly(low, high);
    pen.save();
    pen.strokeStyle = theme.text;
    pen.globalAlpha = 0.12;
    for (const value of values) {
      pen.beginPath();
      pen.moveTo(margin.left, y(value));
      pen.lineTo(x(this.range[1]), y(value));
      pen.stroke();
    }
    pen.restore();
    for (const value of values) {
      label(pen, theme, panel.log ? power(value) : String(value), margin.left - 6, y(value), { align: "right", size: 11 });
    }
    let free = -Infinity;
    for (const step of stepTicks(this.range)) {
      const text = String(step);
      const reach = 4 * theme.type * text.length;
      if (x(step) - reach < free + 8 || x(step) + reach > x(this.range[1]) + margin.right) continue;
      free = x(step) + reach;
      label(pen, theme, text, x(step), bottom - margin.bottom / 2, { align: "center", size: 11 });
    }
    label(pen, theme, panel.title, 6, margin.top / 2 - 2, { size: 12, alpha: 0.9 });
  }

  #cursor(pen, curves, x, y, height) {
    const line = (step, alpha) => {
      if (step === null || step < this.range[0] || step > this.range[1]) return;
      pen.save();
      pen.strokeStyle = this.theme.text;
      pen.globalAlpha = alpha;
      pen.beginPath();
      pen.moveTo(x(step), this.margin.top);
      pen.lineTo(x(step), this.margin.top + height);
      pen.stroke();
      pen.restore();
    };
    line(this.hover, 0.35);
    line(this.step, 0.6);
    for (const { path, steps, solid } of curves) {
      const value = valueAt(steps, solid, this.step);
      if (!Number.isFinite(value) || this.step < this.range[0] || this.step > this.range[1]) continue;
      pen.fillStyle = path.color;
      mark(pen, path.marker, x(this.step), y(value), 3, this.theme.background);
    }
  }
}

function pick({ color, marker }) {
  return { color, marker };
}

function arrays(source, panel) {
  return { solid: source[panel.solid], dashed: panel.dashed && source[panel.dashed] };
}

/** The index into an array of the last told step that is not after `step`; without told steps it is the step. */
function indexOf(steps, step) {
  if (typeof steps === "number") return Math.min(step, steps);
  let low = 0;
  let high = steps.length;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (steps[middle] <= step) low = middle;
    else high = middle;
  }
  return low;
}

function valueAt(steps, values, step) {
  return values?.[indexOf(steps, step)];
}

function stepOf(steps, i) {
  return typeof steps === "number" ? i : steps[i];
}

/** The lowest and the highest value in sight, with a little room; of a logarithmic axis, as powers of ten. */
function extent(curves, panel, [from, to]) {
  let low = Infinity;
  let high = -Infinity;
  for (const { steps, solid, dashed } of curves) {
    for (const values of [solid, dashed]) {
      if (!values) continue;
      for (let i = indexOf(steps, from); i <= indexOf(steps, to); i++) {
        const value = values[i];
        if (!Number.isFinite(value) || Math.abs(value) > 1e6) continue;
        if (value < low) low = value;
        if (value > high) high = value;
      }
    }
  }
  if (low > high) [low, high] = [0, 1];
  if (panel.log) {
    const top = Math.log10(Math.max(high, 10 * LOWEST)) + 0.1;
    return [Math.max(Math.log10(Math.max(low, LOWEST)), top - 5), top];
  }
  if (panel.sampled) low = Math.min(low, 0);
  const room = 0.06 * (high - low) || 0.5 * Math.abs(high) || 1;
  return [low < 0 || !panel.sampled ? low - room : low, high + room];
}

function powers(low, high) {
  const found = [];
  for (let p = Math.ceil(low); p <= high; p++) found.push(10 ** p);
  return found;
}

function power(value) {
  const p = Math.round(Math.log10(value));
  return p < -3 ? `10⁻${"⁰¹²³⁴⁵⁶⁷⁸⁹"[-p]}` : String(Number(value.toPrecision(1)));
}

function evenly(low, high) {
  const rough = (high - low) / 4;
  const unit = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((f) => f * unit).find((s) => s >= rough);
  const found = [];
  for (let i = Math.ceil(low / step); i * step <= high; i++) found.push(Number((i * step).toPrecision(6)));
  return found;
}

function stepTicks([from, to]) {
  const found = [from];
  for (let p = 1; p <= to; p *= 10) for (const f of [1, 2, 5]) if (f * p > from && f * p < to) found.push(f * p);
  const decades = found.filter((s) => s === from || /^10*$/.test(String(s)));
  return [...(decades.length > 2 ? decades : found), to];
}

/** One stroke a pixel column, from its smallest to its largest value: what drawing every step would look like. */
function envelope(pen, steps, values, [from, to], x, y) {
  pen.beginPath();
  let column = null;
  let low, high, last;
  const flush = () => {
    pen.lineTo(column, y(high));
    if (low !== high) pen.lineTo(column, y(low));
    pen.lineTo(column, y(last));
  };
  for (let i = indexOf(steps, from); i <= indexOf(steps, to); i++) {
    const value = values[i];
    if (!Number.isFinite(value)) {
      if (column !== null) flush();
      column = null;
      pen.stroke();
      pen.beginPath();
      continue;
    }
    const here = Math.round(x(stepOf(steps, i)));
    if (here !== column) {
      if (column !== null) flush();
      column = here;
      low = high = last = value;
    } else {
      last = value;
      if (value < low) low = value;
      else if (value > high) high = value;
    }
  }
  if (column !== null) flush();
  pen.stroke();
}
