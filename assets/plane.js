// The plane of (w1, w2): from numbers to pixels, axes, loss contours, regions and arrows. It draws, no more.

/** The colors and the font of Streamlit's theme, as they are for this element now. */
export function readTheme(node) {
  const style = getComputedStyle(node);
  const get = (name, fallback) => style.getPropertyValue(name).trim() || fallback;
  return {
    text: get("--st-text-color", "#1c2430"),
    background: get("--st-background-color", "#ffffff"),
    red: get("--st-red-color", "#d62728"),
    blue: get("--st-blue-color", "#1f77b4"),
    font: get("--st-font", "sans-serif"),
    type: Number(get("--type", "1")), // times the usual size of text: more for the last row of a hall
  };
}

/** Match a canvas to its size on screen; returns its context, scaled to CSS pixels and wiped. */
export function wipe(canvas) {
  const density = window.devicePixelRatio || 1;
  const width = canvas.clientWidth;
  const height = canvas.clientHeight;
  if (canvas.width !== Math.round(width * density) || canvas.height !== Math.round(height * density)) {
    canvas.width = Math.round(width * density);
    canvas.height = Math.round(height * density);
  }
  const pen = canvas.getContext("2d");
  pen.setTransform(density, 0, 0, density, 0, 0);
  pen.clearRect(0, 0, width, height);
  return pen;
}

/** A window on the plane. Both axes have one scale, so that a sphere is a circle. */
export class View {
  /** @param {number[]} box [x0, x1, y0, y1] that is always in sight */
  constructor(box) {
    this.resize(1, 1);
    this.show(box);
  }

  resize(width, height) {
    this.width = Math.max(width, 1);
    this.height = Math.max(height, 1);
    if (this.box) this.show(this.box);
  }

  show(box) {
    const [x0, x1, y0, y1] = box;
    this.box = box;
    this.scale = Math.min(this.width / (x1 - x0), this.height / (y1 - y0)); // pixels a unit
    this.left = (x0 + x1) / 2 - this.width / 2 / this.scale;
    this.top = (y0 + y1) / 2 + this.height / 2 / this.scale;
  }

  x(w1) {
    return (w1 - this.left) * this.scale;
  }

  y(w2) {
    return (this.top - w2) * this.scale;
  }

  /** The point (w1, w2) under a pixel. */
  at(x, y) {
    return [this.left + x / this.scale, this.top - y / this.scale];
  }

  /** All that is in sight: [x0, x1, y0, y1]. */
  get edges() {
    return [this.left, this.left + this.width / this.scale, this.top - this.height / this.scale, this.top];
  }

  /** Magnify around a pixel. */
  zoom(factor, x = this.width / 2, y = this.height / 2) {
    const [w1, w2] = this.at(x, y);
    const [x0, x1, y0, y1] = this.box;
    this.show([w1 + (x0 - w1) / factor, w1 + (x1 - w1) / factor, w2 + (y0 - w2) / factor, w2 + (y1 - w2) / factor]);
  }

  pan(dx, dy) {
    const [x0, x1, y0, y1] = this.box;
    this.show([x0 - dx / this.scale, x1 - dx / this.scale, y0 + dy / this.scale, y1 + dy / this.scale]);
  }
}

/** Add a polyline, flat as [x, y, x, y, ...], to the pen's path. */
export function trace(pen, view, flat) {
  for (let i = 0; i < flat.length; i += 2) pen.lineTo(view.x(flat[i]), view.y(flat[i + 1]));
}

export function strokeLine(pen, view, flat) {
  pen.beginPath();
  trace(pen, view, flat);
  pen.stroke();
}

/** Round numbers from low to high, about `most` of them. */
export function ticks(low, high, most) {
  const rough = (high - low) / most;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((f) => f * power).find((s) => s >= rough);
  const found = [];
  for (let i = Math.ceil(low / step); i * step <= high; i++) found.push(Number((i * step).toPrecision(10)));
  return found;
}

/** Shaded loss contours, the dead half-plane and the valley. `landscape` is as the server sends it. */
export function drawLandscape(pen, view, landscape, theme, { shade = 0.035, valley = theme.red } = {}) {
  pen.save();
  pen.fillStyle = theme.text;
  pen.strokeStyle = theme.text;
  pen.lineWidth = 1;
  for (const level of landscape.levels) {
    pen.globalAlpha = shade;
    for (const area of level.areas) {
      pen.beginPath();
      trace(pen, view, area);
      pen.fill();
    }
    pen.globalAlpha = 0.16;
    for (const line of level.lines) strokeLine(pen, view, line);
  }
  const dead = view.y(0);
  if (dead < view.height) {
    pen.beginPath();
    pen.rect(0, Math.max(dead, 0), view.width, view.height);
    pen.clip();
    pen.globalAlpha = 0.12;
    pen.beginPath();
    for (let x = -view.height; x < view.width; x += 9) {
      pen.moveTo(x, view.height);
      pen.lineTo(x + view.height, 0);
    }
    pen.stroke();
  }
  pen.restore();
  pen.save();
  pen.strokeStyle = valley;
  pen.lineWidth = 2;
  for (const line of landscape.valley) strokeLine(pen, view, line);
  pen.restore();
}

