// The tabs "Sweep" and "Along the valley": curves over one number, read under the pointer or by the arrow keys.

import { drawCurves, nearest } from "./chart.js";
import { element } from "./controls.js";
import { latest } from "./latest.js";
import { brief, patch, sample } from "./legend.js";
import { fetchArrays } from "./paths.js";

const FAR = 10; // values that an arrow key goes with Shift
const LABELS = [0.5, 0.3, 0.7]; // where along their curves the names of the regions stand

/** What both tabs have in common: a canvas with a cursor over x values, a legend, a readout and sentences. */
class Curves {
  constructor(data, page, name, hint) {
    Object.assign(this, { data, page, hint, cursor: null });
    this.canvas = element("canvas", {
      class: "map-curves",
      tabindex: 0,
      role: "application",
      "aria-roledescription": "chart",
      "aria-label": name,
      pointermove: (event) => this.point(nearest(this.canvas, this.xs, event.offsetX)),
      pointerleave: () => this.point(null),
      blur: () => this.point(null),
      keydown: (event) => this.key(event),
    });
    this.legend = element("div", { class: "map-legend" });
    this.readout = element("output", { class: "map-readout", "aria-live": "off" }, hint);
    this.summary = element("div", { class: "map-summary", "aria-live": "polite" });
    this.panel = element("div", {}, this.canvas, this.legend, this.readout, this.summary);
    this.remote = latest(
      fetchArrays,
      (answer) => this.receive(answer),
      (error) => {
        this.asked = null; // ask again next time
        this.summary.replaceChildren(element("p", {}, error.message));
      },
    );
  }

  close() {
    this.remote.close();
  }

  load() {
    const address = this.address();
    if (address !== this.asked) this.remote.ask(address);
    this.asked = address;
  }

  receive(answer) {
    Object.assign(this, answer);
    this.legend.replaceChildren(...this.keys());
    this.summary.replaceChildren(...this.sentences().map((sentence) => element("p", {}, sentence)));
    this.panel.dataset.done = this.asked;
    this.point(null);
  }

  point(i, live = "off") {
    this.cursor = i;
    this.readout.setAttribute("aria-live", live);
    this.readout.textContent = i === null ? this.hint : this.read(i);
    this.draw();
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || !this.arrays) return;
    const last = this.xs.values.length - 1;
    const far = event.shiftKey ? FAR : 1;
    const here = this.cursor ?? Math.floor(last / 2);
    const there = { ArrowLeft: here - far, ArrowRight: here + far, Home: 0, End: last }[event.key];
    if (there === undefined) return;
    event.preventDefault();
    event.stopPropagation(); // the page's player has the same keys
    this.point(Math.max(0, Math.min(last, there)), "polite");
  }

  draw(theme = this.theme) {
    this.theme = theme;
    if (theme && this.arrays) drawCurves(this.canvas, { ...this.picture(), x: this.xs, cursor: this.cursor }, theme);
  }
}

export class Sweep extends Curves {
  constructor(data, page) {
    super(data, page, "Ends over one parameter", "Point at the curves to read them, or use the arrow keys.");
    this.choice = element("select", {
      "aria-label": "Parameter to sweep",
      change: () => {
        page.note({ sweep: this.choice.value });
        this.load();
      },
    });
    this.choice.append(element("option", { value: "rho.sam" }));
    this.canvas.classList.add("tall");
    this.note = element("p", { class: "map-note" });
    this.panel.prepend(
      element("div", { class: "map-controls" }, element("label", {}, "Sweep ", this.choice), this.note),
    );
  }

  /** Take over what the address says. */
  open() {
    const { sweep } = this.page.marks;
    if (sweep) this.choice.replaceChildren(element("option", { value: sweep }));
  }

