// The Trajectories page: drag a start point and watch the paths follow; play them step by step. All numbers come from
// the server (samviz/ui/toy_routes.py); this module keeps the settings, asks, and draws.

import { element, historyBar, historyKey, isTyping, numberRow } from "./controls.js";
import { Ground } from "./ground.js";
import { Guide } from "./guide.js";
import { fetchJson, latest } from "./latest.js";
import { Maps } from "./maps.js";
import { Methods } from "./methods.js";
import { mounting } from "./mount.js";
import { Outcomes } from "./outcomes.js";
import { Panels } from "./panels.js";
import { fetchArrays, fetchPaths } from "./paths.js";
import { readTheme, wipe } from "./plane.js";
import { Player } from "./player.js";
import { Settings } from "./settings.js";
import { drawLens, drawPaths } from "./stage.js";
import { Starts } from "./starts.js";
import { takeHome } from "./takehome.js";
import { Written } from "./written.js";

const PAUSE = 120; // milliseconds between questions for the step while the player runs
const NOTHING = new Map();
const BORDER = 0.02; // between a new start and the edge of the plane

class Trajectories {
  constructor(root, data) {
    this.root = root;
    this.data = data;
    this.settings = new Settings(data.defaults, data.marks);
    this.paths = new Map();
    this.told = { step: null, paths: NOTHING };
    this.moving = false;
    this.ground = new Ground(data.box, {
      c: () => this.settings.values.c,
      moved: (view) => this.viewed(view),
      drawn: () => this.draw(),
      pointed: (w) => this.roomFor(w),
      complain: (sentence) => this.complain(sentence),
    });
    this.view = this.ground.view;
    this.player = new Player(data.speeds, () => this.stepped(), () => this.rest());
    this.panels = new Panels(
      (step) => this.player.go(2 * step),
      () => {
        this.settings.note({ range: this.panels.mark });
        this.loadSharpness();
      },
    );
    this.written = new Written();
    this.takehome = takeHome({
      name: "trajectories",
      pictures: () => [{ name: "Trajectories", ...this.size, paint: (pen) => this.paint(pen) }],
      legend: () => this.methods.chosen.map((key) => this.methods.get(key)),
      background: () => this.theme.background,
      query: () => this.settings.address,
      routes: { csv: "/api/toy/paths.csv", html: "/api/toy/animation.html", python: "/api/toy/code" },
      player: this.player,
      canvases: () => [this.ground.canvas, this.front],
    });
    this.starts = new Starts(
      data,
      this.settings,
      this.view,
      (changes, what) => this.move(changes, what),
      () => this.keep(),
    );
    this.outcomes = new Outcomes((path) => {
      this.settings.note({ follow: `${path.start + 1}:${path.variant}` });
      this.showOutcomes();
    });
    this.guide = new Guide(data.guide, "trajectories", this.settings, (query) => this.load(query));
    this.maps = new Maps(data, this.settings, { addStart: (w) => this.addStart(w) });
    this.revision = 0;
    this.build();
    this.askPaths = latest(
      ({ query, cell }) => fetchPaths(`/api/toy/paths${cell ? `/${cell.toFixed(9)}` : ""}?${query}`),
      (answer, request) => this.receive(answer, request),
      (error) => this.complain(error.message),
    );
    const complain = (error) => this.complain(error.message);
    this.askStep = latest(fetchJson, (answer) => this.receiveStep(answer), complain);
    this.askSharpness = latest(fetchArrays, (answer) => this.receiveSharpness(answer), complain);
    this.observer = new ResizeObserver(() => this.resize());
    this.observer.observe(this.plane);
    this.onKey = (event) => this.key(event);
    // Streamlit has a use of its own for R: the player must hear it first.
    this.onR = (event) => ["r", "R"].includes(event.key) && this.key(event) && event.stopPropagation();
    document.addEventListener("keydown", this.onR, true);
    document.addEventListener("keydown", this.onKey);
    this.refreshTheme();
    this.resize();
    this.load(location.search.slice(1));
  }

  /** Show the state of an address. */
  load(query) {
    this.player.stop();
    this.moving = false;
    this.settings.wait(() => {
      if (!this.askPaths.busy) this.load(location.search.slice(1)); // the server has not answered: ask it again
      this.showControls();
    });
    this.ask({ query, opening: true });
  }

  close() {
    this.guide.close();
    this.player.stop();
    this.observer.disconnect();
    document.removeEventListener("keydown", this.onR, true);
    document.removeEventListener("keydown", this.onKey);
    for (const part of [this.askPaths, this.askStep, this.askSharpness, this.ground, this.maps]) part.close();
    this.root.replaceChildren();
  }

  // ---- what is on the page -------------------------------------------------------------------------------------

