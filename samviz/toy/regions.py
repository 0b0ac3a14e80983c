"""Maximization regions {w + eps : ||T_w^-1 eps||_p <= rho} around a point and the exact largest loss in them.

The three of ASAM Fig. 1 are in `REGIONS`; every other variant and every p from 1 to infinity has its region too, with
half widths rho T_w along the axes: a diamond for p = 1, an ellipse for p = 2, a box for p = infinity, and between them
a superellipse |x / a|^p + |y / b|^p = 1.
"""

from dataclasses import dataclass
from math import atan2, cos, exp, inf, log, log1p, pi, sin

import numpy as np

from samviz.spec import check
from samviz.toy import arguments
from samviz.toy.ascent import half_widths
from samviz.toy.loss import TARGET, loss
from samviz.toy.search import crossing, peak

REGIONS = {"sphere": "sam", "cuboid": "elementwise_linf", "ellipsoid": "elementwise_l2"}
"""The regions of ASAM Fig. 1 and the variants that search them."""

FARTHEST = 1e9
"""The largest coordinate of a point that regions are drawn around: products of four of them must stay finite."""

CORNERS = {inf: ((1, 1), (-1, 1), (-1, -1), (1, -1), (1, 1)), 1: ((1, 0), (0, 1), (-1, 0), (0, -1), (1, 0))}
"""Of the regions with straight edges, in half widths, by p."""

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
    variant: str,
    w: np.ndarray,
    rho: float,
    eta: float | None = None,
    n: int = 181,
    target: float = TARGET,
    p: float | None = None,
) -> np.ndarray:
    """The boundary of the region around w (2,) as a closed polyline (n, 2), the corners of a box or diamond included.

    n is 5 to 10000. Raises ValueError for arguments out of range.
    """
    w, widths, p, _ = _region(variant, w, rho, eta, target, p)
    n = check.integer("n", n, 5, 10_000)
    if p in CORNERS:
        turn = np.linspace(0, 4, n)
        turn[np.rint(np.arange(5) * (n - 1) / 4).astype(int)] = range(5)
        corners = np.array(widths) * CORNERS[p]
        return w + np.stack([np.interp(turn, range(5), corners[:, i]) for i in (0, 1)], axis=-1)
    turn = np.linspace(0, 2 * pi, n)
    unit = np.stack([np.cos(turn), np.sin(turn)], axis=-1)
    edge = np.array(widths) * np.sign(unit) * abs(unit) ** (2 / p)  # |x / a|^p + |y / b|^p = cos^2 + sin^2
    edge[-1] = edge[0]
    return w + edge


def maximum(
    variant: str,
    w: np.ndarray,
    rho: float,
    eta: float | None = None,
    target: float = TARGET,
    p: float | None = None,
) -> Maximum:
    """The exact largest loss in the region around w (2,), and all points that reach it.

    In the live half-plane the loss is |w1 w2 - c|, and w1 w2 has no extremum inside a region: only on its boundary.
    The dead half-plane has the loss c. Raises ValueError for arguments out of range.
    """
    w, (a, b), p, target = _region(variant, w, rho, eta, target, p)
    x, y = w.tolist()
    candidates = {1: _diamond_candidates, 2: _ellipse_candidates, inf: _box_candidates}.get(p)
    found = candidates(x, y, a, b) if candidates else _superellipse_candidates(x, y, a, b, p)
    found = [point for point in found if point[1] > 0]
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


def sharpness(
    variant: str,
    w: np.ndarray,
    rho: float,
    eta: float | None = None,
    target: float = TARGET,
    p: float | None = None,
) -> float:
    """max L(w + eps) - L(w) over the region around w (2,), exact (ASAM Eq. 2 and 4). Raises ValueError."""
    return maximum(variant, w, rho, eta, target, p).loss - float(loss(w, target))


