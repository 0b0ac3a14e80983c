// The charts of the live view: figures as they come from Python, in the colors of the theme, zoomed as the reader left
// them.

import { element } from "./controls.js";
import { borrowStyles } from "./plotly.js";

/** The colors and the font that figures take over from the page. */
export function readTheme(node) {
  const style = getComputedStyle(node);
  return {
    text: style.color,
    font: style.fontFamily,
    background: style.getPropertyValue("--st-background-color").trim() || "#fff",
    line: "rgba(128,128,128,0.25)",
  };
}

/** A select of [value, label, note, group]; its options are made anew only when they change: it may be open. */
export class Menu {
  constructor(label, choose) {
    this.select = element("select", { "aria-label": label, change: () => choose(this.select.value) });
    this.mark = "";
  }

  show(options, chosen, label = chosen) {
    // What is chosen but not there yet, as in a run that has just begun, has a place in the menu all the same.
    const all = options.some(([value]) => value === chosen) ? options : [[chosen, label, ""], ...options];
    const mark = JSON.stringify(all);
    if (mark !== this.mark) {
      this.mark = mark;
      const groups = {};
      const parts = [];
      for (const [value, text, , group] of all) {
        const option = element("option", { value }, text);
        if (group && groups[group]) groups[group].append(option);
        else parts.push(group ? (groups[group] = element("optgroup", { label: group }, option)) : option);
      }
      this.select.replaceChildren(...parts);
    }
    if (this.select.value !== chosen) this.select.value = chosen;
    this.select.title = all.find(([value]) => value === chosen)[2] ?? "";
  }
}

/**
 * Draw a figure of Python's, or change what is drawn.
 *
 * @param kept {x, y}: texts; a zoom along an axis stays for as long as its text stays
 */
export function drawFigure(Plotly, plot, figure, { theme, hidden, kept, margin = {} }) {
  borrowStyles(plot.getRootNode());
  const touch = matchMedia("(pointer: coarse)").matches;
  const axis = { gridcolor: theme.line, zerolinecolor: theme.line, linecolor: theme.line };
  const layout = {
    // A copy: plotly writes a zoom into the ranges that it was given, and would take them for Python's next time.
    ...structuredClone(figure.layout),
    title: undefined,
    uirevision: kept.x,
    autosize: true,
    showlegend: false,
    dragmode: touch ? false : "zoom", // a finger on the chart scrolls the page
    paper_bgcolor: theme.background, // what plotly draws around the line under the pointer, too
    plot_bgcolor: "rgba(0,0,0,0)",
    font: { family: theme.font, color: theme.text, size: 12 },
    hoverlabel: { bgcolor: theme.background, bordercolor: theme.line, font: { color: theme.text, size: 11 } },
    margin: { l: 44, r: 12, t: 6, b: 38, ...margin },
  };
  for (const key of ["xaxis", "yaxis"]) layout[key] = { ...axis, uirevision: kept[key[0]], ...layout[key] };
  const spike = { spikethickness: 1, spikedash: "solid", spikecolor: theme.text };
  if (layout.hovermode === "x unified") Object.assign(layout.xaxis, spike);
  const data = figure.data.map((trace) => ({ ...trace, visible: !hidden.has(trace.meta) }));
  Plotly.react(plot, data, layout, { displayModeBar: false, responsive: false, doubleClick: "reset" });
}

/** One measure over the training, with a menu of all measures as its title. */
export class CurveChart {
  /** @param name the measure @param choose called with another one's name */
  constructor(name, number, choose) {
    this.menu = new Menu(`Measure of chart ${number}`, choose);
    this.plot = element("div", { class: "plot", "data-figure": name });
    this.panel = element("section", { class: "panel" }, element("h4", {}, this.menu.select), this.plot);
  }

  /** @param xs the x of each trace, which comes apart from the rest @param look {theme, hidden, id} */
  draw(Plotly, figure, xs, offered, look) {
    const { name, layout } = figure;
    this.menu.show(offered, name, layout.title.text);
    this.plot.dataset.figure = name;
    const data = figure.data.map((trace, i) => ({ ...trace, x: xs[i] }));
    const kept = { x: `${look.id} ${layout.xaxis.title.text}`, y: `${look.id} ${name}` };
    drawFigure(Plotly, this.plot, { data, layout }, { ...look, kept });
  }
}
