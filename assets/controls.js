// Native controls, labeled: rows with a slider and a number, buttons, and the undo and redo bar.

/** An element with attributes (functions become listeners) and children. */
export function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") node.addEventListener(name, value);
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value !== undefined && value !== null) node.setAttribute(name, value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

const ICONS = {
  play: "M5 3l10 7-10 7z",
  pause: "M5 3h3.5v14H5zM11.5 3H15v14h-3.5z",
  forward: "M5 3l8 7-8 7zM13.5 3H15v14h-1.5z",
  back: "M15 3l-8 7 8 7zM5 3h1.5v14H5z",
  restart: "M10 4a6 6 0 1 1-5.7 4.1l1.6.5A4.3 4.3 0 1 0 10 5.7V8L6 4.9 10 1.8z",
  loop: "M5 8.5A4.5 4.5 0 0 1 9.5 4H13V1.5L17 5l-4 3.5V6H9.5A2.5 2.5 0 0 0 7 8.5V10H5zM15 11.5a4.5 4.5 0 0 1-4.5 4.5H7v2.5L3 15l4-3.5V14h3.5a2.5 2.5 0 0 0 2.5-2.5V10h2z",
  undo: "M8 3L3 7.5 8 12V9h3.5a3 3 0 0 1 0 6H7v1.8h4.5a4.8 4.8 0 0 0 0-9.6H8z",
  redo: "M12 3l5 4.5-5 4.5V9H8.5a3 3 0 0 0 0 6H13v1.8H8.5a4.8 4.8 0 0 1 0-9.6H12z",
  plus: "M9.1 4h1.8v5.1H16v1.8h-5.1V16H9.1v-5.1H4V9.1h5.1z",
  minus: "M4 9.1h12v1.8H4z",
  fit: "M3 3h5v1.7H4.7V8H3zM12 3h5v5h-1.7V4.7H12zM3 12h1.7v3.3H8V17H3zM15.3 12H17v5h-5v-1.7h3.3z",
  cross: "M5.2 4L10 8.8 14.8 4 16 5.2 11.2 10l4.8 4.8-1.2 1.2L10 11.2 5.2 16 4 14.8 8.8 10 4 5.2z",
};

function drawing(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 20 20");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
}

const SHAPES = {
  circle: "M10 3a7 7 0 1 1 0 14 7 7 0 0 1 0-14z",
  square: "M4 4h12v12H4z",
  triangle: "M10 2l9 15H1z",
  down: "M10 18L1 3h18z",
  diamond: "M10 1l9 9-9 9-9-9z",
  plus: "M7.5 1h5v6.5H19v5h-6.5V19h-5v-6.5H1v-5h6.5z",
  cross: "M4.5 1L10 6.5 15.5 1 19 4.5 13.5 10l5.5 5.5L15.5 19 10 13.5 4.5 19 1 15.5 6.5 10 1 4.5z",
  star: "M10 1l2.7 6 6.3.6-4.8 4.2 1.5 6.4L10 14.8l-5.7 3.4 1.5-6.4L1 7.6 7.3 7z",
};

/** The mark of a method beside its name: color and shape. */
export function swatch({ color, marker }) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 20 20");
  svg.setAttribute("aria-hidden", "true");
  svg.classList.add("swatch");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", SHAPES[marker]);
  path.setAttribute("fill", color);
  svg.append(path);
  return svg;
}

/** A button with an icon; `label` is its name for screen readers and its tooltip. */
export function iconButton(icon, label, click) {
  return element("button", { type: "button", class: "icon", "aria-label": label, title: label, click }, drawing(icon));
}

/** Give an icon button another icon and name. */
export function setIcon(button, icon, label) {
  button.firstChild.replaceWith(drawing(icon));
  button.setAttribute("aria-label", label);
  button.title = label;
}

/** A number as a person would write it: six digits at most. */
export function short(value) {
  return String(Number(value.toPrecision(6)));
}

