"""Maximization regions {w + eps : ||T_w^-1 eps||_p <= rho} around a point and the exact largest loss in them.

The three of ASAM Fig. 1 are in `REGIONS`; every other variant has its region too: an ellipse along the axes
for p = 2, a box for p = infinity, with half widths rho T_w.
"""

from dataclasses import dataclass
from math import atan2, cos, inf, pi, sin

import numpy as np

from samviz.spec import check
from samviz.toy import arguments
from samviz.toy.ascent import half_widths
from samviz.toy.loss import TARGET, loss

REGIONS = {"sphere": "sam", "cuboid": "elementwise_linf", "ellipsoid": "elementwise_l2"}
"""The regions of ASAM Fig. 1 and the variants that search them."""

FARTHEST = 1e9
"""The largest coordinate of a point that regions are drawn around: products of four of them must stay finite."""

TIE = 1e-12
"""Relative difference up to which two losses are the same."""


@dataclass(frozen=True, slots=True, eq=False)
class Maximum:
    """The largest loss in a region and where it is."""

    loss: float
    points: np.ndarray
    """Where it is reached, (k, 2), nearest to w first; of the dead half-plane, the point nearest to w."""
    tie: bool
    """Whether it is reached in more than one point."""


def outline(
    variant: str, w: np.ndarray, rho: float, eta: float | None = None, n: int = 181, target: float = TARGET
) -> np.ndarray:
    """The boundary of the region around w (2,) as a closed polyline (n, 2), the corners of a box included.

    n is 5 to 10000. Raises ValueError for arguments out of range.
    """
    w, (a, b), box, _ = _region(variant, w, rho, eta, target)
    n = check.integer("n", n, 5, 10_000)
    if box:
        turn = np.linspace(0, 4, n)
        turn[np.rint(np.arange(5) * (n - 1) / 4).astype(int)] = range(5)
        corners = np.array([(a, b), (-a, b), (-a, -b), (a, -b), (a, b)])
        return w + np.stack([np.interp(turn, range(5), corners[:, i]) for i in (0, 1)], axis=-1)
    turn = np.linspace(0, 2 * pi, n)
    edge = np.stack([a * np.cos(turn), b * np.sin(turn)], axis=-1)
    edge[-1] = edge[0]
    return w + edge


def maximum(variant: str, w: np.ndarray, rho: float, eta: float | None = None, target: float = TARGET) -> Maximum:
    """The exact largest loss in the region around w (2,), and all points that reach it.

    In the live half-plane the loss is |w1 w2 - c|, and w1 w2 has no extremum inside a region: only on its boundary.
    The dead half-plane has the loss c. Raises ValueError for arguments out of range.
    """
    w, (a, b), box, target = _region(variant, w, rho, eta, target)
    x, y = w.tolist()
    found = _box_candidates(x, y, a, b) if box else _ellipse_candidates(x, y, a, b)
    found = [p for p in found if p[1] > 0]
    found.append((x, y))  # the largest where the loss is the same all over the region
    if 0 < y <= b:
        found.append((x, 0.0))  # the nearest dead point
    candidates = np.array(found)
    losses = loss(candidates, target)
    largest = float(losses.max())
    near = TIE * max(largest, target)
    points = _distinct(candidates[losses >= largest - near], w)
    dead_area = (a > 0 or b > 0) and (y <= 0 or y < b)
    return Maximum(largest, points, tie=len(points) > 1 or (dead_area and largest <= target + near))


def sharpness(variant: str, w: np.ndarray, rho: float, eta: float | None = None, target: float = TARGET) -> float:
    """max L(w + eps) - L(w) over the region around w (2,), exact (ASAM Eq. 2 and 4). Raises ValueError."""
    return maximum(variant, w, rho, eta, target).loss - float(loss(w, target))


def _region(variant, w, rho, eta, target) -> tuple[np.ndarray, tuple[float, float], bool, float]:
    """w, the half widths of its region, whether that is a box, and the target: all checked."""
    w, model, rho, eta, target = arguments.checked(w, variant, rho, eta, target)
    if w.ndim != 1 or abs(w).max() > FARTHEST:
        raise ValueError(f"w must be two numbers from {-FARTHEST:g} to {FARTHEST:g}, but it is {w.tolist()}.")
    a, b = half_widths(w, model, rho, eta, target).tolist()
    return w, (a, b), model.p == inf, target


def _box_candidates(x: float, y: float, a: float, b: float) -> list[tuple[float, float]]:
    """Corners, since w1 w2 is linear on each edge, and the nearest point of an edge on w1 = 0, where it is constant."""
    corners = [(x + i * a, y + j * b) for i in (-1, 1) for j in (-1, 1)]
    return [*corners, (0.0, y)] if abs(x) == a else corners


def _ellipse_candidates(x: float, y: float, a: float, b: float) -> list[tuple[float, float]]:
    """Points (x + a cos t, y + b sin t) where the derivative of their product by t vanishes.

    With z = exp(it) it is a quartic in z whose roots of length 1 count. A root of another length gives one more point
    of the ellipse, which does no harm to a maximum; so none is sorted out.
    """
    p, q, r = b * x, a * y, a * b
    size = max(abs(p), abs(q), r)
    if size == 0:
        return []  # the product is the same all over the region
    p, q, r = p / size, q / size, r / size
    ends = r if r > 1e-30 else 0.0  # a leading coefficient as small as that overflows the companion matrix
    found = []
    for z in np.roots([ends, p + 1j * q, 0, p - 1j * q, ends]).tolist():
        t = atan2(z.imag, z.real)
        for _ in range(2):
            slope = p * cos(t) - q * sin(t) + r * cos(2 * t)
            bend = -p * sin(t) - q * cos(t) - 2 * r * sin(2 * t)
            if abs(slope) < abs(bend):  # a Newton step polishes the root, but only where it is a small one
                t -= slope / bend
        found.append((x + a * cos(t), y + b * sin(t)))
    return found


def _distinct(points: np.ndarray, w: np.ndarray) -> np.ndarray:
    """The points without repetitions, nearest to w first."""
    points = points[np.argsort(np.hypot(*(points - w).T), kind="stable")]
    kept: list[np.ndarray] = []
    for point in points:
        if all(abs(point - other).max() > 1e-9 * (1 + abs(other).max()) for other in kept):
            kept.append(point)
    return np.array(kept)
