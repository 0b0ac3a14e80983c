"""Sharpness of the arms of a run, as a table and as bars; the color of each kind of sharpness."""

from collections.abc import Mapping, Sequence
from typing import Any

from samviz.figures import palette
from samviz.figures.parts import Chart
from samviz.spec.measure import Measure
from samviz.spec.measurement import SharpnessOf


def measure_color(measure: Measure) -> str:
    """The hue of the region's variant; a dash tells the search."""
    return palette.color(measure.variant, measure.scope)


def sharpness_rows(
    asked: SharpnessOf, result: Mapping[str, Any], labels: Mapping[str, str]
) -> list[tuple[Measure, dict[str, float | None]]]:
    """Of each measure the value of each arm by its label."""
    return [
        (measure, {labels[arm]: result["arms"][arm][k]["value"] for arm in asked.arms})
        for k, measure in enumerate(asked.measures)
    ]


def sharpness_charts(
    asked: SharpnessOf, result: Mapping[str, Any], labels: Mapping[str, str], colors: Mapping[str, str], name: str
) -> list[Chart]:
    """A chart for each measure; `name` tells this measurement from all others on the page."""
    return [
        Chart(
            name=f"{name}-{k}",
            title=measure.label,
            note=f"loss: {measure.loss_label}",
            height=260,
            figure=sharpness_figure(asked, result, labels, colors, k),
        )
        for k, measure in enumerate(asked.measures)
    ]


def sharpness_figure(
    asked: SharpnessOf, result: Mapping[str, Any], labels: Mapping[str, str], colors: Mapping[str, str], k: int
) -> dict[str, Any]:
    """Bars of the k-th measure, one an arm, with the deviation of its batches from each other."""
    names, values, spreads = [], [], []
    for arm in asked.arms:
        found = result["arms"][arm][k]
        names.append(labels[arm])
        values.append(found["value"])
        spreads.append(_deviation(found["batches"]))
    return {
        "data": [
            {
                "type": "bar",
                "x": names,
                "y": values,
                "error_y": {"type": "data", "array": spreads, "thickness": 1.2, "color": palette.NO_VALUE},
                "marker": {"color": [colors[arm] for arm in asked.arms]},
                "hovertemplate": "%{x}: %{y:.4g}<extra></extra>",
            }
        ],
        "layout": {
            "xaxis": {"type": "category"},
            "yaxis": {"title": {"text": "sharpness"}, "rangemode": "tozero"},
            "hovermode": "closest",
        },
    }


def _deviation(values: Sequence[float | None]) -> float | None:
    """Over the batches, n - 1; None where there is one, or one was not finite."""
    if len(values) < 2 or None in values:
        return None
    mean = sum(values) / len(values)
    return (sum((value - mean) ** 2 for value in values) / (len(values) - 1)) ** 0.5
