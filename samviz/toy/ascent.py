"""The ascent half of a SAM step: the region around w, its first-order maximizer and its first-order sharpness."""

from math import inf

import numpy as np

from samviz.toy import arguments
from samviz.toy.loss import TARGET, partials
from samviz.variants import WEIGHT, Variant


def one_step(
    w: np.ndarray,
    variant: str,
    rho: float,
    eta: float | None = None,
    target: float = TARGET,
    p: float | None = None,
) -> np.ndarray:
    """eps (..., 2), the maximizer of the linearized loss in the region around w (..., 2).

    rho T^2 g / ||T g||_2 for p = 2, rho T sign(g) for p = infinity (ASAM section 4, SAM-ON Eq. 4), `steepest` for any
    other; 0 where T g = 0. None takes the variant's own eta and p. Raises ValueError for arguments out of range.
    """
    w, model, rho, eta, target = arguments.checked(w, variant, rho, eta, target, p)
    x, y = np.moveaxis(w, -1, 0)
    return np.stack(epsilon(x, y, *partials(x, y, target), model, rho, eta), axis=-1)


def epsilon(x, y, g, h, model: Variant, rho: float, eta: float):
    """Both components of eps at w = (x, y) with gradient (g, h): arrays of one shape. No check, no warning."""
    with np.errstate(all="ignore"):
        s, t = model.operator(x, g, eta, WEIGHT), model.operator(y, h, eta, WEIGHT)
        if model.p == inf:
            return rho * s * np.sign(g), rho * t * np.sign(h)
        a, b = s * g, t * h
        if model.p == 2:  # written out: a walk of many starts spends its time here
            norm = np.sqrt(a * a + b * b)
            scale = np.where(norm == 0, 0.0, rho / norm)
            return s * a * scale, t * b * scale
        a, b = rho * steepest(np.stack([a, b]), model.p)
        return s * a, t * b


def steepest(u: np.ndarray, p: float) -> np.ndarray:
    """z, shaped like u: where <u, z>, summed over the first axis, is largest in the ball ||z||_p <= 1.

    z = sign(u) (|u| / ||u||_q)^(q - 1) with 1/p + 1/q = 1 (ASAM section 2); for p = 1 the largest |u| alone, in equal
    parts where several are the largest. 0 where all of u is 0; a NaN or an infinity in u makes all NaN, but for
    p = infinity. `samviz.optim.maximizer` is the same in torch.
    """
    sign, size = np.sign(u), abs(u)
    if p == inf:
        return sign
    top = size.max(axis=0)
    with np.errstate(all="ignore"):
        if p == 1:
            z = sign * (size == top)
            return z / np.where(np.isfinite(top), np.maximum(abs(z).sum(axis=0), 1), np.nan)
        v = size / np.where(top == 0, 1, top)  # at most 1, so that no power leaves the range of floats
        z = v ** (1 / (p - 1))
        total = (z * v).sum(axis=0)  # (||u||_q / max |u|)^q
        return sign * z / np.where(total == 0, 1, total) ** (1 / p)


def dual_norm(u: np.ndarray, p: float) -> np.ndarray:
    """||u||_q over the first axis, 1/p + 1/q = 1: the largest <u, z> in the ball ||z||_p <= 1."""
    size = abs(u)
    if p == inf:
        return size.sum(axis=0)
    top = size.max(axis=0)
    if p == 1:
        return top
    q = p / (p - 1)
    with np.errstate(all="ignore"):
        return top * ((size / np.where(top == 0, 1, top)) ** q).sum(axis=0) ** (1 / q)


def half_widths(w: np.ndarray, model: Variant, rho: float, eta: float, target: float) -> np.ndarray:
    """rho T_w (..., 2), the half widths of the region around w (..., 2) along both axes, whatever p is.

    Each weight of the toy is a layer of its own. The arguments are not checked.
    """
    x, y = np.moveaxis(w, -1, 0)
    widths = np.empty_like(w)
    with np.errstate(over="ignore", invalid="ignore"):
        for i, (weight, slope) in enumerate(zip((x, y), partials(x, y, target), strict=True)):
            widths[..., i] = rho * model.operator(weight, slope, eta, WEIGHT)
    return widths


def first_order_sharpness(
    variant: str,
    w: np.ndarray,
    rho: float,
    eta: float | None = None,
    target: float = TARGET,
    p: float | None = None,
) -> np.ndarray:
    """The largest rise of the linearized loss in the region, shape (...): rho ||T g||_q, 1/p + 1/q = 1.

    On the valley the loss has a kink and g is the slope of either side (their lengths agree), not torch's 0:
    there SAM has rho sqrt(w1^2 + w2^2) and ASAM with eta 0 has rho c sqrt(2) everywhere.
    """
    w, model, rho, eta, target = arguments.checked(w, variant, rho, eta, target, p)
    x, y = np.moveaxis(w, -1, 0)
    live = y > 0
    g, h = np.where(live, y, 0.0), np.where(live, x, 0.0)
    with np.errstate(over="ignore", invalid="ignore"):
        a = abs(model.operator(x, g, eta, WEIGHT) * g)
        b = abs(model.operator(y, h, eta, WEIGHT) * h)
        return rho * (np.hypot(a, b) if model.p == 2 else dual_norm(np.stack([a, b]), model.p))
