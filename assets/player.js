// The player: which half of which step is shown. Half 2k is the ascent of step k + 1, half 2k + 1 its descent.

import { element, iconButton, isTyping, setIcon } from "./controls.js";

const SECONDS = 10; // that a path of any length takes at speed 1
const WHOLE_STEPS_FROM = 25; // steps a second from which on no eye tells the halves: show the ascents
const STILL = 250; // milliseconds between pictures for people who ask for less motion

export class Player {
  /**
   * @param {number[]} speeds to choose from
   * @param {() => void} changed called whenever another half is shown
   * @param {() => void} rested called when the player has come to rest, or another speed or loop was chosen
   */
  constructor(speeds, changed, rested) {
    this.changed = changed;
    this.rested = rested;
    this.steps = 0;
    this.half = 0;
    this.playing = false;
    this.start = iconButton("restart", "Restart (R)", () => this.go(0));
    this.back = iconButton("back", "Half a step back (←)", () => this.nudge(-1));
    this.play = iconButton("play", "Play (Space)", () => this.toggle());
    this.play.classList.add("main");
    this.forward = iconButton("forward", "Half a step forward (→)", () => this.nudge(1));
    this.scrub = element("input", {
      type: "range",
      class: "scrub",
      min: 0,
      step: 1,
      "aria-label": "Step",
      input: () => this.go(2 * Number(this.scrub.value)),
    });
    this.speed = element(
      "select",
      { "aria-label": "Speed", title: "At speed 1 the whole path takes ten seconds", change: () => this.rested() },
      ...speeds.map((s) => element("option", { value: s, selected: s === 1 }, `${s}×`)),
    );
    this.loop = iconButton("loop", "Play in a loop", () => {
      this.setLoop(!this.looping);
      this.rested();
    });
    this.setLoop(false);
    this.text = element("output", { class: "step" });
    this.bar = element(
      "div",
      { class: "player" },
      element("div", { class: "buttons" }, this.start, this.back, this.play, this.forward),
      this.scrub,
      this.text,
      element("div", { class: "buttons" }, this.speed, this.loop),
    );
  }

  get looping() {
    return this.loop.getAttribute("aria-pressed") === "true";
  }

  setLoop(on) {
    this.loop.setAttribute("aria-pressed", String(on));
  }

  /** Take over the number of steps; a player at the end stays at the end. */
  setSteps(steps) {
    const atEnd = this.half >= 2 * this.steps;
    this.steps = steps;
    this.scrub.max = steps;
    this.half = atEnd ? 2 * steps : Math.min(this.half, 2 * steps);
    this.show();
  }

  /** The step whose halves are shown, from 0; equal to `steps` at the end, where no half is left. */
  get step() {
    return Math.floor(this.half / 2);
  }

  get descending() {
    return this.half % 2 === 1;
  }

  get atEnd() {
    return this.half >= 2 * this.steps;
  }

  go(half) {
    this.stop();
    this.half = Math.max(0, Math.min(half, 2 * this.steps));
    this.show();
    this.rested();
  }

  nudge(halves) {
    this.go(this.half + halves);
  }

  show() {
    this.scrub.value = this.step;
    const of = `${Math.min(this.step + 1, this.steps)} of ${this.steps}`;
    this.text.textContent = this.atEnd
      ? `after ${this.steps} steps`
      : `step ${of}: ${this.descending ? "descent" : "ascent"}`;
    this.scrub.setAttribute("aria-valuetext", this.text.textContent);
    this.back.disabled = this.half === 0;
    this.forward.disabled = this.atEnd;
    this.changed();
  }

  toggle() {
    if (this.playing) this.pause();
    else this.run();
  }

  run() {
    if (this.atEnd) this.half = 0;
    this.playing = true;
    setIcon(this.play, "pause", "Pause (Space)");
    let position = this.half;
    let before = performance.now();
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const frame = (now) => {
      this.frame = requestAnimationFrame(frame);
      if (calm && now - before < STILL) return;
      const speed = (Number(this.speed.value) * this.steps) / SECONDS;
      position = Math.min(position + (2 * speed * (now - before)) / 1000, 2 * this.steps);
      before = now;
      const half = Math.floor(position);
      const shown = speed >= WHOLE_STEPS_FROM && half < 2 * this.steps ? half - (half % 2) : half;
      if (shown !== this.half) {
        this.half = shown;
        this.show();
      }
      if (this.atEnd && this.looping) position = 0;
      else if (this.atEnd) this.pause();
    };
    this.frame = requestAnimationFrame(frame);
  }

  pause() {
    if (!this.playing) return;
    this.stop();
    this.rested();
  }

  stop() {
    if (!this.playing) return;
    this.playing = false;
    cancelAnimationFrame(this.frame);
    setIcon(this.play, "play", "Play (Space)");
  }

  /** Space, arrows, Home, End and R, unless they belong to the control that has the focus. True if used. */
  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return false;
    const far = event.shiftKey ? 20 : 1;
    const act = {
      " ": () => this.toggle(),
      ArrowRight: () => this.nudge(far),
      ArrowLeft: () => this.nudge(-far),
      Home: () => this.go(0),
      End: () => this.go(2 * this.steps),
      r: () => this.go(0),
      R: () => this.go(0),
    }[event.key];
    if (!act || owns(event)) return false;
    event.preventDefault();
    act();
    return true;
  }
}

/** Whether the control that has the focus has a use of its own for a key of the player's. */
function owns(event) {
  const target = event.composedPath()[0];
  if (target.matches("button, summary")) return event.key === " " && !target.matches(".handle");
  if (!isTyping(event) || target.matches(".scrub")) return false;
  return !(target.type === "range" && [" ", "r", "R"].includes(event.key));
}
