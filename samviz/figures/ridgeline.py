"""How gamma or beta of an arm moves over the epochs: its histograms one below the other, the start at the top."""

from typing import Any

import numpy as np

from samviz.figures import palette
from samviz.figures.compare import Side
from samviz.figures.curves import uid
from samviz.figures.histograms import HISTOGRAMS, Histograms, histograms_data
from samviz.figures.parts import Chart

ROWS = 12
"""Epochs of a ridgeline at most."""
OVERLAP = 2.2
"""How many rows the highest bin of a row reaches up."""


def ridgeline_charts(sides: list[Side], kind: str) -> list[Chart]:
    """A chart for each arm that has histograms of `kind`, a key of `HISTOGRAMS`."""
    known: dict[str, Histograms | None] = {}
    charts = []
    for side in sides:
        if side.source.id not in known:
            known[side.source.id] = histograms_data(side.source.tally, kind)
        if (data := known[side.source.id]) is not None:
            charts.append(
                Chart(
                    name=f"ridgeline-{kind}-{side.key}",
                    title=f"{HISTOGRAMS[kind]} over the epochs: {side.label}",
                    figure=ridgeline_figure(data, side),
                    height=300,
                    note="each row by its own highest bin; all seeds together",
                    group="Over the epochs",
                )
            )
    return charts


def shown_rows(data: Histograms, last: int) -> np.ndarray:
    """Indices of the epochs that get a row: at most `ROWS`, evenly spaced up to the arm's last, first and last kept."""
    known = np.flatnonzero(data.epochs <= last)
    return known[np.unique(np.linspace(0, len(known) - 1, min(ROWS, len(known))).round().astype(int))]


def ridgeline_figure(data: Histograms, side: Side) -> dict[str, Any]:
    """A plotly figure {data, layout}; the bins span what is in use in any arm at any epoch."""
    used = np.flatnonzero(data.counts.sum(axis=(0, 1)))
    first, stop = max(int(used[0]) - 1, 0), min(int(used[-1]) + 2, data.counts.shape[2])
    x = np.round(data.centers[first:stop], 6).tolist()
    rows = shown_rows(data, side.last)
    counts = data.counts[rows, side.index, first:stop]
    heights = OVERLAP * counts / np.maximum(counts.max(axis=1, keepdims=True), 1)
    traces, name = [], uid(side.key)
    for row, (at, height) in enumerate(zip(rows.tolist(), heights, strict=True)):
        base = len(rows) - 1 - row
        share = 100 * counts[row] / max(int(counts[row].sum()), 1)
        line = {"type": "scatter", "mode": "lines", "meta": side.key, "showlegend": False, "x": x}
        floor = {"uid": f"{name}-floor{row}", "y": [base] * len(x), "line": {"width": 0}, "hoverinfo": "skip"}
        alpha = 0.2 + 0.4 * row / max(len(rows) - 1, 1)
        ridge = {
            "uid": f"{name}-{row}",
            "y": np.round(base + height, 3).tolist(),
            "fill": "tonexty",
            "fillcolor": palette.faint(side.look.color, round(alpha, 3)),
            "line": {"color": side.look.color, "width": 1.2},
            "text": [f"{value:.1f} %" for value in share.tolist()],
            "hovertemplate": f"epoch {data.epochs[at]}, {data.symbol} ≈ %{{x:.3f}}: %{{text}}<extra></extra>",
        }
        traces += [line | floor, line | ridge]
    labels = [str(data.epochs[at]) for at in rows.tolist()]
    layout = {
        "xaxis": {"title": {"text": data.symbol}, "range": [x[0], x[-1]]},
        "yaxis": {
            "title": {"text": "epoch"},
            "tickvals": list(range(len(rows) - 1, -1, -1)),
            "ticktext": labels,
            "range": [-0.2, len(rows) - 1 + OVERLAP + 0.1],
            "fixedrange": True,
            "zeroline": False,
            "automargin": True,
        },
        "hovermode": "closest",
    }
    return {"data": traces, "layout": layout}