  address() {
    const { methods, starts, query } = this.page;
    const on = this.data.maps.sweeps.filter(({ method }) => methods.some(({ key }) => key === method));
    const before = this.choice.value;
    this.choice.replaceChildren(...on.map(({ key, label }) => element("option", { value: key }, label)));
    const kept = on.find(({ key }) => key === before) ?? on.find(({ key }) => key.startsWith("rho.")) ?? on[0];
    this.choice.value = kept.key;
    const fields = ["lr", "steps", "decay", "c", `rho.${kept.method}`, `eta.${kept.method}`];
    const address = [`sweep=${kept.key}`, `starts=${starts[0].join(",")}`, query(fields)];
    return `/api/toy/sweep?${address.filter(Boolean).join("&")}`;
  }

  get xs() {
    const { label, log } = this.header;
    return { values: this.arrays.values, title: label, log };
  }

  picture() {
    const { position, w1, w2, loss, kinds } = this.arrays;
    const color = this.theme.blue;
    return {
      bands: [...kinds].map((kind) => this.data.maps.kinds[kind].color),
      breaks: (i) => kinds[i] !== kinds[i + 1],
      marks: [
        ...this.header.marks.map((mark) => ({ ...mark, dashed: true })),
        { value: this.header.now, label: `now ${brief(this.header.now)}` },
      ],
      panels: [
        { title: "end, log(w₁/w₂)", lines: [{ values: position, color }] },
        {
          title: "end w₁ and w₂",
          lines: [
            { values: w1, color },
            { values: w2, color: this.theme.red, dashed: true },
          ],
        },
        { title: "loss, mean of the last 20 points", log: true, lines: [{ values: loss, color }] },
      ],
    };
  }

  keys() {
    this.note.textContent = this.header.note;
    const there = new Set(this.arrays.kinds);
    const kinds = this.data.maps.kinds.filter((_, i) => there.has(i)).map(({ color, label }) => patch(color, label));
    return [sample("solid", "w₁", this.theme.blue), sample("dashed", "w₂", this.theme.red), ...kinds];
  }

  sentences() {
    return [this.header.summary, this.header.theory];
  }

  read(i) {
    const { values, position, w1, w2, loss, kinds } = this.arrays;
    const what = `${this.header.label} ${brief(values[i])}: ${this.data.maps.kinds[kinds[i]].label}`;
    const end = `ends at (${brief(w1[i])}, ${brief(w2[i])}), log(w₁/w₂) ${brief(position[i])}`;
    return `${what}, ${end}, loss ${brief(loss[i])}.`;
  }
}

export class Valley extends Curves {
  constructor(data, page) {
    super(data, page, "Sharpness along the valley", "Point at the curves to read them, or use the arrow keys.");
  }

  address() {
    const regions = ["sam", "elementwise_linf", "elementwise_l2"].flatMap((key) => [`rho.${key}`, `eta.${key}`]);
    return `/api/toy/valley?${this.page.query(["c", ...regions])}`;
  }

  get xs() {
    return { values: this.arrays.places, title: "position on the valley, log(w₁/w₂)" };
  }

  picture() {
    const lines = this.header.regions.flatMap(({ name, label, color }, i) => [
      { values: this.arrays[name], color, width: 3 - 0.6 * i, label, at: LABELS[i] },
      { values: this.arrays[`${name}_first`], color, width: 1.5, dashed: true },
    ]);
    return {
      marks: [{ value: 0, label: "w₁ = w₂", dashed: true }],
      panels: [{ title: "sharpness max L(w + ε) − L(w)", from: 0, lines }],
    };
  }

  keys() {
    const regions = this.header.regions.map(({ label, color }) => patch(color, label));
    return [...regions, sample("solid", "exact"), sample("dashed", "first order")];
  }

  sentences() {
    return [...this.header.regions.map(({ summary }) => summary), this.header.theory];
  }

  read(i) {
    const { places, w1, w2 } = this.arrays;
    const told = this.header.regions.map(({ name, label }) => {
      const [exact, linear] = [name, `${name}_first`].map((key) => brief(this.arrays[key][i]));
      return `${label} ${exact} (first order ${linear})`;
    });
    return `log(w₁/w₂) ${brief(places[i])}, at (${brief(w1[i])}, ${brief(w2[i])}): ${told.join(", ")}.`;
  }
}
