"""What changes along a path: distance to the valley, position along it, and sharpness, for many points at once."""

import numpy as np

from samviz.spec import check
from samviz.toy import arguments
from samviz.toy.ascent import first_order_sharpness, half_widths
from samviz.toy.loss import TARGET, loss
from samviz.toy.regions import REGIONS
from samviz.variants import VARIANTS

TURNS = 256
"""Points of an ellipse between which its largest losses are looked for: it has at most two."""


def distance(w: np.ndarray, target: float = TARGET) -> np.ndarray:
    """|w1 w2 - c| / ||w|| at w (..., 2), shape (...): the distance to the valley, to first order.

    NaN outside of w1, w2 > 0, from where no valley is near.
    """
    x, y = np.moveaxis(np.asarray(w, dtype=float), -1, 0)
    with np.errstate(all="ignore"):
        return np.where((x > 0) & (y > 0), abs(x * y - target) / np.hypot(x, y), np.nan)


def position(w: np.ndarray) -> np.ndarray:
    """log(w1 / w2) at w (..., 2), shape (...): where along the valley a point lies, 0 at w1 = w2; NaN outside of
    w1, w2 > 0. A rescaling A = diag(a, 1/a) adds 2 log a."""
    x, y = np.moveaxis(np.asarray(w, dtype=float), -1, 0)
    with np.errstate(all="ignore"):
        return np.where((x > 0) & (y > 0), np.log(x / y), np.nan)


def sharpness_along(
    region: str, w: np.ndarray, rho: float, eta: float | None = None, target: float = TARGET
) -> tuple[np.ndarray, np.ndarray]:
    """max L(w + eps) - L(w) in the sphere or the ellipsoid around each w (n, 2), exact and to first order, both (n,).

    As `samviz.toy.sharpness` and `first_order_sharpness` one by one; NaN where w is not finite. Raises ValueError for
    arguments out of range.
    """
    variant = REGIONS[check.choice("region", region, ("sphere", "ellipsoid"))]
    w = np.asarray(w, dtype=float)
    exact, linear = np.full((2, len(w)), np.nan)
    finite = np.isfinite(w).all(axis=1)
    if finite.any():
        points, _, rho, eta, target = arguments.checked(w[finite], variant, rho, eta, target)
        linear[finite] = first_order_sharpness(variant, points, rho, eta, target)
        with np.errstate(all="ignore"):
            widths = half_widths(points, VARIANTS[variant], rho, eta, target)
            exact[finite] = _largest(points, widths, target) - loss(points, target)
    return exact, linear


def _largest(w: np.ndarray, widths: np.ndarray, target: float) -> np.ndarray:
    """The largest loss in the ellipse of these half widths around each w.

    On the live side it is reached where the product w1 w2 is stationary along the edge,
    d/dt (x + a cos t)(y + b sin t) = 0: between two points of a round where this changes its sign, by bisection.
    """
    (x, y), (a, b) = w.T[..., None], widths.T[..., None]

    def slope(t: np.ndarray) -> np.ndarray:
        return b * x * np.cos(t) - a * y * np.sin(t) + a * b * np.cos(2 * t)

    t = np.linspace(0, 2 * np.pi, TURNS + 1)
    rising = slope(t) > 0
    row, column = np.nonzero(rising[:, 1:] != rising[:, :-1])
    x, y, a, b = (v[row, 0] for v in (x, y, a, b))
    low, high, first = t[column], t[column + 1], rising[row, column]
    for _ in range(48):
        middle = (low + high) / 2
        same = (slope(middle) > 0) == first
        low, high = np.where(same, middle, low), np.where(same, high, middle)
    largest = loss(w, target)
    np.maximum.at(largest, row, loss(np.stack([x + a * np.cos(low), y + b * np.sin(low)], axis=-1), target))
    dead = w[:, 1] - widths[:, 1] < 0
    return np.where(dead, np.maximum(largest, target), largest)


def spread(first: int, last: int, n: int) -> np.ndarray:
    """At most `n` different steps from `first` to `last`, both among them, dense at the beginning as on a log scale."""
    steps = np.rint(np.expm1(np.linspace(np.log1p(0), np.log1p(last - first), n))).astype(int)
    return first + np.unique(steps)
