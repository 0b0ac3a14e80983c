"""What became of a path, in words: at rest on the valley, stuck, swinging across it, diverged or on its way."""

from dataclasses import dataclass
from math import ceil, floor, isfinite, log10

import numpy as np

from samviz.toy.descend import Path

NEAR = 0.001
"""A path that is this close to the valley on average has reached it. A constant learning rate keeps every path
swinging across the valley by about lr |w|, so that no path comes to rest on it."""

TAIL = 20
"""Points at the end of a path that tell its outcome: several swings."""

SLIDE = 0.01
"""Distance between reaching the valley and the end from which on a path has moved along it."""

KINDS = ("valley", "dead", "oscillating", "diverged", "moving")
"""Every way to end."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one path ended."""

    kind: str
    """One of KINDS."""
    step: int | None
    """Steps after which the path first came within NEAR of the valley or crossed it; None if it never did."""
    sentence: str
    """The same in plain English."""

    def __str__(self) -> str:
        return self.sentence


def outcome(path: Path, target: float) -> Outcome | list[Outcome]:
    """The outcome of a path from one start; a list of them, one a start, for a path from many."""
    if path.points.ndim == 2:
        return _outcome(path.points, path.perturbed, target)
    points = path.points.reshape(len(path.points), -1, 2)
    perturbed = path.perturbed.reshape(len(path.perturbed), -1, 2)
    return [_outcome(points[:, i], perturbed[:, i], target) for i in range(points.shape[1])]


def _outcome(points: np.ndarray, perturbed: np.ndarray, target: float) -> Outcome:
    finite = np.isfinite(points).all(axis=1)
    if not finite.all():
        lost = int(np.argmin(finite))
        first = _first(*from_valley(points[:lost], target))
        return Outcome("diverged", first, f"Diverged after {_steps(lost)}: w is no longer a finite number.")

    side, distance = from_valley(points, target)
    first = _first(side, distance)
    since = np.array(np.nan if first is None else first)
    kind = KINDS[int(kinds(points[-TAIL:], perturbed[-1], since, len(points) - 1, target))]
    if kind == "valley":
        rest = float(distance[max(first, len(points) - TAIL) :].max())
        return Outcome(kind, first, _at_rest(points, distance, first, rest))
    if kind == "dead":
        return Outcome(kind, first, _stuck(points, perturbed, first))
    if kind == "oscillating":
        return Outcome(kind, first, _swinging(points, distance))
    return Outcome(kind, first, _moving(points, target))


def kinds(tail: np.ndarray, perturbed: np.ndarray, first: np.ndarray, steps: int, target: float) -> np.ndarray:
    """How paths of so many steps have ended, as indices into KINDS, shape (...).

    `tail` (k, ..., 2) are their last TAIL points, or all if they have fewer; `perturbed` (..., 2) is the last w + eps;
    `first` (...) is the step after which each first came to the valley, NaN if it never did.
    """
    side, distance = from_valley(tail, target)
    index = np.arange(steps + 1 - len(tail), steps + 1).reshape(-1, *(1,) * first.ndim)
    there = index >= first
    with np.errstate(invalid="ignore"):
        near = np.where(there, distance, 0.0).sum(axis=0) <= NEAR * there.sum(axis=0)
    ways = {
        "diverged": ~np.isfinite(tail[-1]).all(axis=-1),
        "valley": near & there[-1],
        "dead": (tail[-1, ..., 1] <= 0) | (perturbed[..., 1] <= 0),
        "oscillating": crossed(side).sum(axis=0) >= 2,
    }
    return np.select(list(ways.values()), [KINDS.index(way) for way in ways], KINDS.index("moving"))


def from_valley(points: np.ndarray, target: float) -> tuple[np.ndarray, np.ndarray]:
    """Side of the valley (1 above, -1 below) and distance from it, to first order; 0 and inf outside w1, w2 > 0.

    Points (..., 2); both have the shape (...).
    """
    x, y = np.moveaxis(points, -1, 0)
    live = (x > 0) & (y > 0)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        rise = x * y - target
        return np.where(live, np.sign(rise), 0.0), np.where(live, abs(rise) / np.hypot(x, y), np.inf)


def crossed(side: np.ndarray) -> np.ndarray:
    """Whether each point but the first lies across the valley from the one before it, along the first axis."""
    return side[1:] * side[:-1] < 0


def _first(side: np.ndarray, distance: np.ndarray) -> int | None:
    """Index of the first point that is on the valley or just across it."""
    reached = distance <= NEAR
    reached[1:] |= crossed(side)
    return int(np.argmax(reached)) if reached.any() else None


def _at_rest(points: np.ndarray, distance: np.ndarray, first: int, rest: float) -> str:
    there = _point(points[first])
    reached = f"Reached the valley at {there}" if distance[first] <= NEAR else f"Crossed the valley near {there}"
    reached = f"{reached} after {_steps(first)}" if first else f"Starts on the valley at {there}"
    slid = abs(points[-1] - points[first]).max() > SLIDE
    widest = float(distance[first:].max())
    if widest <= 2 * NEAR:
        along = f", slides along it to {_point(points[-1])}" if slid else ""
        return f"{reached}{along} and stays within {_bound(widest)} of it."
    end = f"at {_point(points[-1])}, " if slid else ""
    return f"{reached}, swings across it and ends {end}within {_bound(rest)} of it."


def _stuck(points: np.ndarray, perturbed: np.ndarray, first: int | None) -> str:
    dead = np.flatnonzero(perturbed[:, 1] <= 0)
    since = int(dead[0]) if len(dead) else len(perturbed)  # else the very last step has led there
    stuck = "Stuck" if first is None else "Crossed the valley, but got stuck"
    where = f"at {_point(points[since])}" + (f" after {_steps(since)}" if since else " from the start")
    what = "w" if points[since, 1] <= 0 else "w + ε"
    return f"{stuck} {where}: {what} is in the dead half-plane w₂ ≤ 0, so the gradient there is zero."


def _swinging(points: np.ndarray, distance: np.ndarray) -> str:
    widest = float(distance[-TAIL:].max())
    away = f", up to {_bound(widest)} away from it" if isfinite(widest) else ""
    middle = _point(points[-TAIL:].mean(axis=0))
    return f"Still oscillating across the valley around {middle}{away}: a smaller or decaying learning rate settles it."


def _moving(points: np.ndarray, target: float) -> str:
    steps, here = len(points) - 1, _point(points[-1])
    if (points == points[0]).all():
        return f"Has not moved from {here} in {_steps(steps)}: the learning rate is too small."
    value = abs(points[-1, 0] * points[-1, 1] - target)
    return f"Still moving after {_steps(steps)}: at {here} the loss is {_number(value)}."


def _steps(count: int) -> str:
    return "1 step" if count == 1 else f"{count} steps"


def _number(value: float) -> str:
    """Three significant digits; what rounding leaves of a zero is 0."""
    return "0" if abs(value) < 1e-12 else f"{value:#.3g}".rstrip(".")


def _point(w: np.ndarray) -> str:
    return f"({_number(float(w[0]))}, {_number(float(w[1]))})"


def _bound(distance: float) -> str:
    """At least the distance, in three significant digits, so that "within" holds; at least NEAR."""
    if distance <= NEAR:
        return f"{NEAR:g}"
    unit = 10.0 ** (floor(log10(distance)) - 2)
    return f"{ceil(distance / unit) * unit:.3g}"
