// A pen that writes SVG: the part of CanvasRenderingContext2D that this app's drawings use, so that one drawing makes
// the canvas on screen, the PNG and the SVG. Coordinates are CSS pixels, rounded to hundredths.

const STATE = {
  globalAlpha: 1,
  strokeStyle: "#000000",
  fillStyle: "#000000",
  lineWidth: 1,
  lineJoin: "miter",
  lineCap: "butt",
  font: "10px sans-serif",
  textAlign: "start",
  textBaseline: "alphabetic",
  dash: [],
  shift: [0, 0],
  clipped: null, // the id of the clip path that holds
};
const ANCHORS = { left: "start", start: "start", center: "middle", right: "end", end: "end" };

function round(number) {
  return String(Number(number.toFixed(2)));
}

function escape(text) {
  const names = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
  return text.replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f]/g, "").replace(/[&<>"]/g, (found) => names[found]);
}

/** ` name="value"` for all that is not null. */
function attributes(values) {
  return Object.entries(values)
    .filter(([, value]) => value !== null)
    .map(([name, value]) => ` ${name}="${escape(String(value))}"`)
    .join("");
}

export class SvgPen {
  /** @param title what the file is, in words @param background its color */
  constructor(width, height, { title, background }) {
    Object.assign(this, structuredClone(STATE), { width, height, title });
    this.stack = [];
    this.path = [];
    this.parts = [];
    this.clips = 0;
    this.measure = document.createElement("canvas").getContext("2d"); // knows colors and fonts
    this.parts.push(`<rect${attributes({ width: "100%", height: "100%", ...this.#paint("fill", background) })}/>`);
  }

  save() {
    this.stack.push(Object.fromEntries(Object.keys(STATE).map((name) => [name, this[name]])));
  }

  restore() {
    Object.assign(this, this.stack.pop());
  }

  translate(x, y) {
    this.shift = [this.shift[0] + x, this.shift[1] + y];
  }

  setLineDash(dash) {
    this.dash = dash;
  }

  clearRect() {
    // a file has nothing to clear
  }

  // ---- paths ---------------------------------------------------------------------------------------------------

  beginPath() {
    this.path = [];
  }

  moveTo(x, y) {
    this.#add("M", x, y);
  }

  lineTo(x, y) {
    this.#add(this.path.length === 0 ? "M" : "L", x, y);
  }

  closePath() {
    if (this.path.length > 0) this.path.push("Z");
  }

  rect(x, y, width, height) {
    this.moveTo(x, y);
    this.lineTo(x + width, y);
    this.lineTo(x + width, y + height);
    this.lineTo(x, y + height);
    this.closePath();
  }

  arc(x, y, radius, from, to) {
    this.ellipse(x, y, radius, radius, 0, from, to);
  }

  /** Clockwise from one angle to the other, as halves of at most half a turn: SVG knows no whole one. */
  ellipse(x, y, a, b, turn, from, to) {
    const at = (angle) => {
      const [u, v] = [a * Math.cos(angle), b * Math.sin(angle)];
      return [x + u * Math.cos(turn) - v * Math.sin(turn), y + u * Math.sin(turn) + v * Math.cos(turn)];
    };
    const end = Math.min(to, from + 2 * Math.PI);
    this.lineTo(...at(from));
    for (const angle of [(from + end) / 2, end]) {
      this.#add(`A${round(a)} ${round(b)} ${round((180 * turn) / Math.PI)} 0 1 `, ...at(angle));
    }
  }

  /** Like a canvas, it takes no notice of points that are not finite. */
  #add(command, x, y) {
    if (Number.isFinite(x + y)) this.path.push(`${command}${this.#place(x, y).join(" ")}`);
  }

  #place(x, y) {
    return [round(x + this.shift[0]), round(y + this.shift[1])];
  }

  clip() {
    const id = `clip${++this.clips}`;
    this.parts.push(`<clipPath${attributes({ id, ...this.#within() })}><path d="${this.path.join("")}"/></clipPath>`);
    this.clipped = id;
  }

  stroke() {
    this.#draw({ fill: "none", ...this.#line() });
  }

  fill() {
    this.#draw(this.#paint("fill", this.fillStyle));
  }

  fillRect(x, y, width, height) {
    const path = this.path;
    this.beginPath();
    this.rect(x, y, width, height);
    this.fill();
    this.path = path;
  }

  #draw(looks) {
    const d = this.path.join("");
    if (d) this.parts.push(`<path${attributes({ d, ...looks, ...this.#within() })}/>`);
  }

  // ---- text ----------------------------------------------------------------------------------------------------

  fillText(text, x, y) {
    this.#write(text, x, y, this.#paint("fill", this.fillStyle));
  }

  strokeText(text, x, y) {
    this.#write(text, x, y, { fill: "none", ...this.#line() });
  }

  #write(text, x, y, looks) {
    const [u, v] = this.#place(x, y + this.#toBaseline());
    const type = { ...this.#type(), "text-anchor": ANCHORS[this.textAlign] };
    this.parts.push(`<text${attributes({ x: u, y: v, ...type, ...looks, ...this.#within() })}>${escape(text)}</text>`);
  }

  /** From the line that `textBaseline` names down to the letters' own: other programs do not know the former. */
  #toBaseline() {
    const ascent = (baseline) => {
      Object.assign(this.measure, { font: this.font, textBaseline: baseline });
      return this.measure.measureText("").fontBoundingBoxAscent;
    };
    return ascent("alphabetic") - ascent(this.textBaseline);
  }

  /** The font, taken apart: not every program reads the short form. */
  #type() {
    this.measure.font = this.font;
    const [, style, size, family] = this.measure.font.match(/^(.*?)([\d.]+)px (.+)$/);
    return {
      "font-family": family,
      "font-size": size,
      "font-style": /italic|oblique/.exec(style)?.[0] ?? null,
      "font-weight": /bold|\d+/.exec(style)?.[0] ?? null,
    };
  }

  // ---- looks ---------------------------------------------------------------------------------------------------

  /** The attributes of a color, with its transparency apart: SVG's older readers know no rgba. */
  #paint(what, style) {
    this.measure.fillStyle = style;
    const color = this.measure.fillStyle;
    const [, channels, alpha] = color.match(/^rgba\((.*), (.*)\)$/) ?? [null, null, 1];
    const opacity = Number(alpha) * this.globalAlpha;
    return {
      [what]: channels ? `rgb(${channels})` : color,
      [`${what}-opacity`]: opacity === 1 ? null : Number(opacity.toFixed(4)), // layers of faint ones add up
    };
  }

  #line() {
    return {
      ...this.#paint("stroke", this.strokeStyle),
      "stroke-width": round(this.lineWidth),
      "stroke-linejoin": this.lineJoin === "miter" ? null : this.lineJoin,
      "stroke-linecap": this.lineCap === "butt" ? null : this.lineCap,
      "stroke-dasharray": this.dash.length > 0 ? this.dash.map(round).join(" ") : null,
    };
  }

  #within() {
    return { "clip-path": this.clipped && `url(#${this.clipped})` };
  }

  /** The text of the file. */
  toString() {
    const [width, height] = [round(this.width), round(this.height)];
    const size = { width, height, viewBox: `0 0 ${width} ${height}` };
    return [
      '<?xml version="1.0" encoding="UTF-8"?>',
      `<svg xmlns="http://www.w3.org/2000/svg"${attributes({ ...size, "stroke-miterlimit": 10 })}>`,
      `<title>${escape(this.title)}</title>`,
      ...this.parts,
      "</svg>",
      "",
    ].join("\n");
  }
}
