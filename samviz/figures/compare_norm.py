"""gamma and beta of arms side by side, and weights by type of layer: SAM-ON Figs. 4 and 8."""

from dataclasses import dataclass, replace
from math import ceil, floor
from typing import Any

import numpy as np

from samviz.figures import palette
from samviz.figures.compare import Side
from samviz.figures.compare_curves import sources_of
from samviz.figures.curves import uid
from samviz.figures.histograms import HISTOGRAMS, MOST_TEXTS
from samviz.figures.layers import LAYERS, layers_data, layers_figure
from samviz.figures.parts import Chart, Section
from samviz.figures.ridgeline import ridgeline_charts
from samviz.figures.tally import Tally

TYPES = {
    "gamma": "|γ| of norm layers",
    "beta": "|β| of norm layers",
    "weight/conv": "|w| of convolutions",
    "weight/linear": "|w| of linear layers",
    "weight/other": "|w| of tokens, positions and the like",
}
"""Histograms by type of layer, and their titles; those of weight/TYPE are over log10 |w|."""

NORMS = {"conv": "convolutions", "linear": "linear layers", "norm": "norm layers", "other": "others"}
"""weight_norm/TYPE -> its name under a bar."""

BY_TYPE = "By type of layer"

OTHER_BINS = "{} has other bins than the rest and is left out of the histograms of {}."


@dataclass(frozen=True, kw_only=True, slots=True)
class Counts:
    """One histogram of an arm, as it ended (or has come so far)."""

    low: float
    high: float
    epoch: int
    counts: np.ndarray
    """(bins,): parameters a bin, summed over the seeds that have reached the epoch."""

    @property
    def share(self) -> np.ndarray:
        """(bins,): percent of all parameters counted."""
        return 100 * self.counts / max(int(self.counts.sum()), 1)

    @property
    def edges(self) -> np.ndarray:
        """(bins + 1,)"""
        return np.linspace(self.low, self.high, len(self.counts) + 1)


def counts_of(tally: Tally, name: str, arm: int, last: int) -> Counts | None:
    """The newest histogram of an arm up to its last epoch; None where there is none."""
    if name not in tally.bins:
        return None
    reached = tally.pooled[name][: last + 1, arm].nonzero()[0]
    if not reached.size:
        return None
    low, high = tally.bins[name]
    epoch = int(reached[-1])
    return Counts(low=low, high=high, epoch=epoch, counts=tally.counts[name][epoch, arm])


def folded(found: Counts) -> Counts:
    """The histogram of the magnitudes: what is below zero is counted on the other side. Zero must be an edge."""
    zero = round(-found.low / (found.high - found.low) * len(found.counts))
    below, above = found.counts[:zero][::-1], found.counts[zero:]
    counts = np.zeros(max(len(below), len(above)), np.int64)
    counts[: len(below)] += below
    counts[: len(above)] += above
    return replace(found, low=0.0, high=max(-found.low, found.high), counts=counts)


def norm_section(sides: list[Side], kind: str, log: bool) -> Section:
    """Everything of a kind of parameter, a key of `HISTOGRAMS`; `log` is the vertical axis of the histograms."""
    symbol = HISTOGRAMS[kind]
    charts, notes = [], []
    found, strange = _alike(sides, kind)
    notes += [OTHER_BINS.format(side.label, symbol) for side in strange]
    if found:
        charts.append(
            Chart(
                name=f"overlay-{kind}",
                title=f"{symbol} of the norm layers at the end",
                figure=overlay_figure(found, symbol, log),
                height=340,
                wide=True,
                note="all arms over common bins; what lies beyond the ends is counted in the end bins",
                group="Side by side",
            )
        )
    charts += ridgeline_charts(sides, kind)
    charts += layer_charts(sides, f"{kind}_mean")
    charts += type_charts(sides, log)
    if not any(name.startswith("weight/") for source in sources_of(sides) for name in source.tally.bins):
        notes.append(
            "These runs have no histograms of convolutions and linear layers: of those, the norm of the weights by "
            "type of layer is shown instead."
        )
    return Section(name=f"norm-{kind}", title=f"{symbol} of the norm layers", charts=charts, notes=notes, toggled=True)


def _alike(sides: list[Side], name: str) -> tuple[list[tuple[Side, Counts]], list[Side]]:
    """The sides that have this histogram in the bins of the first of them, and those that have it in others."""
    known = [(s, c) for s in sides if (c := counts_of(s.source.tally, name, s.index, s.last)) is not None]
    alike = [(side, one) for side, one in known if np.array_equal(one.edges, known[0][1].edges)]
    return alike, [side for side, _ in known if all(side is not other for other, _ in alike)]


