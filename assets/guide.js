// What leads through a page: a bar with one step of the lesson, and the lecture view. Both stand in the page's address.

import { element, iconButton, isTyping } from "./controls.js";
import { Lecture } from "./lecture.js";
import { mounting } from "./mount.js";
import { Settings } from "./settings.js";
import { Terms } from "./terms.js";

const TURNS = { PageDown: 1, n: 1, N: 1, PageUp: -1, p: -1, P: -1 }; // presenters' clickers send Page Down and Page Up

export class Guide {
  /**
   * @param data {steps, terms, base, closed} of samviz/ui/guide.py
   * @param page trajectories, regions or lab
   * @param settings the page's Settings, of which this owns the marks `lesson` and `lecture`
   * @param open called with the query of another state of the page, which stands in the address already; without it
   *   every state is loaded as a page of its own
   */
  constructor(data, page, settings, open) {
    Object.assign(this, { data, page, settings, open });
    this.lecture = new Lecture(data, settings, (mark) => this.note({ lecture: mark }));
    this.terms = new Terms(data.terms);
    this.count = element("span", { class: "count" });
    this.title = element("h2", {});
    this.said = element("p", {});
    this.equation = element("p", { class: "equation" });
    this.attempt = element("p", {});
    const button = (text, title, click, more = "") =>
      element("button", { type: "button", class: `text ${more}`, title, click }, text);
    this.back = button("Back", "Back (Page Up or P)", () => this.go(this.number - 1));
    this.next = button("Next", "Next (Page Down or N)", () => this.go(this.number + 1));
    this.lesson = element(
      "section",
      { class: "lesson", "aria-label": "Lesson" },
      element(
        "div",
        { class: "head" },
        element("div", { class: "name" }, this.count, this.title),
        element(
          "div",
          { class: "bar" },
          this.back,
          this.next,
          button("Restore", "Bring back the settings of this step", () => this.go(this.number)),
          button("Lecture view", "Large type and a QR code (L)", () => this.lecture.toggle(), "quiet"),
          iconButton("cross", "Leave the lesson", () => this.note({ lesson: "" })),
        ),
      ),
      element("div", { class: "body", "aria-live": "polite" }, this.said, this.equation, this.attempt),
      this.terms.box,
    );
    this.element = element("div", { class: "guide", hidden: true }, this.lesson, this.lecture.element);
    this.onKey = (event) => this.key(event);
    this.pending = {}; // marks that were changed while the server still read a state
    this.onTravel = () => {
      if (location.pathname !== `/${page}` || !this.open) return;
      this.pending = {};
      this.open(location.search.slice(1));
    };
    document.addEventListener("keydown", this.onKey);
    window.addEventListener("popstate", this.onTravel);
    queueMicrotask(() => this.expect(location.search)); // when the page has put the guide in its place
  }

  close() {
    document.removeEventListener("keydown", this.onKey);
    window.removeEventListener("popstate", this.onTravel);
    this.lecture.close();
  }

  /** The step that is shown, from 1; 0 is none. */
  get number() {
    return Number(this.settings.marks.lesson);
  }

  /** The page has opened a state that the server has read: what was chosen meanwhile stays chosen. */
  opened() {
    if (Object.keys(this.pending).length) this.settings.note(this.pending);
    this.pending = {};
    this.show();
  }

  /** Show what the page's marks say. */
  show() {
    const step = this.data.steps[this.number - 1];
    this.lecture.show();
    this.lesson.hidden = !step;
    this.element.hidden = !step && !this.lecture.on;
    if (!step || this.shown === step) return;
    this.shown = step;
    this.terms.hide();
    this.count.textContent = `Step ${this.number} of ${this.data.steps.length}`;
    this.title.textContent = step.title;
    this.said.replaceChildren(...this.terms.words(step.text));
    this.equation.replaceChildren(...step.equation.split(/ {2}/).map((part) => element("span", {}, part)));
    this.attempt.replaceChildren(element("b", {}, "Try: "), ...this.terms.words(step.attempt));
    // Not `disabled`, which would take the focus from who turns the pages with it.
    this.back.setAttribute("aria-disabled", String(this.number === 1));
    this.next.setAttribute("aria-disabled", String(this.number === this.data.steps.length));
  }

  /** Show step `number` in its own settings. */
  go(number) {
    const step = this.data.steps[number - 1];
    if (!step) return;
    const { lecture } = this.settings.marks;
    const query = [step.query, `lesson=${number}`, ...(lecture ? [`lecture=${lecture}`] : [])].join("&");
    this.settings.flush();
    if (step.page !== this.page || !this.open) {
      location.assign(`/${step.page}?${query}`);
      return;
    }
    history.pushState(history.state, "", `/${step.page}?${query}`);
    this.expect(query);
    this.open(query);
  }

  /** Show what a query says before the server has read it: nothing moves when it has, and a fast hand can go on. */
  expect(query) {
    this.pending = {};
    const asked = new URLSearchParams(query);
    if (this.data.steps[asked.get("lesson") - 1]) this.settings.marks.lesson = asked.get("lesson");
    if (["1", "controls"].includes(asked.get("lecture"))) this.settings.marks.lecture = asked.get("lecture");
    this.show();
  }

  /** Change a mark. A page of Streamlit's has to be loaded for that, since its script reads the address too. */
  note(changes) {
    Object.assign(this.pending, changes);
    this.settings.note(changes);
    if (this.open) {
      this.show();
      return;
    }
    this.settings.write();
    location.reload();
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (isTyping(event) && event.composedPath()[0].type !== "range") return;
    const by = TURNS[event.key];
    if (by && this.number) {
      event.preventDefault();
      this.go(this.number + by);
    } else this.lecture.key(event);
  }
}

/** The guide alone, on a page of Streamlit's own widgets. */
class Bar {
  constructor(root, { guide, marks }) {
    const settings = new Settings({}, { lesson: "", lecture: "" });
    const others = [...new URLSearchParams(location.search)].filter(([key]) => !(key in marks));
    settings.open(Object.fromEntries(others), marks);
    this.guide = new Guide(guide, location.pathname.slice(1), settings);
    root.replaceChildren(this.guide.element);
    this.guide.show();
  }

  refreshTheme() {}

  close() {
    this.guide.close();
  }
}

export default mounting(Bar);
