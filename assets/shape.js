// What shapes a maximization region beside its radius: the normalization operator T and the norm p.

import { element, typed } from "./controls.js";

const shown = (p) => (p === "inf" ? "∞" : p);
const written = (text) => (/^(∞|inf(inity)?)$/i.test(text.trim()) ? "inf" : text.trim());

/**
 * A row for T and a row for p.
 *
 * @param name what the region is called, for screen readers
 * @param operators the choices of T: their labels by key
 * @param norms texts of p, one a notch of the slider; "inf" is infinity
 * @param move called with {T} or {p} as texts for each movement of the slider
 * @param keep called in the same way at the end of a movement, and for each choice
 */
export function shapeRows(name, operators, norms, move, keep) {
  const select = element(
    "select",
    { "aria-label": `T ${name}`, change: () => keep({ T: select.value }) },
    ...Object.entries(operators).map(([key, label]) => element("option", { value: key }, label)),
  );
  const range = element("input", {
    type: "range",
    min: 0,
    max: norms.length - 1,
    step: 1,
    "aria-label": `p ${name}`,
    input: () => {
      const p = norms[range.value];
      number.show(shown(p));
      range.setAttribute("aria-valuetext", shown(p));
      move({ p });
    },
    change: () => keep({ p: norms[range.value] }),
  });
  const number = typed({ type: "text" }, `p ${name}, value`, (text) => keep({ p: written(text) }));
  const titles = {
    T: "Normalization operator. Of a layer of one weight, |w| is also the norm of the layer and of its filter.",
    p: "The norm of the region, from 1 through 2 in the middle to infinity.",
  };
  const letter = (text) => element("span", { class: "name" }, text);
  return {
    rows: [
      element("div", { class: "row choice", title: titles.T }, letter("T"), select),
      element("div", { class: "row", title: titles.p }, letter("p"), range, number.input),
    ],
    /** Show values that came from elsewhere. */
    set(T, p) {
      select.value = T;
      range.value = nearest(norms, p);
      range.setAttribute("aria-valuetext", shown(p));
      number.show(shown(p));
    },
  };
}

/** The notch of a p that may lie between two of them. */
function nearest(norms, p) {
  const at = norms.findIndex((norm) => Number(norm.replace("inf", "Infinity")) >= Number(p.replace("inf", "Infinity")));
  return at < 0 ? norms.length - 1 : at;
}
