"""What can be drawn of an arm over its training: the quantities, and what they are drawn over."""

from dataclasses import dataclass
from functools import lru_cache
from math import ceil, log10

import numpy as np

from samviz.figures.tally import Tally
from samviz.spec import Comparison


@dataclass(frozen=True, kw_only=True, slots=True)
class Measure:
    """One number an arm has after every epoch."""

    title: str
    group: str
    """What it stands under in a menu."""
    decimals: int
    """Digits that are shown and sent."""
    note: str = ""


_LABELS = "on the train labels as given, noise included; averages over the epoch, at the weights that met each batch"

MEASURES = {
    "test_accuracy": Measure(title="Test accuracy (%)", group="Accuracy", decimals=2),
    "train_accuracy": Measure(title="Train accuracy (%)", group="Accuracy", decimals=2, note=_LABELS),
    "validation_accuracy": Measure(
        title="Validation accuracy (%)", group="Accuracy", decimals=2, note="on train images that are held out"
    ),
    "gap": Measure(
        title="Generalization gap (points)", group="Accuracy", decimals=2, note="train accuracy minus test accuracy"
    ),
    "test_loss": Measure(title="Test loss", group="Loss", decimals=4),
    "train_loss": Measure(title="Train loss", group="Loss", decimals=4, note=_LABELS),
    "validation_loss": Measure(
        title="Validation loss", group="Loss", decimals=4, note="on train images that are held out"
    ),
    "adversarial_loss": Measure(
        title="Adversarial loss", group="Loss", decimals=4, note="the train loss at w + ε, average over the epoch"
    ),
    "sharpness": Measure(
        title="Sharpness of the batches",
        group="Loss",
        decimals=4,
        note="adversarial loss minus train loss",
    ),
    "gradient_norm": Measure(
        title="Gradient norm ‖∇L‖", group="Steps", decimals=4, note="of the one that the update takes: SAM's at w + ε"
    ),
    "eps_norm": Measure(title="Perturbation norm ‖ε‖", group="Steps", decimals=4, note="average over the epoch"),
    "lr": Measure(title="Learning rate", group="Steps", decimals=6, note="of the last update that was told"),
    "gamma_mean": Measure(title="Mean γ", group="Norm layers", decimals=4, note="over all norm layers"),
    "gamma_std": Measure(title="Deviation of γ", group="Norm layers", decimals=4, note="over all norm layers"),
    "beta_mean": Measure(title="Mean β", group="Norm layers", decimals=4, note="over all norm layers"),
    "beta_std": Measure(title="Deviation of β", group="Norm layers", decimals=4, note="over all norm layers"),
    "weight_norm/conv": Measure(title="‖w‖ of convolutions", group="Weights", decimals=3, note="as one vector"),
    "weight_norm/linear": Measure(title="‖w‖ of linear layers", group="Weights", decimals=3, note="as one vector"),
    "weight_norm/norm": Measure(title="‖w‖ of norm layers", group="Weights", decimals=3, note="as one vector"),
    "weight_norm/other": Measure(
        title="‖w‖ of other weights", group="Weights", decimals=3, note="of tokens, positions and the like"
    ),
    "seconds": Measure(title="Seconds an epoch", group="Cost", decimals=2, note="training alone, without evaluation"),
    "gradient_evaluations": Measure(
        title="Gradient evaluations", group="Cost", decimals=0, note="of a batch, since the start"
    ),
}


def offered(tally: Tally) -> list[str]:
    """The measures that there is a number of, in the order of `MEASURES`."""
    return [name for name in MEASURES if tally.has(name)]


AXES = {"epoch": "Epochs", "evaluations": "Gradient evaluations", "time": "Training time"}
"""What curves are drawn over, and its name in a menu."""

_TOLD = {"evaluations": "gradient_evaluations", "time": "seconds"}
"""The measure that an axis needs."""

