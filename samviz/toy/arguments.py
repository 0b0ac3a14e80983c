"""What the toy accepts: every wrong argument is one sentence that names the field, the value and what is allowed."""

from dataclasses import replace
from typing import Any

import numpy as np

from samviz.spec import check
from samviz.variants import VARIANTS, Variant

MOST = 1000.0
"""The largest rho, eta, lr and target: far beyond anything that a picture shows."""

Axes = tuple[float, float, float, float]
"""A window: w1 from x0 to x1, w2 from y0 to y1."""


def points(field: str, value: Any) -> np.ndarray:
    """Return value as finite floats of shape (..., 2); raise ValueError otherwise."""
    try:
        w = np.asarray(value, dtype=float)
    except (TypeError, ValueError):
        w = np.empty(0)
    if w.shape[-1:] != (2,) or w.size == 0 or not np.isfinite(w).all():
        shown = repr(value)
        shown = shown if len(shown) <= 80 else shown[:77] + "..."
        raise ValueError(f"{field} must be finite numbers of shape (..., 2), but it is {shown}.")
    return w


def size(field: str, value: Any) -> float:
    """Return value as a float from 0 to MOST (rho, eta, lr); raise ValueError otherwise."""
    return check.number(field, value, 0, MOST)


def sizes(field: str, value: Any, shape: tuple[int, ...]) -> float | np.ndarray:
    """Return one size for all or, of an array, one for each entry of the shape; raise ValueError otherwise."""
    if np.ndim(value) == 0:
        return size(field, value)
    many = np.broadcast_to(np.asarray(value, dtype=float), shape)
    for extreme in (many.min(), many.max()):
        size(field, float(extreme))
    return many


def target(value: Any) -> float:
    """Return the target c of the loss as a float above 0; raise ValueError otherwise."""
    return check.number("target", value, 1e-6, MOST)


def window(axes: Any) -> Axes:
    """Return the edges of a window as floats with x0 < x1, y0 < y1; raise ValueError otherwise."""
    x0, x1, y0, y1 = (check.number("axes", value, -1e9, 1e9) for value in check.sequence("axes", axes, 4, 4))
    if not (x0 < x1 and y0 < y1):
        raise ValueError(f"axes must be x0 < x1, y0 < y1, but they are {(x0, x1, y0, y1)}.")
    return x0, x1, y0, y1


def model(variant: Any, eta: Any, p: Any = None) -> tuple[Variant, float]:
    """Return the variant of that key and its eta; None takes the variant's own p and eta. Raises ValueError."""
    chosen = VARIANTS[check.choice("variant", variant, VARIANTS)]
    chosen = chosen if p is None else replace(chosen, p=p)
    return chosen, chosen.eta if eta is None else size("eta", eta)


def checked(
    w: Any, variant: Any, rho: Any, eta: Any, target_: Any, p: Any = None
) -> tuple[np.ndarray, Variant, float, float, float]:
    """The arguments of everything that looks at a region around w, checked in this order of fields."""
    chosen, eta = model(variant, eta, p)
    return points("w", w), chosen, size("rho", rho), eta, target(target_)
