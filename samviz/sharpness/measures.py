"""The sharpness of a network: the mean over batches of the largest loss in a region, less the loss at its center."""

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from math import inf, isfinite
from statistics import fmean

import torch
from torch import Tensor, nn

from samviz.sharpness.ascent import GRADIENT, VALUE, Found, Search, ascent, one_step, value_and_gradient
from samviz.sharpness.autopgd import autopgd
from samviz.sharpness.frozen import LOSSES, Frozen
from samviz.sharpness.regions import Region
from samviz.spec import check
from samviz.spec.measure import Measure


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a computation is, in forward passes of a batch; a gradient counts for three."""

    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Sharpness:
    """What one measure came to."""

    measure: Measure
    value: float | None
    """The mean over the batches of (worst loss - loss); None where a loss was not finite."""
    batches: tuple[float | None, ...]
    """The same of each batch."""
    loss: float | None
    """The loss at the weights themselves, over all batches."""


def sharpness(
    model: nn.Module, images: Tensor, labels: Tensor, measures: Sequence[Measure], *, m: int = 128, seed: int = 0
) -> Iterator[Progress | list[Sharpness]]:
    """Progress again and again and, last of all, the sharpness of `model` by each of `measures`, in their order.

    `images` (N, 3, S, S) are as the network takes them, `labels` (N,) whole numbers. They are cut into N // m batches,
    each of which climbs on its own (m-sharpness, SAM-ON Eq. 24); the rest is left out. The network is taken in
    evaluation mode, so that BatchNorm has its running statistics throughout; `model` itself is not touched. AutoPGD
    starts from points that `seed` and the batch's number give: the same for every model and every measure of one p and
    scope. One step can lead down, so that its sharpness may be below 0; a search with more never falls below the loss
    at w.

    Raises ValueError where m is not between 1 and N, there is no measure, or a scope has no trainable parameter.
    """
    return measured(Frozen(model), images, labels, check.sequence("measures", measures, 1, 1000), m, seed)


def measured(
    frozen: Frozen, images: Tensor, labels: Tensor, measures: Sequence[Measure], m: int, seed: int
) -> Iterator[Progress | list[Sharpness]]:
    """`sharpness` of a network that is frozen already."""
    check.integer("m", m, 1, len(labels))
    whole = len(labels) // m
    positions = {scope: frozen.within(scope) for scope in {measure.scope for measure in measures}}
    losses = {normalized: LOSSES[normalized] for normalized in sorted({measure.normalized for measure in measures})}
    total = total_cost(measures, whole)
    done = 0
    worst: list[list[float]] = [[] for _ in measures]
    at_w: dict[bool, list[float]] = {normalized: [] for normalized in losses}
    for batch in range(whole):
        x = frozen.inputs(images[batch * m : (batch + 1) * m])
        y = labels[batch * m : (batch + 1) * m].to(x.device)
        for normalized, loss in losses.items():
            here, g = value_and_gradient(lambda w, x=x, y=y, loss=loss: loss(frozen.logits(x, w), y), frozen.w)
            at_w[normalized].append(here)
            done += GRADIENT
            yield Progress(done, total)
            for measure, found in zip(measures, worst, strict=True):
                if measure.normalized != normalized:
                    continue
                search = _search(frozen, measure, positions[measure.scope], g, x, y, f"{seed} {batch}")
                there = yield from _told(search, done, total)
                done += _cost(measure)
                # A search of more steps may start anywhere, but w is in the region, too.
                found.append(there.value if measure.search == "one_step" else _highest(there.value, here))
    yield [_result(measure, found, at_w[measure.normalized]) for measure, found in zip(measures, worst, strict=True)]


def total_cost(measures: Sequence[Measure], batches: int) -> int:
    """What `measures` cost on so many batches, in forward passes: the gradient at w is shared by one kind of loss."""
    return batches * (GRADIENT * len({m.normalized for m in measures}) + sum(map(_cost, measures)))


def _cost(measure: Measure) -> int:
    """What the search of a measure in one batch costs, in forward passes of it."""
    return VALUE if measure.search == "one_step" else measure.steps * GRADIENT + VALUE


def _search(
    frozen: Frozen, measure: Measure, positions: list[int], g: list[Tensor], x: Tensor, y: Tensor, seed: str
) -> Search:
    """The search of one measure in one batch, g being the gradient at w by all trainable parameters."""
    w, g, roles = ([values[i] for i in positions] for values in (frozen.w, g, frozen.roles))
    region = Region.around(w, g, roles, measure.model, measure.rho)
    f = frozen.loss_in(region, positions, x, y, LOSSES[measure.normalized])
    if measure.search == "one_step":
        return one_step(f, region.ball, region.eps(g))  # T_w g is the gradient by the coordinates
    if measure.search == "ascent":
        return ascent(f, region.ball, [torch.zeros_like(t) for t in w], measure.steps)
    return autopgd(f, region.ball, region.ball.random_point(w, seed), measure.steps)


def _told(search: Search, done: int, total: int) -> Generator[Progress, None, Found]:
    """Run a search and tell of each evaluation."""
    while True:
        try:
            done += next(search)
        except StopIteration as end:
            return end.value
        yield Progress(done, total)


def _highest(there: float, here: float) -> float:
    """The larger one; -infinity, where a search met no number, stays."""
    return there if there == -inf else max(there, here)


def _result(measure: Measure, worst: list[float], at_w: list[float]) -> Sharpness:
    rises = [there - here for there, here in zip(worst, at_w, strict=True)]
    return Sharpness(measure, _mean(rises), tuple(_mean([rise]) for rise in rises), _mean(at_w))


def _mean(values: list[float]) -> float | None:
    return fmean(values) if all(map(isfinite, values)) else None
