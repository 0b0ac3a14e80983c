// The step that the player is at, of the followed path: its formulas with their numbers, in the server's words.

import { element } from "./controls.js";

export class Written {
  constructor() {
    this.title = element("h3", {}, "This step, written out");
    this.body = element("tbody");
    this.table = element("table", { class: "written" }, this.body);
    this.section = element("section", { "aria-label": "This step, written out" }, this.title, this.table);
  }

  /** @param rows {name, formula, numbers, half} @param descending which half is shown @param whose the path's name */
  show(rows, descending, whose, ended) {
    this.title.textContent = `This step of ${whose}, written out`;
    const half = descending ? "descent" : "ascent";
    if (this.rows !== rows || this.ended !== ended) {
      this.rows = rows;
      this.ended = ended;
      const lines = rows.map((row) =>
        element(
          "tr",
          { "data-half": row.half },
          element("th", { scope: "row" }, row.name),
          element("td", {}, row.formula),
          element("td", { class: "number" }, row.numbers),
        ),
      );
      const none = element("tr", {}, element("td", {}, ended ? "The path has ended: go back to see a step." : " "));
      this.body.replaceChildren(...(lines.length ? lines : [none]));
    }
    for (const line of this.body.children) line.classList.toggle("now", line.dataset.half === half);
  }
}
