// The picture of one panel of the Regions page: the loss, and a region around w and around Aw with what is worst in it.

import { arrow, cross, dot, drawAxes, drawLandscape, label, strokeLine, trace } from "./plane.js";

/**
 * @param panel as the server sends it: `here` and `there`, a region each, and `red`, the contour of the maximum loss;
 *   and of all panels `blue`, the contour of the loss at w, and `landscape`, null before it has come
 */
export function paintPanel(pen, view, theme, { here, there, red, blue, landscape }) {
  if (landscape) drawLandscape(pen, view, landscape, theme, { shade: 0.018, valley: theme.text });
  pen.lineWidth = 2;
  pen.strokeStyle = theme.blue;
  for (const line of blue) strokeLine(pen, view, line);
  pen.strokeStyle = theme.red;
  for (const line of red) strokeLine(pen, view, line);
  drawAxes(pen, view, theme, { gap: 70 });
  drawRegion(pen, view, theme, there, triangle);
  drawRegion(pen, view, theme, here, dot);
  for (const [text, [w1, w2]] of [["w", here.w], ["w′", there.w]]) {
    label(pen, theme, text, view.x(w1) - 9, view.y(w2) + 12, { align: "right", alpha: 1, size: 13 });
  }
}

function drawRegion(pen, view, theme, around, mark) {
  const [x, y] = [view.x(around.w[0]), view.y(around.w[1])];
  pen.save();
  pen.strokeStyle = pen.fillStyle = theme.text;
  pen.beginPath();
  trace(pen, view, around.outline);
  pen.closePath();
  pen.globalAlpha = 0.07;
  pen.fill();
  pen.globalAlpha = 0.9;
  pen.lineWidth = 1.5;
  pen.stroke();
  pen.globalAlpha = 0.7;
  pen.setLineDash([3, 3]);
  arrow(pen, x, y, view.x(around.w[0] + around.step[0]), view.y(around.w[1] + around.step[1]));
  pen.setLineDash([]);
  pen.globalAlpha = 1;
  around.worst.forEach((worst, i) => {
    const [u, v] = [view.x(worst[0]), view.y(worst[1])];
    if (i === 0) {
      pen.lineWidth = 1.25;
      pen.beginPath();
      pen.moveTo(x, y);
      pen.lineTo(u, v);
      pen.stroke();
    }
    pen.lineWidth = 2;
    cross(pen, u, v, 4.5);
  });
  mark(pen, x, y, 5);
  pen.restore();
}

function triangle(pen, x, y, radius) {
  pen.beginPath();
  for (const turn of [-90, 30, 150]) {
    const angle = (turn * Math.PI) / 180;
    pen.lineTo(x + 1.3 * radius * Math.cos(angle), y + 1.3 * radius * Math.sin(angle));
  }
  pen.fill();
}
