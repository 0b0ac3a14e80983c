// The Regions page: three maximization regions around w and around Aw, side by side; below them which T are
// scale-invariant, and the regions of three weights. All numbers come from the server (samviz/ui/toy_pictures.py); this
// module keeps the settings, asks, and draws.

import { element, historyBar, historyKey, isTyping, numberRow, short } from "./controls.js";
import { Guide } from "./guide.js";
import { dragHandle, setHandle } from "./handle.js";
import { invarianceTable } from "./invariance.js";
import { fetchJson, latest } from "./latest.js";
import { mounting } from "./mount.js";
import { View, readTheme, wipe } from "./plane.js";
import { paintPanel } from "./regionpanel.js";
import { Settings } from "./settings.js";
import { shapeRows } from "./shape.js";
import { Space } from "./space.js";
import { takeHome } from "./takehome.js";

class Regions {
  constructor(root, data) {
    this.root = root;
    this.data = data;
    this.settings = new Settings(data.defaults, data.marks);
    this.picture = null;
    this.revision = 0;
    this.view = new View([0, 1, 0, 1]);
    this.guide = new Guide(data.guide, "regions", this.settings, (query) => this.load(query));
    this.build();
    this.remote = latest(
      ({ query }) => fetchJson(`/api/toy/regions?${query}`),
      (answer, request) => this.receive(answer, request),
      (error) => this.complain(error.message),
    );
    this.askPlane = latest(
      fetchJson,
      (answer) => {
        this.plane = answer;
        this.draw();
      },
      (error) => this.complain(error.message),
    );
    this.observer = new ResizeObserver(() => this.resize());
    this.observer.observe(this.panels[0].plane);
    this.onKey = (event) => {
      // A slider and a menu have no undo of their own.
      if (isTyping(event) && !["range", "select-one"].includes(event.composedPath()[0].type)) return;
      historyKey(event, this.settings, () => this.changed());
    };
    document.addEventListener("keydown", this.onKey);
    this.refreshTheme();
    this.load(location.search.slice(1));
  }

  /** Show the state of an address. */
  load(query) {
    this.settings.wait(() => {
      if (!this.remote.busy) this.load(location.search.slice(1)); // the server has not answered: ask it again
      this.showControls();
    });
    this.ask({ query, opening: true });
  }

  close() {
    this.guide.close();
    this.observer.disconnect();
    document.removeEventListener("keydown", this.onKey);
    this.remote.close();
    this.askPlane.close();
    this.invariance.close();
    this.space.close();
    this.root.replaceChildren();
  }

  // ---- what is on the page -------------------------------------------------------------------------------------

  build() {
    this.problem = element("div", { class: "problem", role: "alert", hidden: true });
    this.history = historyBar(this.settings, () => this.changed());
    this.rows = new Map(
      this.data.fields.map((field) => [
        field.key,
        numberRow(
          field,
          (text) => this.move({ [field.key]: text }),
          (text) => {
            this.settings.move({ [field.key]: text });
            this.keep();
          },
        ),
      ]),
    );
    const row = (key) => this.rows.get(key).row;
    this.panels = this.data.regions.map((region) => this.panel(region));
    this.table = element("tbody");
    this.summary = element("p", { class: "summary", "aria-live": "polite" });
    this.invariance = invarianceTable((sentence) => this.complain(sentence));
    this.space = new Space({
      regions: this.data.regions,
      rows: { a: row("space.a"), b: row("space.b"), rho: row("space.rho"), eta: row("space.eta") },
      choose: (region) => this.choose({ "space.region": region }),
      look: (open) => {
        this.settings.note({ space: open ? "1" : "" });
        this.askBelow();
      },
      turned: (camera) => this.settings.note({ camera }),
      complain: (sentence) => this.complain(sentence),
    });
    this.takehome = takeHome({
      name: "regions",
      pictures: () => this.pictures,
      legend: () => [],
      background: () => this.theme.background,
      query: () => this.settings.address,
      routes: { python: "/api/toy/code" },
    });
    const column = (text, kind) => element("th", { scope: "col", class: kind }, text);
    this.root.replaceChildren(
      this.guide.element,
      this.problem,
      element("div", { class: "rescale" }, row("a"), this.history.bar),
      element("div", { class: "panels" }, ...this.panels.map((panel) => panel.figure)),
      this.legend(),
      element(
        "div",
        { class: "below" },
        element(
          "div",
          {},
          element(
            "table",
            { class: "maxima" },
            element(
              "thead",
              {},
              element(
                "tr",
                {},
                column("Maximum loss"),
                column("around w", "number"),
                column("around Aw", "number"),
                column("difference", "number"),
                column("rescaling"),
              ),
            ),
            this.table,
          ),
          this.summary,
        ),
        element("div", { class: "settings" }, row("w1"), row("w2"), row("c")),
      ),
      ...this.invariance.nodes,
      this.space.node,
      this.takehome,
    );
  }

