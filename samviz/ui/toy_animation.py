"""The paths of the Trajectories page as one HTML file that plays without a network, below 1 MB for every input.

The file is assets/animation.html with the drawing functions of assets/plane.js and the numbers put in. Those of the
paths are base64 of little-endian arrays: uint16 step numbers, float32 points and w + eps.
"""

import base64
import json
import re

import numpy as np

from samviz import __version__
from samviz.spec.trajectories import PLAIN, SPEEDS, TRAJECTORY_FIELDS, TrajectorySettings
from samviz.toy import Path
from samviz.ui.components import ASSETS
from samviz.ui.toy_pages import TRAJECTORIES_BOX, method
from samviz.ui.toy_pictures import Axes, landscape
from samviz.ui.toy_routes import walks

MOST_POINTS = 32_000
"""Of all paths together: 24 bytes each, which leaves a fifth of the megabyte to everything else."""

PIXELS = 1000
"""Across the window, when points are chosen."""

FARTHEST = 1e30
"""A path that goes farther ends there: float32 and a canvas hold no more."""

SHAPE = 1.5
"""Width by height of the picture."""


def window(box: Axes) -> Axes:
    """The smallest window of the picture's shape around a box (x0, x1, y0, y1)."""
    x0, x1, y0, y1 = box
    width = max(x1 - x0, SHAPE * (y1 - y0))
    x, y, height = (x0 + x1) / 2, (y0 + y1) / 2, width / SHAPE
    return x - width / 2, x + width / 2, y - height / 2, y + height / 2


def chosen(points: np.ndarray, cell: float, most: int) -> np.ndarray:
    """At most `most` steps of a path (n, 2), in order: all if they are few, else those that tell most.

    These are both ends of each step into a pixel that the path has not been to, so that a swing stays as wide as it is,
    and steps spread evenly, so that the path goes on while it swings over pixels that it knows. Pixels have the size
    `cell`, doubled until the steps are few enough.
    """
    if len(points) <= most:
        return np.arange(len(points))
    evenly = np.rint(np.linspace(0, len(points) - 1, most // 4)).astype(int)
    while True:
        _, into = np.unique(np.floor(points / cell), axis=0, return_index=True)
        steps = np.unique(np.concatenate([evenly, into, np.maximum(into - 1, 0)]))
        if len(steps) <= most:
            return steps
        cell *= 2


def _base64(array: np.ndarray, kind: str) -> str:
    return base64.b64encode(array.astype(kind).tobytes()).decode()


def _embedded(path: Path, variant: str, cell: float, most: int) -> dict:
    """A path up to its first point that is too far out: how many points it has, how many are kept, and these."""
    near = (abs(path.points) < FARTHEST).all(axis=1)
    points = path.points if near.all() else path.points[: np.argmin(near)]
    steps = chosen(points, cell, most)
    kept = {"steps": _base64(steps, "<u2"), "points": _base64(points[steps], "<f4")}
    if variant != PLAIN:
        ascents = path.perturbed[steps[steps < len(path.perturbed)]]
        kept["perturbed"] = _base64(np.clip(ascents, -FARTHEST, FARTHEST), "<f4")
    return {"all": len(points), "kept": len(steps), **kept}


def _settings(s: TrajectorySettings) -> list[str]:
    """The settings in words, a line each."""
    general = [f"{TRAJECTORY_FIELDS[key].label} {s.values[key]:.10g}" for key in ("lr", "steps", "decay", "c")]
    starts = ", ".join(f"({x:.10g}, {y:.10g})" for x, y in s.starts)
    methods = [
        f"{method(key)['label']}: ρ {s.rho(key):.10g}" + (f", η {s.eta(key):.10g}" if f"eta.{key}" in s.values else "")
        for key in s.variants
        if key != PLAIN
    ]
    return [f"starts (w₁, w₂): {starts}", ", ".join(general), *methods]


def _kept(paths: list[dict]) -> str:
    """What the file holds of the paths."""
    kept, total = (sum(path[key] for path in paths) for key in ("kept", "all"))
    if kept == total:
        return f"This file holds all {total} points of the paths."
    return (
        f"To stay small, this file holds {kept} of the {total} points of the paths: those that come to a new place, "
        "and others spread evenly over the steps."
    )


def animation(s: TrajectorySettings) -> str:
    """The text of the file."""
    box = window(s.view or TRAJECTORIES_BOX)
    most = MOST_POINTS // (len(s.starts) * len(s.variants))
    cell = (box[1] - box[0]) / PIXELS
    paths = []
    for index, variant, path, end in walks(s):
        looks = {key: method(variant)[key] for key in ("label", "color", "marker")}
        paths.append({"start": index + 1, **looks, "text": end.sentence, **_embedded(path, variant, cell, most)})
    usual = TrajectorySettings().to_query()
    changed = "&".join(f"{key}={value}" for key, value in s.to_query().items() if value != usual[key])
    address = f"/trajectories?{changed}" if changed else "/trajectories"
    data = {
        "title": f"Paths on the loss |w₁·ReLU(w₂) − {s.values['c']:.10g}|",
        "settings": _settings(s),
        "made": f"{_kept(paths)} Made with samviz {__version__}; its page with these settings: {address}",
        "box": box,
        "steps": s.values["steps"],
        "speeds": SPEEDS,
        "speed": s.speed,
        "loop": s.loop,
        "landscape": landscape(s.values["c"], box),
        "paths": paths,
    }
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")
    drawing = re.sub(r"^export ", "", (ASSETS / "plane.js").read_text("utf-8"), flags=re.MULTILINE)
    template = (ASSETS / "animation.html").read_text("utf-8")
    return template.replace("/* plane.js */", drawing).replace("{{data}}", text)
