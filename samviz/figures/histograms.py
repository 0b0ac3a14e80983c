"""Gamma of the norm layers, one row of bars for each arm over common bins, at any epoch (SAM-ON Fig. 4)."""

from dataclasses import dataclass
from math import isfinite
from typing import Any

import numpy as np

from samviz.figures import palette
from samviz.figures.tally import Tally, shown_epochs
from samviz.spec import Comparison

MOST_EPOCHS = 60
"""Epochs that the slider of the live page can show: every refresh sends all of them."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Histograms:
    """Histograms of all arms at all (shown) epochs."""

    low: float
    high: float
    """The ends of the bins, in units of gamma."""
    epochs: np.ndarray
    """(epochs,)"""
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
        """(epochs,): the height of a row at each epoch: the same for all arms, with room for text above the bars."""
        return np.round(np.maximum(self.counts.max(axis=(1, 2)), 1) * 1.5, 2)


def histograms_data(tally: Tally, name: str = "gamma") -> Histograms | None:
    """The histograms of one kind of parameter; None where there is none yet."""
    if name not in tally.bins:
        return None
    low, high = tally.bins[name]
    reached = np.flatnonzero(tally.pooled[name].any(axis=1))
    epochs = shown_epochs(int(reached[-1]), MOST_EPOCHS)
    counts = tally.counts[name][epochs]
    bins = counts.shape[2]
    centers = low + (np.arange(bins) + 0.5) * (high - low) / bins
    total = counts.sum(axis=2)
    mean = np.where(total > 0, counts @ centers / np.maximum(total, 1), np.nan)
    return Histograms(low=low, high=high, epochs=epochs, counts=counts, seeds=tally.pooled[name][epochs], mean=mean)


def histograms_figure(data: Histograms, comparison: Comparison, epoch: int | None = None) -> dict[str, Any]:
    """A plotly figure as a plain dictionary {data, layout}: a row an arm, all on one scale; epoch None is the latest.

    Trace k belongs to arm k. The x axis spans the bins that are in use at any epoch, so that it stands still while
    the epochs are scrubbed.
    """
    at = len(data.epochs) - 1 if epoch is None else int(np.searchsorted(data.epochs, epoch))
    arms, labels = comparison.arms, comparison.labels
    used = np.flatnonzero(data.counts.sum(axis=(0, 1)))
    width = (data.high - data.low) / data.counts.shape[2]
    start = data.low + width * max(int(used[0]) - 1, 0) if used.size else data.low
    stop = data.low + width * min(int(used[-1]) + 2, data.counts.shape[2]) if used.size else data.high
    top = float(data.tops[at])
    traces, layout = [], {}
    centers = np.round(data.centers, 6).tolist()
    gap = 0.22 / len(arms)
    for k, arm in enumerate(arms):
        axis = "" if k == 0 else str(k + 1)
        color = palette.color(arm.variant, arm.scope)
        upper = 1 - k / len(arms)
        traces.append(
            {
                "type": "scatter",
                "mode": "lines",
                "uid": f"arm{k}",
                "legendgroup": arm.key,
                "name": labels[arm.key],
                "x": centers,
                "y": data.counts[at, k].tolist(),
                "yaxis": f"y{axis}",
                "line": {"shape": "hvh", "color": color, "width": 1.5},
                "fill": "tozeroy",
                "fillcolor": palette.faint(color),
                "hovertemplate": "γ ≈ %{x:.3f}: %{y} parameters",
            }
        )
        layout[f"yaxis{axis}"] = {
            "domain": [upper - 1 / len(arms), upper - gap],
            "range": [0, top],
            "showticklabels": False,
            "showgrid": False,
            "fixedrange": True,
        }
    layout["title"] = {"text": title_text(data, at)}
    layout["xaxis"] = {"title": {"text": "γ"}, "range": [round(start, 6), round(stop, 6)], "anchor": f"y{axis}"}
    layout["hovermode"] = "closest"
    layout["annotations"] = [
        {
            "text": mean_text(labels[arm.key], data.mean[at, k]),
            "x": 1,
            "y": 1 - k / len(arms) - gap,
            "xref": "paper",
            "yref": "paper",
            "xanchor": "right",
            "yanchor": "top",
            "showarrow": False,
            "font": {"color": palette.color(arm.variant, arm.scope)},
        }
        for k, arm in enumerate(arms)
    ]
    return {"data": traces, "layout": layout}


def mean_text(label: str, mean: float) -> str:
    """What stands in an arm's row: its name and the mean of its gammas, if it has any."""
    return f"{label}, mean {mean:.3f}" if isfinite(mean) else label


def title_text(data: Histograms, at: int) -> str:
    """The title at the epoch with index `at`: the epoch, and how many seeds are pooled."""
    seeds = int(data.seeds[at].max())
    return f"γ of the norm layers after epoch {data.epochs[at]}" + (f", {seeds} seeds" if seeds > 1 else "")
