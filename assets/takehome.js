// "Take it home": what the page shows as a picture, numbers, an animation, a video, an address and lines of Python.

import { element } from "./controls.js";
import { fetchJson, fetchKind } from "./latest.js";
import { readTheme } from "./plane.js";
import { png, svg } from "./sheet.js";
import { record } from "./video.js";

const CANCELED = new Error("Recording canceled.");
const HIDDEN = new Error("The page was hidden, which stops a recording: keep it in sight and start again.");

/**
 * A closed <details> with a button for each thing that can be taken.
 *
 * Dispatch a "settings" event on it when the settings have changed: lines of Python that are shown are then renewed.
 *
 * @param source {
 *   name: the page, and the name of the files,
 *   pictures: () => [{name, width, height, paint(pen)}], as sheet.js has them,
 *   legend: () => [{label, color, marker}], what is drawn below them,
 *   background: () => color,
 *   query: () => the query of an address for the settings,
 *   routes: {csv, html, python}: addresses on the server; a button whose route is missing is left out,
 *   player, canvases: as video.js has them; without a player there is no video }
 */
export function takeHome(source) {
  return new TakeHome(source).details;
}

class TakeHome {
  constructor(source) {
    const { name, routes, player } = source;
    this.source = source;
    this.busy = false;
    this.said = element("p", { class: "said", role: "status" });
    this.progress = element("span");
    this.cancel = button("Cancel", null, () => this.filming.abort(CANCELED));
    this.bar = element("div", { class: "filming", hidden: true }, this.progress, this.cancel);
    this.lines = element("pre", { tabindex: 0, "aria-label": "Lines of Python", keydown: own });
    const thing = (text, help, work) => button(text, help, () => this.#act(work));
    this.copy = thing("Copy", "Copy these lines", () => this.#copyLines());
    this.code = element("div", { class: "code", hidden: true }, this.copy, this.lines);
    const file = (text, help, kind, make) => thing(text, help, () => this.#save(`${name}.${kind}`, make));
    this.video = player && thing("Video (WebM)", "The player's run, recorded as it plays", () => this.#film());
    this.python = routes.python && thing("Python", "Lines that compute and draw this again", () => this.#toggle());
    this.python?.setAttribute("aria-expanded", "false");
    this.things = element(
      "div",
      { class: "things" },
      file("PNG", "The picture in twice the size", "png", () => this.#picture(png)),
      file("SVG", "The picture as lines, for print and for editing", "svg", () => this.#picture(svg)),
      routes.csv && file("CSV", "Every step of every path", "csv", () => this.#fetch(routes.csv, "text/csv")),
      routes.html && file("Animation (HTML)", "One file that plays anywhere", "html", () => this.#fetch(routes.html, "text/html")),
      this.video,
      thing("Link", "Copy the address with these settings", () => this.#copyLink()),
      this.python,
    );
    this.details = element(
      "details",
      { class: "takehome", settings: () => this.code.hidden || this.#showLines().catch((error) => this.#say(error)) },
      element("summary", { keydown: own }, "Take it home"),
      this.things,
      this.bar,
      this.said,
      this.code,
    );
  }

  /** The page's colors and font, on the ground that its pictures have. */
  get #theme() {
    return { ...readTheme(this.details), background: this.source.background() };
  }

  /** Do one thing at a time; `work` resolves to the sentence that says that it is done. */
  async #act(work) {
    if (this.busy) return;
    this.#setBusy(true);
    this.said.textContent = "";
    try {
      this.#say(await work());
    } catch (error) {
      this.#say(error);
    }
    this.#setBusy(false);
  }

  /** Buttons that wait keep the focus, which `disabled` would take from them. */
  #setBusy(busy) {
    this.busy = busy;
    for (const waiting of [...this.things.children, this.copy]) waiting.setAttribute("aria-disabled", String(busy));
  }

  #say(what) {
    this.said.classList.toggle("wrong", what instanceof Error && what !== CANCELED);
    this.said.textContent = what instanceof Error ? what.message : what;
  }

  // ---- files ---------------------------------------------------------------------------------------------------

  async #save(name, make) {
    this.#say(`Preparing ${name}…`);
    download(await make(), name);
    return `Saved ${name}.`;
  }

  #picture(make) {
    const { pictures, legend } = this.source;
    return make(pictures(), legend(), this.#theme, `samviz: ${this.#address}`);
  }

  async #fetch(route, kind) {
    return (await fetchKind(`${route}?${this.source.query()}`, kind)).blob();
  }

  async #film() {
    const { name, player } = this.source;
    this.filming = new AbortController();
    const hidden = () => document.hidden && this.filming.abort(HIDDEN);
    document.addEventListener("visibilitychange", hidden);
    this.bar.hidden = false;
    this.cancel.focus();
    const tell = (seconds) => {
      if (!this.bar.isConnected) this.filming.abort(CANCELED); // another page has been opened
      const step = `step ${Math.floor(player.half / 2)} of ${player.steps}`;
      this.progress.textContent = `Recording ${step}, ${Math.floor(seconds)} s`;
    };
    try {
      const { blob, ended, step } = await record(this.source, this.#theme, tell, this.filming.signal);
      download(blob, `${name}.webm`);
      const why = {
        end: "",
        limit: ` It ends at step ${step}, since no video is longer: a higher speed shows the whole way.`,
        paused: ` It ends at step ${step}, where the player was paused.`,
      };
      return `Saved ${name}.webm.${why[ended]}`;
    } finally {
      document.removeEventListener("visibilitychange", hidden);
      if (this.bar.getRootNode().activeElement === this.cancel) this.video.focus();
      this.bar.hidden = true;
    }
  }

  // ---- text ----------------------------------------------------------------------------------------------------

  /** The page's address with these settings, from the root. */
  get #address() {
    const query = this.source.query();
    return location.pathname + (query && `?${query}`);
  }

  async #copyLink() {
    await copy(location.origin + this.#address);
    return "Copied the address.";
  }

  async #toggle() {
    if (this.code.hidden) await this.#showLines();
    this.code.hidden = !this.code.hidden;
    this.python.setAttribute("aria-expanded", String(!this.code.hidden));
    return "";
  }

  async #showLines() {
    const { name, query, routes } = this.source;
    const lines = await fetchJson(`${routes.python}?${[`page=${name}`, query()].filter(Boolean).join("&")}`);
    this.lines.textContent = lines.code;
  }

  async #copyLines() {
    await copy(this.lines.textContent);
    return "Copied.";
  }
}

function button(text, help, click) {
  return element("button", { type: "button", class: "text", title: help, click }, text);
}

const KEYS = [" ", "ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight", "Home", "End"];

/** Keep keys that the element with the focus uses itself from the page's shortcuts. */
function own(event) {
  if (KEYS.includes(event.key)) event.stopPropagation();
}

function download(blob, name) {
  const href = URL.createObjectURL(blob);
  element("a", { href, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(href), 60_000); // once the browser has begun to save it
}

/** Put text on the clipboard. Over plain HTTP, as in a lecture hall, a browser has only the older way. */
async function copy(text) {
  const failed = new Error("This browser does not let the page copy: mark the text and copy it by hand.");
  if (navigator.clipboard) {
    await navigator.clipboard.writeText(text).catch(() => {
      throw failed;
    });
    return;
  }
  const put = (event) => {
    event.clipboardData.setData("text/plain", text);
    event.preventDefault();
  };
  document.addEventListener("copy", put);
  const done = document.execCommand("copy");
  document.removeEventListener("copy", put);
  if (!done) throw failed;
}
