// Words that explain themselves: a button in the text, and a box with its definition beside it.

import { element } from "./controls.js";

export class Terms {
  /** @param {Record<string, [string, string]>} terms definition and source by name */
  constructor(terms) {
    this.terms = terms;
    this.box = element("div", { class: "term-box", popover: "auto", role: "note" });
  }

  /** Nodes for a text in pieces: [text], or [text, name of the term that it stands for]. */
  words(pieces) {
    return pieces.map(([text, name]) => (name ? this.#button(text, name) : document.createTextNode(text)));
  }

  hide() {
    if (this.box.isConnected) this.box.hidePopover();
  }

  #button(text, name) {
    const button = element("button", { type: "button", class: "term", title: this.terms[name][0] }, text);
    button.popoverTargetElement = this.box; // the browser then opens and closes it: by click, Enter, Esc and touch
    button.addEventListener("click", () => this.#fill(button, name));
    return button;
  }

  #fill(button, name) {
    const [definition, source] = this.terms[name];
    this.box.replaceChildren(element("b", {}, name), element("p", {}, definition), element("p", { class: "source" }, source));
    const { left, bottom } = button.getBoundingClientRect();
    const width = Math.min(360, innerWidth - 24);
    this.box.style.width = `${width}px`;
    this.box.style.left = `${Math.max(12, Math.min(left, innerWidth - width - 12))}px`;
    this.box.style.top = `${bottom + 6}px`;
  }
}
