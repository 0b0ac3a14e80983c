// What stands above the charts of the live view: the arms, to be hidden and shown, and what the curves are drawn over.

import { element } from "./controls.js";

// Of an arm's line, about as plotly draws them.
const DASHES = { dash: "7 4", dot: "2 3", dashdot: "7 3 2 3", longdash: "11 4", longdashdot: "11 3 2 3" };

/** A piece of an arm's line. */
export function swatch({ color, dash }) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 30 10");
  svg.setAttribute("aria-hidden", "true");
  svg.innerHTML = '<path d="M1 5H29" fill="none" stroke-width="3"/>';
  svg.firstChild.setAttribute("stroke", color);
  svg.firstChild.setAttribute("stroke-dasharray", DASHES[dash] ?? "none");
  return svg;
}

export class Legend {
  /** @param hidden keys of the arms that are switched off: kept up to date here @param changed called after a click */
  constructor(hidden, changed) {
    this.hidden = hidden;
    this.changed = changed;
    this.mark = "";
    this.box = element("div", { class: "legend", role: "group", "aria-label": "Arms: click to hide or show" });
  }

  show(arms) {
    const mark = JSON.stringify(arms);
    if (mark !== this.mark) {
      this.mark = mark;
      this.box.replaceChildren(...arms.map((arm) => this.button(arm)));
    }
    arms.forEach(({ key }, i) => this.box.children[i].setAttribute("aria-pressed", String(!this.hidden.has(key))));
  }

  button(arm) {
    const click = () => {
      if (!this.hidden.delete(arm.key)) this.hidden.add(arm.key);
      button.setAttribute("aria-pressed", String(!this.hidden.has(arm.key)));
      this.changed();
    };
    const button = element("button", { type: "button", title: "Hide or show this arm", click }, swatch(arm), arm.label);
    return button;
  }
}

export class Axes {
  /** @param choose called with another axis's name */
  constructor(choose) {
    this.choose = choose;
    this.mark = "";
    this.box = element("div", { class: "axes", role: "radiogroup", "aria-label": "Horizontal axis" });
  }

  show(axes, chosen) {
    const mark = JSON.stringify(axes);
    if (mark !== this.mark) {
      this.mark = mark;
      this.box.hidden = axes.length < 2;
      this.box.replaceChildren(
        ...axes.map(([value, label]) => {
          const change = () => this.choose(value);
          const radio = element("input", { type: "radio", name: "axis", value, change });
          return element("label", {}, radio, element("span", {}, label));
        }),
      );
    }
    for (const radio of this.box.querySelectorAll("input")) radio.checked = radio.value === chosen;
  }
}
