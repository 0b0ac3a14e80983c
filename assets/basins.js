// The tab "Basins": a map a method, side by side, and one of the difference between two. A pixel becomes a start.

import { element, swatch } from "./controls.js";
import { latest } from "./latest.js";
import { bar, brief, patch, sample } from "./legend.js";
import { Frame, drawMap, middle, picture, pixelOf } from "./mapplot.js";
import { fetchArrays } from "./paths.js";

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const DIFFERENCE = "difference";
const HINT =
  "Point at a map to read it. A click takes that point as a start; so does Enter, at the crosshair of the arrow keys.";

function select(name, options, change) {
  return element("select", { "aria-label": name, change }, ...options.map(([value, text]) => option(value, text)));
}

function option(value, text) {
  return element("option", { value }, text);
}

export class Basins {
  /**
   * @param data the page's tables
   * @param page {methods, starts, query}: what is switched on, the start points, the address of some of the settings
   * @param addStart called with the (w1, w2) of a pixel
   */
  constructor(data, page, addStart) {
    Object.assign(this, { page, addStart });
    this.tables = data.maps;
    this.figures = new Map();
    this.pair = ["sam", "elementwise_l2"];
    this.cursor = null;
    this.build();
    this.remote = latest(
      ({ address }) => fetchArrays(address),
      (answer, request) => this.receive(answer, request),
      (error) => {
        this.mark = null; // ask again next time
        this.note.textContent = error.message;
      },
    );
  }

  close() {
    this.remote.close();
  }

  /** Take over what the address says. */
  open() {
    const { quantity, detail, pair } = this.page.marks;
    this.quantity.value = quantity;
    this.detail.value = detail;
    if (pair) this.pair = pair.split(",");
  }

  build() {
    const { quantities, details } = this.tables;
    const choose = () => {
      this.page.note({ quantity: this.quantity.value, detail: this.detail.value });
      this.load();
    };
    this.quantity = select("Quantity of the maps", quantities.map((q) => [q.key, q.label]), choose);
    this.detail = select("Detail of the maps", details.map((n) => [n, `${n} × ${n} starts`]), choose);
    this.detail.value = 200;
    this.sides = ["Difference of", "and"].map((name, i) =>
      select(name, [], () => {
        this.pair[i] = this.sides[i].value;
        this.page.note({ pair: this.pair.join(",") });
        this.load();
      }),
    );
    this.note = element("p", { class: "map-note" });
    this.grid = element("div", { class: "map-grid" });
    this.legend = element("div", { class: "map-legend" });
    this.readout = element("output", { class: "map-readout", id: "map-readout", "aria-live": "off" }, HINT);
    this.summary = element("div", { class: "map-summary", "aria-live": "polite" });
    this.panel = element(
      "div",
      {},
      element(
        "div",
        { class: "map-controls" },
        element("label", {}, "Show ", this.quantity),
        element("label", {}, "Detail ", this.detail),
        this.note,
      ),
      this.legend,
      this.grid,
      this.readout,
      this.summary,
    );
  }

  // ---- server --------------------------------------------------------------------------------------------------

  /** Ask for all maps coarsely, then for all of them in detail, unless that is what is there. */
  load() {
    this.showFigures();
    const { coarse } = this.tables;
    const detail = Number(this.detail.value);
    const requests = [];
    for (const n of detail > coarse ? [coarse, detail] : [detail]) {
      for (const { key, methods } of this.figures.values()) {
        requests.push({ key, n, address: this.address(methods, n, detail) });
      }
    }
    const mark = requests.map(({ address }) => address).join(" ");
    if (mark !== this.mark) {
      this.mark = mark;
      this.job = { requests, detail, next: 0, told: [] };
      delete this.panel.dataset.done;
      this.note.textContent = "Computing …";
      this.ask();
    }
    this.draw();
  }

  address([method, against], n, detail) {
    const fields = [method, against].flatMap((key) => [`rho.${key}`, `eta.${key}`]);
    const own = [`method=${method}`, against && `against=${against}`, `quantity=${this.quantity.value}`];
    const settings = this.page.query(["lr", "steps", "decay", "c", "rho.sam", ...fields]);
    return `/api/toy/map?${[...own, `detail=${detail}`, `n=${n}`, settings].filter(Boolean).join("&")}`;
  }

  ask() {
    this.remote.ask({ ...this.job.requests[this.job.next], job: this.job });
  }

  receive({ header, arrays }, { key, job }) {
    if (job !== this.job) return; // something else is wanted by now
    const { kinds, differences, ramps, no_value } = this.tables;
    const figure = this.figures.get(key);
    const colors = key === DIFFERENCE ? differences : kinds.map(({ color }) => color);
    figure.map = { header, arrays, image: picture(header, arrays.values, colors, ramps, no_value) };
    if (header.n === job.detail) job.told.push(header.summary);
    job.next += 1;
    const done = job.next === job.requests.length;
    const all = this.page.methods.length <= this.tables.shown;
    const note = all ? header.note : `${header.note} The first ${this.tables.shown} methods are shown.`;
    this.note.textContent = done ? note : `${note} Refining …`;
    if (done) {
      this.summary.replaceChildren(...job.told.map((sentence) => element("p", {}, sentence)));
      this.panel.dataset.done = header.n;
    } else this.ask();
    this.showLegends();
    this.draw();
  }

  // ---- figures -------------------------------------------------------------------------------------------------

