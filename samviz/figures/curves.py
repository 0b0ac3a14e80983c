"""Accuracy, loss and mean gamma over the epochs: the mean of the seeds of each arm, and their range."""

import re
from dataclasses import dataclass
from typing import Any

import numpy as np

from samviz.figures import palette
from samviz.figures.tally import Tally, shown_epochs

MOST_POINTS = 250
"""Points of a line: more cannot be told apart on a screen, and every refresh of the live page sends them."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Measure:
    """One number an arm has after every epoch."""

    title: str
    decimals: int
    """Digits that are shown and sent."""
    note: str = ""


MEASURES = {
    "test_accuracy": Measure(title="Test accuracy (%)", decimals=2),
    "train_accuracy": Measure(
        title="Train accuracy (%)", decimals=2, note="on the train labels as given, noise included"
    ),
    "gamma_mean": Measure(title="Mean γ of the norm layers", decimals=4),
    "test_loss": Measure(title="Test loss", decimals=4),
    "train_loss": Measure(title="Train loss", decimals=4, note="on the train labels as given, noise included"),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Curve:
    """One arm. Arrays are (points,): as long as the furthest seed has come."""

    key: str
    label: str
    color: str
    dash: str
    epochs: np.ndarray
    mean: np.ndarray
    """Mean over the seeds that have reached the epoch."""
    low: np.ndarray
    """The smallest of those seeds; NaN where fewer than two have reached the epoch."""
    high: np.ndarray
    seeds: np.ndarray
    """How many seeds have reached the epoch."""


def curves_data(tally: Tally, measure: str) -> list[Curve]:
    """One curve for each arm that has a value; KeyError for a measure that is not in `MEASURES`."""
    decimals = MEASURES[measure].decimals
    comparison, values = tally.comparison, tally.measure(measure)
    finite = np.isfinite(values)  # (arms, seeds, epochs + 1)
    count = finite.sum(axis=1)
    mean = np.where(finite, values, 0).sum(axis=1) / np.maximum(count, 1)
    low = np.where(count >= 2, np.where(finite, values, np.inf).min(axis=1), np.nan)
    high = np.where(count >= 2, np.where(finite, values, -np.inf).max(axis=1), np.nan)
    mean, low, high = (np.round(array, decimals) for array in (mean, low, high))
    labels = comparison.labels
    curves = []
    for k, arm in enumerate(comparison.arms):
        reached = np.flatnonzero(count[k])
        if reached.size == 0:
            continue
        epochs = shown_epochs(int(reached[-1]), MOST_POINTS)
        epochs = epochs[count[k, epochs] > 0]
        curves.append(
            Curve(
                key=arm.key,
                label=labels[arm.key],
                color=palette.color(arm.variant, arm.scope),
                dash=palette.dash(arm.variant, arm.scope),
                epochs=epochs,
                mean=mean[k, epochs],
                low=low[k, epochs],
                high=high[k, epochs],
                seeds=count[k, epochs],
            )
        )
    return curves


def uid(key: str) -> str:
    """What plotly tells a trace by from one drawing to the next; it becomes part of a CSS class."""
    return re.sub(r"[^a-z0-9_]", "-", key)


def curves_figure(curves: list[Curve], measure: str, epochs: int) -> dict[str, Any]:
    """A plotly figure as a plain dictionary {data, layout}; `epochs` is the length of the axis.

    Plain, because `go.Figure` takes longer to build than the live page has for a whole refresh;
    `go.Figure(curves_figure(...))` is the same figure as an object.
    """
    about = MEASURES[measure]
    traces = []
    for curve in curves:
        banded = np.isfinite(curve.low)
        if banded.any():
            x, low, high = curve.epochs[banded], curve.low[banded], curve.high[banded]
            traces.append(
                {
                    "type": "scatter",
                    "mode": "lines",
                    "uid": f"{uid(curve.key)}-range",
                    "legendgroup": curve.key,
                    "x": [*x.tolist(), *x[::-1].tolist()],
                    "y": [*high.tolist(), *low[::-1].tolist()],
                    "fill": "toself",
                    "fillcolor": palette.faint(curve.color),
                    "line": {"width": 0},
                    "hoverinfo": "skip",
                    "showlegend": False,
                }
            )
    for curve in curves:
        traces.append(
            {
                "type": "scatter",
                # A single point is no line: without a marker the first epoch of a run would show nothing.
                "mode": "lines" if len(curve.epochs) > 1 else "markers",
                "uid": uid(curve.key),
                "legendgroup": curve.key,
                "name": curve.label,
                "x": curve.epochs.tolist(),
                "y": curve.mean.tolist(),
                "line": {"color": curve.color, "dash": curve.dash, "width": 2},
                "marker": {"color": curve.color, "size": 6},
                "hovertemplate": f"%{{y:.{about.decimals}f}}",
            }
        )
    layout: dict[str, Any] = {
        "title": {"text": about.title},
        "xaxis": {"title": {"text": "epoch"}, "range": [0, epochs], "rangemode": "nonnegative"},
        "yaxis": {"automargin": True},
        "hovermode": "x unified",
    }
    if not curves:
        layout["yaxis"]["showticklabels"] = False
        layout["annotations"] = [
            {
                "text": "nothing measured yet",
                "x": 0.5,
                "y": 0.5,
                "xref": "paper",
                "yref": "paper",
                "showarrow": False,
                "opacity": 0.6,
            }
        ]
    return {"data": traces, "layout": layout}
