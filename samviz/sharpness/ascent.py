"""How the largest loss in a ball is looked for: with one step, with n steps, and what both share with AutoPGD.

A search is a generator: it yields what each evaluation cost, in forward passes, and returns what it found, so that
a long one can tell how far it is and be left midway.
"""

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from math import inf

import torch
from torch import Tensor

from samviz.optim.sam import gradient
from samviz.sharpness.balls import Ball

Function = Callable[[list[Tensor]], Tensor]
"""f(z) -> a scalar, differentiable in the tensors z."""

VALUE, GRADIENT = 1, 3
"""The cost of a value, and of a value with its gradient, in forward passes."""

REACH = 2.5
"""All steps of an n-step ascent together, in radii: enough to get from one side to the other (Madry et al. 2018)."""


@dataclass(frozen=True, slots=True)
class Found:
    """The best point of a search."""

    value: float
    """The largest value met; -infinity where none was a number."""
    z: list[Tensor]
    """Where it was met."""


Search = Generator[int, None, Found]


def finish(search: Search) -> Found:
    """Run a search to its end."""
    while True:
        try:
            next(search)
        except StopIteration as end:
            return end.value


def value(f: Function, z: Sequence[Tensor]) -> float:
    """f(z)."""
    with torch.no_grad():
        return float(f(list(z)))


def value_and_gradient(f: Function, z: Sequence[Tensor]) -> tuple[float, list[Tensor]]:
    """f(z) and its gradient, shaped like z."""
    z = [t.detach().requires_grad_() for t in z]
    with torch.enable_grad():
        y = f(z)
    return float(y.detach()), gradient(y, z)


def one_step(f: Function, ball: Ball, u: Sequence[Tensor]) -> Search:
    """The value where <u, z> is largest, u being the gradient at 0 (ASAM section 4; SAM-ON section 5.2, "1 step")."""
    z = ball.steepest(u, ball.rho)
    there = value(f, z)
    yield VALUE
    return Found(there, z)


def ascent(f: Function, ball: Ball, start: Sequence[Tensor], steps: int) -> Search:
    """The best of `steps` projected steps in the steepest direction, each of length 2.5 rho / steps, from `start` on.

    From 0, one step of it leads to where `one_step` looks.
    """
    z, best = list(start), Found(-inf, list(start))
    for _ in range(steps):
        here, u = value_and_gradient(f, z)
        yield GRADIENT
        best = better(best, here, z)
        z = ball.project([a + b for a, b in zip(z, ball.steepest(u, REACH * ball.rho / steps), strict=True)])
    here = value(f, z)
    yield VALUE
    return better(best, here, z)


def better(best: Found, here: float, z: list[Tensor]) -> Found:
    """The better one of the best so far and z; a value that is no number is not."""
    return Found(here, z) if here > best.value else best
