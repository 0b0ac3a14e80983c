// The maps by layer of the live view: one an arm, all in the same colors; asked for only when they are on screen.

import { element } from "./controls.js";
import { bar } from "./legend.js";
import { Menu, drawFigure } from "./livecharts.js";

export class LayerMaps {
  /** @param choose called with another measure's name @param seen called when the maps come onto the screen */
  constructor(choose, seen) {
    this.menu = new Menu("Measure by layer", choose);
    this.scale = element("span", { class: "colors" });
    this.grid = element("div", { class: "maps" });
    const title = element("h4", {}, this.menu.select, this.scale);
    this.section = element("section", { class: "layers", hidden: true, "aria-label": "By layer" }, title, this.grid);
    this.plots = {};
    this.arms = "";
    this.onScreen = false;
    this.watch = new IntersectionObserver((entries) => {
      this.onScreen = entries.at(-1).isIntersecting;
      if (this.onScreen) seen();
    });
    this.watch.observe(this.section);
  }

  /** The places of the maps, as high as they will be. */
  offer(offered, chosen, arms) {
    this.section.hidden = offered.length === 0;
    this.menu.show(offered, chosen);
    const mark = JSON.stringify(arms);
    if (mark === this.arms) return;
    this.arms = mark;
    this.plots = {};
    const panels = arms.map(({ key, label }) => {
      this.plots[key] = element("div", { class: "plot", "data-map": key });
      return element("figure", {}, element("figcaption", { title: label }, label), this.plots[key]);
    });
    this.grid.replaceChildren(...panels);
  }

  /** @param data the server's answer @param look {theme, hidden, id} */
  draw(Plotly, data, look) {
    this.scale.replaceChildren(bar(data.scale, data.colors));
    for (const [key, figure] of Object.entries(data.maps)) {
      const plot = this.plots[key];
      if (!plot) continue;
      plot.parentElement.hidden = look.hidden.has(key);
      if (plot.parentElement.hidden) continue;
      const kept = { x: look.id, y: look.id };
      drawFigure(Plotly, plot, figure, { ...look, hidden: new Set(), kept, margin: { l: 34, r: 6, t: 8, b: 40 } });
    }
    this.section.dataset.shown = data.name;
  }

  destroy() {
    this.watch.disconnect();
  }
}
