// The picture of the Trajectories page: paths up to the player's step, the halves of that step, and a magnifier.

import { strokeSteps, strokeThinned, visibleSteps } from "./paths.js";
import { View, arrow, cross, drawLandscape, label, mark, outlineRegion, strokeLine, wipe } from "./plane.js";

const REST = 0.28; // opacity of what lies ahead of the player's step

function pixel(view, flat, i) {
  return [view.x(flat[2 * i]), view.y(flat[2 * i + 1])];
}

/** The steps of a path that show in a view, found once for each. */
function keptSteps(path, view) {
  const mark = `${view.left},${view.top},${view.scale}`;
  if (path.mark !== mark) {
    path.mark = mark;
    path.kept = visibleSteps(path.points, view);
  }
  return path.kept;
}

/** The last point of a full path that can be drawn: one that is not finite ends it. */
function lastPoint(path) {
  if (path.last === undefined) {
    let i = 0;
    while (i < path.steps && Number.isFinite(path.points[2 * i + 2] + path.points[2 * i + 3])) i++;
    path.last = i;
  }
  return path.last;
}

/** The point of a path that the player is at. */
function now(path, player) {
  return Math.min(player.step, lastPoint(path));
}

/**
 * Draw all paths. `player` is null while a control moves; then, and for paths that are lines alone, all is shown.
 * `told` are the exact worst points of the player's step by path, as far as the server has told them.
 */
export function drawPaths(pen, view, paths, player, told, theme) {
  pen.lineJoin = pen.lineCap = "round";
  for (const path of paths) {
    pen.strokeStyle = path.color;
    pen.lineWidth = path.variant === "sgd" ? 3.5 : 2; // plain descent often lies below another path
    if (!path.full) {
      strokeThinned(pen, view, path.points);
      continue;
    }
    const kept = keptSteps(path, view);
    const step = player ? now(path, player) : path.steps;
    pen.globalAlpha = REST;
    if (step < path.steps) strokeSteps(pen, view, path.points, kept, step, path.steps);
    pen.globalAlpha = 1;
    strokeSteps(pen, view, path.points, kept, 0, step);
  }
  for (const path of paths) {
    const end = path.points.length / 2 - 1;
    const step = !path.full ? end : player ? now(path, player) : lastPoint(path);
    const [x, y] = pixel(view, path.points, step);
    if (player && path.full && step < lastPoint(path)) {
      drawHalves(pen, view, path, step, player.descending);
      drawWorst(pen, view, path, told.get(`${path.start}:${path.variant}`), x, y);
    }
    pen.fillStyle = path.color;
    mark(pen, path.marker, x, y, 4.5, theme.background);
  }
}

/** The exact worst points of the region: a line to the nearest, a cross on each, and a ring where they are several. */
function drawWorst(pen, view, path, told, x, y) {
  if (!told || told.worst.length === 0) return;
  pen.save();
  pen.strokeStyle = path.color;
  pen.globalAlpha = 0.9;
  told.worst.forEach(([w1, w2], i) => {
    pen.lineWidth = 1;
    pen.setLineDash([1, 3]);
    if (i === 0) {
      pen.beginPath();
      pen.moveTo(x, y);
      pen.lineTo(view.x(w1), view.y(w2));
      pen.stroke();
    }
    pen.setLineDash([]);
    pen.lineWidth = 2;
    cross(pen, view.x(w1), view.y(w2), 4);
    if (told.tie) {
      pen.lineWidth = 1;
      pen.beginPath();
      pen.arc(view.x(w1), view.y(w2), 8, 0, 2 * Math.PI);
      pen.stroke();
    }
  });
  pen.restore();
}

/** The ascent to w + eps inside the region, then the descent from w. */
function drawHalves(pen, view, path, step, descending) {
  const [x, y] = pixel(view, path.points, step);
  pen.save();
  pen.strokeStyle = pen.fillStyle = path.color;
  if (path.perturbed) {
    pen.globalAlpha = descending ? 0.4 : 0.9;
    pen.lineWidth = 1.25;
    outlineRegion(pen, view, x, y, path.half_widths[2 * step], path.half_widths[2 * step + 1], path.p);
    pen.lineWidth = 2;
    pen.setLineDash(descending ? [4, 4] : []);
    arrow(pen, x, y, ...pixel(view, path.perturbed, step));
    pen.setLineDash([]);
  }
  if (descending) {
    pen.globalAlpha = 1;
    pen.lineWidth = 3;
    arrow(pen, x, y, ...pixel(view, path.points, step + 1));
  }
  pen.restore();
}

const NEAR = 40; // steps before and after the current one whose length sets the magnification
const TRAIL = 250; // steps before and after the current one that are drawn

/** Magnify one path around its current step, so that a step of any length can be seen. */
export function drawLens(canvas, landscape, path, player, view, theme) {
  const pen = wipe(canvas);
  if (!path?.full || !landscape) return;
  const last = lastPoint(path);
  const step = now(path, player);
  const size = canvas.clientWidth;
  let longest = 0;
  for (let i = Math.max(0, step - NEAR); i < Math.min(last, step + NEAR); i++) {
    const [dx, dy] = [0, 1].map((j) => path.points[2 * i + 2 + j] - path.points[2 * i + j]);
    longest = Math.max(longest, Math.hypot(dx, dy));
  }
  const still = longest === 0;
  // In powers of two, so that the magnification rests while the length of the steps wavers.
  const reach = still ? (0.1 * size) / view.scale : 2 ** Math.ceil(Math.log2(2.2 * longest));
  const [w1, w2] = [path.points[2 * step], path.points[2 * step + 1]];
  const lens = new View([w1 - reach, w1 + reach, w2 - reach, w2 + reach]);
  lens.resize(size, canvas.clientHeight);
  drawLandscape(pen, lens, landscape, theme);

  pen.lineJoin = pen.lineCap = "round";
  pen.strokeStyle = pen.fillStyle = path.color;
  pen.lineWidth = 1;
  pen.globalAlpha = REST;
  strokeLine(pen, lens, path.points.subarray(2 * step, 2 * Math.min(last, step + TRAIL) + 2));
  pen.globalAlpha = 0.6;
  strokeLine(pen, lens, path.points.subarray(2 * Math.max(0, step - TRAIL), 2 * step + 2));
  pen.globalAlpha = 1;
  const [x, y] = pixel(lens, path.points, step);
  if (step < last) {
    if (path.perturbed) {
      pen.globalAlpha = player.descending ? 0.4 : 1;
      pen.setLineDash(player.descending ? [4, 4] : []);
      pen.lineWidth = 2;
      // Seen from so near, w + eps is far outside: the arrow points to it and ends at the rim.
      const [u, v] = pixel(lens, path.perturbed, step);
      const far = Math.hypot(u - x, v - y);
      const part = Math.min(1, (0.42 * size) / far);
      if (far > 0) arrow(pen, x, y, x + part * (u - x), y + part * (v - y));
      pen.setLineDash([]);
    }
    pen.globalAlpha = player.descending || !path.perturbed ? 1 : 0.45;
    pen.lineWidth = 3;
    arrow(pen, x, y, ...pixel(lens, path.points, step + 1));
  }
  pen.globalAlpha = 1;
  mark(pen, path.marker, x, y, 4.5, theme.background);
  const times = lens.scale / view.scale;
  const scale = times >= 10 ? Math.round(times) : times.toFixed(1);
  label(pen, theme, still ? "no step: it does not move" : `× ${scale}`, 8, 14);
}
