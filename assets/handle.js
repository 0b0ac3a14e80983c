// A point of the plane that can be taken: by a pointer, a finger, or the arrow keys.

import { element } from "./controls.js";

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowDown: [0, -1], ArrowUp: [0, 1] };

/**
 * @param view the View it lies in
 * @param get its place now, [w1, w2]
 * @param place called with each new place while it moves
 * @param keep called once when it has come to rest
 * @param nudge how far an arrow key moves it, in units of the plane; with Shift ten times as far
 */
export function dragHandle({ view, get, place, keep, nudge, text = "", role }) {
  const handle = element("button", { type: "button", class: "handle", "aria-roledescription": role }, text);
  let grip = null; // from the point to the pointer, so that it does not jump when it is taken
  let nudged = false;
  const rest = () => {
    if (grip || nudged) keep();
    grip = null;
    nudged = false;
  };
  handle.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    handle.setPointerCapture(event.pointerId);
    const [w1, w2] = get();
    grip = [event.clientX - view.x(w1), event.clientY - view.y(w2)];
  });
  handle.addEventListener("pointermove", (event) => {
    if (grip) place(view.at(event.clientX - grip[0], event.clientY - grip[1]));
  });
  handle.addEventListener("pointerup", rest);
  handle.addEventListener("pointercancel", rest);
  handle.addEventListener("keydown", (event) => {
    const way = ARROWS[event.key];
    if (!way || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    nudged = true;
    const far = nudge() * (event.shiftKey ? 10 : 1);
    place(get().map((w, i) => w + far * way[i]));
  });
  handle.addEventListener("keyup", (event) => ARROWS[event.key] && rest());
  handle.addEventListener("blur", rest);
  return handle;
}

/** Put a handle where its point is. */
export function setHandle(handle, view, [w1, w2], name) {
  handle.style.transform = `translate(${view.x(w1)}px, ${view.y(w2)}px)`;
  handle.setAttribute("aria-label", name);
}
