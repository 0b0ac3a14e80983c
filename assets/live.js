// One comparison, live: asks the server for its page each second, or as often as it is told to, and redraws in place, so
// that zoom, hidden arms and what is chosen stay as they are. All numbers and figures come from Python; this file only
// places them.

import { element } from "./controls.js";
import { CurveChart, readTheme } from "./livecharts.js";
import { HistogramChart, unpack } from "./livehistograms.js";
import { LayerMaps } from "./livelayers.js";
import { Axes, Legend, swatch } from "./livelegend.js";
import { loadPlotly } from "./plotly.js";

const RETRY_MS = 3000;
const CHOICE = {
  curves: ["test_accuracy", "train_accuracy", "test_loss", "train_loss", "gamma_mean"],
  axis: "epoch",
  histogram: "gamma",
  layers: "gamma_mean",
}; // what is shown of a comparison until somebody chooses something else: as the server has it in live_choice.py
const HISTOGRAMS_AFTER = 2; // curve charts that come before the histograms
const MOST_SENTENCES = 6;
const STATES = {
  queued: "Queued",
  running: "Running",
  paused: "Paused",
  finished: "Finished",
  cancelled: "Cancelled",
  failed: "Failed",
};
const LASTING = { queued: true, running: true, paused: true };
const COLUMNS = [
  ["Arm", "", (arm) => arm.label],
  ["ρ", "Radius of the perturbation", (_, result) => result.rho ?? ""],
  ["Test accuracy, final (%)", "After the last epoch", (_, result) => result.final],
  ["best (%)", "The best epoch, picked with the test set: too good by a little", (_, result) => result.best],
  ["Gap (points)", "Generalization gap: train minus test accuracy after the last epoch", (_, result) => result.gap],
  ["Seconds an epoch", "Training alone, without evaluation", (_, result) => result.seconds],
  ["Seeds", "Seeds that have finished all epochs", (_, result) => result.n],
];

