// Curves over one number, in panels one below the other that share it. It draws, no more.

import { brief } from "./legend.js";
import { label, ticks, wipe } from "./plane.js";

const MARGIN = { left: 56, right: 16, top: 50, bottom: 40 };
const GAP = 26; // between panels, for their titles
const BAND = 10; // height of the strip that tells the kinds
const LOWEST = 1e-9; // of a logarithmic axis

function scale(low, high, from, to, log) {
  const place = log ? (value) => Math.log10(Math.max(value, LOWEST)) : (value) => value;
  const [a, b] = [place(low), place(high)];
  return (value) => from + ((place(value) - a) / (b - a || 1)) * (to - from);
}

function across(canvas, { values, log }) {
  return scale(values[0], values.at(-1), MARGIN.left, canvas.clientWidth - MARGIN.right, log);
}

/** The index of the value that is drawn nearest to a place on the canvas. */
export function nearest(canvas, xs, place) {
  const x = across(canvas, xs);
  let best = 0;
  for (let i = 1; i < xs.values.length; i++) {
    if (Math.abs(x(xs.values[i]) - place) < Math.abs(x(xs.values[best]) - place)) best = i;
  }
  return best;
}

/**
 * @param chart {x: {values, title, log}, panels, marks, bands, breaks, cursor}: panels have a title and lines
 *   {values, color, width, dashed, label, at}; marks stand at values of x; bands has a color for each value
 */
export function drawCurves(canvas, chart, theme) {
  const pen = wipe(canvas);
  const { panels, marks, bands, cursor } = chart;
  const x = across(canvas, chart.x);
  const strip = bands ? BAND + 6 : 0;
  const room = canvas.clientHeight - MARGIN.top - MARGIN.bottom - strip - GAP * (panels.length - 1);
  const height = room / panels.length;
  const bottom = canvas.clientHeight - MARGIN.bottom - strip;
  const [left, right] = [MARGIN.left - 1, canvas.clientWidth - MARGIN.right + 1];
  const inside = marks.filter(({ value }) => x(value) >= left && x(value) <= right);
  for (const { value, dashed } of inside) {
    upright(pen, x(value), bottom, theme, dashed ? 0.85 : 0.5, dashed ? [6, 4] : []);
  }
  panels.forEach((panel, i) => drawPanel(pen, chart, panel, x, MARGIN.top + i * (height + GAP), height, theme));
  if (bands) drawBands(pen, chart, x, bottom + 4, theme);
  drawAcross(pen, canvas, chart.x, x, theme);
  nameMarks(pen, canvas, inside, x, theme);
  if (cursor !== null) upright(pen, x(chart.x.values[cursor]), bottom, theme, 0.9);
}

