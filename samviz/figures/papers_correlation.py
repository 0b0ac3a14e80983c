"""Sharpness against the generalization gap over many networks, as ASAM Table 1 and Fig. 2 have it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from samviz.figures import palette
from samviz.figures.agreement import kendall_tau
from samviz.papers.outcomes import Measured, Outcome
from samviz.variants import elementwise

FEWEST = 10
"""Networks that a rank correlation is worked out of."""
DRAWS = 1000
"""Of the bootstrap, over the networks."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Correlation:
    """One kind of sharpness in the sphere (or cube), and its adaptive counterpart, over the same networks."""

    plain: Measured
    adaptive: Measured
    gap: np.ndarray
    """(networks,): test loss less train loss."""
    values: np.ndarray
    """(2, networks): the plain sharpness, and the adaptive one."""
    taus: tuple[float, float]
    """Kendall's rank correlation of each with the gap."""
    low: float
    """The 95 % interval of the second less the first, by a bootstrap over the networks."""
    high: float


def _signs(x: np.ndarray) -> np.ndarray:
    """(n, n): which of two is the larger; the bootstrap takes rows and columns of it, and counts no pairs anew."""
    return np.sign(x[:, None] - x[None, :])


def _tau(a: np.ndarray, b: np.ndarray) -> float:
    size = np.sqrt((a * a).sum() * (b * b).sum())
    return float((a * b).sum() / size) if size else float("nan")


def correlations(networks: Sequence[Outcome]) -> list[Correlation]:
    """All pairs of a plain and an adaptive sharpness that at least `FEWEST` of these networks have.

    The two of a pair have the same p, search, steps and images: only the region's shape and radius differ.
    """
    kinds = list(dict.fromkeys(kind for one in networks for kind in one.sharpness))
    found = []
    for plain in kinds:
        if plain.measure.variant != "sam" or plain.measure.scope != "all":
            continue
        for adaptive in kinds:
            if adaptive.measure.model.operator is not elementwise or _alike(plain) != _alike(adaptive):
                continue
            points = np.array(_points(networks, plain, adaptive)).T
            if (
                points.size and points.shape[1] >= FEWEST and np.ptp(points, axis=1).all()
            ):  # where all are alike, no rank
                found.append(_correlation(plain, adaptive, points))
    return found


def _alike(kind: Measured) -> tuple:
    measure = kind.measure
    return measure.model.p, measure.scope, measure.search, measure.steps, measure.normalized, kind.images, kind.m


def _points(networks: Sequence[Outcome], plain: Measured, adaptive: Measured) -> list[tuple[float, float, float]]:
    """(gap, plain, adaptive) of each arm and seed that has all three."""
    points = []
    for one in networks:
        for arm in one.header.comparison.arms:
            parts = [one.of("gap", arm), *(one.sharpness.get(kind, {}).get(arm.key, {}) for kind in (plain, adaptive))]
            points += [tuple(part[seed] for part in parts) for seed in parts[0] if all(seed in p for p in parts)]
    return points


def _correlation(plain: Measured, adaptive: Measured, points: np.ndarray) -> Correlation:
    gap, values = points[0], points[1:]
    ranks = [_signs(row) for row in points]
    random = np.random.default_rng(0)
    drawn = []
    for _ in range(DRAWS):
        chosen = random.integers(0, len(gap), len(gap))
        g, a, b = (rank[np.ix_(chosen, chosen)] for rank in ranks)
        drawn.append(_tau(g, b) - _tau(g, a))
    low, high = np.nanquantile(drawn, [0.025, 0.975])
    taus = kendall_tau(gap, values[0]), kendall_tau(gap, values[1])
    return Correlation(
        plain=plain, adaptive=adaptive, gap=gap, values=values, taus=taus, low=float(low), high=float(high)
    )


def correlation_figure(one: Correlation) -> dict[str, Any]:
    """Two scatter plots side by side, a point a network: a plotly figure {data, layout}."""
    traces, layout = [], _layout()
    for k, (kind, tau) in enumerate(zip((one.plain, one.adaptive), one.taus, strict=True)):
        nth = str(k + 1) if k else ""
        traces.append(
            {
                "type": "scatter",
                "mode": "markers",
                "x": one.values[k].tolist(),
                "y": one.gap.tolist(),
                "xaxis": f"x{nth}",
                "marker": {"color": palette.color(kind.measure.variant), "size": 7, "opacity": 0.75},
                "showlegend": False,
                "hovertemplate": "sharpness %{x:.4g}<br>gap %{y:.3g}<extra></extra>",
            }
        )
        layout[f"xaxis{nth}"] = {
            "domain": [0.54 * k, 0.46 + 0.54 * k],
            "title": {"text": f"{kind.measure.region_label.replace(', ', '<br>', 1)}<br>τ = {tau:.3f}"},
            "anchor": "y",
        }
    return {"data": traces, "layout": layout}


def _layout() -> dict[str, Any]:
    return {
        "yaxis": {"title": {"text": "test loss less train loss"}, "automargin": True},
        "hovermode": "closest",
        "margin": {"l": 8, "r": 12, "t": 24, "b": 76},
        "height": 380,
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
    }
