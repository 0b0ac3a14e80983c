// What happened to each path, in the server's words. A click makes the magnifier follow that path.

import { element, swatch } from "./controls.js";

export class Outcomes {
  /** @param {(path: object) => void} changed called with the path that is followed from now on */
  constructor(changed) {
    this.changed = changed;
    this.followed = null;
    this.listed = "";
    this.list = element("section", { class: "outcomes", "aria-label": "What happened", "aria-live": "polite" });
  }

  /** @param {Map<string, object>} paths by `start:variant` */
  show(paths) {
    const sorted = [...paths].sort(([, a], [, b]) => a.start - b.start);
    if (!paths.has(this.followed)) {
      this.followed = (sorted.find(([, path]) => path.perturbed) ?? sorted[0])[0];
    }
    const listed = sorted.map(([key]) => key).join(" ");
    if (listed !== this.listed) {
      this.listed = listed;
      const starts = [...new Set(sorted.map(([, path]) => path.start))];
      this.list.replaceChildren(...starts.map((start) => this.#group(start, sorted)));
    }
    for (const row of this.list.querySelectorAll(".outcome")) {
      const path = paths.get(row.dataset.path);
      const text = row.querySelector(".text");
      if (text.textContent !== path.text) text.textContent = path.text;
      row.dataset.kind = path.kind;
      row.setAttribute("aria-pressed", String(row.dataset.path === this.followed));
    }
  }

  #group(start, sorted) {
    const rows = sorted.filter(([, path]) => path.start === start);
    return element(
      "div",
      { class: "group" },
      element("h4", {}, `What happened from start ${start + 1}`),
      ...rows.map(([key, path]) => this.#row(key, path)),
    );
  }

  #row(key, path) {
    const click = () => {
      this.followed = key;
      this.changed(path);
    };
    return element(
      "button",
      { type: "button", class: "outcome", "data-path": key, title: "Follow this path with the magnifier", click },
      swatch(path),
      element("b", {}, path.label),
      element("span", { class: "text" }),
    );
  }
}
