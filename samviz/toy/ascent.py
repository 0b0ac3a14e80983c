"""The ascent half of a SAM step: the region around w, its first-order maximizer and its first-order sharpness."""

from math import inf

import numpy as np

from samviz.toy import arguments
from samviz.toy.loss import TARGET, partials
from samviz.variants import WEIGHT, Variant


def one_step(w: np.ndarray, variant: str, rho: float, eta: float | None = None, target: float = TARGET) -> np.ndarray:
    """eps (..., 2), the maximizer of the linearized loss in the region around w (..., 2).

    rho T^2 g / ||T g||_2 for p = 2 and rho T sign(g) for p = infinity (ASAM section 4, SAM-ON Eq. 4); 0 where
    ||T g|| = 0. eta None takes the variant's default. Raises ValueError for arguments out of range.
    """
    w, model, rho, eta, target = arguments.checked(w, variant, rho, eta, target)
    x, y = np.moveaxis(w, -1, 0)
    return np.stack(epsilon(x, y, *partials(x, y, target), model, rho, eta), axis=-1)


def epsilon(x, y, g, h, model: Variant, rho: float, eta: float):
    """Both components of eps at w = (x, y) with gradient (g, h): arrays of one shape. No check, no warning."""
    with np.errstate(all="ignore"):
        s, t = model.operator(x, g, eta, WEIGHT), model.operator(y, h, eta, WEIGHT)
        if model.p == inf:
            return rho * s * np.sign(g), rho * t * np.sign(h)
        a, b = s * g, t * h
        norm = np.sqrt(a * a + b * b)
        scale = np.where(norm == 0, 0.0, rho / norm)
        return s * a * scale, t * b * scale


def half_widths(w: np.ndarray, model: Variant, rho: float, eta: float, target: float) -> np.ndarray:
    """rho T_w (..., 2), the half widths of the region around w (..., 2): an ellipse (p = 2) or a box (p = infinity).

    Each weight of the toy is a layer of its own. The arguments are not checked.
    """
    x, y = np.moveaxis(w, -1, 0)
    widths = np.empty_like(w)
    with np.errstate(over="ignore", invalid="ignore"):
        for i, (weight, slope) in enumerate(zip((x, y), partials(x, y, target), strict=True)):
            widths[..., i] = rho * model.operator(weight, slope, eta, WEIGHT)
    return widths


def first_order_sharpness(
    variant: str, w: np.ndarray, rho: float, eta: float | None = None, target: float = TARGET
) -> np.ndarray:
    """The largest rise of the linearized loss in the region, shape (...): rho ||T g||_2, or rho ||T g||_1 for p = inf.

    On the valley the loss has a kink and g is the slope of either side (their lengths agree), not torch's 0:
    there SAM has rho sqrt(w1^2 + w2^2) and ASAM with eta 0 has rho c sqrt(2) everywhere.
    """
    w, model, rho, eta, target = arguments.checked(w, variant, rho, eta, target)
    x, y = np.moveaxis(w, -1, 0)
    live = y > 0
    g, h = np.where(live, y, 0.0), np.where(live, x, 0.0)
    with np.errstate(over="ignore", invalid="ignore"):
        a = abs(model.operator(x, g, eta, WEIGHT) * g)
        b = abs(model.operator(y, h, eta, WEIGHT) * h)
        return rho * (a + b if model.p == inf else np.hypot(a, b))
