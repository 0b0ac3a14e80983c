// The table that tells which T are scale-invariant, and where. Every word of it comes from the server
// (samviz/ui/invariance_table.py).

import { element } from "./controls.js";
import { fetchJson, latest } from "./latest.js";

/** @param complain called with the sentence of an error */
export function invarianceTable(complain) {
  const caption = element("caption");
  const head = element("tr", { role: "row" });
  const body = element("tbody", { role: "rowgroup" });
  const summary = element("p", { class: "summary", "aria-live": "polite" });
  // On a phone the rows are laid out as blocks, which would take the table's roles away: hence they are spelled out.
  const table = element(
    "table",
    { class: "invariance", role: "table" },
    caption,
    element("thead", { role: "rowgroup" }, head),
    body,
  );

  const column = (text) => element("th", { scope: "col", role: "columnheader" }, text);

  function row({ label, T, cells, reason }, columns) {
    return element(
      "tr",
      { role: "row" },
      element("th", { scope: "row", role: "rowheader" }, label, element("small", {}, T)),
      ...cells.map(({ verdict, errors }, i) =>
        element(
          "td",
          { role: "cell", "data-verdict": verdict, "data-column": columns[i] },
          element("b", {}, verdict),
          element("small", {}, errors),
        ),
      ),
      element("td", { role: "cell", class: "reason" }, reason),
    );
  }

  let asked = null;
  const remote = latest(
    fetchJson,
    (answer) => {
      caption.textContent = answer.caption;
      head.replaceChildren(...["T and p", ...answer.columns, "why"].map(column));
      body.replaceChildren(...answer.rows.map((told) => row(told, answer.columns)));
      if (summary.textContent !== answer.summary) summary.textContent = answer.summary;
    },
    (error) => {
      asked = null;
      complain(error.message);
    },
  );
  return {
    nodes: [element("h3", {}, "Which T are scale-invariant?"), table, summary],
    ask(query) {
      if (query === asked) return;
      asked = query;
      remote.ask(`/api/toy/invariance?${query}`);
    },
    close: () => remote.close(),
  };
}
