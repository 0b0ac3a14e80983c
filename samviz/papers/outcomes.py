"""What one's own comparisons have come to, as far as the papers' cells, claims and figures ask for it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from math import inf, isfinite
from typing import Any

from samviz.runs.views import Header, MeasurementView
from samviz.spec import Arm, Comparison, Sweep
from samviz.spec.measure import Measure
from samviz.spec.measurement import SharpnessOf

SHARPNESS = "sharpness"
"""The measure of a claim about sharpness, of which there are many kinds."""
MEASURES = {
    "test_accuracy": "points",
    "best_accuracy": "points",
    "gamma_mean": "",
    "seconds": "s an epoch",
    SHARPNESS: "",
}
"""What is kept of a comparison, and the unit of a difference."""
_READ = ("test_accuracy", "gamma_mean", "seconds")


@dataclass(frozen=True, slots=True)
class Measured:
    """A kind of sharpness, and what it was measured on."""

    measure: Measure
    images: int
    """Train images."""
    m: int
    """Images that climb together."""

    @property
    def published(self) -> bool:
        """Whether it is what SAM-ON reports (appendix D), of whatever radius, steps and images."""
        model, own = self.measure.model, self.measure
        return (model.key, model.p, model.eta, own.scope, own.normalized) == ("elementwise_linf", inf, 0, "all", True)

    @property
    def label(self) -> str:
        return self.measure.label


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """A comparison and where its seeds ended."""

    header: Header
    values: dict[tuple[str, str], dict[int, float]]
    """(measure, `Arm.key`) -> seed -> value, of the seeds that have finished the arm's epochs: test_accuracy and
    gamma_mean after the last one, best_accuracy the highest test accuracy of any, seconds the mean over all."""
    sharpness: dict[Measured, dict[str, dict[int, float]]] = field(default_factory=dict)
    """What was measured after the last epoch -> `Arm.key` -> seed -> value."""
    kind: str = "comparison"
    """comparison, or sweep: its arms at their chosen points."""

    def of(self, measure: str, arm: Arm) -> dict[int, float]:
        """Seed -> value; empty where there is none."""
        return self.values.get((measure, arm.key), {})


def outcome(header: Header, rows: Iterable[tuple]) -> Outcome:
    """From a comparison's rows (seed, arm, epoch, step, name, value); those of other names do not count."""
    last = {arm.key: arm.epochs(header.comparison.recipe.epochs) for arm in header.comparison.arms}
    found: dict[tuple[str, str, int], dict[int, float]] = {}
    for seed, arm, epoch, _, name, value in rows:
        if name in _READ and arm in last and value is not None and isfinite(value):
            found.setdefault((name, arm, seed), {})[epoch] = value
    values: dict[tuple[str, str], dict[int, float]] = {}
    for (name, arm, seed), epochs in found.items():
        if last[arm] not in found.get(("test_accuracy", arm, seed), {}):
            continue
        if name == "seconds":
            values.setdefault((name, arm), {})[seed] = sum(epochs.values()) / len(epochs)
        elif last[arm] in epochs:
            values.setdefault((name, arm), {})[seed] = epochs[last[arm]]
        if name == "test_accuracy":
            values.setdefault(("best_accuracy", arm), {})[seed] = max(epochs.values())
    return Outcome(header=header, values=values)


def with_sharpness(one: Outcome, views: Iterable[MeasurementView]) -> Outcome:
    """The outcome with every sharpness that was measured of weights after the arm's last epoch."""
    last = {arm.key: arm.epochs(one.header.comparison.recipe.epochs) for arm in one.header.comparison.arms}
    found: dict[Measured, dict[str, dict[int, float]]] = {}
    for view in views:
        asked = view.measurement
        if view.state != "finished" or not isinstance(asked, SharpnessOf):
            continue
        for k, measure in enumerate(asked.measures):
            for arm in asked.arms:
                told = view.result["arms"][arm][k]
                if told["value"] is None or view.result["epoch"] < last[arm]:
                    continue
                kind = Measured(measure, asked.images, asked.m)
                found.setdefault(kind, {}).setdefault(arm, {})[view.seed] = told["value"]
    return replace(one, sharpness=found)


@dataclass(frozen=True, kw_only=True, slots=True)
class Hours:
    """How long a recipe would take here, training alone."""

    hours: float
    """All seeds, and all points of a sweep, one after the other."""
    source: str
    """What it is known from."""


def hours(work: Comparison | Sweep, outcomes: Sequence[Outcome]) -> Hours | None:
    """From the newest of one's own comparisons that trained the same network in all the ways that the work needs.

    A step costs the same whatever the images are, so the time of an epoch is scaled by its number of images. None where
    no comparison has them all.
    """
    base = work.base if isinstance(work, Sweep) else work
    for one in sorted(outcomes, key=lambda one: one.header.created, reverse=True):
        recipe = one.header.comparison.recipe
        if recipe.network != base.recipe.network:
            continue
        paces: dict[tuple, float] = {}
        for arm in one.header.comparison.arms:
            if (seconds := one.of("seconds", arm)) and not arm.window:
                paces[_way(arm, True)] = sum(seconds.values()) / len(seconds) / recipe.images
        if (total := _seconds(work, base, paces)) is not None:
            devices = sorted({run.machine["device"] for run in one.header.runs if "device" in run.machine})
            return Hours(hours=total / 3600, source=f"{one.header.comparison.name}, on {' and '.join(devices)}")
    return None


def _seconds(work: Comparison | Sweep, base: Comparison, paces: dict[tuple, float]) -> float | None:
    """All arms and epochs of all seeds; None where a way of training is not among the paces."""
    total = 0.0
    for arm, times in arms_of(work):
        for epoch in range(1, arm.epochs(base.recipe.epochs) + 1):
            pace = paces.get(_way(arm, arm.ascends(epoch)))
            if pace is None:
                return None
            total += times * pace * base.recipe.images
    return total * len(base.seeds)


def arms_of(work: Comparison | Sweep) -> list[tuple[Arm, int]]:
    """The arms of a comparison, or of a sweep's base, and how often each is trained for one seed."""
    if isinstance(work, Comparison):
        return [(arm, 1) for arm in work.arms]
    points = work.points()
    return [(arm, sum(arm.key in point.arms for point in points)) for arm in work.base.arms]


def _way(arm: Arm, ascends: bool) -> tuple:
    """What the cost of a step depends on, for one network."""
    return (arm.variant, arm.scope, arm.mask, arm.trained) if ascends and arm.variant else (None, arm.trained)


def hours_timed(work: Comparison | Sweep, result: dict[str, Any]) -> Hours:
    """From a calibration of the comparison, or of the sweep's base: the result of the store's job."""
    if isinstance(work, Comparison):
        return Hours(hours=result["seconds"] / 3600, source=f"timed on {result['device']}")
    seconds = sum(times * result["arms"][arm.key] for arm, times in arms_of(work))
    source = f"timed on {result['device']}"
    if work.batch_size:
        source += f" in batches of {work.base.recipe.batch_size}"
    return Hours(hours=seconds * len(work.base.seeds) / 3600, source=source)
