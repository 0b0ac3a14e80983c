// The Trajectories page: drag a start point and watch the paths follow; play them step by step. All numbers come from
// the server (samviz/ui/toy_routes.py); this module keeps the settings, asks, and draws.

import { element, historyBar, historyKey, iconButton, isTyping, numberRow } from "./controls.js";
import { fetchJson, latest } from "./latest.js";
import { drawLoss, stepAt } from "./lossplot.js";
import { mounting } from "./mount.js";
import { Outcomes } from "./outcomes.js";
import { fetchPaths } from "./paths.js";
import { View, drawAxes, drawLandscape, label, readTheme, wipe } from "./plane.js";
import { Player } from "./player.js";
import { Settings } from "./settings.js";
import { drawLens, drawPaths } from "./stage.js";
import { Starts } from "./starts.js";

class Trajectories {
  constructor(root, data) {
    this.root = root;
    this.data = data;
    this.methods = new Map(data.methods.map((method) => [method.key, method]));
    this.settings = new Settings(data.defaults);
    this.paths = new Map();
    this.landscape = null;
    this.moving = false;
    this.view = new View(data.box);
    this.player = new Player(() => this.draw());
    this.starts = new Starts(
      data,
      this.settings,
      this.view,
      (changes, what) => this.move(changes, what),
      () => this.keep(),
    );
    this.outcomes = new Outcomes(() => this.showOutcomes());
    this.revision = 0;
    this.build();
    this.askPaths = latest(
      ({ query, cell }) => fetchPaths(`/api/toy/paths${cell ? `/${cell.toFixed(9)}` : ""}?${query}`),
      (answer, request) => this.receive(answer, request),
      (error) => this.complain(error.message),
    );
    this.askPlane = latest(fetchJson, (answer) => this.receivePlane(answer), (error) => this.complain(error.message));
    this.observer = new ResizeObserver(() => this.resize());
    this.observer.observe(this.plane);
    this.onKey = (event) => this.key(event);
    document.addEventListener("keydown", this.onKey);
    this.refreshTheme();
    this.resize();
    this.askPaths.ask({ query: location.search.slice(1), opening: true });
  }

  close() {
    this.player.pause();
    this.observer.disconnect();
    document.removeEventListener("keydown", this.onKey);
    this.askPaths.close();
    this.askPlane.close();
    this.root.replaceChildren();
  }

  // ---- what is on the page -------------------------------------------------------------------------------------

  build() {
    this.problem = element("div", { class: "problem", role: "alert", hidden: true });
    this.back = element("canvas", { "aria-hidden": "true" });
    this.front = element("canvas", { role: "img", "aria-label": "Paths of all methods in the plane of the weights" });
    this.lens = element("canvas", { class: "lens", role: "img", "aria-label": "Magnifier around the current step" });
    this.caption = element("div", { class: "caption" });
    const zoom = (factor) => () => this.changeView(() => this.view.zoom(factor));
    this.plane = element(
      "div",
      { class: "plane" },
      this.back,
      this.front,
      element("figure", { class: "magnifier" }, this.lens, this.caption),
      this.starts.handles,
      element(
        "div",
        { class: "zoom" },
        iconButton("plus", "Zoom in (Ctrl+wheel)", zoom(1.5)),
        iconButton("minus", "Zoom out (Ctrl+wheel)", zoom(1 / 1.5)),
        iconButton("fit", "Reset view", () => this.changeView(() => this.view.show(this.data.box))),
      ),
    );
    this.listenToPlane();
    this.lossplot = element("canvas", { class: "loss", role: "img", "aria-label": "Loss over steps" });
    const scrub = (event) =>
      event.buttons & 1 && this.player.go(2 * stepAt(this.lossplot, event.offsetX, this.player.steps));
    this.lossplot.addEventListener("pointerdown", scrub);
    this.lossplot.addEventListener("pointermove", scrub);
    this.history = historyBar(this.settings, () => this.changed());
    this.chips = element("div", { class: "chips" });
    this.radii = element("div", { class: "rows" });
    this.general = element("div", { class: "rows" });
    this.rows = new Map(this.data.fields.map((field) => [field.key, this.row(field)]));
    for (const key of ["lr", "steps", "decay", "c"]) this.general.append(this.rows.get(key).row);
    for (const method of this.data.methods) this.chips.append(this.chip(method));
    const keys = [
      ["Space", "play or pause"],
      ["← →", "half a step"],
      ["Shift", "ten steps"],
      ["Home End", "first, last"],
    ].map(([key, what]) => element("span", {}, element("kbd", {}, key), ` ${what}`));
    this.root.replaceChildren(
      this.problem,
      element(
        "div",
        { class: "layout" },
        element(
          "div",
          { class: "stage" },
          this.plane,
          this.player.bar,
          element("p", { class: "hint" }, ...keys),
          this.outcomes.list,
        ),
        element(
          "div",
          { class: "panel" },
          element("div", { class: "heading" }, element("h3", {}, "Methods"), this.history.bar),
          this.chips,
          this.radii,
          element("h3", {}, "Descent"),
          this.general,
          element("h3", {}, "Starts"),
          this.starts.rows,
          element("h3", {}, "Loss"),
          this.lossplot,
        ),
      ),
    );
  }

