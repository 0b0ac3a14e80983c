// The lecture view: large type, the settings out of sight, and a QR code of what is shown for the audience's phones.

import { element } from "./controls.js";

const LOOK = 500; // milliseconds between looks at the address: no browser tells when it was replaced

export class Lecture {
  /** @param data {base, closed} of samviz/ui/guide.py @param note called with the mark to be: "", "1" or "controls" */
  constructor({ base, closed }, settings, note) {
    Object.assign(this, { base, settings, note });
    const large = element("img", { alt: "" });
    this.dialog = element("dialog", { class: "code", "aria-label": "QR code", click: () => this.dialog.close() }, large);
    const enlarge = () => (this.dialog.open ? this.dialog.close() : this.dialog.showModal());
    const small = element("img", { alt: "QR code of this page: enlarge it" });
    this.images = [small, large];
    this.code = element("button", { type: "button", class: "code", title: "Enlarge (Q)", click: enlarge }, small);
    this.link = element("span", { class: "link" });
    const button = (title, click) => element("button", { type: "button", class: "text", title, click });
    this.controls = button("H", () => this.turn());
    this.controls.classList.add("turn");
    this.leave = button("L", () => this.toggle());
    this.leave.textContent = "Leave the lecture view";
    this.element = element(
      "aside",
      { class: "share", "aria-label": "Lecture view" },
      closed ? element("p", { class: "closed" }, closed) : this.code,
      element("div", {}, closed ? null : this.link, element("div", { class: "bar" }, this.controls, this.leave)),
      this.dialog,
    );
    this.keys = { h: () => this.turn(), q: closed ? () => {} : enlarge };
  }

  close() {
    clearInterval(this.clock);
    document.documentElement.classList.remove("samviz-lecture");
  }

  get on() {
    return this.settings.marks.lecture !== "";
  }

  /** Show what the page's mark says. */
  show() {
    const { lecture } = this.settings.marks;
    const root = this.element.closest(".samviz");
    root.classList.toggle("lecture", this.on);
    root.classList.toggle("bare", lecture === "1");
    document.documentElement.classList.toggle("samviz-lecture", this.on);
    this.element.hidden = !this.on;
    this.controls.textContent = lecture === "1" ? "Show the settings" : "Hide the settings";
    clearInterval(this.clock);
    if (!this.on) return;
    this.look();
    this.clock = setInterval(() => this.look(), LOOK);
  }

  /** Draw the code of the address that the page has now; the audience's own view of it is the usual one. */
  look() {
    const query = location.search.slice(1).split("&").filter((part) => part && !part.startsWith("lecture="));
    const path = location.pathname + (query.length ? `?${query.join("&")}` : "");
    if (path === this.path) return;
    this.path = path;
    for (const image of this.images) image.src = `/api/qr.svg?path=${encodeURIComponent(path)}`;
    this.link.textContent = this.base + path;
  }

  /** Into the lecture view or out of it. */
  toggle() {
    this.note(this.on ? "" : "1");
  }

  /** Show or hide the settings. */
  turn() {
    this.note(this.settings.marks.lecture === "1" ? "controls" : "1");
  }

  key(event) {
    const key = event.key.toLowerCase();
    if (key === "l") this.toggle();
    else if (this.on) this.keys[key]?.();
  }
}