/** 75 -> "1 min 15 s". */
function duration(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

/** The moment as a clock here tells it, with the day where that is not today. */
function moment(seconds) {
  const then = new Date(1000 * seconds);
  const day = then.toDateString() === new Date().toDateString() ? {} : { month: "short", day: "numeric" };
  return then.toLocaleString([], { ...day, hour: "2-digit", minute: "2-digit" });
}

/** What was chosen to be seen of a comparison in this tab. */
function remembered(id) {
  try {
    return { ...structuredClone(CHOICE), ...JSON.parse(sessionStorage.getItem(`samviz-live-${id}`)) };
  } catch {
    return structuredClone(CHOICE); // a browser may forbid it
  }
}

function remember(id, choice) {
  try {
    sessionStorage.setItem(`samviz-live-${id}`, JSON.stringify(choice));
  } catch {
    // then it is forgotten when the tab is loaded again
  }
}

class Live {
  constructor(root) {
    this.root = root;
    this.hidden = new Set(); // keys of the arms that the legend has switched off
    this.choice = structuredClone(CHOICE);
    this.etag = null;
    this.page = null;
    this.timer = null;
    this.asking = false;
    this.maps = null; // the maps by layer, once they have been on screen
    this.mapped = ""; // which ones these are, and of which revision
    this.pressed = false; // whether the pointer is down on a chart
    this.waiting = false; // whether a page waits to be drawn
    this.build();
    this.seen = () => document.hidden || this.ask();
    document.addEventListener("visibilitychange", this.seen);
    this.clock = setInterval(() => this.tick(), 1000);
    // A drawing under a pressed pointer would end the reader's drag: it waits until the pointer is up.
    // Not under a menu: the pointer goes up on its list, and nobody hears of it.
    const press = ({ target }) => (this.pressed = target.closest(".plot, .scrub") !== null);
    this.body.addEventListener("pointerdown", press, true);
    this.released = () => {
      if (!this.pressed) return;
      this.pressed = false;
      setTimeout(() => this.waiting && !this.destroyed && this.draw()); // after plotly has taken the drag
    };
    for (const kind of ["pointerup", "pointercancel"]) document.addEventListener(kind, this.released, true);
    this.sizes = new ResizeObserver(() => this.resize());
    this.sizes.observe(this.grid);
  }

  build() {
    this.pill = element("span", { class: "pill" });
    this.bar = element("progress", { max: 1, value: 0, "aria-label": "Progress" });
    this.percent = element("span", { class: "number" });
    this.elapsed = element("span", { class: "quiet" });
    this.data = element("span", { class: "quiet data" });
    this.notice = element("div", { class: "notice", role: "status", hidden: true });
    this.seeds = element("div", { class: "seeds" });
    this.failures = element("div", { class: "failures" });
    this.legend = new Legend(this.hidden, () => this.redraw());
    this.grid = element("div", { class: "panels" });
    this.axes = new Axes((axis) => this.choose({ axis }));
    this.histograms = new HistogramChart((histogram) => this.choose({ histogram }));
    this.layers = new LayerMaps(
      (layers) => this.choose({ layers }),
      () => this.drawLayers(),
    );
    this.curves = CHOICE.curves.map((name, i) => {
      const choose = (other) => this.choose({ curves: this.choice.curves.map((one, k) => (k === i ? other : one)) });
      return new CurveChart(name, i + 1, choose);
    });
    const panels = this.curves.map(({ panel }) => panel);
    panels.splice(HISTOGRAMS_AFTER, 0, this.histograms.panel);
    this.grid.append(...panels);
    this.table = element("tbody");
    const head = COLUMNS.map(([name, help]) => element("th", { scope: "col", title: help || null }, name));
    this.conclusion = element("p", { class: "conclusion" });
    const table = element("table", {}, element("thead", {}, element("tr", {}, ...head)), this.table);
    const line = element("div", { class: "head" }, this.pill, this.bar, this.percent, this.elapsed, this.data);
    const results = element("div", { class: "results" }, table);
    const over = element("div", { class: "over" }, this.legend.box, this.axes.box);
    const above = [line, this.notice, this.seeds, this.failures, over];
    const below = [this.layers.section, results, this.conclusion];
    this.body = element("div", { class: "live" }, ...above, this.grid, ...below);
    this.root.replaceChildren(this.body);
  }

  /** Called on each run of the page's script: `data` is {id, state}, with the state that the script has drawn. */
  update({ data, setStateValue }) {
    this.drawnState = data.state;
    this.tell = (state) => setStateValue("state", state);
    if (this.id !== data.id) {
      this.id = data.id;
      this.etag = null;
      this.maps = null;
      this.mapped = "";
      this.hidden.clear();
      this.choice = remembered(data.id);
      this.histograms.follow();
    }
    this.ask();
  }

  /** Show something else of the comparison. */
  choose(changes) {
    Object.assign(this.choice, changes);
    remember(this.id, this.choice);
    if (changes.layers) this.drawLayers();
    else this.ask();
  }

  /** The page's address: what is as it is at first is left out, so that most viewers share one. */
  get address() {
    const query = ["curves", "axis", "histogram"]
      .filter((key) => String(this.choice[key]) !== String(CHOICE[key]))
      .map((key) => `${key}=${this.choice[key]}`);
    return `/api/comparisons/${encodeURIComponent(this.id)}/live${query.length ? `?${query.join("&")}` : ""}`;
  }

  get over() {
    return this.page !== null && !["queued", "running"].includes(this.page.state);
  }

  async ask() {
    clearTimeout(this.timer);
    if (this.asking || this.destroyed) return;
    this.asking = true;
    let [wait, lost] = [RETRY_MS, true];
    const { address } = this;
    try {
      const [answer, Plotly] = await Promise.all([
        fetch(address, {
          cache: "no-store",
          headers: this.etag ? { "If-None-Match": this.etag } : {},
          signal: AbortSignal.timeout(10000),
        }),
        loadPlotly(),
      ]);
      if (this.destroyed) return;
      this.Plotly = Plotly;
      // Elapsed time is told by the server's clock: a viewer's own may be minutes off.
      wait = 1000 * (Number(answer.headers.get("X-Refresh-Seconds")) || 1); // longer as the crowd grows
      this.ahead = Date.parse(answer.headers.get("Date") ?? "") - Date.now() || 0;
      if (answer.status === 200) {
        const page = await answer.json();
        if (page.histograms) page.histograms.counts = unpack(page.histograms);
        if (address === this.address) {
          this.etag = answer.headers.get("ETag");
          this.page = page;
          this.draw();
        }
      } else if (answer.status === 404) {
        this.say("This comparison is no longer there: it has been deleted.");
        return;
      } else if (answer.status === 400) {
        this.choice = structuredClone(CHOICE); // what an older version has remembered is no longer there
      } else if (answer.status !== 304) {
        throw new Error(`status ${answer.status}`);
      }
      this.say("");
      lost = false;
    } catch {
      wait = RETRY_MS;
      this.say("The connection to samviz is lost; what you see may be old. Trying again…");
    } finally {
      this.asking = false;
    }
    if (this.destroyed) return;
    if (!lost && address !== this.address) this.ask();
    else if (!document.hidden && (lost || !this.over)) this.timer = setTimeout(() => this.ask(), wait);
  }

  /** Ask for the maps by layer where they are on screen and others are drawn, or none. */
  async drawLayers() {
    const { id, page } = this;
    const wanted = `${id} ${page?.layers} ${this.choice.layers}`;
    if (!page?.offered.layers.length || !this.layers.onScreen || this.mapped === wanted || this.destroyed) return;
    this.mapped = wanted;
    try {
      const answer = await fetch(`/api/comparisons/${encodeURIComponent(id)}/layers?of=${this.choice.layers}`, {
        signal: AbortSignal.timeout(10000),
      });
      if (answer.status === 400) this.choice.layers = CHOICE.layers;
      if (!answer.ok) throw new Error(`status ${answer.status}`);
      const maps = await answer.json();
      if (this.destroyed || this.mapped !== wanted) return;
      if (this.pressed) {
        this.mapped = ""; // asked for again, and drawn, when the pointer is up
        this.waiting = true;
        return;
      }
      this.maps = maps;
      if (maps) this.layers.draw(this.Plotly, maps, this.look);
    } catch {
      if (this.mapped === wanted) this.mapped = ""; // the next page asks again
    }
  }

  say(text) {
    this.notice.textContent = text;
    this.notice.hidden = text === "";
  }

  draw() {
    const { page } = this;
    this.waiting = this.pressed;
    if (this.waiting) return;
    this.pill.textContent = STATES[page.state] ?? page.state;
    this.pill.dataset.state = page.state;
    this.bar.value = page.progress;
    this.percent.textContent = `${Math.floor(100 * page.progress)} %`;
    const device = page.runs.map((run) => run.device).find((name) => name);
    this.data.textContent = [page.data, device].filter(Boolean).join(" · ");
    this.drawRuns();
    this.legend.show(page.arms);
    this.axes.show(page.offered.axes, this.choice.axis);
    this.drawCharts();
    this.layers.offer(page.offered.layers, this.choice.layers, page.arms);
    this.drawLayers();
    this.drawResults();
    this.tick();
    if (page.state !== this.drawnState) {
      this.drawnState = page.state;
      this.tell(page.state);
    }
  }

  drawRuns() {
    const { runs } = this.page;
    this.seeds.replaceChildren(
      ...runs.map((run) => {
        const percent = run.state === "running" ? ` ${Math.floor(100 * run.progress)} %` : "";
        const took = run.state === "finished" && run.started ? ` in ${duration(run.finished - run.started)}` : "";
        const since = run.since ? `, ${run.state in LASTING ? "since" : "at"} ${moment(run.since)}` : "";
        const text = `Seed ${run.seed}: ${STATES[run.state].toLowerCase()}${percent}${took}${since}`;
        return element("span", { class: "seed", "data-state": run.state, title: run.reason || null }, text);
      }),
    );
    const told = runs.filter((run) => run.reason && run.state !== "failed");
    this.seeds.append(...told.map((run) => element("span", { class: "quiet" }, `Seed ${run.seed}: ${run.reason}`)));
    const { diverged } = this.page;
    const more = diverged.length - MOST_SENTENCES;
    const sentences = [...diverged.slice(0, MOST_SENTENCES), ...(more > 0 ? [`and ${more} more`] : [])];
    this.seeds.append(...sentences.map((sentence) => element("span", { class: "diverged" }, sentence)));
    const failed = runs.filter((run) => run.state === "failed");
    const mark = JSON.stringify(failed);
    if (mark === this.failed) return;
    this.failed = mark; // drawn again only when it changes: what a reader has opened stays open
    this.failures.replaceChildren(
      ...failed.map((run) => {
        const last = run.error.trim().split("\n").pop();
        const why = run.reason || last || "no reason was left";
        const error = run.error ? [element("h5", {}, "Error"), element("pre", { class: "error" }, run.error)] : [];
        const log = element("pre", { class: "log" }, run.log || "The log is empty.");
        const parts = [...error, element("h5", {}, "End of the log"), log];
        return element("details", { open: true }, element("summary", {}, `Seed ${run.seed} failed: ${why}`), ...parts);
      }),
    );
    for (const log of this.failures.querySelectorAll("pre")) log.scrollTop = log.scrollHeight; // the end tells why
  }

  /** What figures take over from the view. */
  get look() {
    return { theme: this.theme, hidden: this.hidden, id: this.id };
  }

  /** The curves and the histograms, from what is there: the server is not asked. */
  drawCharts() {
    const { figures, xs, alongs, histograms, offered, choice } = this.page;
    this.theme = readTheme(this.grid);
    const { look } = this;
    this.curves.forEach((chart, i) => chart.draw(this.Plotly, figures[i], xs[alongs[i]], offered.curves, look));
    this.histograms.draw(this.Plotly, histograms, offered.histograms, choice.histogram, look);
  }

  redraw() {
    if (!this.page) return;
    this.drawCharts();
    if (this.maps) this.layers.draw(this.Plotly, this.maps, this.look);
  }

  drawResults() {
    const { arms, results, conclusion } = this.page;
    this.table.replaceChildren(
      ...arms.map((arm, k) => {
        const cells = COLUMNS.map(([, , show]) => element("td", {}, String(show(arm, results[k]) || "–")));
        cells[0].prepend(swatch(arm));
        const { diverged } = results[k];
        const seeds = `stopped early: seed${diverged.length > 1 ? "s" : ""} ${diverged.join(", ")}`;
        if (diverged.length) cells[0].append(element("span", { class: "diverged" }, seeds));
        return element("tr", {}, ...cells);
      }),
    );
    this.conclusion.textContent = conclusion;
  }

  /** Once a second: the clock, and the theme if it has changed. */
  tick() {
    if (!this.page) return;
    const started = this.page.runs.map((run) => run.started).filter((time) => time !== null);
    const ends = this.page.runs.map((run) => run.finished).filter((time) => time !== null);
    const now = this.over && ends.length ? Math.max(...ends) : (Date.now() + (this.ahead ?? 0)) / 1000;
    this.elapsed.textContent = started.length ? duration(now - Math.min(...started)) : "";
    if (this.theme && JSON.stringify(readTheme(this.grid)) !== JSON.stringify(this.theme)) this.redraw();
  }

  get plots() {
    return [...this.curves.map(({ plot }) => plot), this.histograms.plot, ...Object.values(this.layers.plots)];
  }

  resize() {
    if (!this.Plotly || !this.page) return;
    for (const plot of this.plots) {
      // Plotly refuses to resize what is not on the screen, as when the page is about to take the charts away.
      if (plot.layout && plot.getClientRects().length) this.Plotly.Plots.resize(plot);
    }
  }

  destroy() {
    this.destroyed = true;
    clearTimeout(this.timer);
    clearInterval(this.clock);
    document.removeEventListener("visibilitychange", this.seen);
    for (const kind of ["pointerup", "pointercancel"]) document.removeEventListener(kind, this.released, true);
    this.sizes.disconnect();
    this.layers.destroy();
    for (const plot of this.plots) this.Plotly?.purge(plot);
  }
}

const instances = new WeakMap();

export default function mount(component) {
  const { parentElement } = component;
  const root = parentElement.querySelector(".samviz");
  let live = instances.get(root);
  if (!live || live.destroyed) {
    instances.set(root, (live = new Live(root)));
    // The form that leads here ends with its Start button: the page it becomes is looked at from its beginning.
    if (component.data.whole) document.querySelector("[data-testid=stMain]")?.scrollTo(0, 0);
  }
  live.update(component);
  return () => setTimeout(() => root.isConnected || live.destroy());
}