  row(field) {
    const [what, variant] = field.key.split(".");
    const only = what === "rho" || what === "eta" ? { variants: variant } : {};
    return numberRow(
      field,
      (text) => this.move({ [field.key]: text }, { only }),
      (text) => {
        this.settings.move({ [field.key]: text });
        this.keep();
      },
    );
  }

  chip(method) {
    const swatch = element("i", { style: `background:${method.color}` });
    const click = () => {
      const chosen = new Set(this.chosen);
      if (!chosen.delete(method.key)) chosen.add(method.key);
      if (chosen.size === 0) return this.complain("At least one method must stay switched on.");
      const listed = this.data.methods.map((m) => m.key).filter((key) => chosen.has(key));
      this.settings.move({ variants: listed.join(",") });
      this.keep();
    };
    const attributes = { type: "button", class: "chip", "data-method": method.key, title: method.source, click };
    return element("button", attributes, swatch, method.label);
  }

  get chosen() {
    return this.settings.values.variants.split(",");
  }

  // ---- settings, server ----------------------------------------------------------------------------------------

  /** A control is moving: ask for the lines of the paths that it changes, and for nothing else. */
  move(changes, { only = {}, index } = {}) {
    this.player.pause();
    this.settings.move(changes);
    this.moving = true;
    this.showControls();
    if ("c" in changes) this.loadPlane();
    this.askPaths.ask({ query: this.settings.query(only), cell: 1 / this.view.scale, index });
  }

  /** The end of a movement, or a value entered. */
  keep() {
    if (this.settings.keep()) this.changed();
    else if (this.moving) this.changed();
  }

  /** Settings have changed for good: everything anew. */
  changed() {
    this.moving = false;
    this.showControls();
    this.loadPlane();
    this.askPaths.ask({ query: this.settings.query(), kept: true });
  }

  receive(answer, request) {
    if (answer.problem) {
      if (request.opening) this.settings.open(answer.settings);
      else if (request.kept) {
        this.settings.refuse();
        this.showControls();
        this.complain(answer.problem);
        return;
      } else return;
    } else if (request.opening) this.settings.open(answer.settings);
    this.complain(answer.problem ? `${answer.problem} The page shows its default settings instead.` : "");
    if (request.opening) {
      this.showControls();
      this.loadPlane();
    }
    const all = request.cell === undefined;
    if (all) this.paths.clear();
    for (const path of answer.paths) {
      const method = this.methods.get(path.variant);
      path.start = request.index ?? path.start;
      path.color = method.color;
      path.label = method.label;
      path.p = method.p;
      this.paths.set(`${path.start}:${path.variant}`, path);
    }
    this.revision += 1;
    if (all) this.player.setSteps(Number(answer.settings.steps));
    this.showOutcomes();
  }

  loadPlane() {
    const box = this.view.edges.map((w, i) => `${["x0", "x1", "y0", "y1"][i]}=${w.toPrecision(6)}`);
    this.askPlane.ask(`/api/toy/plane?c=${this.settings.values.c}&${box.join("&")}`);
  }

  receivePlane(answer) {
    this.landscape = answer;
    this.drawBack();
    this.draw();
  }

  complain(sentence) {
    this.problem.textContent = sentence;
    this.problem.hidden = !sentence;
  }

  // ---- plane ---------------------------------------------------------------------------------------------------

