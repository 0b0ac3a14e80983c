"""The toy of ASAM section 5.1: L(w) = |w1 ReLU(w2) - c|, whose minimizers are the valley w1 w2 = c, w2 > 0."""

import numpy as np

TARGET = 0.04
"""c in the paper."""


def loss(w: np.ndarray, target: float = TARGET) -> np.ndarray:
    """L at w (..., 2), shape (...). It is `target` all over the dead half-plane w2 <= 0."""
    x, y = np.moveaxis(np.asarray(w, dtype=float), -1, 0)
    with np.errstate(over="ignore", invalid="ignore"):
        return np.where(y <= 0, target, abs(x * y - target))


def gradient(w: np.ndarray, target: float = TARGET) -> np.ndarray:
    """The gradient of L at w (..., 2), same shape, with ReLU'(0) = 0 and sign(0) = 0, as torch has them."""
    x, y = np.moveaxis(np.asarray(w, dtype=float), -1, 0)
    return np.stack(partials(x, y, target), axis=-1)


def partials(x: np.ndarray, y: np.ndarray, target: float) -> tuple[np.ndarray, np.ndarray]:
    """Both components of the gradient at w1 = x, w2 = y. A NaN stays a NaN; infinities give no warning."""
    with np.errstate(over="ignore", invalid="ignore"):
        return bare_partials(x, y, target)


def bare_partials(x: np.ndarray, y: np.ndarray, target: float) -> tuple[np.ndarray, np.ndarray]:
    """`partials` for loops that have silenced NumPy's warnings: to do so in every step takes a fifth of their time."""
    sign = np.sign(x * y - target)
    dead = y <= 0
    return np.where(dead, 0.0, sign * y), np.where(dead, 0.0, sign * x)
