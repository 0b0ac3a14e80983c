"""The toy's plane and its maximization regions as plain lists of numbers, ready to be drawn.

A line is flat, [x, y, x, y, ...]: it costs the browser nothing to read.
"""

from collections import Counter
from math import floor, inf, log10

import numpy as np

from samviz.spec.regions import REGION_NAMES, RegionSettings, Shape
from samviz.toy import contour, loss, maximum, one_step, outline, valley
from samviz.variants import VARIANTS

MOST_LEVELS = 12
LINE = 160
"""Points of a contour: more than a screen can tell from a curve."""
SAME = 1e-9
"""Relative difference up to which two maximum losses count as the same: rounding is below it by far."""

SHAPE_NAMES = {
    "identity": {1: "Diamond", 2: "Sphere", inf: "Cube"},
    "elementwise": {1: "Stretched diamond", 2: "Ellipsoid", inf: "Cuboid"},
    "fisher": {1: "Fisher diamond", 2: "Fisher ellipsoid", inf: "Fisher cuboid"},
}
"""What a region is called, by T and p; the rest are superellipses. ASAM Fig. 1 has the sphere, cuboid and ellipsoid."""

METHODS_OF = {"identity": "SAM", "elementwise": "ASAM", "fisher": "Fisher-SAM"}

Axes = tuple[float, float, float, float]


def _flat(points: np.ndarray) -> list[float]:
    return [float(f"{x:.6g}") for x in np.ravel(points)]


def levels(c: float, axes: Axes) -> list[float]:
    """Round loss values that contours in the window (x0, x1, y0, y1) are drawn at, at most MOST_LEVELS."""
    x0, x1, y0, y1 = axes
    corners = np.array([(x, max(y, 0.0)) for x in (x0, x1) for y in (y0, y1)])
    highest = float(np.max(loss(corners, c)))
    rough = highest / MOST_LEVELS
    power = 10.0 ** floor(log10(rough))
    step = next(f * power for f in (1, 2, 2.5, 5, 10) if f * power >= rough)
    return [float(f"{i * step:.12g}") for i in range(1, MOST_LEVELS + 1)]


