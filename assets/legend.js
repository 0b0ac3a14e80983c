// What stands beside pictures: patches of color and samples of lines with words, color bars, short numbers.

import { element } from "./controls.js";

/** A number in three digits. */
export function brief(value) {
  return Number.isNaN(value) ? "no value" : String(Number(value.toPrecision(3))).replace("-", "−");
}

/** An area's color and what it means. */
export function patch(color, text) {
  return element("span", { class: "patch" }, element("i", { style: `background:${color}` }), text);
}

/** A line, solid or dashed, and what it means. */
export function sample(kind, text, color = "currentColor") {
  return element("span", { class: "patch" }, element("i", { class: `line ${kind}`, style: `color:${color}` }), text);
}

/** A color scale with its name and numbers. */
export function bar({ low, high, label }, colors) {
  const numbers = [low, (low + high) / 2, high].map((value) => element("span", {}, brief(value)));
  const ramp = element("i", { style: `background:linear-gradient(90deg,${colors.join(",")})` });
  return element("span", { class: "scale" }, element("b", {}, label), ramp, element("span", {}, ...numbers));
}
