"""Gamma or beta of the norm layers: all arms over common bins in one chart, at any epoch (SAM-ON Fig. 4)."""

from collections.abc import Collection
from dataclasses import dataclass
from math import isfinite
from typing import Any

import numpy as np

from samviz.figures import palette
from samviz.figures.tally import Tally, shown_epochs
from samviz.spec import Comparison

HISTOGRAMS = {"gamma": "γ", "beta": "β"}
"""The kinds of parameters that have histograms, and their symbols."""

MOST_EPOCHS = 60
"""Epochs that the slider of the live page can show: every refresh sends all of them."""

MOST_TEXTS = 6
"""Arms whose areas are filled and whose means are written into the chart: more would cover each other."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Histograms:
    """Histograms of all arms at all (shown) epochs."""

    symbol: str
    low: float
    high: float
    """The ends of the bins, in units of the parameter."""
    epochs: np.ndarray
    """(epochs,)"""
    ends: np.ndarray
    """(arms,): the last epoch of each arm; at later ones it is shown as it ended."""
    counts: np.ndarray
    """(epochs, arms, bins): parameters a bin, summed over the seeds that have reached the epoch."""
    seeds: np.ndarray
    """(epochs, arms): how many seeds that is."""
    mean: np.ndarray
    """(epochs, arms): mean over all parameters counted, from the bins' centers; NaN where there are none."""

    @property
    def centers(self) -> np.ndarray:
        """(bins,): the middle of each bin."""
        bins = self.counts.shape[2]
        return self.low + (np.arange(bins) + 0.5) * (self.high - self.low) / bins

    @property
    def tops(self) -> np.ndarray:
        """(epochs,): the height of the chart at each epoch, with room above the bars for what is written there."""
        room = 1.45 if self.counts.shape[1] <= MOST_TEXTS else 1.1
        return np.round(np.maximum(self.counts.max(axis=(1, 2)), 1) * room, 2)


def histograms_data(tally: Tally, name: str = "gamma") -> Histograms | None:
    """The histograms of one kind of parameter; None where there is none yet."""
    if name not in tally.bins:
        return None
    low, high = tally.bins[name]
    comparison = tally.comparison
    reached = np.flatnonzero(tally.pooled[name].any(axis=1))
    epochs = shown_epochs(int(reached[-1]), MOST_EPOCHS)
    ends = np.array([arm.epochs(comparison.recipe.epochs) for arm in comparison.arms])
    place = np.minimum(epochs[:, None], ends), np.arange(len(ends))
    counts = tally.counts[name][place]
    bins = counts.shape[2]
    centers = low + (np.arange(bins) + 0.5) * (high - low) / bins
    total = counts.sum(axis=2)
    return Histograms(
        symbol=HISTOGRAMS[name],
        low=low,
        high=high,
        epochs=epochs,
        ends=ends,
        counts=counts,
        seeds=tally.pooled[name][place],
        mean=np.where(total > 0, counts @ centers / np.maximum(total, 1), np.nan),
    )


def histograms_figure(data: Histograms, comparison: Comparison, epoch: int | None = None) -> dict[str, Any]:
    """A plotly figure as a plain dictionary {data, layout}: an outline an arm; epoch None is the latest.

    Trace k belongs to arm k. The x axis spans the bins that are in use at any epoch, so that it stands still while
    the epochs are scrubbed.
    """
    at = len(data.epochs) - 1 if epoch is None else int(np.searchsorted(data.epochs, epoch))
    arms, labels, looks = comparison.arms, comparison.labels, palette.looks(comparison.arms)
    alpha = 0.12 if len(arms) <= MOST_TEXTS else 0.0
    used = np.flatnonzero(data.counts.sum(axis=(0, 1)))
    width = (data.high - data.low) / data.counts.shape[2]
    start = data.low + width * max(int(used[0]) - 1, 0) if used.size else data.low
    stop = data.low + width * min(int(used[-1]) + 2, data.counts.shape[2]) if used.size else data.high
    centers = np.round(data.centers, 6).tolist()
    traces = [
        {
            "type": "scatter",
            "mode": "lines",
            "uid": f"arm{k}",
            "meta": arm.key,
            "showlegend": False,
            "name": labels[arm.key],
            "x": centers,
            "y": data.counts[at, k].tolist(),
            "line": {"shape": "hvh", "color": looks[arm.key].color, "dash": looks[arm.key].dash, "width": 1.5},
            "fill": "tozeroy",
            "fillcolor": palette.faint(looks[arm.key].color, alpha),
            "hovertemplate": f"{data.symbol} ≈ %{{x:.3f}}: %{{y}} parameters",
        }
        for k, arm in enumerate(arms)
    ]
    layout = {
        "title": {"text": f"{data.symbol} of the norm layers {when_text(data, at)}"},
        "xaxis": {"title": {"text": data.symbol}, "range": [round(start, 6), round(stop, 6)]},
        "yaxis": {
            "range": [0, float(data.tops[at])],
            "title": {"text": "parameters"},
            "showticklabels": False,
            "showgrid": False,
            "fixedrange": True,
        },
        "hovermode": "closest",
        "annotations": [
            {
                "text": text,
                "x": 1,
                "y": 1,
                "xref": "paper",
                "yref": "paper",
                "xanchor": "right",
                "yanchor": "top",
                "yshift": -14 * k,
                "showarrow": False,
                "font": {"color": looks[arm.key].color},
            }
            for k, (arm, text) in enumerate(zip(arms, mean_texts(data, labels.values(), at), strict=False))
        ],
    }
    return {"data": traces, "layout": layout}


def mean_texts(data: Histograms, labels: Collection[str], at: int) -> list[str]:
    """Each arm's name and the mean of its parameters, if it has any; nothing where there are too many arms."""
    if len(labels) > MOST_TEXTS:
        return []
    texts = []
    for label, mean, end in zip(labels, data.mean[at].tolist(), data.ends.tolist(), strict=True):
        when = f" at its end, epoch {end}" if end < data.epochs[at] else ""
        texts.append(f"{label}, mean {mean:.3f}{when}" if isfinite(mean) else label)
    return texts


def when_text(data: Histograms, at: int) -> str:
    """The epoch with index `at` in words, and how many seeds are pooled."""
    seeds = int(data.seeds[at].max())
    return f"after epoch {data.epochs[at]}" + (f", {seeds} seeds" if seeds > 1 else "")
