// Loss over steps with the player's step, both on logarithmic scales: most of the way is made in few steps.
// A click or a drag on it moves the player.

import { label, wipe } from "./plane.js";

const LOWEST = 1e-6;
const MARGIN = { left: 46, right: 10, top: 8, bottom: 20 };

/** @param {{points, loss, color}[]} paths @param {number} step */
export function drawLoss(canvas, paths, step, steps, theme) {
  const pen = wipe(canvas);
  const width = canvas.clientWidth - MARGIN.left - MARGIN.right;
  const height = canvas.clientHeight - MARGIN.top - MARGIN.bottom;
  const shown = paths.filter((path) => path.loss);
  if (width < 10 || steps < 1) return;
  let highest = LOWEST * 10;
  for (const path of shown) for (const loss of path.loss) if (loss > highest && loss < 1e6) highest = loss;
  const top = Math.log10(highest) + 0.15;
  const bottom = Math.max(Math.log10(LOWEST), top - 5);
  const x = (i) => MARGIN.left + (width * Math.log1p(i)) / Math.log1p(steps);
  const y = (loss) => MARGIN.top + (height * (top - Math.max(Math.log10(loss), bottom))) / (top - bottom);

  pen.save();
  pen.strokeStyle = theme.text;
  pen.globalAlpha = 0.12;
  for (let power = Math.ceil(bottom); power <= top; power++) {
    pen.beginPath();
    pen.moveTo(MARGIN.left, y(10 ** power));
    pen.lineTo(MARGIN.left + width, y(10 ** power));
    pen.stroke();
    const text = power < -3 ? `10⁻${"⁰¹²³⁴⁵⁶⁷⁸⁹"[-power]}` : String(Number((10 ** power).toPrecision(1)));
    label(pen, theme, text, MARGIN.left - 6, y(10 ** power), { align: "right", size: 11 });
  }
  pen.restore();

  for (const path of shown) {
    pen.strokeStyle = path.color;
    pen.lineWidth = 1.25;
    pen.globalAlpha = 0.8;
    strokeEnvelope(pen, path.loss, steps, x, y);
  }
  pen.globalAlpha = 1;
  for (let power = 0; 10 ** power <= steps; power++) {
    const tick = x(10 ** power);
    if (tick > MARGIN.left + width - 60) break;
    label(pen, theme, String(10 ** power), tick, canvas.clientHeight - 9, { align: "center", size: 11 });
  }
  label(pen, theme, `${steps} steps`, MARGIN.left + width, canvas.clientHeight - 9, { align: "right", size: 11 });
  label(pen, theme, "loss", MARGIN.left + 6, MARGIN.top + 6, { size: 11 });

  pen.strokeStyle = theme.text;
  pen.globalAlpha = 0.6;
  pen.lineWidth = 1;
  pen.beginPath();
  pen.moveTo(x(step), MARGIN.top);
  pen.lineTo(x(step), MARGIN.top + height);
  pen.stroke();
  pen.globalAlpha = 1;
  for (const path of shown) {
    pen.fillStyle = path.color;
    pen.beginPath();
    pen.arc(x(step), y(path.loss[Math.min(step, path.loss.length - 1)]), 3, 0, 2 * Math.PI);
    pen.fill();
  }
}

/** One stroke a pixel column, from its smallest to its largest loss: what drawing every step would look like. */
function strokeEnvelope(pen, loss, steps, x, y) {
  pen.beginPath();
  let column = null;
  let low, high;
  const flush = () => {
    pen.lineTo(column, y(high));
    if (low !== high) pen.lineTo(column, y(low));
  };
  for (let i = 0; i <= steps && i < loss.length; i++) {
    if (!Number.isFinite(loss[i])) break;
    const here = Math.round(x(i));
    if (here !== column) {
      if (column !== null) flush();
      column = here;
      low = high = loss[i];
    } else if (loss[i] < low) low = loss[i];
    else if (loss[i] > high) high = loss[i];
  }
  if (column !== null) flush();
  pen.stroke();
}

/** The step under a horizontal position. */
export function stepAt(canvas, x, steps) {
  const width = canvas.clientWidth - MARGIN.left - MARGIN.right;
  const part = Math.max(0, Math.min(1, (x - MARGIN.left) / width));
  return Math.round(Math.expm1(part * Math.log1p(steps)));
}
