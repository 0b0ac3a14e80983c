"""Every sharpness of a network along a rescaling that leaves its function as it is."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import log

import torch
from torch import Tensor, nn

from samviz.sharpness.ascent import value_and_gradient
from samviz.sharpness.frozen import LOSSES, Frozen
from samviz.sharpness.measures import Progress, Sharpness, measured, total_cost
from samviz.sharpness.reasons import Reason, reason
from samviz.sharpness.rescale import logits_change, rescaled, seams
from samviz.spec import check
from samviz.spec.measure import Measure


@dataclass(frozen=True, slots=True)
class Curve:
    """One sharpness against a."""

    measure: Measure
    values: tuple[float | None, ...]
    """The sharpness at each factor; None where a loss was not finite."""
    stays: bool
    """Whether Definition 1 holds, so that only rounding moves the curve."""
    definition_error: float
    """The largest relative error of Definition 1, T_Aw = A T_w, at the factor that is farthest from 1."""
    reason: str
    """Why it stays or moves: a sentence or two."""

    @property
    def spread(self) -> float | None:
        """The largest value over the smallest; None where that says nothing."""
        known = [value for value in self.values if value is not None]
        return max(known) / min(known) if len(known) == len(self.values) and min(known) > 0 else None


@dataclass(frozen=True, slots=True)
class Curves:
    """Every sharpness against a, and what the rescaling did to the function."""

    factors: tuple[float, ...]
    kinds: tuple[str, ...]
    """What was rescaled: keys of `SEAMS`."""
    spread: str
    """Key of `SPREADS`."""
    seams: tuple[str, ...]
    """Where: the layers that a factor goes into, an arrow, and those that take it back."""
    refused: tuple[str, ...]
    """A sentence for each layer whose output keeps its scale, and why."""
    logits_change: tuple[float, ...]
    """At each factor, the largest difference of a logit over all images, relative to the largest logit."""
    epsilon_error: tuple[float, ...]
    """At each factor, the relative error of normalized values that was avoided; see `Rescaled`."""
    curves: tuple[Curve, ...]
    images: int
    """How many images they are measured on."""


def rescaling_curves(
    model: nn.Module,
    images: Tensor,
    labels: Tensor,
    factors: Sequence[float],
    measures: Sequence[Measure],
    *,
    kinds: Sequence[str] | None = None,
    spread: str = "common",
    m: int = 128,
    seed: int = 0,
) -> Iterator[Progress | Curves]:
    """Progress again and again and, last of all, every sharpness of `model` at A w for each of `factors`.

    `kinds` are keys of `SEAMS`, None for all that the network has; `spread` is a key of `SPREADS`; the rest is as in
    `sharpness`. `model` itself is not touched. Raises ValueError as `sharpness`, `rescaled` and `Seams.of` do.
    """
    factors = [check.number("factors", a, 1e-4, 1e4) for a in check.sequence("factors", factors, 1, 1000)]
    check.sequence("measures", measures, 1, 1000)
    check.integer("m", m, 1, len(labels))
    where = seams(model, images)
    chosen = where.of(kinds)
    whole = len(labels) // m
    total = total_cost(measures, whole) * len(factors)
    frozen = Frozen(model)
    x, y = frozen.inputs(images[: whole * m]), labels[: whole * m].to(frozen.w[0].device)
    farthest = rescaled(model, chosen, max(factors, key=lambda a: abs(log(a))), spread=spread, seed=seed)
    reasons = _reasons(frozen, farthest.A, measures, x[:m], y[:m])
    found: list[list[Sharpness]] = []
    changes, errors = [], []
    for i, a in enumerate(factors):
        there = rescaled(model, chosen, a, spread=spread, seed=seed)
        changes.append(max(logits_change(frozen.model, there.model, part) for part in x.split(m)))
        errors.append(there.epsilon_error)
        for event in measured(Frozen(there.model), x, y, measures, m, seed):
            if isinstance(event, Progress):
                yield Progress(i * total // len(factors) + event.done, total)
            else:
                found.append(event)
    yield Curves(
        factors=tuple(factors),
        kinds=tuple(dict.fromkeys(seam.kind for seam in chosen)),
        spread=spread,
        seams=tuple(map(str, chosen)),
        refused=where.refused,
        logits_change=tuple(changes),
        epsilon_error=tuple(errors),
        curves=tuple(
            Curve(measure, tuple(row[j].value for row in found), why.stays, why.error, why.words)
            for j, (measure, why) in enumerate(zip(measures, reasons, strict=True))
        ),
        images=whole * m,
    )


def _reasons(frozen: Frozen, A: dict[str, Tensor], measures: Sequence[Measure], x: Tensor, y: Tensor) -> list[Reason]:
    """Definition 1 for each measure under A, with the gradient of one batch."""
    diagonals = [A.get(name, torch.ones(())) for name in frozen.names]
    gradients = {
        normalized: value_and_gradient(lambda w, loss=LOSSES[normalized]: loss(frozen.logits(x, w), y), frozen.w)[1]
        for normalized in {measure.normalized for measure in measures}
    }
    found = []
    for measure in measures:
        positions = frozen.within(measure.scope)
        w, g, roles, factors = (
            [values[i] for i in positions]
            for values in (frozen.w, gradients[measure.normalized], frozen.roles, diagonals)
        )
        found.append(reason(measure.model, w, g, roles, factors))
    return found
