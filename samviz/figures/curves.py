"""One measure of all arms over the training: seeds as thin lines under their mean with its standard deviation."""

import re
from dataclasses import dataclass
from math import ceil, log10
from typing import Any

import numpy as np

from samviz.figures import palette
from samviz.figures.measures import MEASURES, Axis, axis_data
from samviz.figures.tally import Divergence, Tally, shown_epochs

MOST_POINTS = 250
"""Points of a line: more cannot be told apart on a screen, and every refresh of the live page sends them."""
FEWEST_POINTS = 24
MOST_VALUES = 2400
"""Points of all lines of a figure, as long as a line has `FEWEST_POINTS`."""
MOST_LINES = 100
"""Seeds of all arms that get lines of their own: more hide each other, and the bands tell more."""
STEPS = 500
"""An arm's range is told in so many steps at least where only the eye reads it, in thin lines and bands."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """One seed of an arm."""

    seed: int
    x: np.ndarray
    """(points,): at those epochs of the arm's curve that the seed has a number of."""
    y: np.ndarray


@dataclass(frozen=True, kw_only=True, slots=True)
class Stop:
    """Where the numbers of a seed end that diverged."""

    x: float
    y: float
    divergence: Divergence


@dataclass(frozen=True, kw_only=True, slots=True)
class Curve:
    """One arm. Arrays are (points,): as long as the furthest seed has come."""

    key: str
    label: str
    color: str
    dash: str
    epochs: np.ndarray
    x: np.ndarray
    """Where the epochs lie on the axis: the mean of the seeds."""
    mean: np.ndarray
    """Mean over the seeds that have reached the epoch."""
    sd: np.ndarray
    """Their sample standard deviation (n - 1); NaN where fewer than two have reached the epoch."""
    decimals: int
    """Digits that the eye needs of lines and bands."""
    seeds: np.ndarray
    """How many seeds have reached the epoch."""
    lines: tuple[Line, ...]
    """The seeds, where there are two or more and not too many."""
    stops: tuple[Stop, ...]


def curves_data(tally: Tally, measure: str, axis: Axis | None = None) -> list[Curve]:
    """One curve for each arm that has a value, over the epochs where `axis` is None.

    KeyError for a measure that is not in `MEASURES`.
    """
    decimals, comparison = MEASURES[measure].decimals, tally.comparison
    axis = axis or axis_data(tally, "epoch")
    values = tally.measure(measure)
    known = np.isfinite(values) & np.isfinite(axis.seeds)  # (arms, seeds, epochs + 1)
    come = known.any(axis=2).sum(axis=1)
    if not come.any():
        return []
    lined = come.sum() <= MOST_LINES
    most = _most_points(come, lined)
    reached = known.any(axis=1)  # (arms, epochs + 1)
    own = {k: shown_epochs(int(reached[k].nonzero()[0][-1]), most) for k in come.nonzero()[0].tolist()}
    # All arms at once: a chart of many small arrays would take most of the time that a refresh has.
    epochs = np.unique(np.concatenate([*own.values()]))
    here, y = known[:, :, epochs], values[:, :, epochs]
    n, mean, sd = _mean_and_deviation(y, here)
    x_mean = axis.rounded(np.where(n > 0, axis.mean[:, epochs], 0))
    x_seeds = axis.rounded(np.where(here, axis.seeds[:, :, epochs], 0))
    labels, looks = list(comparison.labels.items()), palette.looks(comparison.arms)
    curves = []
    for k, shown in own.items():
        key, label = labels[k]
        points = np.searchsorted(epochs, shown)
        points = points[n[k, points] > 0]
        coarse = _coarse(mean[k, points], decimals)
        lines = []
        if lined and come[k] > 1:
            told = np.round(y[k], coarse)
            for s, seed in enumerate(comparison.seeds):
                at = points[here[k, s, points]]
                if at.size:
                    lines.append(Line(seed=seed, x=x_seeds[k, s, at], y=told[s, at]))
        curves.append(
            Curve(
                key=key,
                label=label,
                color=looks[key].color,
                dash=looks[key].dash,
                epochs=epochs[points],
                x=x_mean[k, points],
                mean=np.round(mean[k, points], decimals),
                sd=np.round(sd[k, points], decimals),
                decimals=coarse,
                seeds=n[k, points],
                lines=tuple(lines),
                stops=_stops(tally, k, values[k], known[k], axis, decimals),
            )
        )
    return curves


