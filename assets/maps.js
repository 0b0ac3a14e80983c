// The section of maps below the Trajectories page: where every start ends, sweeps, and sharpness along the valley.
// Nothing is asked for before it is opened. All numbers come from the server (samviz/ui/map_routes.py).

import { Basins } from "./basins.js";
import { element } from "./controls.js";
import { Sweep, Valley } from "./curves.js";
import { readTheme } from "./plane.js";

const PAUSE = 150; // milliseconds after the last change before the maps are asked for
const WHAT = "where every start ends, one parameter swept, the whole valley";
const MARKS = { Basins: "basins", Sweep: "sweep", "Along the valley": "valley" }; // of the tabs, in the address
const STEPS = { ArrowLeft: -1, ArrowRight: 1 };

export class Maps {
  /**
   * @param data the page's tables; `maps` is made by samviz/ui/map_page.py
   * @param settings the page's Settings
   * @param actions {addStart}: takes the (w1, w2) of a pixel as a start
   */
  constructor(data, settings, { addStart }) {
    const page = {
      get methods() {
        const chosen = settings.values.variants.split(",");
        return data.methods.filter(({ key }) => chosen.includes(key));
      },
      get marks() {
        return settings.marks;
      },
      /** Remember a choice in the page's address. */
      note(changes) {
        settings.note(changes);
      },
      get starts() {
        return settings.values.starts.split(";").map((pair) => pair.split(",").map(Number));
      },
      /** The address of these settings, without those at their defaults. */
      query(keys) {
        const { values, defaults } = settings;
        const known = [...new Set(keys)].filter((key) => key in values && values[key] !== defaults[key]);
        return known.map((key) => `${key}=${encodeURIComponent(values[key])}`).join("&");
      },
    };
    this.page = page;
    this.parts = {
      Basins: new Basins(data, page, addStart),
      Sweep: new Sweep(data, page),
      "Along the valley": new Valley(data, page),
    };
    this.build();
    this.observer = new ResizeObserver(() => this.draw());
    this.observer.observe(this.section);
    this.show("Basins");
  }

  build() {
    this.tabs = Object.keys(this.parts).map((name, i) => {
      const attributes = { role: "tab", id: `maps-tab-${i}`, "aria-controls": `maps-panel-${i}` };
      return element("button", { type: "button", ...attributes, click: () => this.choose(name) }, name);
    });
    this.panels = Object.values(this.parts).map((part, i) => {
      const attributes = { role: "tabpanel", id: `maps-panel-${i}`, "aria-labelledby": `maps-tab-${i}` };
      return element("div", attributes, part.panel);
    });
    this.section = element(
      "details",
      { class: "maps", toggle: () => this.toggled() },
      element("summary", {}, "Maps", element("span", {}, WHAT)),
      element("div", { role: "tablist", "aria-label": "Maps", keydown: (event) => this.key(event) }, ...this.tabs),
      ...this.panels,
    );
  }

  show(name) {
    this.name = name;
    Object.keys(this.parts).forEach((other, i) => {
      const chosen = other === name;
      this.tabs[i].setAttribute("aria-selected", String(chosen));
      this.tabs[i].tabIndex = chosen ? 0 : -1;
      this.panels[i].hidden = !chosen;
    });
    this.load();
  }

  key(event) {
    const names = Object.keys(this.parts);
    const here = names.indexOf(this.name);
    const there = { Home: 0, End: names.length - 1 }[event.key] ?? here + (STEPS[event.key] ?? NaN);
    if (Number.isNaN(there)) return;
    event.preventDefault();
    event.stopPropagation(); // the page's player has the same keys
    const i = (there + names.length) % names.length;
    this.choose(names[i]);
    this.tabs[i].focus();
  }

  choose(name) {
    this.show(name);
    this.toggled();
  }

  /** Opened, closed, or another tab chosen. */
  toggled() {
    this.page.note({ map: this.section.open ? MARKS[this.name] : "" });
    this.load();
  }

  /** Take over what the address says. */
  open() {
    const { map } = this.page.marks;
    this.parts.Basins.open();
    this.parts.Sweep.open();
    this.section.open = map !== "";
    if (map) this.show(Object.keys(MARKS).find((name) => MARKS[name] === map));
  }

  /** The page's settings have changed for good. */
  changed() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.load(), PAUSE);
  }

  load() {
    if (!this.section.open) return;
    this.draw();
    this.parts[this.name].load();
  }

  draw() {
    if (this.section.open) this.parts[this.name].draw(readTheme(this.section));
  }

  refreshTheme() {
    this.draw();
  }

  close() {
    clearTimeout(this.timer);
    this.observer.disconnect();
    for (const part of Object.values(this.parts)) part.close();
  }
}