  panel(name) {
    const canvas = element("canvas", { role: "img" });
    const handle = this.handle();
    const plane = element("div", { class: "plane" }, canvas, handle);
    const caption = element("figcaption");
    const named = (changes) => Object.fromEntries(Object.entries(changes).map(([key, text]) => [`${key}.${name}`, text]));
    const { operators, norms } = this.data;
    const shape = shapeRows(
      name,
      operators,
      norms,
      (changes) => this.move(named(changes)),
      (changes) => this.choose(named(changes)),
    );
    const numbers = { rho: "ρ", eta: "η", fisher: "η" };
    for (const [key, letter] of Object.entries(numbers)) {
      this.rows.get(`${key}.${name}`).row.querySelector(".name").textContent = letter;
    }
    const rows = Object.keys(numbers).map((key) => this.rows.get(`${key}.${name}`).row);
    const controls = element("div", { class: "settings" }, ...shape.rows, ...rows);
    return { name, figure: element("figure", {}, caption, plane, controls), plane, canvas, handle, caption, shape };
  }

  legend() {
    const mark = (className, text) => element("span", {}, element("i", { class: className }), text);
    return element(
      "p",
      { class: "legend" },
      mark("dot", "w"),
      mark("triangle", "w′ = Aw"),
      mark("line blue", "loss at w"),
      mark("line red", "maximum loss around w"),
      mark("cross", "worst point, exact"),
      mark("line dashes", "one-step ε"),
    );
  }

  handle() {
    const { low, high } = this.data.fields.find((field) => field.key === "w1");
    return dragHandle({
      view: this.view,
      get: () => [Number(this.settings.values.w1), Number(this.settings.values.w2)],
      place: (point) => {
        const [w1, w2] = point.map((w) => short(Math.max(low, Math.min(high, Number(w.toFixed(3))))));
        this.move({ w1, w2 });
      },
      keep: () => this.keep(),
      nudge: () => 0.01,
      role: "weights w",
    });
  }

  // ---- settings, server ----------------------------------------------------------------------------------------

  move(changes) {
    if (!this.settings.move(changes)) return;
    this.showControls();
    this.ask({ query: this.settings.query() });
    this.askBelow();
  }

  /** A choice that is made at once, without a movement before it. */
  choose(changes) {
    this.settings.move(changes);
    this.keep();
  }

  keep() {
    if (this.settings.keep()) this.changed();
  }

  changed() {
    this.takehome.dispatchEvent(new Event("settings"));
    this.showControls();
    this.ask({ query: this.settings.query(), kept: true });
  }

  /** What stands below the panels: the table does not depend on the settings in space, nor those on its. */
  askBelow() {
    const { defaults } = this.data;
    const inSpace = (key) => key.startsWith("space.");
    const without = (unwanted) =>
      this.settings.query(Object.fromEntries(Object.entries(defaults).filter(([key]) => unwanted(key))));
    this.invariance.ask(without(inSpace));
    this.space.ask(without((key) => !inSpace(key) && key !== "c"));
  }

  /** Ask for the picture. What was wrong before has been read; what is said from now on must outlast the answer. */
  ask(request) {
    this.complain("");
    this.remote.ask(request);
  }

  receive(answer, request) {
    if (request.opening) {
      this.settings.open(answer.settings, answer.marks);
      this.guide.opened();
      if (answer.problem) this.complain(`${answer.problem} The page shows its default settings instead.`);
    } else if (answer.problem) {
      if (request.kept) this.settings.refuse();
      this.showControls();
      this.complain(answer.problem);
      return;
    }
    this.picture = answer;
    this.revision += 1;
    this.showControls();
    this.showTable();
    this.askBelow();
    this.resize();
  }