  build() {
    this.problem = element("div", { class: "problem", role: "alert", hidden: true });
    this.front = element("canvas", { role: "img", "aria-label": "Paths of all methods in the plane of the weights" });
    this.lens = element("canvas", { class: "lens", role: "img", "aria-label": "Magnifier around the current step" });
    this.caption = element("div", { class: "caption" });
    this.plane = element(
      "div",
      { class: "plane" },
      this.ground.canvas,
      this.front,
      element("figure", { class: "magnifier" }, this.lens, this.caption),
      this.starts.handles,
      this.ground.buttons,
    );
    this.ground.listen(this.front);
    this.history = historyBar(this.settings, () => this.changed());
    this.rows = new Map(this.data.fields.map((field) => [field.key, this.row(field)]));
    this.methods = new Methods(
      this.data.methods,
      this.settings,
      this.rows,
      () => this.keep(),
      (sentence) => this.complain(sentence),
    );
    const general = element("div", { class: "rows" });
    for (const key of ["lr", "steps", "decay", "c"]) general.append(this.rows.get(key).row);
    const keys = [
      ["Space", "play or pause"],
      ["← →", "half a step"],
      ["Shift", "ten steps"],
      ["Home End", "first, last"],
      ["R", "restart"],
      ["double click", "add a start"],
    ].map(([key, what]) => element("span", {}, element("kbd", {}, key), ` ${what}`));
    this.root.replaceChildren(
      this.guide.element,
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
          element("div", { class: "told" }, this.outcomes.list, this.written.section),
        ),
        element(
          "div",
          { class: "panel" },
          element("div", { class: "heading" }, element("h3", {}, "Methods"), this.history.bar),
          this.methods.chips,
          this.methods.radii,
          element("h3", {}, "Descent"),
          general,
          element("h3", {}, "Starts"),
          this.starts.rows,
        ),
      ),
      this.panels.section,
      this.maps.section,
      this.takehome,
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

  // ---- settings, server ----------------------------------------------------------------------------------------

  /** A control is moving: ask for the lines of the paths that it changes, and for nothing else. */
  move(changes, { only = {}, index } = {}) {
    this.player.stop();
    if (!this.settings.move(changes)) return;
    this.moving = true;
    this.showControls();
    if ("c" in changes) this.ground.load();
    this.ask({ query: this.settings.query(only), cell: 1 / this.view.scale, index });
  }

  /** The end of a movement, or a value entered. */
  keep() {
    if (this.settings.keep()) this.changed();
    else if (this.moving) this.changed();
  }

  /** Settings have changed for good: everything anew. */
  changed() {
    this.moving = false;
    this.takehome.dispatchEvent(new Event("settings"));
    this.showControls();
    this.ground.load();
    this.ask({ query: this.settings.query(), kept: true });
  }

  /** Ask for paths. What was wrong before has been read; what is said from now on must outlast the answer. */
  ask(request) {
    this.complain("");
    this.askPaths.ask(request);
  }

  receive(answer, request) {
    if (request.opening) {
      this.open(answer);
      if (answer.problem) this.complain(`${answer.problem} The page shows its default settings instead.`);
      this.showControls();
      this.ground.load();
    } else if (answer.problem) {
      if (!request.kept) return;
      this.settings.refuse();
      this.showControls();
      this.complain(answer.problem);
      return;
    }
    const all = request.cell === undefined;
    if (all) this.paths.clear();
    for (const path of answer.paths) {
      const method = this.methods.get(path.variant);
      path.start = request.index ?? path.start;
      path.color = method.color;
      path.marker = method.marker;
      path.label = method.label;
      path.p = method.p;
      this.paths.set(`${path.start}:${path.variant}`, path);
    }
    this.revision += 1;
    if (all) {
      const steps = Number(answer.settings.steps);
      this.player.setSteps(steps);
      if (request.opening) this.player.half = answer.marks.at ? Number(answer.marks.at) : 2 * steps;
      this.panels.show(this.paths, steps, request.opening ? answer.marks.range : undefined);
      this.told = { step: null, paths: NOTHING };
      this.loadSharpness();
      if (request.opening) this.player.show();
      else {
        this.settings.note({ range: this.panels.mark });
        this.rest();
      }
      this.maps.changed();
      if (this.playNext) this.player.run();
      this.playNext = false;
    }
    this.showOutcomes();
    if (all) this.loadStep();
  }

  /** Take over what the server has read from the address. */
  open({ settings, marks }) {
    this.settings.open(settings, marks);
    this.player.speed.value = marks.speed;
    this.player.setLoop(marks.loop === "1");
    this.ground.open(marks.view);
    const [start, variant] = marks.follow.split(":");
    this.outcomes.followed = marks.follow ? `${start - 1}:${variant}` : null;
    this.maps.open();
    this.guide.opened();
  }

  // ---- the player's step ---------------------------------------------------------------------------------------

  /** The player shows another half of a step. */
  stepped() {
    this.draw();
    if (!this.player.playing) return;
    const now = performance.now();
    if (now - (this.asked ?? 0) < PAUSE) return;
    this.asked = now;
    this.loadStep();
  }

