"""AutoPGD (Croce & Hein 2020, Algorithm 1): projected ascent with momentum that halves its own steps."""

from collections.abc import Sequence
from math import inf

from torch import Tensor

from samviz.sharpness.ascent import GRADIENT, VALUE, Found, Function, Search, better, value, value_and_gradient
from samviz.sharpness.balls import Ball

MOMENTUM = 0.75
"""alpha: the share of the new step; the rest repeats the last one."""
IMPROVING = 0.75
"""The share of steps that must improve for the step to be kept."""


def checkpoints(steps: int) -> list[int]:
    """In which iterations the step is reviewed: w_j = ceil(p_j N) of p_0 = 0, p_1 = 0.22 and
    p_{j+1} = p_j + max(p_j - p_{j-1} - 0.03, 0.06), as long as p_j is at most 1."""
    last, percent, found = 0, 22, []  # in hundredths, so that 0.7 times 20 is 14
    while percent <= 100:
        found.append(-(-percent * steps // 100))
        last, percent = percent, percent + max(percent - last - 3, 6)
    return sorted(set(found))


def autopgd(f: Function, ball: Ball, start: Sequence[Tensor], steps: int = 20) -> Search:
    """The largest f among z_0 = `start`, a point of the ball, and z_1 to z_N, N being `steps`: it takes N gradients.

    With P the projection and s_k the steepest direction at z_k, iteration k makes

        y_{k+1} = P(z_k + step s_k),    z_{k+1} = P(z_k + alpha (y_{k+1} - z_k) + (1 - alpha) (z_k - z_{k-1})),

    the first one z_1 = y_1; the step is 2 rho long at first. In an iteration that is a checkpoint the step is halved,
    and z_{k+1} becomes the best point so far, if fewer than 0.75 of the z_i since the last checkpoint, up to z_k, were
    better than the one before them, or if neither the step nor the best value has changed since.
    """
    reviews = set(checkpoints(steps))
    z = before = list(start)
    here, u = value_and_gradient(f, z)
    yield GRADIENT
    best, best_u = better(Found(-inf, z), here, z), u
    step, improved, halved, best_then, then = 2 * ball.rho, 0, False, best.value, 0
    for k in range(steps):
        best_now, last = best.value, here
        alpha = MOMENTUM if k > 0 else 1.0
        y = ball.project(_sum(z, ball.steepest(u, step)))
        moved = [a + alpha * (b - a) + (1 - alpha) * (a - c) for a, b, c in zip(z, y, before, strict=True)]
        before, z = z, ball.project(moved)
        if k == steps - 1:
            here = value(f, z)
            yield VALUE
            return better(best, here, z)
        here, u = value_and_gradient(f, z)
        yield GRADIENT
        if here > best.value:
            best, best_u = Found(here, z), u
        if k in reviews:
            stuck = not halved and best_now == best_then
            halved = improved < IMPROVING * (k - then) or stuck
            improved, best_then, then = 0, best_now, k
            if halved:
                step /= 2
                z, here, u = best.z, best.value, best_u
        improved += here > last
    return best


def _sum(a: Sequence[Tensor], b: Sequence[Tensor]) -> list[Tensor]:
    return [x + y for x, y in zip(a, b, strict=True)]