  /** One figure a method, and the difference if there are two to compare. What is there stays. */
  showFigures() {
    const { methods } = this.page;
    const shown = methods.slice(0, this.tables.shown);
    this.choosePair(methods);
    const old = this.figures;
    this.figures = new Map();
    for (const method of shown) {
      const figure = old.get(method.key) ?? this.figure(method.key, swatch(method), method.label);
      this.figures.set(method.key, Object.assign(figure, { methods: [method.key], label: method.label }));
    }
    if (methods.length > 1) {
      const title = [this.sides[0], element("span", {}, "−"), this.sides[1]];
      const figure = old.get(DIFFERENCE) ?? this.figure(DIFFERENCE, ...title);
      const label = this.pair.map((key) => methods.find((method) => method.key === key).label).join(" − ");
      this.figures.set(DIFFERENCE, Object.assign(figure, { methods: this.pair, label }));
    }
    const nodes = [...this.figures.values()].map(({ node }) => node);
    if (nodes.length !== this.grid.children.length || nodes.some((node, i) => node !== this.grid.children[i])) {
      this.grid.replaceChildren(...nodes);
    }
    for (const { canvas, label } of this.figures.values()) {
      const keys = "Arrow keys move a crosshair; Enter takes a start.";
      canvas.setAttribute("aria-label", `${label}: how each start ends. ${keys}`);
    }
  }

  /** Two different methods that are switched on: those chosen last, where they are. */
  choosePair(methods) {
    const keys = methods.map(({ key }) => key);
    if (keys.length < 2) return;
    let [first, second] = this.pair;
    if (!keys.includes(first)) first = keys.find((key) => key !== second);
    if (!keys.includes(second) || second === first) second = keys.find((key) => key !== first);
    this.pair = [first, second];
    this.sides.forEach((side, i) => {
      side.replaceChildren(...methods.map(({ key, label }) => option(key, label)));
      side.value = this.pair[i];
    });
  }

  figure(key, ...title) {
    const canvas = element("canvas", {
      tabindex: 0,
      role: "application",
      "aria-roledescription": "map",
      "aria-describedby": "map-readout",
      "data-map": key,
      click: (event) => this.take(this.under(event, key)),
      pointermove: (event) => this.point(this.under(event, key)),
      pointerleave: () => this.point(null),
      blur: () => this.point(null),
      keydown: (event) => this.key(event, key),
    });
    const legend = element("div", { class: "map-legend" });
    const frame = element("div", { class: "map-frame" }, canvas);
    const parts = [element("figcaption", {}, ...title), frame, ...(key === DIFFERENCE ? [legend] : [])];
    return { key, canvas, legend, node: element("figure", { class: "map" }, ...parts) };
  }

  showLegends() {
    const { kinds, differences, no_value, ramps } = this.tables;
    const none = () => patch(no_value, "no value");
    for (const [key, { map, legend }] of this.figures) {
      if (!map) continue;
      const { scale, legend: words } = map.header;
      if (key === DIFFERENCE) {
        const cases = words.map((word, i) => patch(differences[i], word));
        legend.replaceChildren(...(scale ? [bar(scale, ramps[scale.ramp]), none()] : cases));
        continue;
      }
      const lines = [sample("solid", "the valley")];
      if (this.figures.has("sam")) lines.push(sample("dashed", "w₂ = ρ w₁/‖w‖: SAM makes no step from below it"));
      const cases = kinds.map(({ color, label }) => patch(color, label));
      this.legend.replaceChildren(...(scale ? [bar(scale, ramps[scale.ramp]), none()] : cases), ...lines);
    }
  }

  // ---- pointer and keys ----------------------------------------------------------------------------------------

  /** The middle of the pixel under a pointer, or null. */
  under(event, key) {
    const { map, canvas } = this.figures.get(key);
    if (!map) return null;
    const { window, n } = map.header;
    const pixel = new Frame(canvas, window).pixel(event.offsetX, event.offsetY, n);
    return pixel && middle(window, pixel, n);
  }

  point(w, live = "off") {
    this.cursor = w;
    this.readout.setAttribute("aria-live", live); // a pointer passes over too much to be told of
    this.readout.textContent = w ? this.read(w) : HINT;
    this.draw();
  }

  read(w) {
    const told = [];
    for (const [key, { map, label }] of this.figures) {
      if (!map) continue;
      const { n, window, scale, legend } = map.header;
      const [column, row] = pixelOf(window, w, n);
      const value = map.arrays.values[row * n + column];
      if (scale) told.push(`${label} ${Number.isNaN(value) ? "has no value" : brief(value)}`);
      else if (key === DIFFERENCE) told.push(`${label}: ${legend[value]}`);
      else told.push(`${label} ${this.tables.kinds[value].label}`);
    }
    return `w₁ ${brief(w[0])}, w₂ ${brief(w[1])}: ${told.join("; ")}.`;
  }

  take(w) {
    if (w) this.addStart(w);
  }

  key(event, key) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const { map } = this.figures.get(key);
    const way = ARROWS[event.key];
    if (!map || !(way || event.key === "Enter")) return;
    event.preventDefault();
    event.stopPropagation(); // the page's player has the same keys
    const { window, n } = map.header;
    if (!way) return this.take(this.cursor);
    const from = this.cursor ? pixelOf(window, this.cursor, n) : [n / 2, n / 2];
    const far = event.shiftKey ? 10 : 1;
    const pixel = from.map((i, axis) => Math.max(0, Math.min(n - 1, i + far * way[axis])));
    this.point(middle(window, pixel, n), "polite");
  }

  // ---- picture -------------------------------------------------------------------------------------------------

  draw(theme = this.theme) {
    this.theme = theme;
    if (!theme) return;
    const { starts } = this.page;
    for (const { canvas, map } of this.figures.values()) if (map) drawMap(canvas, map, starts, this.cursor, theme);
  }
}
