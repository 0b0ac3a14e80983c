// The start points: handles in the plane, and rows of numbers that add, remove and set them.

import { element, iconButton, short } from "./controls.js";
import { dragHandle, setHandle } from "./handle.js";
import { label } from "./plane.js";

const NEW_START = [0.1, 0.2];

export class Starts {
  /**
   * @param limits {most_starts, start_limit}
   * @param settings the page's Settings, of which this owns `starts`
   * @param move called while a start moves, with the change and what has to be asked for
   * @param keep called when it has come to rest, or when a start was set, added or removed
   */
  constructor(limits, settings, view, move, keep) {
    Object.assign(this, { limits, settings, view, move, keep });
    this.handles = element("div", { class: "handles" });
    this.rows = element("div", { class: "starts" });
  }

  get all() {
    return this.settings.values.starts.split(";").map((pair) => pair.split(",").map(Number));
  }

  show() {
    const starts = this.all;
    if (this.handles.children.length !== starts.length) {
      this.handles.replaceChildren(...starts.map((_, i) => this.#handle(i)));
      this.rows.replaceChildren(...starts.map((_, i) => this.#row(i, starts.length)));
      if (starts.length < this.limits.most_starts) {
        const add = () => this.add(NEW_START);
        this.rows.append(element("button", { type: "button", class: "text", click: add }, "Add a start"));
      }
    }
    starts.forEach((start, i) => {
      this.rows.children[i].querySelectorAll("input").forEach((input, j) => (input.value = short(start[j])));
    });
    this.place();
  }

  /** Put the handles where the starts are in the view. */
  place() {
    const starts = this.all;
    [...this.handles.children].forEach((handle, i) => {
      const [w1, w2] = starts[i];
      setHandle(handle, this.view, starts[i], `Start ${i + 1} at w1 ${short(w1)}, w2 ${short(w2)}`);
    });
  }

  /** Draw the handles: in a picture that is taken home there are no buttons. */
  paint(pen, theme) {
    this.all.forEach(([w1, w2], i) => {
      const [x, y] = [this.view.x(w1), this.view.y(w2)];
      pen.beginPath();
      pen.arc(x, y, 10, 0, 2 * Math.PI);
      pen.fillStyle = theme.background;
      pen.fill();
      pen.strokeStyle = theme.text;
      pen.lineWidth = 2;
      pen.stroke();
      label(pen, theme, String(i + 1), x, y, { align: "center", alpha: 1 });
    });
  }

  /** Add a start where there is room for one more; returns whether there is. */
  add(w) {
    const starts = this.all;
    if (starts.length >= this.limits.most_starts) return false;
    this.#set([...starts, this.#rounded(w)]);
    return true;
  }

  #rounded(w) {
    const limit = this.limits.start_limit;
    return w.map((x) => Number(Math.max(-limit, Math.min(limit, x)).toFixed(4)));
  }

  #remove(i) {
    if (this.all.length > 1) this.#set(this.all.filter((_, k) => k !== i));
  }

  #set(starts) {
    this.settings.move({ starts: write(starts) });
    this.keep();
  }

  #handle(i) {
    const handle = dragHandle({
      view: this.view,
      get: () => this.all[i],
      place: (w) => {
        const starts = this.all;
        starts[i] = this.#rounded(w);
        this.move({ starts: write(starts) }, { only: { starts: write([starts[i]]) }, index: i });
      },
      keep: this.keep,
      nudge: () => 2 / this.view.scale,
      text: String(i + 1),
      role: "start point",
    });
    handle.addEventListener("keydown", (event) => {
      if (event.key === "Delete" || event.key === "Backspace") this.#remove(i);
    });
    return handle;
  }

  #row(i, count) {
    const input = (j) =>
      element("input", {
        type: "number",
        step: "any",
        "aria-label": `Start ${i + 1}, w${j + 1}`,
        change: (event) => {
          if (event.target.value === "") return;
          const starts = this.all;
          starts[i][j] = Number(event.target.value);
          this.#set(starts);
        },
      });
    return element(
      "div",
      { class: "start" },
      element("b", {}, String(i + 1)),
      input(0),
      input(1),
      count > 1 ? iconButton("cross", `Remove start ${i + 1}`, () => this.#remove(i)) : null,
    );
  }
}

function write(starts) {
  return starts.map((start) => start.map(short).join(",")).join(";");
}