  listenToPlane() {
    const plane = this.front;
    let last = null;
    plane.addEventListener("pointerdown", (event) => {
      if (event.pointerType === "touch" || event.button !== 0) return; // a finger scrolls the page
      last = [event.clientX, event.clientY];
      plane.setPointerCapture(event.pointerId);
    });
    plane.addEventListener("pointermove", (event) => {
      if (!last) return;
      this.changeView(() => this.view.pan(event.clientX - last[0], event.clientY - last[1]));
      last = [event.clientX, event.clientY];
    });
    for (const name of ["pointerup", "pointercancel"]) plane.addEventListener(name, () => (last = null));
    plane.addEventListener(
      "wheel",
      (event) => {
        if (!event.ctrlKey && !event.metaKey) return; // without a key the wheel scrolls the page
        event.preventDefault();
        this.changeView(() => this.view.zoom(Math.exp(-event.deltaY / 300), event.offsetX, event.offsetY));
      },
      { passive: false },
    );
  }

  changeView(change) {
    change();
    this.drawBack();
    this.starts.place();
    this.draw();
    this.loadPlane();
  }

  resize() {
    this.view.resize(this.plane.clientWidth, this.plane.clientHeight);
    this.drawBack();
    this.starts.place();
    this.draw();
    if (this.landscape) this.loadPlane();
  }

  refreshTheme() {
    this.theme = readTheme(this.root);
    this.drawBack();
    this.draw();
  }

  drawBack() {
    if (!this.theme) return;
    const pen = wipe(this.back);
    if (this.landscape) drawLandscape(pen, this.view, this.landscape, this.theme);
    const floor = this.view.y(0);
    if (this.view.height - floor > 52) {
      const text = "dead half-plane: ReLU(w₂) = 0, no gradient";
      label(pen, this.theme, text, this.view.width / 2, floor + 16, { align: "center" });
    }
    drawAxes(pen, this.view, this.theme);
  }

  draw() {
    if (!this.theme) return;
    const paths = [...this.paths.values()];
    drawPaths(this.front, this.view, paths, this.moving ? null : this.player);
    const path = this.paths.get(this.outcomes.followed);
    if (!this.moving) {
      drawLens(this.lens, this.landscape, path, this.player, this.view, this.theme);
      drawLoss(this.lossplot, paths, this.player.step, this.player.steps, this.theme);
    }
    // What is on the canvas, for tests and for whoever looks into the page.
    Object.assign(this.front.dataset, {
      revision: this.revision,
      half: this.player.half,
      moving: this.moving,
      ends: paths.map((p) => [...p.points.slice(-2)].map((w) => w.toFixed(4)).join(",")).join(" "),
    });
  }

  // ---- controls ------------------------------------------------------------------------------------------------

  showControls() {
    const chosen = this.chosen;
    for (const chip of this.chips.children) {
      chip.setAttribute("aria-pressed", String(chosen.includes(chip.dataset.method)));
    }
    for (const [key, { row, set }] of this.rows) {
      set(this.settings.values[key]);
      const [what, variant] = key.split(".");
      if (what === "rho" || what === "eta") {
        const on = chosen.includes(variant);
        if (on && !row.isConnected) this.insertRadius(key, row);
        if (!on) row.remove();
      }
    }
    this.starts.show();
    this.history.refresh();
  }

  /** Keep rho and eta of a method together, in the order of the methods. */
  insertRadius(key, row) {
    const order = this.data.methods.flatMap((m) => [`rho.${m.key}`, `eta.${m.key}`]);
    row.style.setProperty("--mark", this.methods.get(key.split(".")[1]).color);
    const next = [...this.radii.children].find((other) => order.indexOf(other.dataset.field) > order.indexOf(key));
    this.radii.insertBefore(row, next ?? null);
  }

  showOutcomes() {
    this.outcomes.list.setAttribute("aria-live", this.moving ? "off" : "polite"); // a drag is no news yet
    this.outcomes.show(this.paths);
    const path = this.paths.get(this.outcomes.followed);
    this.caption.textContent = `${path.label}, start ${path.start + 1}`;
    this.draw();
  }

  key(event) {
    if (isTyping(event) && event.composedPath()[0].type !== "range") return;
    if (!historyKey(event, this.settings, () => this.changed())) this.player.key(event);
  }
}

export default mounting(Trajectories);
