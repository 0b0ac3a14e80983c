// The paths of the Trajectories page as they come from the server, and what of them a screen can show.

import { fetchKind } from "./latest.js";

/** Read the server's message: a header with `paths` that get their arrays, and arrays of its own before those. */
export async function fetchArrays(address) {
  const buffer = await (await fetchKind(address, "application/octet-stream")).arrayBuffer();
  const length = new DataView(buffer).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
  let offset = 4 + length;
  const take = (sizes, target) => {
    for (const [name, size] of Object.entries(sizes)) {
      target[name] = new Float32Array(buffer, offset, size);
      offset += 4 * size;
    }
    return target;
  };
  const arrays = take(header.sizes ?? {}, {});
  for (const path of header.paths ?? []) take(path.sizes, path);
  return { header, arrays };
}

/** The paths with `problem`, `settings` and `marks`; `full` ones hold every step, the others lines alone. */
export async function fetchPaths(address) {
  const { header } = await fetchArrays(address);
  for (const path of header.paths) {
    path.full = path.loss !== undefined;
    path.steps = path.points.length / 2 - 1;
  }
  return header;
}

/**
 * The steps of a path that show on screen, each by the index of the point it ends in: only a step into a pixel that the
 * path has not been to shows. So a path that swings about its way for thousands of steps keeps those that paint the
 * swing. A point that is not finite ends the path.
 */
export function visibleSteps(points, view) {
  const seen = new Set();
  const kept = [];
  const last = points.length / 2 - 1;
  for (let i = 0; i <= last; i++) {
    const x = Math.floor(points[2 * i] * view.scale);
    const y = Math.floor(points[2 * i + 1] * view.scale);
    if (!Number.isFinite(x + y)) break;
    const cell = x * 1048576 + y;
    if (seen.has(cell) && i < last) continue;
    seen.add(cell);
    if (i > 0) kept.push(i);
  }
  return kept;
}

/** Draw the steps of `kept` after point `from` and up to point `to`. */
export function strokeSteps(pen, view, points, kept, from, to) {
  pen.beginPath();
  let end = -1;
  for (let k = firstAfter(kept, from); k < kept.length && kept[k] <= to; k++) {
    const i = kept[k];
    if (end !== i - 1) pen.moveTo(view.x(points[2 * i - 2]), view.y(points[2 * i - 1]));
    pen.lineTo(view.x(points[2 * i]), view.y(points[2 * i + 1]));
    end = i;
  }
  pen.stroke();
}

/** Draw lines that the server has thinned: NaN lies between them. */
export function strokeThinned(pen, view, points) {
  pen.beginPath();
  let down = false;
  for (let i = 0; i < points.length; i += 2) {
    const x = view.x(points[i]);
    if (Number.isNaN(x)) down = false;
    else if (down) pen.lineTo(x, view.y(points[i + 1]));
    else {
      pen.moveTo(x, view.y(points[i + 1]));
      down = true;
    }
  }
  pen.stroke();
}

function firstAfter(kept, step) {
  let low = 0;
  let high = kept.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (kept[middle] > step) high = middle;
    else low = middle + 1;
  }
  return low;
}