function extent(panel) {
  let low = panel.from ?? Infinity;
  let high = -Infinity;
  for (const { values } of panel.lines) {
    for (const value of values) {
      if (!Number.isFinite(value)) continue;
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
  }
  if (low > high) [low, high] = [0, 1];
  if (panel.log) {
    const [first, last] = [low, high].map((value) => Math.log10(Math.max(value, LOWEST)));
    return [10 ** Math.floor(first), 10 ** Math.ceil(last + 0.01)];
  }
  const margin = 0.06 * (high - low) || 0.1 * Math.abs(high) || 1;
  return [panel.from ?? low - margin, high + margin];
}

function drawPanel(pen, chart, panel, x, top, height, theme) {
  const [low, high] = extent(panel);
  const y = scale(low, high, top + height, top, panel.log);
  const [left, right] = [x(chart.x.values[0]), x(chart.x.values.at(-1))];
  const values = panel.log ? powers(low, high, height) : ticks(low, high, height / 32);
  pen.save();
  pen.strokeStyle = theme.text;
  for (const value of values) {
    pen.globalAlpha = value === 0 && !panel.log ? 0.4 : 0.13;
    pen.beginPath();
    pen.moveTo(left, y(value));
    pen.lineTo(right, y(value));
    pen.stroke();
  }
  pen.restore();
  for (const value of values) {
    const text = panel.log ? power(value) : brief(value);
    label(pen, theme, text, left - 7, y(value), { align: "right", alpha: 0.85 });
  }
  for (const line of panel.lines) drawLine(pen, chart, line, x, y);
  for (const line of panel.lines) {
    if (!line.label) continue;
    const i = Math.round(line.at * (line.values.length - 1));
    label(pen, theme, line.label, x(chart.x.values[i]), y(line.values[i]) - 11, { align: "center", alpha: 1 });
  }
  label(pen, theme, panel.title, left, top - 10, { size: 12, alpha: 1 });
}

function drawLine(pen, { x: { values: xs }, breaks }, { values, color, width = 1.75, dashed }, x, y) {
  pen.save();
  pen.strokeStyle = pen.fillStyle = color;
  pen.lineWidth = width;
  pen.lineJoin = "round";
  pen.setLineDash(dashed ? [5, 4] : []);
  pen.beginPath();
  let down = false;
  for (let i = 0; i < values.length; i++) {
    if (!Number.isFinite(values[i])) down = false;
    else {
      if (down) pen.lineTo(x(xs[i]), y(values[i]));
      else pen.moveTo(x(xs[i]), y(values[i]));
      down = !breaks?.(i);
    }
  }
  pen.stroke();
  const joined = (i) => i >= 0 && !breaks?.(i) && Number.isFinite(values[i]) && Number.isFinite(values[i + 1]);
  for (let i = 0; i < values.length; i++) {
    const alone = Number.isFinite(values[i]) && !joined(i - 1) && !joined(i);
    if (alone) pen.fillRect(x(xs[i]) - width, y(values[i]) - width, 2 * width, 2 * width);
  }
  pen.restore();
}

/** A strip of colors, each reaching half way to its neighbors. */
function drawBands(pen, { x: { values }, bands }, x, top, theme) {
  const edge = (i) => Math.round((x(values[Math.max(i, 0)]) + x(values[Math.min(i + 1, values.length - 1)])) / 2);
  bands.forEach((color, i) => {
    pen.fillStyle = color;
    pen.fillRect(edge(i - 1), top, edge(i) - edge(i - 1), BAND);
  });
  pen.save();
  pen.strokeStyle = theme.text;
  pen.globalAlpha = 0.6;
  pen.strokeRect(edge(-1) - 0.5, top - 0.5, edge(values.length - 1) - edge(-1) + 1, BAND + 1);
  pen.restore();
}

function drawAcross(pen, canvas, { values, title, log }, x, theme) {
  const [low, high] = [values[0], values.at(-1)];
  const below = canvas.clientHeight - MARGIN.bottom + 12;
  const all = log ? powers(low, high, x(high) - x(low)) : ticks(low, high, (x(high) - x(low)) / 55);
  for (const value of all) {
    label(pen, theme, log ? power(value) : brief(value), x(value), below, { align: "center", alpha: 0.85 });
  }
  label(pen, theme, title, (x(low) + x(high)) / 2, canvas.clientHeight - 9, { align: "center", size: 13, alpha: 1 });
}

/** The names of marks above them, those of theory in a row of their own. */
function nameMarks(pen, canvas, marks, x, theme) {
  for (const { value, label: text, dashed } of marks) {
    const before = dashed ? x(value) > canvas.clientWidth / 2 : x(value) > 2 * MARGIN.left; // the name, on this side
    const anchor = { align: before ? "right" : "left", alpha: 1 };
    label(pen, theme, text, x(value) + (before ? -5 : 5), dashed ? 8 : 22, anchor);
  }
}

function upright(pen, place, bottom, theme, alpha, dashes = []) {
  pen.save();
  pen.strokeStyle = theme.text;
  pen.globalAlpha = alpha;
  pen.lineWidth = 1.5;
  pen.setLineDash(dashes);
  pen.beginPath();
  pen.moveTo(place, 2);
  pen.lineTo(place, bottom);
  pen.stroke();
  pen.restore();
}

/** Powers of ten, so many that their names have room. */
function powers(low, high, room) {
  const [first, last] = [Math.ceil(Math.log10(low) - 1e-9), Math.floor(Math.log10(high) + 1e-9)];
  const every = Math.max(1, Math.ceil((18 * (last - first + 1)) / room));
  const found = [];
  for (let p = first; p <= last; p += every) found.push(10 ** p);
  return found;
}

function power(value) {
  const p = Math.round(Math.log10(value));
  if (p >= -3 && p <= 4) return String(Number(value.toPrecision(1)));
  return `10${[...String(p)].map((digit) => (digit === "-" ? "⁻" : "⁰¹²³⁴⁵⁶⁷⁸⁹"[digit])).join("")}`;
}
