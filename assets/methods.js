// Which methods walk: a chip each, and rows for the radius and eta of those that do.

import { element, swatch } from "./controls.js";

export class Methods {
  /**
   * @param all the methods, in their order
   * @param settings the page's Settings, of which this owns `variants`
   * @param rows Map of a setting's key to its row; those of rho and eta are shown here
   * @param keep called when another choice was made
   * @param complain called with what is wrong about a choice
   */
  constructor(all, settings, rows, keep, complain) {
    Object.assign(this, { settings, rows, keep, complain });
    this.all = new Map(all.map((method) => [method.key, method]));
    this.chips = element("div", { class: "chips" }, ...all.map((method) => this.#chip(method)));
    this.radii = element("div", { class: "rows" });
  }

  get(key) {
    return this.all.get(key);
  }

  /** The keys of those that are switched on. */
  get chosen() {
    return this.settings.values.variants.split(",");
  }

  show() {
    const { chosen } = this;
    for (const chip of this.chips.children) {
      chip.setAttribute("aria-pressed", String(chosen.includes(chip.dataset.method)));
    }
    for (const key of this.#radii) {
      const { row } = this.rows.get(key);
      const on = chosen.includes(key.split(".")[1]);
      if (on && !row.isConnected) this.#insert(key, row);
      if (!on) row.remove();
    }
  }

  #chip(method) {
    const click = () => {
      const chosen = new Set(this.chosen);
      if (!chosen.delete(method.key)) chosen.add(method.key);
      if (chosen.size === 0) return this.complain("At least one method must stay switched on.");
      this.settings.move({ variants: [...this.all.keys()].filter((key) => chosen.has(key)).join(",") });
      this.keep();
    };
    const attributes = { type: "button", class: "chip", "data-method": method.key, title: method.source, click };
    return element("button", attributes, swatch(method), method.label);
  }

  /** The settings that belong to single methods, rho and eta of each together. */
  get #radii() {
    return [...this.all.keys()].flatMap((key) => [`rho.${key}`, `eta.${key}`]).filter((key) => this.rows.has(key));
  }

  #insert(key, row) {
    const order = this.#radii;
    row.style.setProperty("--mark", this.get(key.split(".")[1]).color);
    const next = [...this.radii.children].find((other) => order.indexOf(other.dataset.field) > order.indexOf(key));
    this.radii.insertBefore(row, next ?? null);
  }
}