def _region(variant, w, rho, eta, target, p) -> tuple[np.ndarray, tuple[float, float], float, float]:
    """w, the half widths of its region, their p, and the target: all checked."""
    w, model, rho, eta, target = arguments.checked(w, variant, rho, eta, target, p)
    if w.ndim != 1 or abs(w).max() > FARTHEST:
        raise ValueError(f"w must be two numbers from {-FARTHEST:g} to {FARTHEST:g}, but it is {w.tolist()}.")
    a, b = half_widths(w, model, rho, eta, target).tolist()
    return w, (a, b), model.p, target


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


def _tips(x: float, y: float, a: float, b: float) -> list[tuple[float, float]]:
    """Where a region reaches farthest along the axes. Of a region without area they hold an extremum of w1 w2."""
    return [(x - a, y), (x + a, y), (x, y - b), (x, y + b)]


def _diamond_candidates(x: float, y: float, a: float, b: float) -> list[tuple[float, float]]:
    """The tips, and the extremum of w1 w2 on each edge, along which it is a parabola."""
    found = _tips(x, y, a, b)
    if a > 0 and b > 0:
        for i in (-1, 1):
            for j in (-1, 1):
                part = min(max((1 + i * (x / a) - j * (y / b)) / 2, 0), 1)  # of the way from (i a, 0) to (0, j b)
                found.append((x + i * a * (1 - part), y + j * b * part))
    return found


def _superellipse_candidates(x: float, y: float, a: float, b: float, p: float) -> list[tuple[float, float]]:
    """The tips, and where hyperbolas w1 w2 = k touch the superellipse: at (x ± a m, y ± b n), m^p + n^p = 1.

    With m / n = exp(s) they touch where `balance` below is 0: b (x ± a m) m^(p - 1) = ± a (y ± b n) n^(p - 1).
    """
    found = _tips(x, y, a, b)
    if not (a > 0 and b > 0):
        return found
    scale = log(b) - log(a)
    far = 3000 / (p - 1)  # beyond it the last term of `balance` outweighs every logarithm of a float

    def point(s: float, i: int, j: int) -> tuple[float, float]:
        m, n = _shares(s, p)
        return x + i * a * m, y + j * b * n

    def balance(s: float, i: int, j: int) -> float:
        u, v = point(s, i, j)
        if i * j * u <= 0:
            return -inf
        return log(i * j * u) - log(v) + scale + (p - 1) * s if v > 0 else inf

    # The largest |w1 w2| on either side of w1 = 0 lies away from both axes. There it is the maximum of a log-concave
    # function over a convex region, so it is the only point where they touch: `balance` rises.
    for i in (1, -1):
        found.append(point(crossing(lambda s, i=i: balance(s, i, 1), -far, far), i, 1))
    if not (x > a and y > b):
        return found  # the region reaches an axis, where the product is 0

    # The smallest product lies towards both axes, and there may be two of them: `balance` rises, and in the middle it
    # falls where `bend` > p - 1. In m^p, `bend` is concave (seen numerically for all p and all half widths).
    def bend(s: float) -> float:
        m, n = _shares(s, p)
        return a * m / (x - a * m) * n**p + b * n / (y - b * n) * m**p

    top = peak(bend, -40 / p, 40 / p)
    first = second = far  # where it begins and ceases to fall
    if bend(top) > p - 1:
        first = crossing(lambda s: bend(s) - p + 1, -far, top)
        second = crossing(lambda s: p - 1 - bend(s), top, far)
    for low, high in ((-far, first), (second, far)):
        found.append(point(crossing(lambda s: balance(s, -1, -1), low, high), -1, -1))
    return found


def _shares(s: float, p: float) -> tuple[float, float]:
    """(m, n) with m^p + n^p = 1 and m / n = exp(s)."""
    large = exp(-log1p(exp(-p * abs(s))) / p)
    small = large * exp(-abs(s))
    return (large, small) if s > 0 else (small, large)


def _distinct(points: np.ndarray, w: np.ndarray) -> np.ndarray:
    """The points (k, n) without repetitions, nearest to w (n,) first."""
    points = points[np.argsort(np.linalg.norm(points - w, axis=1), kind="stable")]
    kept: list[np.ndarray] = []
    for point in points:
        if all(abs(point - other).max() > 1e-9 * (1 + abs(other).max()) for other in kept):
            kept.append(point)
    return np.array(kept)
