// The ground of the Trajectories page: the loss's contours and the axes, in a window that is moved and magnified.

import { element, iconButton } from "./controls.js";
import { fetchJson, latest } from "./latest.js";
import { View, drawAxes, drawLandscape, label, wipe } from "./plane.js";

export class Ground {
  /**
   * @param box [x0, x1, y0, y1], what is in sight at first
   * @param page {c, moved, drawn, pointed, complain}: the loss's target now; called with the address's mark of another
   *   window; when there are other contours; with the (w1, w2) of a double click; with what went wrong
   */
  constructor(box, page) {
    Object.assign(this, { box, page });
    this.view = new View(box);
    this.landscape = null;
    this.theme = null;
    this.canvas = element("canvas", { "aria-hidden": "true" });
    const zoom = (factor) => () => this.change(() => this.view.zoom(factor));
    this.buttons = element(
      "div",
      { class: "zoom" },
      iconButton("plus", "Zoom in (Ctrl+wheel)", zoom(1.5)),
      iconButton("minus", "Zoom out (Ctrl+wheel)", zoom(1 / 1.5)),
      iconButton("fit", "Reset view", () => this.change(() => this.view.show(box), "")),
    );
    this.remote = latest(
      fetchJson,
      (landscape) => {
        this.landscape = landscape;
        this.draw();
        page.drawn();
      },
      (error) => page.complain(error.message),
    );
  }

  close() {
    this.remote.close();
  }

  /** Show the window of an address's mark; "" is the usual one. */
  open(mark) {
    this.view.show(mark ? mark.split(",").map(Number) : this.box);
  }

  /** Let a pointer on `surface`, which lies above the ground, move and magnify it. */
  listen(surface) {
    let last = null;
    surface.addEventListener("pointerdown", (event) => {
      if (event.pointerType === "touch" || event.button !== 0) return; // a finger scrolls the page
      last = [event.clientX, event.clientY];
      surface.setPointerCapture(event.pointerId);
    });
    surface.addEventListener("pointermove", (event) => {
      if (!last) return;
      this.change(() => this.view.pan(event.clientX - last[0], event.clientY - last[1]));
      last = [event.clientX, event.clientY];
    });
    for (const name of ["pointerup", "pointercancel"]) surface.addEventListener(name, () => (last = null));
    surface.addEventListener("dblclick", (event) => this.page.pointed(this.view.at(event.offsetX, event.offsetY)));
    surface.addEventListener(
      "wheel",
      (event) => {
        if (!event.ctrlKey && !event.metaKey) return; // without a key the wheel scrolls the page
        event.preventDefault();
        this.change(() => this.view.zoom(Math.exp(-event.deltaY / 300), event.offsetX, event.offsetY));
      },
      { passive: false },
    );
  }

  /** Have [w1, w2] in sight, with some room around it. */
  reveal(w, room) {
    const [x0, x1, y0, y1] = this.view.box;
    const [[left, below], [right, above]] = [-room, room].map((far) => w.map((x) => x + far));
    const box = [Math.min(x0, left), Math.max(x1, right), Math.min(y0, below), Math.max(y1, above)];
    if (box.some((edge, i) => edge !== this.view.box[i])) this.change(() => this.view.show(box));
  }

  change(change, mark) {
    change();
    const box = this.view.box.map((edge) => Number(edge.toPrecision(5)));
    if (mark === undefined) this.view.show(box); // what the address says is what is shown
    this.draw();
    this.page.moved(mark ?? box.join(","));
    this.load();
  }

  /** Ask for the contours of what is in sight. */
  load() {
    const box = this.view.edges.map((w, i) => `${["x0", "x1", "y0", "y1"][i]}=${w.toPrecision(6)}`);
    this.remote.ask(`/api/toy/plane?c=${this.page.c()}&${box.join("&")}`);
  }

  resize(width, height) {
    this.view.resize(width, height);
    this.draw();
    if (this.landscape) this.load();
  }

  draw() {
    if (this.theme) this.paint(wipe(this.canvas));
  }

  /** With any pen that draws as a canvas does. */
  paint(pen) {
    const { view, theme } = this;
    if (this.landscape) drawLandscape(pen, view, this.landscape, theme);
    const floor = view.y(0);
    if (view.height - floor > 52) {
      const text = "dead half-plane: ReLU(w₂) = 0, no gradient";
      label(pen, theme, text, view.width / 2, floor + 16, { align: "center" });
    }
    drawAxes(pen, view, theme);
  }
}
