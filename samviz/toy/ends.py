"""Where many paths end, without keeping the way: for maps of tens of thousands of starts, and for sweeps."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from samviz.spec import check
from samviz.toy import arguments
from samviz.toy.ascent import epsilon
from samviz.toy.descend import MOST_STEPS
from samviz.toy.loss import TARGET, loss, partials
from samviz.toy.outcome import NEAR, TAIL, crossed, from_valley, kinds
from samviz.variants import Variant

MOST_WORK = 100_000_000
"""Starts times steps: a second or two."""

CHUNK = 6000
"""Starts that walk together: what one step of theirs needs fits into a core's cache; all at once take twice as long."""


@dataclass(frozen=True, slots=True, eq=False)
class Ends:
    """How many paths have ended: what `descend` and `outcome` say of each, one entry a start."""

    points: np.ndarray
    """w after the last step, (..., 2)."""
    kind: np.ndarray
    """Index into `outcome.KINDS`, (...), uint8."""
    step: np.ndarray
    """Steps after which the path first came to the valley, (...); NaN if it never did."""
    loss: np.ndarray
    """Mean of L at the last TAIL points, (...): at the last one alone, a path that swings may happen to be low."""


def ends(
    start: np.ndarray,
    variant: str | None = None,
    *,
    rho: float | np.ndarray = 0.05,
    eta: float | np.ndarray | None = None,
    lr: float | np.ndarray = 0.003,
    steps: int = 500,
    lr_decay: float = 0.0,
    target: float = TARGET,
) -> Ends:
    """The ends of the paths that `descend` walks from start (..., 2) with the same arguments.

    rho, eta and lr may also be arrays that broadcast to (...), one value a start. Raises ValueError for arguments out
    of range, and for more than MOST_WORK starts times steps.
    """
    start = arguments.points("start", start)
    model, default = (None, 0.0) if variant is None else arguments.model(variant, None)
    shape = start.shape[:-1]
    settings = {"rho": rho, "eta": default if eta is None else eta, "lr": lr}
    numbers = [arguments.sizes(field, value, shape) for field, value in settings.items()]
    target = arguments.target(target)
    steps = check.integer("steps", steps, 1, MOST_STEPS)
    lr_decay = check.number("lr_decay", lr_decay, 0, 1)
    flat = start.reshape(-1, 2)
    if len(flat) * steps > MOST_WORK:
        raise ValueError(f"start must hold at most {MOST_WORK // steps} starts for {steps} steps, not {len(flat)}.")

    factors = (1 - lr_decay * (np.arange(steps) / steps)).tolist()
    walks = []
    for i in range(0, len(flat), CHUNK):
        part = slice(i, i + CHUNK)
        own = [value if isinstance(value, float) else value.ravel()[part] for value in numbers]
        walks.append(_walk(flat[part], model, *own, factors, target))
    points, kind, step, mean = (np.concatenate(parts) for parts in zip(*walks, strict=True))
    return Ends(points.reshape(start.shape), kind.reshape(shape), step.reshape(shape), mean.reshape(shape))


def _walk(
    starts: np.ndarray, model: Variant | None, rho, eta, lr, factors: list[float], target: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """The fields of Ends for starts (n, 2), step by step as `descend` has them; step t has the rate lr factors[t]."""
    steps, n = len(factors), len(starts)
    blocks = np.empty((TAIL + 1, 2, n))  # the last one holds the tail, so it must not be the short one
    step, waiting, last = np.full(n, np.nan), np.arange(n), starts.T
    with np.errstate(all="ignore"):
        for begun, ended in pairwise([0, *range(steps % TAIL or TAIL, steps + 1, TAIL)]):
            points = blocks[: ended - begun + 1]
            points[0] = last
            for (x, y), (u, v), factor in zip(points[:-1], points[1:], factors[begun:ended], strict=True):
                px, py = x, y
                g, h = partials(x, y, target)
                if model is not None:
                    ex, ey = epsilon(x, y, g, h, model, rho, eta)
                    px, py = x + ex, y + ey
                    g, h = partials(px, py, target)
                rate = lr * factor
                np.subtract(x, rate * g, out=u)
                np.subtract(y, rate * h, out=v)
            last = points[-1]
            came, when = _arrivals(points[:, :, waiting], target)
            step[waiting[came]] = begun + when
            moves = (points[-1] != points[-2]).any(axis=0)
            moves[waiting[came]] = False
            waiting = waiting[moves[waiting]]  # a path that stands still does not come any more
        tail = np.moveaxis(points[-TAIL:], 1, -1)
        kind = kinds(tail, np.stack([px, py], axis=-1), step, steps, target)
        return tail[-1].copy(), kind.astype(np.uint8), step, loss(tail, target).mean(axis=0)


def _arrivals(points: np.ndarray, target: float) -> tuple[np.ndarray, np.ndarray]:
    """Which of n paths (k, 2, n) come to the valley, as indices, and at which of their k points."""
    x, y = points[:, 0], points[:, 1]
    rise = x * y - target
    close = rise * rise <= 1.01 * NEAR**2 * (x * x + y * y)
    close[1:] |= rise[1:] * rise[:-1] < 0
    likely = np.flatnonzero(close.any(axis=0))  # few in a block: only they are worth the exact rule
    points = points[:, :, likely]
    side, distance = from_valley(np.moveaxis(points, 1, -1), target)
    there = distance <= NEAR
    there[1:] |= crossed(side)
    there &= np.isfinite(points).all(axis=1)  # a path that diverges across the valley has not come to it
    came = there.any(axis=0)
    return likely[came], there[:, came].argmax(axis=0)