  /** The player has come to rest. */
  rest() {
    const { half, atEnd, speed, looping } = this.player;
    this.settings.note({ at: atEnd ? "" : String(half), speed: speed.value, loop: looping ? "1" : "" });
    this.loadStep();
  }

  loadStep() {
    if (this.moving || this.player.steps === 0) return;
    this.askStep.ask(`/api/toy/step?${[this.settings.query(), `at=${this.player.half}`].filter(Boolean).join("&")}`);
  }

  receiveStep(answer) {
    this.told = { step: answer.step, paths: new Map(answer.paths.map((p) => [`${p.start}:${p.variant}`, p])) };
    this.draw();
  }

  loadSharpness() {
    this.askSharpness.ask(`/api/toy/sharpness/${this.panels.range.join("/")}?${this.settings.query()}`);
    this.draw();
  }

  receiveSharpness({ header, arrays }) {
    this.panels.tell(arrays.steps, header.paths);
    this.draw();
  }

  /** Add a start; false, with a sentence, if there are as many as there may be. */
  roomFor(w) {
    const added = this.starts.add(w);
    if (!added) this.complain(`There is room for ${this.data.most_starts} starts: remove one to add another.`);
    return added;
  }

  /** A point of the maps becomes a start, in sight, and its paths are played from the beginning. */
  addStart(w) {
    this.playNext = this.roomFor(w);
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const seen = this.playNext ? this.plane : this.problem;
    seen.scrollIntoView({ block: "nearest", behavior: calm ? "auto" : "smooth" });
    if (!this.playNext) return;
    this.player.go(0);
    this.ground.reveal(w, BORDER);
  }

  complain(sentence) {
    this.problem.textContent = sentence;
    this.problem.hidden = !sentence;
  }

  // ---- plane ---------------------------------------------------------------------------------------------------

  /** Another window of the plane is in sight. */
  viewed(view) {
    this.settings.note({ view });
    this.starts.place();
    this.draw();
  }

  resize() {
    this.readTheme(); // in the lecture view text is larger
    this.ground.resize(this.plane.clientWidth, this.plane.clientHeight);
    this.starts.place();
    this.draw();
  }

  refreshTheme() {
    this.readTheme();
    this.maps.refreshTheme();
    this.ground.draw();
    this.draw();
  }

  readTheme() {
    this.theme = this.ground.theme = readTheme(this.root);
  }

  draw() {
    if (!this.theme) return;
    this.paintPaths(wipe(this.front));
    const path = this.paths.get(this.outcomes.followed);
    if (!this.moving) {
      drawLens(this.lens, this.ground.landscape, path, this.player, this.view, this.theme);
      this.panels.draw(this.player.step, this.outcomes.followed, this.theme);
      const written = this.told.paths.get(this.outcomes.followed);
      const { descending, atEnd } = this.player;
      if (path && written) this.written.show(written.rows, descending, `${path.label}, start ${path.start + 1}`, atEnd);
    }
    // What is on the canvas, for tests and for whoever looks into the page.
    Object.assign(this.front.dataset, {
      revision: this.revision,
      half: this.player.half,
      moving: this.moving,
      ends: [...this.paths.values()].map((p) => [...p.points.slice(-2)].map((w) => w.toFixed(4)).join(",")).join(" "),
    });
  }

  get size() {
    return { width: this.view.width, height: this.view.height };
  }

  paintPaths(pen) {
    const told = this.told.step === this.player.step ? this.told.paths : NOTHING;
    drawPaths(pen, this.view, [...this.paths.values()], this.moving ? null : this.player, told, this.theme);
  }

  /** The whole picture with any pen that draws as a canvas does: for files to take home. */
  paint(pen) {
    pen.fillStyle = this.theme.background;
    pen.fillRect(0, 0, this.view.width, this.view.height);
    this.ground.paint(pen);
    this.paintPaths(pen);
    this.starts.paint(pen, this.theme);
  }

  // ---- controls ------------------------------------------------------------------------------------------------

  showControls() {
    for (const [key, { set }] of this.rows) set(this.settings.values[key]);
    this.methods.show();
    this.starts.show();
    this.history.refresh();
  }

  showOutcomes() {
    this.outcomes.list.setAttribute("aria-live", this.moving ? "off" : "polite"); // a drag is no news yet
    this.outcomes.show(this.paths);
    if (this.settings.marks.follow && !this.paths.has(this.followedMark)) this.settings.note({ follow: "" });
    const path = this.paths.get(this.outcomes.followed);
    this.caption.textContent = `${path.label}, start ${path.start + 1}`;
    this.draw();
  }

  get followedMark() {
    const [start, variant] = this.settings.marks.follow.split(":");
    return `${start - 1}:${variant}`;
  }

  /** Whether the key was one of the page's. */
  key(event) {
    // A slider and a menu have no undo of their own.
    if (isTyping(event) && !["range", "select-one"].includes(event.composedPath()[0].type)) return false;
    return historyKey(event, this.settings, () => this.changed()) || this.player.key(event);
  }
}

export default mounting(Trajectories);
