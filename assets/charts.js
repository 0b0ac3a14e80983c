// Charts of a page: figures as they come from Python, redrawn in place when something else is chosen, so that
// zoom and hidden arms stay. All numbers come from Python; this file only places them.

import { element } from "./controls.js";
import { readTheme } from "./livecharts.js";
import { Legend } from "./livelegend.js";
import { borrowStyles, loadPlotly } from "./plotly.js";

/** One figure with its title above it and a note below. */
class Chart {
  constructor(name) {
    this.title = element("h4", {});
    this.plot = element("div", { class: "plot", role: "group", "data-figure": name });
    this.note = element("figcaption", {});
    this.panel = element("figure", {}, this.title, this.plot, this.note);
    this.name = name;
  }

  draw(Plotly, chart, theme, hidden) {
    const { title, note, height, wide, figure } = chart;
    this.title.textContent = title;
    this.plot.setAttribute("aria-label", title);
    this.note.textContent = note;
    this.note.hidden = note === "";
    this.plot.style.height = `${height}px`;
    this.panel.classList.toggle("wide", wide);
    borrowStyles(this.plot.getRootNode());
    const axis = { gridcolor: theme.line, zerolinecolor: theme.line, linecolor: theme.line, automargin: true };
    const layout = {
      // A copy: plotly writes a zoom into the ranges that it was given, and would take them for Python's next time.
      ...structuredClone(figure.layout),
      title: undefined,
      autosize: true,
      showlegend: "legend" in figure.layout,
      dragmode: matchMedia("(pointer: coarse)").matches ? false : "zoom", // a finger on the chart scrolls the page
      paper_bgcolor: theme.background,
      plot_bgcolor: "rgba(0,0,0,0)",
      font: { family: theme.font, color: theme.text, size: 12 },
      hoverlabel: { bgcolor: theme.background, bordercolor: theme.line, font: { color: theme.text, size: 11 } },
      margin: { l: 44, r: 12, t: 16, b: 40 },
    };
    for (const key of Object.keys(layout).filter((name) => /^[xy]axis\d*$/.test(name))) {
      // A zoom stays as long as the axis means the same.
      const kept = `${this.name} ${layout[key].title?.text ?? ""} ${layout[key].type ?? ""}`;
      layout[key] = { ...axis, uirevision: kept, ...layout[key] };
    }
    if (layout.hovermode === "x unified") {
      Object.assign(layout.xaxis, { spikethickness: 1, spikedash: "solid", spikecolor: theme.text });
    }
    const data = figure.data.map((trace) => ({ ...trace, visible: !hidden.has(trace.meta) }));
    Plotly.react(this.plot, data, layout, { displayModeBar: false, responsive: false, doubleClick: "reset" });
  }
}

class Charts {
  constructor(root) {
    this.hidden = new Set(); // keys of the arms that the legend has switched off
    this.charts = new Map();
    this.legend = new Legend(this.hidden, () => this.draw());
    this.grid = element("div", { class: "charts" });
    this.body = element("div", { class: "page-charts" }, this.legend.box, this.grid);
    root.replaceChildren(this.body);
    this.sizes = new ResizeObserver(() => this.resize());
    this.sizes.observe(this.grid);
    this.clock = setInterval(() => this.tick(), 1000);
  }

  /** Called on each run of the page's script: `data` is {charts, arms}. */
  async update(data) {
    this.data = data;
    this.Plotly = await loadPlotly();
    if (!this.destroyed) this.draw();
  }

  draw() {
    const { charts, arms } = this.data;
    this.theme = readTheme(this.grid);
    this.legend.show(arms);
    this.legend.box.hidden = arms.length === 0;
    const shown = new Set(arms.map(({ key }) => key));
    for (const key of this.hidden) if (!shown.has(key)) this.hidden.delete(key); // nothing could show it again
    const names = charts.map(({ name }) => name);
    const before = this.charts.size;
    for (const [name, chart] of this.charts) {
      if (names.includes(name)) continue;
      this.Plotly.purge(chart.plot);
      chart.panel.remove();
      this.charts.delete(name);
    }
    for (const title of this.grid.querySelectorAll("h3")) title.remove();
    charts.forEach((chart, i) => {
      if (!this.charts.has(chart.name)) this.charts.set(chart.name, new Chart(chart.name));
      const own = this.charts.get(chart.name);
      if (this.grid.children[i] !== own.panel) this.grid.insertBefore(own.panel, this.grid.children[i] ?? null);
    });
    charts.forEach(({ name, group }, i) => {
      if (group && group !== charts[i - 1]?.group) this.charts.get(name).panel.before(element("h3", {}, group));
    });
    // When all are in their places: one that was alone in its row is narrower then.
    for (const chart of charts) this.charts.get(chart.name).draw(this.Plotly, chart, this.theme, this.hidden);
    if (this.charts.size !== before) this.resize();
  }

  /** Once a second: the theme if it has changed. */
  tick() {
    if (this.theme && JSON.stringify(readTheme(this.grid)) !== JSON.stringify(this.theme)) this.draw();
  }

  resize() {
    for (const { plot } of this.charts.values()) {
      // Plotly refuses to resize what is not on the screen.
      if (plot.layout && plot.getClientRects().length) this.Plotly.Plots.resize(plot);
    }
  }

  destroy() {
    this.destroyed = true;
    clearInterval(this.clock);
    this.sizes.disconnect();
    for (const { plot } of this.charts.values()) this.Plotly?.purge(plot);
  }
}

const instances = new WeakMap();

export default function mount({ parentElement, data }) {
  const root = parentElement.querySelector(".samviz");
  let charts = instances.get(root);
  if (!charts || charts.destroyed) instances.set(root, (charts = new Charts(root)));
  charts.update(data);
  return () => setTimeout(() => root.isConnected || charts.destroy());
}
