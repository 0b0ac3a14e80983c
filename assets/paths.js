// The paths of the Trajectories page as they come from the server, and what of them a screen can show.

/** Read the server's message: a header with `problem`, `settings` and `paths`, the latter with their arrays. */
export async function fetchPaths(address) {
  const response = await fetch(address);
  if (!response.ok) throw new Error(`The server answered ${response.status}.`);
  const buffer = await response.arrayBuffer();
  const length = new DataView(buffer).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
  let offset = 4 + length;
  for (const path of header.paths) {
    for (const [name, size] of Object.entries(path.sizes)) {
      path[name] = new Float32Array(buffer, offset, size);
      offset += 4 * size;
    }
    path.full = path.loss !== undefined;
    path.steps = path.points.length / 2 - 1;
  }
  return header;
}

/**
 * Steps of a path that differ on screen: one goes if it lies in the same half pixel as the one two steps before it,
 * so that a zigzag within a pixel collapses and a drift stays.
 */
export function visibleSteps(points, view) {
  const kept = [];
  const half = 2 * view.scale;
  let x1, y1, x2, y2; // cells of the last step and of the one before
  const last = points.length / 2 - 1;
  for (let i = 0; i <= last; i++) {
    const x = Math.round(points[2 * i] * half);
    const y = Math.round(points[2 * i + 1] * half);
    if (!Number.isFinite(x + y)) break;
    if (x !== x2 || y !== y2 || i === last) kept.push(i);
    x2 = x1;
    y2 = y1;
    x1 = x;
    y1 = y;
  }
  return kept;
}

/** Draw a path from one step to another, along the steps that `visibleSteps` kept. */
export function strokePath(pen, view, points, kept, from, to) {
  pen.beginPath();
  const at = (i) => pen.lineTo(view.x(points[2 * i]), view.y(points[2 * i + 1]));
  at(from);
  for (let k = firstAfter(kept, from); k < kept.length && kept[k] < to; k++) at(kept[k]);
  at(to);
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
