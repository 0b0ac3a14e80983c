"""Slices through the loss of a network: along a line or in a plane, and where regions around the weights cut them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from math import isfinite

import torch
from torch import Tensor, nn

from samviz.sharpness.ascent import GRADIENT, VALUE, value_and_gradient
from samviz.sharpness.cuts import Cut, cut
from samviz.sharpness.directions import between, filter_normalized, gradient_direction
from samviz.sharpness.frozen import LOSSES, Frozen, Loss
from samviz.sharpness.measures import Progress
from samviz.sharpness.statistics import Statistics
from samviz.spec import SCOPES, check
from samviz.spec.measure import Measure
from samviz.spec.measurement import DIRECTIONS, STATISTICS, VECTORS

Range = tuple[float, float]
BATCH = 256
"""Images at once."""
LINE = (-0.25, 1.25)
"""How far a slice goes on a line, on which the checkpoints are at 0 and 1."""
BEYOND = 1.5
"""How far a slice goes by default, in reaches of the region that reaches farthest."""


@dataclass(frozen=True, slots=True)
class Slice:
    """The loss on the points w + x d1, or w + x d1 + y d2, of a grid."""

    directions: tuple[str, ...]
    """One or two keys of `DIRECTIONS`."""
    x: tuple[float, ...]
    y: tuple[float, ...]
    """Coordinates along the directions; y is (0.0,) where there is one direction."""
    loss: tuple[tuple[float | None, ...], ...]
    """A row for each y, with an entry for each x; None where it is not finite."""
    accuracy: tuple[tuple[float, ...], ...]
    """The same in percent."""
    lengths: tuple[float, ...]
    """||d||_2 of each direction."""
    cuts: tuple[Cut, ...]
    """How each region cuts the slice, in the order of the regions."""
    statistics: str
    """Key of `STATISTICS`: what BatchNorm normalized with."""
    images: int


def loss_slice(
    model: nn.Module,
    images: Tensor,
    labels: Tensor,
    directions: Sequence[str] = ("random", "random"),
    *,
    other: nn.Module | None = None,
    points: int = 21,
    ranges: Sequence[Range] | None = None,
    regions: Sequence[Measure] = (),
    scope: str = "all",
    vectors: str = "zero",
    statistics: str = "kept",
    normalized: bool = False,
    seed: int = 0,
) -> Iterator[Progress | Slice]:
    """Progress again and again and, last of all, the loss of `model` on a line (one direction) or in a plane (two).

    `directions` are keys of `DIRECTIONS`, at most one of them the gradient and one the line, on which `model` is at 0
    and `other` at 1. `ranges` gives the lowest and the highest coordinate along each; None takes -0.25 to 1.25 on the
    line, and elsewhere 1.5 times as far as the `regions` reach, or -1 to 1 without any. Of `regions` only variant, rho,
    p, eta and scope count. Only parameters in `scope` move; `vectors` says what random directions do with those that
    have no filters, `statistics` what BatchNorm normalizes with, and `normalized` whether the loss is that of logits
    divided by their norm. Neither network is touched.

    Raises ValueError for anything else, and where a direction would be 0.
    """
    directions = check.sequence("directions", directions, 1, 2)
    check.integer("points", points, 2, 201)
    check.choice("scope", scope, SCOPES)
    check.choice("vectors", vectors, VECTORS)
    _check(directions, other, check.choice("statistics", statistics, STATISTICS))
    frozen = Frozen(model)
    positions = frozen.within(scope)
    end = None if other is None else Frozen(other)
    batches = list(zip(frozen.inputs(images).split(BATCH), labels.to(frozen.w[0].device).split(BATCH), strict=True))
    per_point = VALUE * len(batches) * (2 if statistics == "estimated" else 1)
    total = GRADIENT * len(batches) + per_point * points ** len(directions)

    loss = LOSSES[check.flag("normalized", normalized)]
    g = [torch.zeros_like(w) for w in frozen.w]
    done = 0
    for x, y in batches:
        _, part = value_and_gradient(lambda w, x=x, y=y: loss(frozen.logits(x, w), y), frozen.w)
        g = [a + b * (len(y) / len(labels)) for a, b in zip(g, part, strict=True)]
        done += GRADIENT
        yield Progress(done, total)
    d = [_direction(name, frozen, end, g, positions, vectors, f"{seed} {i}") for i, name in enumerate(directions)]
    cuts = [cut(frozen, region, g, d) for region in regions]
    x_axis, *rest = _axes(directions, ranges, cuts, points)
    y_axis = rest[0] if rest else (0.0,)

    norms = Statistics(frozen.model, None if end is None else end.model)
    rows: list[list[tuple[float, float]]] = [[] for _ in y_axis]
    for row, y in zip(rows, y_axis, strict=True):
        for x in x_axis:
            at = dict(zip(directions, (x, y), strict=False))
            w = frozen.w
            for coordinate, parts in zip((x, y), d, strict=False):
                w = [a + coordinate * b for a, b in zip(w, parts, strict=True)]
            norms.set(statistics, at.get("line", 0.0), partial(frozen.logits, w=w), batches)
            row.append(_evaluate(frozen, w, batches, loss))
            done += per_point
            yield Progress(done, total)
    yield Slice(
        directions=directions,
        x=x_axis,
        y=y_axis,
        loss=tuple(tuple(value if isfinite(value) else None for value, _ in row) for row in rows),
        accuracy=tuple(tuple(right for _, right in row) for row in rows),
        lengths=tuple(float(nn.utils.get_total_norm(parts)) for parts in d),
        cuts=tuple(cuts),
        statistics=statistics,
        images=len(labels),
    )


def _check(directions: Sequence[str], other: nn.Module | None, statistics: str) -> None:
    """Raise ValueError unless the directions are some that there are, and fit the other network and the statistics."""
    for name in directions:
        check.choice("directions", name, DIRECTIONS)
    if len(set(directions)) < len(directions) and set(directions) != {"random"}:
        raise check.wrong("directions", "two different ones, or two random ones", directions)
    if ("line" in directions) != (other is not None):
        raise check.wrong("directions", "those with a line where there is another network, and only there", directions)
    if statistics == "interpolated" and other is None:
        raise check.wrong("statistics", "kept or estimated where there is no line", statistics)


def _direction(
    name: str,
    frozen: Frozen,
    end: Frozen | None,
    g: Sequence[Tensor],
    positions: Sequence[int],
    vectors: str,
    seed: str,
) -> list[Tensor]:
    """A direction of this name, 0 outside of `positions`; ValueError where it is 0 everywhere."""
    if name == "line":
        d = between(frozen, end)
    elif name == "gradient":
        d = gradient_direction(frozen.w, g)
    else:
        d = filter_normalized(frozen.w, seed, vectors)
    d = [t if i in positions else torch.zeros_like(t) for i, t in enumerate(d)]
    if not any(bool(t.any()) for t in d):
        raise ValueError(f"directions must not be 0, but {name} moves nothing: see scope and vectors.")
    return d


def _axes(
    directions: Sequence[str], ranges: Sequence[Range] | None, cuts: Sequence[Cut], points: int
) -> list[tuple[float, ...]]:
    """The coordinates along each direction."""
    if ranges is None:
        ranges = []
        for i, name in enumerate(directions):
            reach = BEYOND * max((found.reach[i] for found in cuts), default=0.0) or 1.0
            ranges.append(LINE if name == "line" else (-reach, reach))
    axes = []
    for low, high in check.sequence("ranges", ranges, len(directions), len(directions)):
        check.number("ranges", low, -1e6, 1e6)
        check.number("ranges", high, low, 1e6)
        axes.append(tuple(low + (high - low) * i / (points - 1) for i in range(points)))
    return axes


@torch.no_grad()
def _evaluate(
    frozen: Frozen, w: Sequence[Tensor], batches: Sequence[tuple[Tensor, Tensor]], loss: Loss
) -> tuple[float, float]:
    """The loss and the accuracy in percent at w."""
    total, right, n = 0.0, 0, 0
    for x, y in batches:
        logits = frozen.logits(x, w)
        total += float(loss(logits, y)) * len(y)
        right += int((logits.argmax(dim=1) == y).sum())
        n += len(y)
    return total / n, 100 * right / n
