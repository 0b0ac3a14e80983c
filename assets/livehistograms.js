// The histograms of the live view: all arms over common bins, with a slider over the epochs that needs no server.

import { element } from "./controls.js";
import { Menu, drawFigure } from "./livecharts.js";

/** The counts of all epochs and arms, one after the other: little-endian numbers of two or four bytes, in base64. */
export function unpack({ counts, width }) {
  const { buffer } = Uint8Array.from(atob(counts), (character) => character.charCodeAt(0));
  return width === 2 ? new Uint16Array(buffer) : new Uint32Array(buffer);
}

/** The index of the number that is closest to a given one. */
function nearest(numbers, wanted) {
  let best = 0;
  numbers.forEach((number, i) => {
    if (Math.abs(number - wanted) < Math.abs(numbers[best] - wanted)) best = i;
  });
  return best;
}

export class HistogramChart {
  /** @param choose called with another kind of parameter's name */
  constructor(choose) {
    this.epoch = 0; // index of the epoch that is shown, among those that the server has sent
    this.pinned = 0; // the epoch itself: of a long run the server sends fewer epochs, and their indices move
    this.data = null;
    this.menu = new Menu("Kind of parameter of the histograms", choose);
    this.when = element("span", { class: "quiet" });
    this.plot = element("div", { class: "plot", "data-figure": "histograms" });
    this.range = element("input", {
      type: "range",
      min: 0,
      max: 0,
      step: 1,
      value: 0,
      "aria-label": "Epoch of the histograms",
      input: () => this.scrub(Number(this.range.value)),
    });
    this.latest = element("input", { type: "checkbox", checked: true, change: () => this.data && this.redraw() });
    const scrub = element(
      "div",
      { class: "scrub" },
      element("span", {}, "Epoch"),
      this.range,
      element("label", {}, this.latest, "latest"),
    );
    const title = element("h4", {}, this.menu.select, this.when);
    this.panel = element("section", { class: "panel scrubbed" }, title, this.plot, scrub);
  }

  /** Show the latest epoch again: another comparison is looked at. */
  follow() {
    this.latest.checked = true;
  }

  /** @param data the page's histograms, their counts unpacked, or null @param look {theme, hidden, id} */
  draw(Plotly, data, offered, chosen, look) {
    this.menu.show(offered, chosen, `${chosen === "beta" ? "β" : "γ"} of the norm layers`);
    this.range.disabled = data === null;
    if (data === null) return;
    Object.assign(this, { Plotly, data, look });
    this.redraw();
  }

  redraw() {
    const { epochs, bins, counts, figure, tops, whens, texts } = this.data;
    const last = epochs.length - 1;
    this.range.max = last;
    this.epoch = this.latest.checked ? last : nearest(epochs, this.pinned);
    this.range.value = this.epoch;
    this.range.setAttribute("aria-valuetext", `epoch ${epochs[this.epoch]}`);
    this.when.textContent = whens[this.epoch];
    if (this.latest.checked) this.pinned = epochs[this.epoch];
    const data = figure.data.map((trace, k) => {
      const start = (this.epoch * figure.data.length + k) * bins;
      return { ...trace, y: counts.subarray(start, start + bins) };
    });
    const layout = {
      ...figure.layout,
      yaxis: { ...figure.layout.yaxis, range: [0, tops[this.epoch]] },
      annotations: figure.layout.annotations.map((annotation, k) => ({
        ...annotation,
        text: texts[this.epoch][k],
        visible: !this.look.hidden.has(data[k].meta),
      })),
    };
    const kept = { x: `${this.look.id} ${this.data.name}`, y: this.epoch };
    drawFigure(this.Plotly, this.plot, { data, layout }, { ...this.look, kept, margin: { l: 24 } });
    this.plot.dataset.epoch = epochs[this.epoch];
  }

  scrub(index) {
    this.latest.checked = index === Number(this.range.max);
    this.pinned = this.data.epochs[index];
    this.redraw();
  }
}