def overlay_figure(found: list[tuple[Side, Counts]], symbol: str, log: bool, powers: bool = False) -> dict[str, Any]:
    """Outlines of all arms in one chart; `powers`: the bins are those of the logarithm to base ten."""
    used = np.flatnonzero(sum(one.counts for _, one in found))
    edges = found[0][1].edges
    start, stop = edges[max(int(used[0]) - 1, 0)], edges[min(int(used[-1]) + 2, len(edges) - 1)]
    centers = np.round((edges[1:] + edges[:-1]) / 2, 6)
    traces = []
    for side, one in found:
        share = np.round(one.share, 4)
        y = [None if log and value == 0 else value for value in share.tolist()]
        fill = (
            {}
            if log or len(found) > MOST_TEXTS
            else {"fill": "tozeroy", "fillcolor": palette.faint(side.look.color, 0.1)}
        )
        where = f"{symbol} ≈ 10^%{{x:.2f}}" if powers else f"{symbol} ≈ %{{x:.3f}}"
        traces.append(
            {
                "type": "scatter",
                "mode": "lines",
                "uid": uid(side.key),
                "meta": side.key,
                "showlegend": False,
                "name": side.plotted(),
                "x": centers.tolist(),
                "y": y,
                "line": {"shape": "hvh", "color": side.look.color, "dash": side.look.dash, "width": 1.5},
                "hovertemplate": f"{where}: %{{y:.2f}} % (epoch {one.epoch})",
            }
            | fill
        )
    across: dict[str, Any] = {"title": {"text": symbol}, "range": [round(float(start), 6), round(float(stop), 6)]}
    if powers:
        step = next((step for step in (1, 0.5, 0.2) if stop - start > 3 * step), 0.1)
        ticks = [round(k * step, 1) for k in range(ceil(start / step), floor(stop / step) + 1)]
        across |= {"tickvals": ticks, "ticktext": [f"{10**tick:.2g}" for tick in ticks]}
    up: dict[str, Any] = {"title": {"text": "share (%)"}, "automargin": True}
    up |= {"type": "log", "dtick": 1, "exponentformat": "power"} if log else {"rangemode": "tozero"}
    return {"data": traces, "layout": {"xaxis": across, "yaxis": up, "hovermode": "closest"}}


def type_charts(sides: list[Side], log: bool) -> list[Chart]:
    """The magnitudes of the parameters at the end, a chart for each type of layer, and the norm of each type."""
    charts = []
    for name, title in TYPES.items():
        found, _ = _alike(sides, name)
        if found:
            powers = name.startswith("weight/")
            magnitudes = found if powers else [(side, folded(one)) for side, one in found]
            figure = overlay_figure(magnitudes, title.partition(" ")[0], log, powers)
            own = {"name": f"type-{name.replace('/', '-')}", "title": f"{title} at the end", "figure": figure}
            charts.append(Chart(**own, height=260, group=BY_TYPE))
    if (norms := norms_figure(sides)) is not None:
        charts.append(Chart(name="type-norms", title="‖w‖ at the end", figure=norms, height=260, group=BY_TYPE))
    return charts


def norms_figure(sides: list[Side]) -> dict[str, Any] | None:
    """||w||_2 by type of layer, mean over the seeds with their deviation; None where nothing was measured."""
    traces = []
    for side in sides:
        bars = []
        for kind, label in NORMS.items():
            ends = side.source.tally.measure(f"weight_norm/{kind}")[side.index, :, side.last]
            if (known := ends[np.isfinite(ends)]).size:
                bars.append((label, float(known.mean()), float(known.std(ddof=1)) if known.size > 1 else 0.0))
        if bars:
            labels, means, deviations = zip(*bars, strict=True)
            traces.append(
                {
                    "type": "bar",
                    "uid": uid(side.key),
                    "meta": side.key,
                    "name": side.plotted(),
                    "showlegend": False,
                    "x": list(labels),
                    "y": [round(mean, 3) for mean in means],
                    "error_y": {"array": [round(d, 3) for d in deviations], "thickness": 1.2, "width": 3},
                    "marker": {"color": side.look.color},
                    "hovertemplate": "%{x}: %{y:.2f}",
                }
            )
    if not traces:
        return None
    layout = {
        "xaxis": {"title": {"text": ""}},
        "yaxis": {"automargin": True},
        "barmode": "group",
        "hovermode": "closest",
    }
    return {"data": traces, "layout": layout}


def layer_charts(sides: list[Side], measure: str) -> list[Chart]:
    """The mean of each norm layer over the epochs: a heat map an arm, all in the same colors."""
    found = {s.id: data for s in sources_of(sides) if (data := layers_data(s.tally, measure)) is not None}
    if not found:
        return []
    low, high = min(data.low for data in found.values()), max(data.high for data in found.values())
    title, _ = LAYERS[measure]
    charts = []
    for side in sides:
        if (data := found.get(side.source.id)) is None:
            continue
        figure = layers_figure(replace(data, low=low, high=high), side.index, side.plotted())
        figure["data"][0] |= {"showscale": True, "meta": side.key, "colorbar": {"thickness": 8, "outlinewidth": 0}}
        charts.append(
            Chart(
                name=f"layers-{measure}-{side.key}",
                title=f"{title}: {side.label}",
                figure=figure,
                height=240,
                note="the layer next to the images at the top; mean over the seeds",
                group="By layer",
            )
        )
    return charts