_UNITS = (("s", 1, 600), ("min", 60, 3 * 3600), ("h", 3600, np.inf))
"""Units of time: name, seconds, and how many seconds an axis in this unit is long at most."""

_ENDS = (1, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6, 1.8, 2, 2.2, 2.5, 2.8, 3, 3.5, 4, 4.5, 5, 5.5, 6, 7, 8, 9, 10)
"""Digits that an axis of estimated length ends at."""


_STEPS = 500
"""An axis of time is told in so many steps at least: about as many as it has pixels."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Axis:
    """Where the epochs lie on a horizontal axis."""

    title: str
    decimals: int
    end: float
    """Where the axis ends: it stands still while the training goes on."""
    seeds: np.ndarray
    """(arms, seeds, epochs + 1): NaN where a seed has not come yet."""
    mean: np.ndarray
    """(arms, epochs + 1): of the seeds that have come so far."""

    def rounded(self, x: np.ndarray) -> np.ndarray:
        """Places on the axis, none of them NaN, in the digits that are sent: whole numbers take a third of the time."""
        x = np.round(x, self.decimals)
        return x if self.decimals else x.astype(np.int64)


def axes(tally: Tally) -> list[str]:
    """The axes that there are numbers for."""
    return [name for name in AXES if name not in _TOLD or tally.has(_TOLD[name])]


def axis_data(tally: Tally, name: str) -> Axis:
    """One axis; KeyError for a name that is not in `AXES`."""
    comparison = tally.comparison
    shape = (len(comparison.arms), len(comparison.seeds), comparison.epochs + 1)
    lengths = np.array([arm.epochs(comparison.recipe.epochs) for arm in comparison.arms])
    if name == "epoch":
        seeds = np.broadcast_to(np.arange(shape[2], dtype=float), shape)
        return Axis(title="epoch", decimals=0, end=comparison.epochs, seeds=seeds, mean=seeds[:, 0])
    told = tally.measure(_TOLD[name]).copy()
    told[:, :, 0] = 0
    if name == "evaluations":
        end = max(_evaluations(comparison), np.nanmax(told))  # a mask takes a few more
        return Axis(title="gradient evaluations", decimals=0, end=float(end), seeds=told, mean=_mean(told))
    # The mean of the sums would run backwards where a slow seed ends before a fast one.
    each = _mean(told)
    seeds, mean = np.cumsum(told, axis=2), np.cumsum(each, axis=1)
    counted = np.maximum(np.isfinite(each).sum(axis=1) - 1, 1)
    end = float((np.nansum(each, axis=1) / counted * lengths).max())
    unit, scale, _ = next(entry for entry in _UNITS if end <= entry[2])
    return Axis(
        title=f"training time ({unit})",
        decimals=max(0, ceil(log10(_STEPS * scale / end))) if end else 0,
        end=round_up(end / scale),
        seeds=seeds / scale,
        mean=mean / scale,
    )


@lru_cache
def _evaluations(comparison: Comparison) -> int:
    """The gradients of a batch that the updates of the arm with the most of them take."""
    lengths = ((arm, arm.epochs(comparison.recipe.epochs)) for arm in comparison.arms)
    return comparison.recipe.steps_per_epoch * max(
        sum(1 + arm.ascends(epoch) for epoch in range(1, last + 1)) for arm, last in lengths
    )


def _mean(values: np.ndarray) -> np.ndarray:
    """Mean over the seeds that have come: (arms, epochs + 1), NaN where none has."""
    finite = np.isfinite(values)
    count = finite.sum(axis=1)
    return np.where(count > 0, np.where(finite, values, 0).sum(axis=1) / np.maximum(count, 1), np.nan)


def round_up(value: float) -> float:
    """A round number that is at least `value`: an axis that is only estimated moves seldom."""
    if value <= 0:
        return 1.0
    power = 10.0 ** np.floor(np.log10(value))
    return float(next(step * power for step in _ENDS if value <= step * power * (1 + 1e-9)))
