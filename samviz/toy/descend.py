"""Paths of plain descent and of every variant on the toy's loss, for one start or for many at once."""

from dataclasses import dataclass
from math import inf, sqrt

import numpy as np

from samviz.spec import check
from samviz.toy import arguments
from samviz.toy.ascent import epsilon
from samviz.toy.loss import TARGET, bare_partials, loss
from samviz.variants import WEIGHT, Variant

MOST_STEPS = 100_000
MOST_POINTS = 10_000_000
"""Starts times steps: a path of that size takes 400 MB."""
FEW = 48
"""Up to about this many starts Python floats are faster than arrays."""


@dataclass(frozen=True, slots=True, eq=False)
class Path:
    """The way down from one start or from many. Once it is no longer finite, it stays so."""

    points: np.ndarray
    """w before the first step and after each step, (steps + 1, ..., 2)."""
    perturbed: np.ndarray
    """w + eps, where each step took its gradient, (steps, ..., 2); w itself for plain descent."""
    loss: np.ndarray
    """L at `points`, (steps + 1, ...)."""


def descend(
    start: np.ndarray,
    variant: str | None = None,
    *,
    rho: float = 0.05,
    eta: float | None = None,
    lr: float = 0.003,
    steps: int = 5000,
    lr_decay: float = 0.0,
    target: float = TARGET,
) -> Path:
    """Walk down from start (..., 2): w <- w - lr_t grad L(w + eps) (ASAM Algorithm 1, no weight decay).

    `variant` is a key of VARIANTS, or None for plain descent. Step t = 0, 1, ... has the learning rate
    lr_t = lr (1 - lr_decay t / steps). eta None takes the variant's default. Raises ValueError for arguments out
    of range, and for more than MOST_POINTS starts times steps.
    """
    start = arguments.points("start", start)
    model, eta = (None, 0.0) if variant is None else arguments.model(variant, eta)
    rho, lr, target = arguments.size("rho", rho), arguments.size("lr", lr), arguments.target(target)
    steps = check.integer("steps", steps, 1, MOST_STEPS)
    lr_decay = check.number("lr_decay", lr_decay, 0, 1)
    flat = start.reshape(-1, 2)
    if len(flat) * steps > MOST_POINTS:
        raise ValueError(f"start must hold at most {MOST_POINTS // steps} starts for {steps} steps, not {len(flat)}.")

    rates = lr * (1 - lr_decay * (np.arange(steps) / steps))
    written_out = model is None or model.p in (2, inf)
    walk = _walk_floats if written_out and len(flat) <= FEW else walk_arrays
    points, perturbed = walk(flat, model, rho, eta, rates, target)
    points = points.reshape(steps + 1, *start.shape)
    return Path(points, perturbed.reshape(steps, *start.shape), loss(points, target))


def walk_arrays(
    starts: np.ndarray, model: Variant | None, rho: float, eta: float, rates: np.ndarray, target: float
) -> tuple[np.ndarray, np.ndarray]:
    """All starts (n, 2) at once: points (steps + 1, n, 2) and perturbed points (steps, n, 2)."""
    points = np.empty((len(rates) + 1, *starts.shape))
    perturbed = np.empty((len(rates), *starts.shape))
    points[0] = starts
    x, y = starts.T.copy()
    with np.errstate(all="ignore"):
        for t, rate in enumerate(rates.tolist()):
            px, py = x, y
            g, h = bare_partials(x, y, target)
            if model is not None:
                ex, ey = epsilon(x, y, g, h, model, rho, eta)
                px, py = x + ex, y + ey
                g, h = bare_partials(px, py, target)
            perturbed[t, :, 0], perturbed[t, :, 1] = px, py
            x, y = x - rate * g, y - rate * h
            points[t + 1, :, 0], points[t + 1, :, 1] = x, y
    return points, perturbed


def _walk_floats(
    starts: np.ndarray, model: Variant | None, rho: float, eta: float, rates: np.ndarray, target: float
) -> tuple[np.ndarray, np.ndarray]:
    """`walk_arrays`, one start after the other."""
    steps = rates.tolist()
    walks = [walk_floats(x, y, model, rho, eta, steps, target) for x, y in starts.tolist()]
    return np.stack([w[0] for w in walks], axis=1), np.stack([w[1] for w in walks], axis=1)


def walk_floats(
    x: float, y: float, model: Variant | None, rho: float, eta: float, rates: list[float], target: float
) -> tuple[np.ndarray, np.ndarray]:
    """One start on Python floats, operation for operation as `walk_arrays`, and so with the same result.

    For p = 2 and infinity alone. The gradient is written out twice: a call for it would cost a third of the time of a
    dragged path.
    """
    operator, box = (None, False) if model is None else (model.operator, model.p == inf)
    record = [x, y]
    for rate in rates:
        if y > 0.0:
            d = x * y - target
            if d > 0.0:
                g, h = y, x
            elif d < 0.0:
                g, h = -y, -x
            else:
                g = h = d  # 0 on the valley, NaN where a coordinate is not finite
        else:
            g = h = 0.0 if y <= 0.0 else y
        px, py = x, y
        if operator is not None:
            s, t = operator(x, g, eta, WEIGHT), operator(y, h, eta, WEIGHT)
            if box:
                px += rho * s if g > 0.0 else -rho * s if g < 0.0 else rho * s * g
                py += rho * t if h > 0.0 else -rho * t if h < 0.0 else rho * t * h
            else:
                a, b = s * g, t * h
                norm = sqrt(a * a + b * b)
                if norm != 0.0:
                    scale = rho / norm
                    px += s * a * scale
                    py += t * b * scale
            if py > 0.0:
                d = px * py - target
                if d > 0.0:
                    g, h = py, px
                elif d < 0.0:
                    g, h = -py, -px
                else:
                    g = h = d
            else:
                g = h = 0.0 if py <= 0.0 else py
        if g == 0.0 and h == 0.0:
            record += (px, py, x, y)
            break  # w does not move, so nothing changes any more, whatever the learning rate
        x -= rate * g
        y -= rate * h
        record += (px, py, x, y)
    record += (px, py, x, y) * (len(rates) - len(record) // 4)
    path = np.array(record)
    return np.concatenate(([path[:2]], path[2:].reshape(-1, 4)[:, 2:])), path[2:].reshape(-1, 4)[:, :2]
