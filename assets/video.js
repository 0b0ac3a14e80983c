// The player's run as a WebM video, recorded by the browser itself.

import { legend } from "./sheet.js";

const TYPES = ["video/webm;codecs=vp9", "video/webm;codecs=vp8"];
const RATE = 30; // pictures a second
const BITS = 8_000_000; // a second: thin lines on a still ground stay sharp
const LONGEST = 20; // seconds
const REST = 0.8; // seconds that the last picture stays

/** The kind of WebM that this browser records. Throws an Error that says what to do if it records none. */
function recordedType() {
  const type = globalThis.MediaRecorder && TYPES.find((kind) => MediaRecorder.isTypeSupported(kind));
  if (!type) throw new Error("This browser records no WebM video: use Chrome, Edge or Firefox, or take the animation.");
  return type;
}

/**
 * Record the player from its start to its end, at its speed; it is then put back where it was.
 *
 * @param source {player, canvases(), legend()}: the canvases lie on one another, the first one at the bottom
 * @param theme as in plane.js
 * @param tell called for each picture with the seconds that are recorded
 * @param signal an AbortSignal; what it is aborted with is thrown
 * @returns {blob, ended, step}: ended at the "end", by the "limit" LONGEST or since it was "paused", and at which step
 */
export async function record({ player, canvases, legend: entries }, theme, tell, signal) {
  const mimeType = recordedType();
  const [{ width, height, clientWidth }] = canvases();
  const density = width / clientWidth;
  const below = legend(entries(), clientWidth, theme);
  const canvas = document.createElement("canvas");
  const even = (size) => 2 * Math.floor(size / 2); // as decoders want it
  Object.assign(canvas, { width: even(width), height: even(height + density * below.height) });
  const pen = canvas.getContext("2d");
  const draw = () => {
    pen.resetTransform();
    pen.fillStyle = theme.background;
    pen.fillRect(0, 0, canvas.width, canvas.height);
    for (const layer of canvases()) pen.drawImage(layer, 0, 0, width, height);
    pen.setTransform(density, 0, 0, density, 0, height);
    below.paint(pen);
  };
  const before = player.half;
  const stream = canvas.captureStream(RATE);
  const recorder = new MediaRecorder(stream, { mimeType, videoBitsPerSecond: BITS });
  const chunks = [];
  recorder.addEventListener("dataavailable", ({ data }) => chunks.push(data));
  const stopped = new Promise((resolve) => recorder.addEventListener("stop", resolve));
  try {
    player.go(0);
    draw();
    recorder.start();
    const ending = await run(player, draw, tell, signal);
    recorder.stop();
    await stopped;
    return { blob: new Blob(chunks, { type: "video/webm" }), ...ending };
  } finally {
    player.go(before);
    stream.getTracks().forEach((track) => track.stop());
  }
}

/** Let the player run, and draw each picture; resolves when no more is to be recorded. */
async function run(player, draw, tell, signal) {
  const begun = performance.now();
  let ended = null;
  let last = Infinity;
  player.run();
  for (;;) {
    const now = await new Promise(requestAnimationFrame);
    signal.throwIfAborted();
    draw();
    const seconds = (now - begun) / 1000;
    tell(seconds);
    if (!ended) {
      if (player.half >= 2 * player.steps) ended = "end";
      else if (!player.playing) ended = "paused";
      else if (seconds > LONGEST) ended = "limit";
      if (ended) {
        player.pause();
        last = seconds + REST;
      }
    }
    if (seconds > last) return { ended, step: Math.floor(player.half / 2) };
  }
}
