"""Contours of the toy's loss and its valley as polylines: hyperbolas w1 w2 = k in closed form, no marching squares."""

import numpy as np

from samviz.spec import check
from samviz.toy import arguments
from samviz.toy.arguments import Axes


def contour(level: float, target: float, axes: Axes, n: int = 100) -> list[np.ndarray]:
    """The lines in the window where the loss is `level` and w2 > 0: up to two arrays (n, 2) with rising w1.

    They are w1 w2 = c + level above the valley and c - level below it or, where level > c, at w1 < 0. At level c the
    whole dead half-plane has that loss: its line is the limit from above, along the half-axis w1 < 0 and up w2 > 0,
    and bounds the larger losses. n is 2 to 1000 points a line, spaced evenly in log w1, which is dense where the
    line bends. Raises ValueError for arguments out of range.
    """
    level, target = check.number("level", level, 0, 1e12), arguments.target(target)
    n, axes = check.integer("n", n, 2, 1000), arguments.window(axes)
    above = _hyperbola(target + level, axes, n)
    if level == 0:
        return above
    below = target - level
    return above + (_corner(axes) if abs(below) <= 1e-9 * target else _hyperbola(below, axes, n))


def valley(target: float, axes: Axes, n: int = 100) -> list[np.ndarray]:
    """The minimizers w1 w2 = c, w2 > 0 in the window: one line (n, 2), or none. Raises ValueError as `contour`."""
    return contour(0.0, target, axes, n)


def _hyperbola(k: float, axes: Axes, n: int) -> list[np.ndarray]:
    """w1 w2 = k, w2 > 0 within the window."""
    x0, x1, y0, y1 = axes
    low, high = (x0, x1) if k > 0 else (-x1, -x0)  # of |w1|
    k, mirrored = abs(k), k < 0
    if y1 <= 0:
        return []
    low = max(low, k / y1)
    if y0 > 0:
        high = min(high, k / y0)
    if low >= high:
        return []
    x = np.geomspace(low, high, n)
    y = k / x
    return [np.stack([-x, y], axis=-1)[::-1] if mirrored else np.stack([x, y], axis=-1)]


def _corner(axes: Axes) -> list[np.ndarray]:
    """The half-axes w1 <= 0 and w2 >= 0 within the window, as one line."""
    x0, x1, y0, y1 = axes
    line = []
    if y0 <= 0 <= y1 and x0 < 0:
        line += [(x0, 0.0), (min(x1, 0.0), 0.0)]
    if x0 <= 0 <= x1 and y1 > 0:
        line += [(0.0, max(y0, 0.0)), (0.0, y1)]
    return [np.array(list(dict.fromkeys(line)))] if line else []  # the corner once
