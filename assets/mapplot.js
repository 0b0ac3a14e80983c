// One map on a canvas: colored pixels, lines of the plane over them, axes around them. It draws, no more.

import { dot, label, ticks, wipe } from "./plane.js";

const MARGIN = { left: 40, right: 10, top: 10, bottom: 34 }; // as in maps.css, so that both axes have one scale

/** Where a window lies on a canvas. */
export class Frame {
  constructor(canvas, [x0, x1, y0, y1]) {
    Object.assign(this, { x0, x1, y0, y1 });
    this.width = Math.max(canvas.clientWidth - MARGIN.left - MARGIN.right, 1);
    this.height = Math.max(canvas.clientHeight - MARGIN.top - MARGIN.bottom, 1);
  }

  x(w1) {
    return MARGIN.left + ((w1 - this.x0) / (this.x1 - this.x0)) * this.width;
  }

  y(w2) {
    return MARGIN.top + ((this.y1 - w2) / (this.y1 - this.y0)) * this.height;
  }

  /** Column and row of the pixel of an n by n map under a place on the canvas; null outside. */
  pixel(x, y, n) {
    const column = Math.floor(((x - MARGIN.left) / this.width) * n);
    const row = Math.floor(((y - MARGIN.top) / this.height) * n);
    return [column, row].every((i) => i >= 0 && i < n) ? [column, row] : null;
  }
}

/** The middle (w1, w2) of a pixel. */
export function middle([x0, x1, y0, y1], [column, row], n) {
  return [x0 + ((column + 0.5) / n) * (x1 - x0), y1 - ((row + 0.5) / n) * (y1 - y0)];
}

/** The pixel of an n by n map that holds (w1, w2). */
export function pixelOf([x0, x1, y0, y1], [w1, w2], n) {
  const part = [(w1 - x0) / (x1 - x0), (y1 - w2) / (y1 - y0)];
  return part.map((p) => Math.max(0, Math.min(n - 1, Math.floor(p * n))));
}

function channels(color) {
  return [1, 3, 5].map((i) => parseInt(color.slice(i, i + 2), 16));
}

/** A color between those of a ramp; part is from 0 to 1. */
function between(ramp, part) {
  const place = part * (ramp.length - 1);
  const i = Math.min(Math.floor(place), ramp.length - 2);
  return ramp[i].map((value, k) => value + (place - i) * (ramp[i + 1][k] - value));
}

/** A canvas of n by n pixels, one color each. `colorOf` makes an index into `colors` of a value; -1 is `none`. */
export function raster(n, values, colors, none, colorOf) {
  const packed = [none, ...colors].map(([r, g, b]) => ((255 << 24) | (b << 16) | (g << 8) | r) >>> 0);
  const image = new ImageData(n, n);
  const pixels = new Uint32Array(image.data.buffer);
  for (let i = 0; i < pixels.length; i++) pixels[i] = packed[colorOf(values[i]) + 1];
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = n;
  canvas.getContext("2d").putImageData(image, 0, 0);
  return canvas;
}

const SHADES = 256;

/** The picture of a map as the server sends it: by its scale, or without one by a color for each kind. */
export function picture(header, values, kinds, ramps, none) {
  const { scale, n } = header;
  if (!scale) return raster(n, values, kinds.map(channels), channels(none), (value) => value);
  const ramp = ramps[scale.ramp].map(channels);
  const shades = Array.from({ length: SHADES }, (_, i) => between(ramp, i / (SHADES - 1)));
  const span = scale.high - scale.low || 1;
  const shade = (value) => Math.max(0, Math.min(SHADES - 1, Math.round(((value - scale.low) / span) * (SHADES - 1))));
  return raster(n, values, shades, channels(none), (value) => (Number.isNaN(value) ? -1 : shade(value)));
}

/** @param map {header, image} @param starts points of the page @param cursor (w1, w2) or null */
export function drawMap(canvas, map, starts, cursor, theme) {
  const pen = wipe(canvas);
  const { header, image } = map;
  const frame = new Frame(canvas, header.window);
  pen.imageSmoothingEnabled = false;
  pen.drawImage(image, MARGIN.left, MARGIN.top, frame.width, frame.height);
  pen.save();
  pen.beginPath();
  pen.rect(MARGIN.left, MARGIN.top, frame.width, frame.height);
  pen.clip();
  for (const line of header.lines.valley) twofold(pen, frame, line, []);
  for (const line of header.lines.dead) twofold(pen, frame, line, [5, 4]);
  if (cursor) crosshair(pen, frame, cursor, canvas);
  starts.forEach(([w1, w2], i) => startMark(pen, frame.x(w1), frame.y(w2), i + 1, theme));
  pen.restore();
  drawFrame(pen, frame, canvas, theme);
}

/** A light line on a dark one: to be seen on every color. */
function twofold(pen, frame, flat, dashes) {
  pen.lineJoin = "round";
  for (const [color, width] of [
    ["rgba(0,0,0,0.75)", 3.5],
    ["#ffffff", 1.5],
  ]) {
    pen.strokeStyle = color;
    pen.lineWidth = width;
    pen.setLineDash(dashes);
    pen.beginPath();
    for (let i = 0; i < flat.length; i += 2) pen.lineTo(frame.x(flat[i]), frame.y(flat[i + 1]));
    pen.stroke();
  }
  pen.setLineDash([]);
}

function startMark(pen, x, y, number, theme) {
  pen.fillStyle = "#000000";
  dot(pen, x, y, 8.5);
  pen.fillStyle = "#ffffff";
  dot(pen, x, y, 7);
  pen.fillStyle = "#000000";
  pen.font = `600 11px ${theme.font}`;
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  pen.fillText(String(number), x, y + 0.5);
}

function crosshair(pen, frame, [w1, w2], canvas) {
  const [x, y] = [frame.x(w1), frame.y(w2)];
  for (const [color, width] of [
    ["rgba(0,0,0,0.75)", 3],
    ["#ffffff", 1],
  ]) {
    pen.strokeStyle = color;
    pen.lineWidth = width;
    pen.beginPath();
    for (const side of [-1, 1]) {
      pen.moveTo(x + side * 5, y);
      pen.lineTo(x + side * canvas.clientWidth, y);
      pen.moveTo(x, y + side * 5);
      pen.lineTo(x, y + side * canvas.clientHeight);
    }
    pen.stroke();
  }
}

function drawFrame(pen, frame, canvas, theme) {
  pen.save();
  pen.strokeStyle = theme.text;
  pen.globalAlpha = 0.5;
  pen.lineWidth = 1;
  pen.strokeRect(MARGIN.left - 0.5, MARGIN.top - 0.5, frame.width + 1, frame.height + 1);
  pen.restore();
  const bottom = canvas.clientHeight - MARGIN.bottom + 13;
  const right = MARGIN.left + frame.width;
  for (const w of ticks(frame.x0, frame.x1, frame.width / 60)) {
    if (frame.x(w) < right - 22) label(pen, theme, String(w), frame.x(w), bottom, { align: "center", alpha: 0.85 });
  }
  for (const w of ticks(frame.y0, frame.y1, frame.height / 45)) {
    if (frame.y(w) > MARGIN.top + 18) {
      label(pen, theme, String(w), MARGIN.left - 6, frame.y(w), { align: "right", alpha: 0.85 });
    }
  }
  label(pen, theme, "w₁", right, bottom, { align: "right", size: 13, alpha: 1 });
  label(pen, theme, "w₂", MARGIN.left - 6, MARGIN.top + 4, { align: "right", size: 13, alpha: 1 });
}