/** Text that stays legible on lines. */
export function label(pen, theme, text, x, y, { align = "left", color = theme.text, alpha = 0.75, size = 12 } = {}) {
  pen.save();
  pen.font = `${size * theme.type}px ${theme.font}`;
  pen.textAlign = align;
  pen.textBaseline = "middle";
  pen.lineJoin = "round";
  pen.lineWidth = 4 * theme.type;
  pen.strokeStyle = theme.background;
  pen.globalAlpha = 0.85;
  pen.strokeText(text, x, y);
  pen.globalAlpha = alpha;
  pen.fillStyle = color;
  pen.fillText(text, x, y);
  pen.restore();
}

/** The lines w1 = 0 and w2 = 0, and tick marks with numbers along the left and lower edges. */
export function drawAxes(pen, view, theme, { size = 12, gap = 90 } = {}) {
  const [x0, x1, y0, y1] = view.edges;
  pen.save();
  pen.strokeStyle = theme.text;
  pen.globalAlpha = 0.45;
  pen.lineWidth = 1;
  pen.beginPath();
  pen.moveTo(Math.round(view.x(0)) + 0.5, 0);
  pen.lineTo(Math.round(view.x(0)) + 0.5, view.height);
  pen.moveTo(0, Math.round(view.y(0)) + 0.5);
  pen.lineTo(view.width, Math.round(view.y(0)) + 0.5);
  const across = ticks(x0, x1, view.width / gap).filter((w) => view.x(w) > 44 && view.x(w) < view.width - 36);
  const up = ticks(y0, y1, view.height / gap).filter((w) => view.y(w) > 34 && view.y(w) < view.height - 34);
  for (const w of across) {
    pen.moveTo(view.x(w), view.height);
    pen.lineTo(view.x(w), view.height - 5);
  }
  for (const w of up) {
    pen.moveTo(0, view.y(w));
    pen.lineTo(5, view.y(w));
  }
  pen.stroke();
  pen.restore();
  for (const w of across) label(pen, theme, String(w), view.x(w), view.height - 13, { align: "center", size });
  for (const w of up) label(pen, theme, String(w), 9, view.y(w), { size });
  label(pen, theme, "w₁", view.width - 8, view.height - 13, { align: "right", size: size + 2, alpha: 1 });
  label(pen, theme, "w₂", 9, 14, { size: size + 2, alpha: 1 });
}

/** An arrow from (x, y) to (u, v) in pixels; the head shrinks with a short arrow, but never below sight. */
export function arrow(pen, x, y, u, v) {
  const length = Math.hypot(u - x, v - y);
  if (length < 0.01) return;
  const head = Math.max(4, Math.min(9, length * 0.5));
  const angle = Math.atan2(v - y, u - x);
  pen.beginPath();
  pen.moveTo(x, y);
  pen.lineTo(u, v);
  pen.stroke();
  pen.beginPath();
  pen.moveTo(u, v);
  pen.lineTo(u - head * Math.cos(angle - 0.42), v - head * Math.sin(angle - 0.42));
  pen.lineTo(u - head * Math.cos(angle + 0.42), v - head * Math.sin(angle + 0.42));
  pen.closePath();
  pen.fill();
}

/** A round mark. */
export function dot(pen, x, y, radius) {
  pen.beginPath();
  pen.arc(x, y, radius, 0, 2 * Math.PI);
  pen.fill();
}

const POLYGONS = {
  square: [4, 45, 1.2],
  triangle: [3, -90, 1.35],
  down: [3, 90, 1.35],
  diamond: [4, 0, 1.4],
};

/** The mark of a method, with an edge that sets it off from lines. */
export function mark(pen, shape, x, y, radius, edge) {
  pen.save();
  pen.beginPath();
  if (shape in POLYGONS) {
    const [corners, turn, size] = POLYGONS[shape];
    for (let i = 0; i < corners; i++) {
      const angle = ((turn + (360 * i) / corners) * Math.PI) / 180;
      pen.lineTo(x + size * radius * Math.cos(angle), y + size * radius * Math.sin(angle));
    }
    pen.closePath();
  } else if (shape === "circle") pen.arc(x, y, radius, 0, 2 * Math.PI);
  else star(pen, x, y, 1.5 * radius, { plus: [4, 0], cross: [4, 45], star: [5, -90] }[shape]);
  pen.strokeStyle = edge;
  pen.lineWidth = 2;
  pen.lineJoin = "round";
  pen.stroke();
  pen.fill();
  pen.restore();
}

function star(pen, x, y, radius, [points, turn]) {
  for (let i = 0; i < 2 * points; i++) {
    const angle = ((turn + (180 * i) / points) * Math.PI) / 180;
    const r = i % 2 === 0 ? radius : 0.45 * radius;
    pen.lineTo(x + r * Math.cos(angle), y + r * Math.sin(angle));
  }
  pen.closePath();
}

/** A small cross: the exact worst point of a region. */
export function cross(pen, x, y, radius) {
  pen.beginPath();
  for (const side of [1, -1]) {
    pen.moveTo(x - radius, y - side * radius);
    pen.lineTo(x + radius, y + side * radius);
  }
  pen.stroke();
}

/** Outline the region of half widths (r1, r2) around a pixel: an ellipse for p = 2, a box for p = infinity. */
export function outlineRegion(pen, view, x, y, r1, r2, p) {
  const a = r1 * view.scale;
  const b = r2 * view.scale;
  pen.beginPath();
  if (p === 2) pen.ellipse(x, y, a, b, 0, 0, 2 * Math.PI);
  else pen.rect(x - a, y - b, 2 * a, 2 * b);
  pen.stroke();
}
