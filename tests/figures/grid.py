"""A grid of networks that were trained and measured, with known numbers and without a store."""

from dataclasses import replace
from typing import Any

from samviz.figures.gap import MEASURES
from samviz.figures.networks import Network, networks_of
from samviz.runs import MeasurementView
from samviz.spec import PRESETS, Arm, Comparison
from samviz.spec.measure import Measure
from samviz.spec.measurement import SharpnessOf
from samviz.spec.sweep import Point, Sweep

EPOCHS = 5
BASE = Comparison(name="Grid", recipe=replace(PRESETS["quick"].comparison.recipe, epochs=EPOCHS), arms=(Arm(),))
GRID = Sweep(name="Grid", base=BASE, lr=(0.1, 0.2, 0.4), batch_size=(32, 64), dropout=(0.25,))
IMAGES, M = 512, 64


def loss(point: Point) -> float:
    """Of the train images: the smaller, the larger lr is, and a little smaller with large batches."""
    return 2 - point.lr - point.batch_size / 1000


def sharpness(point: Point) -> tuple[float, float, float, float]:
    """In the order of the gap, against it, by lr alone, and against it within a learning rate only."""
    return 2 - loss(point), loss(point), point.lr, point.lr - point.batch_size / 1000


def members(sweep: Sweep) -> list[tuple[Point, str]]:
    return [(point, str(k)) for k, point in enumerate(sweep.points(), start=1)]


def told(sweep: Sweep) -> list[tuple]:
    """Test loss 3, train accuracy 90 and test accuracy 50 of all at the end, and other numbers before."""
    ends = {"test_loss": 3.0, "train_accuracy": 90.0, "test_accuracy": 50.0}
    return [
        (id, seed, arm.key, name, epoch, value if epoch == EPOCHS else -1.0)
        for point, id in members(sweep)
        for arm in sweep.arms(point).values()
        for seed in sweep.base.seeds
        for epoch in (EPOCHS - 1, EPOCHS)
        for name, value in ends.items()
    ]


def asked(arms: tuple[str, ...] = ("sgd",), measures: tuple[Measure, ...] = MEASURES) -> SharpnessOf:
    return SharpnessOf(arms=arms, measures=measures, images=IMAGES, m=M)


def view(
    question: SharpnessOf, seed: int, values: tuple[float | None, ...], loss: float, **change: Any
) -> MeasurementView:
    """An answer that is the same for all arms."""
    told = [{"value": value, "loss": loss} for value in values]
    fields = {
        "id": "1",
        "comparison": "1",
        "seed": seed,
        "measurement": question,
        "created": 0.0,
        "job": 1,
        "state": "finished",
        "reason": "",
        "progress": 1.0,
        "result": {"epoch": EPOCHS, "arms": dict.fromkeys(question.arms, told)},
    }
    return MeasurementView(**fields | change)


def measured(sweep: Sweep) -> dict[str, list[MeasurementView]]:
    """Of each comparison, as `Store.measurements_of` has it."""
    return {
        id: [
            view(asked(tuple(arm.key for arm in sweep.arms(point).values())), seed, sharpness(point), loss(point))
            for seed in sweep.base.seeds
        ]
        for point, id in members(sweep)
    }


def networks(sweep: Sweep = GRID) -> tuple[Network, ...]:
    return networks_of(sweep, members(sweep), told(sweep), measured(sweep))