const NOTCHES = 1000;

/**
 * A field to write a value into. What is written there stays until it is entered: an answer to something else that
 * arrives meanwhile does not overwrite it.
 *
 * @param keep called with each text that is entered
 */
export function typed(attributes, label, keep) {
  let typing = false;
  const input = element("input", {
    ...attributes,
    "aria-label": label,
    input: () => {
      typing = true;
    },
    change: () => {
      typing = false;
      if (input.value.trim() !== "") keep(input.value);
    },
  });
  return {
    input,
    show(text) {
      if (!typing) input.value = text;
    },
  };
}

/**
 * A labeled slider with a number field for one row of the field table.
 *
 * @param field {key, label, help, low, high, step, log, whole, default}
 * @param move called with the value's text for each movement of the slider
 * @param keep called once at the end of a movement, and for each number entered
 */
export function numberRow(field, move, keep) {
  const span = field.log ? Math.log(field.high / field.low) : field.high - field.low;
  const toNotch = (value) =>
    (NOTCHES * (field.log ? Math.log(Math.max(value, field.low) / field.low) : value - field.low)) / span;
  const fromNotch = (notch) => {
    const part = (notch / NOTCHES) * span;
    if (!field.log) return Math.min(field.high, field.low + Math.round(part / field.step) * field.step);
    const value = Number((field.low * Math.exp(part)).toPrecision(3));
    return field.whole ? Math.round(value) : value;
  };
  const notch = field.log ? 1 : (NOTCHES * field.step) / span;
  const range = element("input", {
    type: "range",
    min: 0,
    max: NOTCHES,
    step: field.log ? 1 : notch,
    "aria-label": field.label,
    input: () => {
      const text = short(fromNotch(Number(range.value)));
      number.show(text);
      range.setAttribute("aria-valuetext", text);
      move(text);
    },
    change: () => keep(short(fromNotch(Number(range.value)))),
  });
  const number = typed({ type: "number", min: field.low, max: field.high, step: "any" }, `${field.label}, value`, keep);
  const row = element(
    "div",
    { class: "row", title: field.help, "data-field": field.key },
    element("span", { class: "name" }, field.label),
    range,
    number.input,
  );
  return {
    row,
    /** Show a value that came from elsewhere. */
    set(text) {
      range.value = toNotch(Number(text));
      range.setAttribute("aria-valuetext", text);
      number.show(text);
    },
  };
}

/** Undo, redo and reset, with Ctrl+Z and Ctrl+Shift+Z (or Ctrl+Y) handled by `historyKey`. */
export function historyBar(settings, changed) {
  const act = (what) => () => settings[what]() && changed();
  const undo = iconButton("undo", "Undo (Ctrl+Z)", act("undo"));
  const redo = iconButton("redo", "Redo (Ctrl+Shift+Z)", act("redo"));
  const reset = element("button", { type: "button", class: "text", click: act("reset") }, "Reset");
  return {
    bar: element("div", { class: "bar" }, undo, redo, reset),
    refresh() {
      undo.disabled = settings.past.length === 0;
      redo.disabled = settings.future.length === 0;
      reset.disabled = settings.query() === "";
    },
  };
}

/** Undo and redo by keyboard; true if the event was one of them. */
export function historyKey(event, settings, changed) {
  if (!(event.ctrlKey || event.metaKey) || event.altKey) return false;
  const key = event.key.toLowerCase();
  const forward = key === "y" || (key === "z" && event.shiftKey);
  if (!forward && key !== "z") return false;
  event.preventDefault();
  if (forward ? settings.redo() : settings.undo()) changed();
  return true;
}

/** Whether a key press belongs to the control it was made in. */
export function isTyping(event) {
  const target = event.composedPath()[0];
  if (!(target instanceof HTMLElement)) return false;
  return target.isContentEditable || ["INPUT", "TEXTAREA", "SELECT"].includes(target.tagName);
}
