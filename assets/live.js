// One comparison, live: asks the server for its page each second and redraws in place, so that zoom, hidden arms and the
// chosen epoch stay as they are. All numbers and figures come from Python; this file only places them.

import { element } from "./controls.js";
import { borrowStyles, loadPlotly } from "./plotly.js";

const POLL_MS = 1000;
const RETRY_MS = 3000;
const PANELS = ["test_accuracy", "train_accuracy", "histograms", "test_loss", "train_loss", "gamma_mean"];
const STATES = { queued: "Queued", running: "Running", finished: "Finished", cancelled: "Cancelled", failed: "Failed" };
const COLUMNS = [
  ["Arm", "", (arm) => arm.label],
  ["ρ", "Radius of the perturbation", (_, result) => result.rho ?? ""],
  ["Test accuracy, final (%)", "After the last epoch", (_, result) => result.final],
  ["best (%)", "The best epoch, picked with the test set: too good by a little", (_, result) => result.best],
  ["Gap (points)", "Generalization gap: train minus test accuracy after the last epoch", (_, result) => result.gap],
  ["Seconds an epoch", "Training alone, without evaluation", (_, result) => result.seconds],
  ["Seeds", "Seeds that have finished all epochs", (_, result) => result.n],
];

/** The counts of all epochs and arms, one after the other: little-endian numbers of two or four bytes, in base64. */
function unpack({ counts, width }) {
  const { buffer } = Uint8Array.from(atob(counts), (character) => character.charCodeAt(0));
  return width === 2 ? new Uint16Array(buffer) : new Uint32Array(buffer);
}

