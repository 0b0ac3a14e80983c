"""The networks of a grid that were trained and measured: hyper-parameters, generalization gap and sharpness of each."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite, nan

from samviz.papers.outcomes import Measured
from samviz.runs import Header, MeasurementView
from samviz.spec.measurement import SharpnessOf
from samviz.spec.networks import network_label
from samviz.spec.sweep import Point, Sweep

GAPS = {
    "loss": "test loss minus train loss",
    "accuracy": "train accuracy minus test accuracy (points)",
}
"""Of what the gap is: ASAM's (section 2, the expected loss minus the training loss), and the Lab's."""
FEWEST_AXES = 2
"""Hyper-parameters that a grid must vary for its networks to be compared."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Network:
    """One network after its last epoch; a number that is missing or not finite is NaN."""

    point: Point
    seed: int
    arm: str
    """Key of the base's arm."""
    test_loss: float
    test_accuracy: float
    train_accuracy: float
    """The Lab's, an average over the last epoch."""
    train_loss: dict[tuple[int, int], float]
    """(train images, m) -> their loss as it was measured: at these weights, without dropout, augmentation and label
    smoothing, as the test loss is."""
    sharpness: dict[Measured, float]
    """Of each kind that was measured."""

    def gap(self, of: str, kind: Measured) -> float:
        """That of a key of `GAPS`; the loss's is on the train images that `kind` is measured on."""
        if of == "accuracy":
            return self.train_accuracy - self.test_accuracy
        return self.test_loss - self.train_loss.get((kind.images, kind.m), nan)

    def known(self, kinds: Sequence[Measured]) -> bool:
        """Whether it has all these kinds of sharpness and every gap."""
        sharpness = [self.sharpness.get(kind, nan) for kind in kinds]
        return all(map(isfinite, [*sharpness, *(self.gap(of, kind) for of in GAPS for kind in kinds)]))


@dataclass(frozen=True, kw_only=True, slots=True)
class MeasuredGrid:
    """A grid of networks, as far as they were measured."""

    id: str
    """Of the sweep."""
    sweep: Sweep
    header: Header
    """Of one of its comparisons."""
    networks: tuple[Network, ...]

    @property
    def apart(self) -> str:
        """What sets it apart from the grid of ASAM Table 1 and Fig. 2."""
        recipe = self.sweep.base.recipe
        return (
            f"{network_label(recipe.network)} on {recipe.images} images of {self.header.data_label}: the paper's "
            "networks, data and grid are not in the text at hand"
        )


def varied(sweep: Sweep) -> tuple[str, ...]:
    """The hyper-parameters of a grid that have several values; none of a search, whose points have no grid."""
    return tuple(axis for axis in sweep.axes if len(getattr(sweep, axis)) > 1) if sweep.search == "grid" else ()


def comparable(sweep: Sweep) -> bool:
    """Whether its networks differ in enough hyper-parameters."""
    return len(varied(sweep)) >= FEWEST_AXES


def kinds_of(asked: SharpnessOf) -> tuple[Measured, ...]:
    """The kinds of sharpness that are asked for."""
    return tuple(Measured(measure, asked.images, asked.m) for measure in asked.measures)


def networks_of(
    sweep: Sweep,
    members: Iterable[tuple[Point, str]],
    rows: Iterable[tuple[str, int, str, str, int, float]],
    measured: Mapping[str, Sequence[MeasurementView]],
) -> tuple[Network, ...]:
    """Every network of a sweep whose sharpness was measured after its last epoch.

    `members` are (point, its comparison's id); `rows` what training told: (comparison's id, seed, key of the arm as it
    is trained, name, epoch, value), of test_loss, test_accuracy and train_accuracy; `measured` is what was asked about
    the comparisons, each one's newest first (`Store.measurements_of`).
    """
    told = {tuple(row[:5]): row[5] for row in rows}
    found = []
    for point, id in members:
        for key, arm in sweep.arms(point).items():
            last = arm.epochs(sweep.base.recipe.epochs)
            for seed in sweep.base.seeds:
                mine = [view for view in measured.get(id, ()) if view.seed == seed]
                sharpness, train_loss = _answers(mine, arm.key, last)
                if sharpness:
                    names = ("test_loss", "test_accuracy", "train_accuracy")
                    ends = {name: _number(told.get((id, seed, arm.key, name, last))) for name in names}
                    more = {"sharpness": sharpness, "train_loss": train_loss}
                    found.append(Network(point=point, seed=seed, arm=key, **ends, **more))
    return tuple(found)


def _answers(
    views: Iterable[MeasurementView], arm: str, last: int
) -> tuple[dict[Measured, float], dict[tuple[int, int], float]]:
    """The sharpness and the train losses of an arm after its last epoch.

    A measure of normalized logits (SAM-ON appendix D) tells their loss, which is not that of the gap.
    """
    sharpness: dict[Measured, float] = {}
    train_loss: dict[tuple[int, int], float] = {}
    for view in views:
        asked = view.measurement
        if view.state != "finished" or not isinstance(asked, SharpnessOf):
            continue
        if arm not in asked.arms or view.result["epoch"] < last:
            continue
        for kind, one in zip(kinds_of(asked), view.result["arms"][arm], strict=True):
            sharpness.setdefault(kind, _number(one["value"]))
            if not kind.measure.normalized:
                train_loss.setdefault((kind.images, kind.m), _number(one["loss"]))
    return sharpness, train_loss


def _number(value: float | None) -> float:
    return nan if value is None else value
