// Pictures as one file, PNG or SVG: side by side if there are several, each below its name, and the methods' marks and
// names below them, since outside of the page nothing else tells which color is which.

import { label, mark } from "./plane.js";
import { SvgPen } from "./svgpen.js";

const DENSITY = 2; // pixels of a PNG for each pixel on screen
const GAP = 16; // between pictures, in pixels
const CAPTION = 28; // height of a name
const ROW = 26; // height of a row of marks
const SIZE = 13; // of letters

/**
 * Marks with their names, in as many rows as the width needs.
 *
 * @param {{label, color, marker}[]} entries
 * @returns {{height, paint(pen)}} to be painted with its upper left corner at 0, 0
 */
export function legend(entries, width, theme) {
  const ruler = document.createElement("canvas").getContext("2d");
  ruler.font = `${SIZE}px ${theme.font}`;
  let [x, y] = [0, ROW / 2];
  const places = entries.map((entry) => {
    const wide = 18 + ruler.measureText(entry.label).width;
    if (x > 0 && x + wide > width) [x, y] = [0, y + ROW];
    const place = { ...entry, x, y };
    x += wide + GAP;
    return place;
  });
  return {
    height: places.length > 0 ? y + ROW / 2 : 0,
    paint(pen) {
      for (const { x, y, color, marker, label: name } of places) {
        pen.fillStyle = color;
        mark(pen, marker, x + 7, y, 4.5, theme.background);
        label(pen, theme, name, x + 18, y, { size: SIZE, alpha: 1 });
      }
    },
  };
}

function sheet(pictures, entries, theme) {
  const above = pictures.length > 1 ? CAPTION : 0;
  const lefts = [];
  let x = 0;
  for (const { width } of pictures) {
    lefts.push(x);
    x += width + GAP;
  }
  const [width, middle] = [x - GAP, Math.max(...pictures.map(({ height }) => height))];
  const below = legend(entries, width, theme);
  const paint = (pen) => {
    pictures.forEach((picture, i) => {
      pen.save();
      pen.translate(lefts[i], above);
      if (above) label(pen, theme, picture.name, 0, -above / 2, { size: SIZE + 2, alpha: 1 });
      pen.beginPath();
      pen.rect(0, 0, picture.width, picture.height);
      pen.clip();
      picture.paint(pen);
      pen.restore();
    });
    pen.save();
    pen.translate(0, above + middle);
    below.paint(pen);
    pen.restore();
  };
  return { width, height: above + middle + below.height, paint };
}

/**
 * A PNG of twice the size on screen, as a Blob.
 *
 * @param {{name, width, height, paint}[]} pictures paint(pen) draws all of one, background included, in CSS pixels
 * @param {{label, color, marker}[]} entries of the legend
 * @param theme as in plane.js
 */
export function png(pictures, entries, theme) {
  const { width, height, paint } = sheet(pictures, entries, theme);
  const canvas = document.createElement("canvas");
  canvas.width = Math.round(DENSITY * width);
  canvas.height = Math.round(DENSITY * height);
  const pen = canvas.getContext("2d");
  pen.scale(DENSITY, DENSITY);
  pen.fillStyle = theme.background;
  pen.fillRect(0, 0, width, height);
  paint(pen);
  return new Promise((resolve) => canvas.toBlob(resolve));
}

/** The same as an SVG; `title` says what it is. */
export function svg(pictures, entries, theme, title) {
  const { width, height, paint } = sheet(pictures, entries, theme);
  const pen = new SvgPen(width, height, { title, background: theme.background });
  paint(pen);
  return new Blob([pen.toString()], { type: "image/svg+xml" });
}