def _most_points(seeds: np.ndarray, lined: bool) -> int:
    """Points a line, where these are the seeds of each arm: one is a line, more are a mean, a band, and a line each."""
    lines = np.where(seeds > 1, 3 + lined * seeds, seeds).sum()
    return min(max(MOST_VALUES // max(int(lines), 1), FEWEST_POINTS), MOST_POINTS)


def _coarse(values: np.ndarray, decimals: int) -> int:
    """The fewest decimals, `decimals` at most, in which the values' range has `STEPS` steps."""
    spread = float(np.ptp(values))
    return decimals if spread <= STEPS / 10**decimals else max(0, ceil(log10(STEPS / spread)))


def _mean_and_deviation(y: np.ndarray, known: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of the seeds (the second axis) that are known: how many, their mean, and the deviation, NaN below two."""
    n = known.sum(axis=1)
    mean = np.where(known, y, 0).sum(axis=1) / np.maximum(n, 1)
    squares = np.where(known, (y - mean[:, None]) ** 2, 0).sum(axis=1)
    return n, mean, np.where(n > 1, np.sqrt(squares / np.maximum(n - 1, 1)), np.nan)


def _stops(
    tally: Tally, arm: int, values: np.ndarray, known: np.ndarray, axis: Axis, decimals: int
) -> tuple[Stop, ...]:
    stops = []
    for divergence in tally.diverged(arm):
        s = tally.comparison.seeds.index(divergence.seed)
        if known[s].any():
            last = known[s].nonzero()[0][-1]
            x, y = axis.seeds[arm, s, last], values[s, last]
            stops.append(Stop(x=round(float(x), axis.decimals), y=round(float(y), decimals), divergence=divergence))
    return tuple(stops)


def uid(key: str) -> str:
    """What plotly tells a trace by from one drawing to the next; it becomes part of a CSS class."""
    return re.sub(r"[^a-z0-9_]", "-", key)


def curves_figure(curves: list[Curve], measure: str, axis: Axis) -> dict[str, Any]:
    """A plotly figure as a plain dictionary {data, layout}.

    Plain, because `go.Figure` takes longer to build than the live page has for a whole refresh;
    `go.Figure(curves_figure(...))` is the same figure as an object.
    """
    about = MEASURES[measure]
    traces = [
        *(_band(curve) for curve in curves if np.isfinite(curve.sd).any()),
        *(_lines(curve) for curve in curves if curve.lines),
        *(_mean_line(curve, about.decimals, axis) for curve in curves),
        *(_marks(curve) for curve in curves if curve.stops),
    ]
    layout: dict[str, Any] = {
        "title": {"text": about.title},
        "xaxis": {"title": {"text": axis.title}, "range": [0, axis.end], "rangemode": "nonnegative"},
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


def _trace(curve: Curve, part: str, **more: Any) -> dict[str, Any]:
    name = uid(curve.key) + (f"-{part}" if part else "")
    return {"type": "scatter", "mode": "lines", "uid": name, "meta": curve.key, "showlegend": False} | more


def _band(curve: Curve) -> dict[str, Any]:
    """The area of one standard deviation to both sides of the mean."""
    banded = np.isfinite(curve.sd)
    x, mean, sd = curve.x[banded], curve.mean[banded], curve.sd[banded]
    return _trace(
        curve,
        "band",
        x=[*x.tolist(), *x[::-1].tolist()],
        y=[*np.round(mean + sd, curve.decimals).tolist(), *np.round(mean - sd, curve.decimals)[::-1].tolist()],
        fill="toself",
        fillcolor=palette.faint(curve.color),
        line={"width": 0},
        hoverinfo="skip",
    )


def _lines(curve: Curve) -> dict[str, Any]:
    """All seeds as one trace with gaps: plotly's time goes by traces."""
    x: list[float | None] = []
    y: list[float | None] = []
    for line in curve.lines:
        x += [*line.x.tolist(), None]
        y += [*line.y.tolist(), None]
    thin = {"color": palette.faint(curve.color, 0.5), "width": 1}
    return _trace(curve, "seeds", x=x[:-1], y=y[:-1], line=thin, hoverinfo="skip")


def _mean_line(curve: Curve, decimals: int, axis: Axis) -> dict[str, Any]:
    hover, more = f"%{{y:.{decimals}f}}", {}
    if np.isfinite(curve.sd).any():
        text = f" ± %.{decimals}f"
        hover, more["text"] = hover + "%{text}", [text % sd if sd == sd else "" for sd in curve.sd.tolist()]
    if axis.title != "epoch":
        hover, more["customdata"] = hover + ", epoch %{customdata}", curve.epochs.tolist()
    return _trace(
        curve,
        "",
        # A single point is no line: without a marker the first epoch of a run would show nothing.
        mode="lines" if len(curve.epochs) > 1 else "markers",
        name=curve.label,
        x=curve.x.tolist(),
        y=curve.mean.tolist(),
        line={"color": curve.color, "dash": curve.dash, "width": 2},
        marker={"color": curve.color, "size": 6},
        hovertemplate=hover,
        **more,
    )


def _marks(curve: Curve) -> dict[str, Any]:
    """A cross at the last number of each seed that diverged."""
    return _trace(
        curve,
        "stops",
        mode="markers",
        name=curve.label,
        x=[stop.x for stop in curve.stops],
        y=[stop.y for stop in curve.stops],
        text=[f"seed {stop.divergence.seed} {stop.divergence.text}" for stop in curve.stops],
        marker={"color": curve.color, "size": 10, "symbol": "x-thin", "line": {"color": curve.color, "width": 2.5}},
        hovertemplate="%{text}",
    )
