"""What the toy accepts: every wrong argument is one sentence that names the field, the value and what is allowed."""

from typing import Any

import numpy as np

from samviz.spec import check
from samviz.variants import VARIANTS, Variant

MOST = 1000.0
"""The largest rho, eta, lr and target: far beyond anything that a picture shows."""


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


def target(value: Any) -> float:
    """Return the target c of the loss as a float above 0; raise ValueError otherwise."""
    return check.number("target", value, 1e-6, MOST)


def model(variant: Any, eta: Any) -> tuple[Variant, float]:
    """Return the variant of that key and its eta (None: the variant's default); raise ValueError if unknown."""
    chosen = VARIANTS[check.choice("variant", variant, VARIANTS)]
    return chosen, chosen.eta if eta is None else size("eta", eta)


def checked(w: Any, variant: Any, rho: Any, eta: Any, target_: Any) -> tuple[np.ndarray, Variant, float, float, float]:
    """The arguments of everything that looks at a region around w, checked in this order of fields."""
    chosen, eta = model(variant, eta)
    return points("w", w), chosen, size("rho", rho), eta, target(target_)