  complain(sentence) {
    this.problem.textContent = sentence;
    this.problem.hidden = !sentence;
  }

  showControls() {
    const { values, marks } = this.settings;
    for (const [key, { set }] of this.rows) set(values[key]);
    for (const { name, shape } of this.panels) {
      const [T, p] = [values[`T.${name}`], values[`p.${name}`]];
      shape.set(T, p);
      this.rows.get(`eta.${name}`).row.hidden = T !== "elementwise";
      this.rows.get(`fisher.${name}`).row.hidden = T !== "fisher";
    }
    this.space.set(marks.space === "1", values["space.region"], marks.camera);
    this.history.refresh();
  }

  showTable() {
    const rows = this.picture.panels.map(({ label, table, verdict }) =>
      element(
        "tr",
        { "data-verdict": verdict },
        element("th", { scope: "row" }, label),
        ...table.map((text) => element("td", { class: "number" }, text)),
        element("td", { class: "verdict" }, verdict === "same" ? "changes nothing" : "changes it"),
      ),
    );
    this.table.replaceChildren(...rows);
    this.summary.textContent = this.picture.summary;
    this.picture.panels.forEach(({ label, norm, p, source, told }, i) => {
      const { caption, canvas } = this.panels[i];
      caption.replaceChildren(element("b", {}, label), ` ${norm}`, element("sub", {}, p), ` ≤ ρ, ${source}`);
      canvas.setAttribute("aria-label", told);
    });
  }

  // ---- picture -------------------------------------------------------------------------------------------------

  resize() {
    if (!this.picture) return;
    const { clientWidth, clientHeight } = this.panels[0].plane;
    this.theme = readTheme(this.root); // in the lecture view text is larger
    this.view.resize(clientWidth, clientHeight);
    this.view.show(this.picture.box);
    this.loadPlane();
    this.draw();
  }

  /** The contours behind all panels; they reach beyond what is in sight, and are asked for again when that ends. */
  loadPlane() {
    const [x0, x1, y0, y1] = this.view.edges;
    const c = this.settings.values.c;
    const [p0, p1, q0, q1] = this.planeEdges ?? [0, 0, 0, 0];
    if (c === this.planeTarget && p0 <= x0 && x1 <= p1 && q0 <= y0 && y1 <= q1) return;
    const [dx, dy] = [(x1 - x0) / 2, (y1 - y0) / 2];
    this.planeTarget = c;
    this.planeEdges = [x0 - dx, x1 + dx, y0 - dy, y1 + dy];
    const box = [x0, x1, y0, y1].map((w, i) => `${["x0", "x1", "y0", "y1"][i]}=${w.toPrecision(6)}`);
    const at = this.data.levels.map((level) => `at=${level}`);
    this.askPlane.ask(`/api/toy/plane?c=${c}&${[...box, ...at].join("&")}`);
  }

  refreshTheme() {
    this.theme = readTheme(this.root);
    this.draw();
    this.space.draw();
  }

  draw() {
    if (!this.picture) return;
    this.picture.panels.forEach((picture, i) => this.drawPanel(this.panels[i], picture));
  }

  drawPanel({ canvas, handle }, picture) {
    this.paint(wipe(canvas), picture);
    const [w1, w2] = picture.here.w;
    setHandle(handle, this.view, [w1, w2], `w at w1 ${short(w1)}, w2 ${short(w2)}`);
    const there = picture.there.w.map((w) => w.toFixed(4)).join(",");
    Object.assign(canvas.dataset, { revision: this.revision, there });
  }

  /** One panel with any pen that draws as a canvas does. */
  paint(pen, picture) {
    paintPanel(pen, this.view, this.theme, { landscape: this.plane, blue: this.picture.blue, ...picture });
  }

  /** The three panels as pictures to take home. */
  get pictures() {
    const { width, height } = this.view;
    return this.picture.panels.map((picture) => ({
      name: picture.label,
      width,
      height,
      paint: (pen) => {
        pen.fillStyle = this.theme.background;
        pen.fillRect(0, 0, width, height);
        this.paint(pen, picture);
      },
    }));
  }
}

export default mounting(Regions);
