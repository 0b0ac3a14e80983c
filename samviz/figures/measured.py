"""What was measured of the runs of a comparison, as text: a table for each kind, the numbers on which it rests."""

from collections.abc import Mapping
from typing import Any

from samviz.spec.measurement import Measurement, RescalingOf, SharpnessOf, SliceOf


def measured_table(
    asked: Measurement, results: Mapping[int, Mapping[str, Any]], labels: Mapping[str, str]
) -> list[tuple[str, ...]]:
    """The table as text, its head first; `results` are seed -> what that came to, `labels` key of an arm -> its name.

    L(w) is the loss that the sharpness adds to. Of a rescaling only the ends and the middle are told, of a slice the
    lowest and the highest loss: the rest is for figures.
    """
    match asked:
        case SharpnessOf():
            head = ("seed", "arm", "measure", "loss", "L(w)", "sharpness")
            rows = [row for seed, result in results.items() for row in _sharpness(asked, seed, result, labels)]
        case RescalingOf():
            ends = (asked.factors[0], asked.factors[_middle(asked)], asked.factors[-1])
            head = ("seed", "arm", "measure", "loss", *(f"a = {a:g}" for a in ends), "")
            rows = [row for seed, result in results.items() for row in _rescaling(asked, seed, result, labels)]
        case SliceOf():
            head = ("seed", "arm", "along", "lowest loss", "highest loss")
            rows = [_slice(asked, seed, result, labels) for seed, result in results.items()]
    return [head, *rows]


def measured_where(results: Mapping[int, Mapping[str, Any]]) -> list[str]:
    """What the numbers were measured on: a sentence for all seeds, or one for each kind of answer."""
    told = [
        f"{result['images']} train images, {result['data_label']}; after epoch {result['epoch']}."
        for result in results.values()
    ]
    return list(dict.fromkeys(told))


def _sharpness(
    asked: SharpnessOf, seed: int, result: Mapping[str, Any], labels: Mapping[str, str]
) -> list[tuple[str, ...]]:
    return [
        (str(seed), labels[arm], measure.label, measure.loss_label, _number(one["loss"]), _number(one["value"]))
        for arm in asked.arms
        for measure, one in zip(asked.measures, result["arms"][arm], strict=True)
    ]


def _rescaling(
    asked: RescalingOf, seed: int, result: Mapping[str, Any], labels: Mapping[str, str]
) -> list[tuple[str, ...]]:
    rows = []
    for measure, curve in zip(asked.measures, result["curves"], strict=True):
        told = [_number(curve["values"][k]) for k in (0, _middle(asked), -1)]
        stays = "stays" if curve["stays"] else "moves"
        rows.append((str(seed), labels[asked.arm], measure.label, measure.loss_label, *told, stays))
    return rows


def _middle(asked: RescalingOf) -> int:
    """Which factor is closest to 1, where nothing is rescaled."""
    return min(range(len(asked.factors)), key=lambda k: abs(asked.factors[k] - 1))


def _slice(asked: SliceOf, seed: int, result: Mapping[str, Any], labels: Mapping[str, str]) -> tuple[str, ...]:
    known = [loss for row in result["loss"] for loss in row if loss is not None]
    ends = (min(known, default=None), max(known, default=None))
    return (str(seed), labels[asked.arm], ", ".join(asked.directions), *map(_number, ends))


def _number(value: float | None) -> str:
    """A loss; one that was not finite has none."""
    return "-" if value is None else f"{value:.4g}"