/** 75 -> "1 min 15 s". */
function duration(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

/** The index of the number that is closest to a given one. */
function nearest(numbers, wanted) {
  let best = 0;
  numbers.forEach((number, i) => {
    if (Math.abs(number - wanted) < Math.abs(numbers[best] - wanted)) best = i;
  });
  return best;
}

class Live {
  constructor(root) {
    this.root = root;
    this.hidden = new Set(); // keys of the arms that the legend has switched off
    this.follow = true; // whether the histograms follow the latest epoch
    this.epoch = 0; // index of the epoch that they show, among those that the server has sent
    this.pinned = 0; // the epoch itself: of a long run the server sends fewer epochs, and their indices move
    this.etag = null;
    this.page = null;
    this.timer = null;
    this.asking = false;
    this.pressed = false; // whether the pointer is down on a chart
    this.waiting = false; // whether a page waits to be drawn
    this.build();
    this.seen = () => document.hidden || this.ask();
    document.addEventListener("visibilitychange", this.seen);
    this.clock = setInterval(() => this.tick(), 1000);
    // A drawing under a pressed pointer would end the reader's drag: it waits until the pointer is up.
    this.grid.addEventListener("pointerdown", () => (this.pressed = true), true);
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
    this.legend = element("div", { class: "legend", role: "group", "aria-label": "Arms: click to hide or show" });
    this.grid = element("div", { class: "panels" });
    this.panels = {};
    for (const name of PANELS) {
      const title = element("h4", {}, "\u00a0");
      const plot = element("div", { class: "plot", "data-figure": name });
      const panel = element("section", { class: "panel" }, title, plot);
      this.panels[name] = { panel, title, plot };
      this.grid.append(panel);
    }
    this.range = element("input", {
      type: "range",
      min: 0,
      max: 0,
      step: 1,
      value: 0,
      "aria-label": "Epoch of the histograms",
      input: () => this.scrub(Number(this.range.value)),
    });
    this.latest = element("input", {
      type: "checkbox",
      checked: true,
      change: () => {
        this.follow = this.latest.checked;
        if (this.page?.histograms) this.drawHistograms();
      },
    });
    const follow = element("label", {}, this.latest, "latest");
    this.panels.histograms.panel.classList.add("scrubbed");
    this.panels.histograms.panel.append(element("div", { class: "scrub" }, element("span", {}, "Epoch"), this.range, follow));
    this.table = element("tbody");
    const head = COLUMNS.map(([name, help]) => element("th", { scope: "col", title: help || null }, name));
    this.conclusion = element("p", { class: "conclusion" });
    const table = element("table", {}, element("thead", {}, element("tr", {}, ...head)), this.table);
    const line = element("div", { class: "head" }, this.pill, this.bar, this.percent, this.elapsed, this.data);
    const results = element("div", { class: "results" }, table);
    const parts = [line, this.notice, this.seeds, this.failures, this.legend, this.grid, results, this.conclusion];
    this.root.replaceChildren(element("div", { class: "live" }, ...parts));
  }

  /** Called on each run of the page's script: `data` is {id, state}, with the state that the script has drawn. */
  update({ data, setStateValue }) {
    this.drawnState = data.state;
    this.tell = (state) => setStateValue("state", state);
    if (this.id !== data.id) {
      this.id = data.id;
      this.etag = null;
      this.hidden.clear();
      this.follow = this.latest.checked = true;
    }
    this.ask();
  }

  get over() {
    return this.page !== null && !["queued", "running"].includes(this.page.state);
  }

  async ask() {
    clearTimeout(this.timer);
    if (this.asking || this.destroyed) return;
    this.asking = true;
    let wait = POLL_MS;
    try {
      const [answer, Plotly] = await Promise.all([
        fetch(`/api/comparisons/${encodeURIComponent(this.id)}/live`, {
          cache: "no-store",
          headers: this.etag ? { "If-None-Match": this.etag } : {},
          signal: AbortSignal.timeout(10000),
        }),
        loadPlotly(),
      ]);
      if (this.destroyed) return;
      this.Plotly = Plotly;
      // Elapsed time is told by the server's clock: a viewer's own may be minutes off.
      this.ahead = Date.parse(answer.headers.get("Date") ?? "") - Date.now() || 0;
      if (answer.status === 200) {
        const page = await answer.json();
        if (page.histograms) page.histograms.counts = unpack(page.histograms);
        this.etag = answer.headers.get("ETag");
        this.page = page;
        this.draw();
      } else if (answer.status === 404) {
        this.say("This comparison is no longer there: it has been deleted.");
        return;
      } else if (answer.status !== 304) {
        throw new Error(`status ${answer.status}`);
      }
      this.say("");
    } catch {
      wait = RETRY_MS;
      this.say("The connection to samviz is lost; what you see may be old. Trying again…");
    } finally {
      this.asking = false;
    }
    const lost = wait === RETRY_MS;
    if (!this.destroyed && !document.hidden && (lost || !this.over)) this.timer = setTimeout(() => this.ask(), wait);
  }

  say(text) {
    this.notice.textContent = text;
    this.notice.hidden = text === "";
  }

  draw() {
    const { page } = this;
    this.waiting = this.pressed;
    if (this.waiting) return;
    borrowStyles(this.root.getRootNode());
    this.pill.textContent = STATES[page.state] ?? page.state;
    this.pill.dataset.state = page.state;
    this.bar.value = page.progress;
    this.percent.textContent = `${Math.floor(100 * page.progress)} %`;
    const device = page.runs.map((run) => run.device).find((name) => name);
    this.data.textContent = [page.data, device].filter(Boolean).join(" · ");
    this.drawRuns();
    this.drawLegend();
    this.theme = this.readTheme();
    for (const name of PANELS) if (name !== "histograms") this.drawFigure(name, page.figures[name]);
    this.drawHistograms();
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
        const text = `Seed ${run.seed}: ${STATES[run.state].toLowerCase()}${percent}${took}`;
        return element("span", { class: "seed", "data-state": run.state, title: run.reason || null }, text);
      }),
    );
    const told = runs.filter((run) => run.reason && run.state !== "failed");
    this.seeds.append(...told.map((run) => element("span", { class: "quiet" }, `Seed ${run.seed}: ${run.reason}`)));
    const failed = runs.filter((run) => run.state === "failed");
    const mark = JSON.stringify(failed);
    if (mark === this.failed) return;
    this.failed = mark; // drawn again only when it changes: what a reader has opened stays open
    this.failures.replaceChildren(
      ...failed.map((run) => {
        const last = run.error.trim().split("\n").pop();
        const parts = [element("summary", {}, `Seed ${run.seed} failed: ${run.reason || last || "no reason was left"}`)];
        if (run.error) parts.push(element("h5", {}, "Error"), element("pre", { class: "error" }, run.error));
        parts.push(element("h5", {}, "End of the log"), element("pre", { class: "log" }, run.log || "The log is empty."));
        return element("details", { open: true }, ...parts);
      }),
    );
    for (const log of this.failures.querySelectorAll("pre")) log.scrollTop = log.scrollHeight; // the end tells why
  }

  drawLegend() {
    const { arms } = this.page;
    const mark = JSON.stringify(arms);
    if (mark === this.legendMark) return;
    this.legendMark = mark;
    const dashes = { solid: "none", dash: "7 4", dot: "2 3" };
    this.legend.replaceChildren(
      ...arms.map((arm) => {
        const swatch = document.createElementNS("http://www.w3.org/2000/svg", "svg");
        swatch.setAttribute("viewBox", "0 0 26 10");
        swatch.innerHTML = '<path d="M1 5H25" fill="none" stroke-width="3"/>';
        swatch.firstChild.setAttribute("stroke", arm.color);
        swatch.firstChild.setAttribute("stroke-dasharray", dashes[arm.dash] ?? "none");
        const button = element("button", { type: "button", "aria-pressed": "true", title: "Hide or show this arm" }, swatch, arm.label);
        button.addEventListener("click", () => {
          if (!this.hidden.delete(arm.key)) this.hidden.add(arm.key);
          button.setAttribute("aria-pressed", String(!this.hidden.has(arm.key)));
          this.redraw();
        });
        button.setAttribute("aria-pressed", String(!this.hidden.has(arm.key)));
        return button;
      }),
    );
  }

  readTheme() {
    const style = getComputedStyle(this.grid);
    const read = (name, otherwise) => style.getPropertyValue(name).trim() || otherwise;
    return {
      text: style.color,
      font: style.fontFamily,
      background: read("--st-background-color", "#fff"),
      line: "rgba(128,128,128,0.25)",
    };
  }

  /** Redraw from what is there, without asking the server. */
  redraw() {
    if (!this.page) return;
    this.theme = this.readTheme();
    for (const name of PANELS) if (name !== "histograms") this.drawFigure(name, this.page.figures[name]);
    this.drawHistograms();
  }

  drawFigure(name, figure) {
    const { title, plot } = this.panels[name];
    title.textContent = figure.layout.title.text;
    const touch = matchMedia("(pointer: coarse)").matches;
    const axis = { gridcolor: this.theme.line, zerolinecolor: this.theme.line, linecolor: this.theme.line };
    const layout = {
      // A copy: plotly writes a zoom into the ranges that it was given, and would take them for Python's next time.
      ...structuredClone(figure.layout),
      title: undefined,
      uirevision: this.id, // what the reader has zoomed stays as it is, for as long as it is the same comparison
      autosize: true,
      showlegend: false,
      dragmode: touch ? false : "zoom", // a finger on the chart scrolls the page
      paper_bgcolor: "rgba(0,0,0,0)",
      plot_bgcolor: "rgba(0,0,0,0)",
      font: { family: this.theme.font, color: this.theme.text, size: 12 },
      hoverlabel: { bgcolor: this.theme.background, bordercolor: this.theme.line, font: { color: this.theme.text } },
      margin: { l: 44, r: 12, t: 6, b: 38 },
    };
    for (const key of Object.keys(layout)) {
      if (/^[xy]axis/.test(key)) layout[key] = { ...axis, ...layout[key] };
    }
    const data = figure.data.map((trace) => ({ ...trace, visible: !this.hidden.has(trace.legendgroup) }));
    this.Plotly.react(plot, data, layout, { displayModeBar: false, responsive: false, doubleClick: "reset" });
  }

  drawHistograms() {
    const { histograms } = this.page;
    const { title, plot } = this.panels.histograms;
    this.range.disabled = histograms === null;
    if (histograms === null) {
      title.textContent = "γ of the norm layers";
      return;
    }
    const last = histograms.epochs.length - 1;
    this.range.max = last;
    this.epoch = this.follow ? last : nearest(histograms.epochs, this.pinned);
    this.range.value = this.epoch;
    this.range.setAttribute("aria-valuetext", `epoch ${histograms.epochs[this.epoch]}`);
    const { data, layout } = histograms.figure;
    const figure = {
      data: data.map((trace, k) => {
        const start = (this.epoch * data.length + k) * histograms.bins;
        return { ...trace, y: histograms.counts.subarray(start, start + histograms.bins) };
      }),
      layout: { ...layout, title: { text: histograms.titles[this.epoch] } },
    };
    data.forEach((trace) => {
      const axis = trace.yaxis.replace("y", "yaxis");
      figure.layout[axis] = { ...layout[axis], range: [0, histograms.tops[this.epoch]] };
    });
    figure.layout.annotations = layout.annotations.map((annotation, k) => ({
      ...annotation,
      text: histograms.texts[this.epoch][k],
      visible: !this.hidden.has(data[k].legendgroup),
    }));
    this.drawFigure("histograms", figure);
    if (this.follow) this.pinned = histograms.epochs[this.epoch];
    plot.dataset.epoch = histograms.epochs[this.epoch];
  }

  scrub(index) {
    this.follow = this.latest.checked = index === Number(this.range.max);
    this.pinned = this.page.histograms.epochs[index];
    this.drawHistograms();
  }

  drawResults() {
    const { arms, results, conclusion } = this.page;
    this.table.replaceChildren(
      ...arms.map((arm, k) => {
        const cells = COLUMNS.map(([, , show]) => element("td", {}, String(show(arm, results[k]) || "–")));
        const mark = element("span", { class: "mark" });
        mark.style.background = arm.color;
        cells[0].prepend(mark);
        for (const [seed, epoch] of results[k].diverged) {
          cells[0].append(element("span", { class: "diverged" }, `diverged: seed ${seed}, epoch ${epoch}`));
        }
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
    if (this.theme && JSON.stringify(this.readTheme()) !== JSON.stringify(this.theme)) this.redraw();
  }

  resize() {
    if (!this.Plotly || !this.page) return;
    for (const { plot } of Object.values(this.panels)) {
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
    for (const { plot } of Object.values(this.panels)) this.Plotly?.purge(plot);
  }
}

const instances = new WeakMap();

export default function mount(component) {
  const { parentElement } = component;
  const root = parentElement.querySelector(".samviz");
  let live = instances.get(root);
  if (!live || live.destroyed) instances.set(root, (live = new Live(root)));
  live.update(component);
  return () => setTimeout(() => root.isConnected || live.destroy());
}
