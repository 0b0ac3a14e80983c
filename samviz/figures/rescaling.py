"""Every sharpness of a network along a rescaling that leaves its function as it is, ready to be drawn and told."""

from collections.abc import Mapping
from math import inf
from typing import Any

from samviz.figures import palette
from samviz.figures.sharpness import measure_color
from samviz.spec.measurement import SEAMS, SPREADS, RescalingOf

NEAR = 0.01
"""A curve that stays within this share of its value at a = 1 is called unmoved."""


def rescaling_page(asked: RescalingOf, result: Mapping[str, Any], arm: str) -> dict[str, Any]:
    """What assets/rescaling.js draws and says: `result` is what the measurement came to, `arm` the arm's label."""
    factors = result["factors"]
    middle = min(range(len(factors)), key=lambda k: abs(factors[k] - 1))
    lines = [
        _line(measure, curve, middle) for measure, curve in zip(asked.measures, result["curves"], strict=True)
    ]  # fmt: skip
    lines = [{**line, "color": color} for line, color in zip(lines, _colors(asked), strict=True)]
    return {
        "factors": factors,
        "middle": middle,
        "lines": lines,
        "logits": {"values": result["logits_change"], "color": palette.SGD},
        "summary": _summary(result, lines, arm),
        "where": [f"{label}." for key, label in SEAMS.items() if key in result["kinds"]],
        "spread": SPREADS[result["spread"]],
        "seams": result["seams"],
        "refused": result["refused"],
    }


def _line(measure: Any, curve: Mapping[str, Any], middle: int) -> dict[str, Any]:
    values = curve["values"]
    base = values[middle]
    known = base is not None and base > 0
    # A one-step sharpness may be negative, which a logarithmic axis cannot show: it has a gap there.
    ratios = [value / base if known and value is not None and value > 0 else None for value in values]
    return {
        "label": measure.label,
        "loss": measure.loss_label,
        "dashed": measure.search == "one_step",
        "values": values,
        "ratios": ratios,
        "stays": curve["stays"],
        "error": curve["definition_error"],
        "reason": curve["reason"],
        "spread": _spread(ratios),
    }


def _spread(ratios: list[float | None]) -> float | None:
    """The largest over the smallest; None where a value is missing."""
    known = [ratio for ratio in ratios if ratio is not None]
    return max(known) / min(known) if len(known) == len(ratios) else None


def _colors(asked: RescalingOf) -> list[str]:
    return [measure_color(measure) for measure in asked.measures]


def _summary(result: Mapping[str, Any], lines: list[dict[str, Any]], arm: str) -> list[str]:
    low, high = result["factors"][0], result["factors"][-1]
    changes = [change for change in result["logits_change"] if change is not None]
    stays = (
        f"changes no logit by more than {max(changes):.1e} of the largest one: the function stays"
        if len(changes) == len(result["logits_change"])
        else "leaves logits that are all 0, or too large to be told: nothing can be said of their change"
    )
    found = [f"{arm}: a from {low:g} to {high:g} {stays}, measured on {result['images']} train images."]
    moved = [line for line in lines if (line["spread"] or inf) > 1 + NEAR]
    still = [line for line in lines if line not in moved]
    known = [line for line in moved if line["spread"] is not None]
    if known:
        most = max(known, key=lambda line: line["spread"])
        found.append(f"Moves most: {most['label']}, its largest value is {most['spread']:.3g} times its smallest.")
    if still:
        worst = max(line["spread"] - 1 for line in still)
        names = "; ".join(line["label"] for line in still)
        found.append(f"Within {worst:.1e} of where they were: {names}.")
    return found