def _area(line: np.ndarray, c: float, far: float) -> np.ndarray:
    """The polygon of larger loss that a contour with rising w1 bounds, closed by corners out of sight."""
    left, right = line[0], line[-1]
    product = float(np.prod(line[len(line) // 2]))
    if product > c:  # above the valley
        corners = [(far, right[1]), (far, far), (left[0], far)]
    elif product > 0:  # below the valley, where the dead half-plane belongs to it too
        corners = [(right[0], -far), (-far, -far), (-far, left[1])]
    else:  # w1 <= 0
        corners = [(right[0], far), (-far, far), (-far, left[1])]
    return np.vstack([line, corners])


def landscape(c: float, axes: Axes, at: list[float] | None = None) -> dict:
    """Contours of |w1 ReLU(w2) - c| with the areas of larger loss that they bound, and the valley.

    They reach half a window beyond each edge of the window (x0, x1, y0, y1), so that panning shows no end. `at` are
    the loss values; None takes round ones for the window.
    """
    x0, x1, y0, y1 = axes
    dx, dy = (x1 - x0) / 2, (y1 - y0) / 2
    wide = (x0 - dx, x1 + dx, y0 - dy, y1 + dy)
    far = 10 * max(map(abs, wide)) + 1
    found = []
    for level in levels(c, axes) if at is None else at:
        lines = contour(level, c, wide, LINE)
        found.append(
            {
                "loss": level,
                "lines": [_flat(line) for line in lines],
                "areas": [_flat(_area(line, c, far)) for line in lines],
            }
        )
    return {"levels": found, "valley": [_flat(line) for line in valley(c, wide, LINE)]}


def _around(name: str, w: tuple[float, float], s: RegionSettings) -> dict:
    """The region around one point: its outline, its worst points and the step of one gradient."""
    variant, rho, eta, c, p = s.variant(name), s.rho(name), s.eta(name), s.values["c"], s.p(name)
    highest = maximum(variant, w, rho, eta, c, p)
    return {
        "w": list(w),
        "loss": float(loss(np.array(w), c)),
        "outline": _flat(outline(variant, w, rho, eta, target=c, p=p)),
        "maximum": float(highest.loss),
        "worst": [list(map(float, point)) for point in highest.points],
        "tie": bool(highest.tie),
        "step": [float(x) for x in one_step(np.array(w), variant, rho, eta, c, p)],
    }


def norm_text(p: float) -> str:
    return "∞" if p == inf else f"{p:.4g}"


def labels(s: RegionSettings) -> dict[str, str]:
    """What the regions of the panels are called, by REGION_NAMES: each name once."""
    names = {key: SHAPE_NAMES[shape.T].get(shape.p, "Superellipse") for key, shape in s.shapes.items()}
    often = Counter(names.values())
    return {
        key: name if often[name] == 1 else f"{name} (panel {panel})"
        for panel, (key, name) in enumerate(names.items(), 1)
    }


def within(label: str) -> str:
    """A label as it stands within a sentence."""
    return label if label.startswith("Fisher") else label.lower()


def caption(shape: Shape, label: str) -> dict[str, str]:
    """The parts of the line above a panel: Sphere ‖ε‖, 2, as in SAM."""
    method = METHODS_OF[shape.T]
    published = VARIANTS[shape.variant].p == shape.p
    return {
        "label": label,
        "norm": "‖ε‖" if shape.T == "identity" else "‖T⁻¹ε‖",
        "p": norm_text(shape.p),
        "source": f"as in {method}" if published else f"T of {method}, p of our own",
    }


def digits(value: float) -> str:
    return f"{value:.6f}" if value < 1000 else f"{value:.6g}"


def point_text(w) -> str:
    return "(" + ", ".join(f"{x:.3g}" for x in w) + ")"


def _told(around: dict, where: str, c: float) -> str:
    """What a panel shows around one point, for those who do not see it."""
    worst = " and at ".join(point_text(point) for point in around["worst"][:3])
    tie = ", and all over the dead half-plane" if around["tie"] and around["maximum"] <= c else ""
    return f"around {where} = {point_text(around['w'])} the largest loss is {digits(around['maximum'])} at {worst}{tie}"


def _summary(a: float, panels: list[dict]) -> str:
    """What the table shows, in a sentence."""
    if a == 1:
        return "A is the identity: w and Aw are the same point. Move the slider."
    moved = [within(p["label"]) for p in panels if p["verdict"] == "differs"]
    kept = [within(p["label"]) for p in panels if p["verdict"] == "same"]
    if not moved:
        return "At these two points all three regions find the same maximum loss."
    listed = " and ".join([", ".join(moved[:-1]), moved[-1]] if len(moved) > 1 else moved)
    verb = "finds" if len(moved) == 1 else "find"
    first = f"The loss is the same at w and at Aw, but the {listed} {verb} another maximum around Aw than around w"
    return f"{first}; the {' and the '.join(kept)} {'does' if len(kept) == 1 else 'do'} not." if kept else f"{first}."


def regions(s: RegionSettings) -> dict:
    """The regions of all panels around w and around w' = Aw, A = diag(a, 1/a) (ASAM Fig. 1)."""
    a, c = s.values["a"], s.values["c"]
    w = (s.values["w1"], s.values["w2"])
    rescaled = (a * w[0], w[1] / a)
    panels, names = [], labels(s)
    for name in REGION_NAMES:
        here, there = _around(name, w, s), _around(name, rescaled, s)
        difference = there["maximum"] - here["maximum"]
        same = abs(difference) <= SAME * here["maximum"]
        panels.append(
            {
                "name": name,
                **caption(s.shapes[name], names[name]),
                "told": f"{names[name]}: {_told(here, 'w', c)}; {_told(there, 'Aw', c)}.",
                "here": here,
                "there": there,
                "table": [digits(here["maximum"]), digits(there["maximum"]), "0" if same else f"{difference:+.4g}"],
                "verdict": "same" if same else "differs",
            }
        )
    reach = [p[which]["outline"] for p in panels for which in ("here", "there")]
    x1 = max(4.8, *(max(line[0::2]) for line in reach)) + 0.2
    y1 = max(2.6, *(max(line[1::2]) for line in reach)) + 0.2
    box = (-0.5, x1, -0.5, y1)
    wide = (-2 * x1, 3 * x1, -2 * y1, 3 * y1)  # panels are wider or higher than the box: one scale for both axes
    for panel in panels:
        panel["red"] = [_flat(line) for line in contour(panel["here"]["maximum"], c, wide, LINE)]
    return {
        "box": box,
        "blue": [_flat(line) for line in contour(panels[0]["here"]["loss"], c, wide, LINE)],
        "panels": panels,
        "summary": _summary(a, panels),
    }
