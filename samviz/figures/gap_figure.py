"""The generalization gap of a grid's networks against their sharpness, as ASAM's Fig. 2 draws it."""

from collections.abc import Sequence
from typing import Any

from samviz.figures import palette
from samviz.figures.networks import GAPS, Network
from samviz.figures.sweep import place
from samviz.figures.sweep_figure import round_ticks
from samviz.papers.outcomes import Measured
from samviz.spec.sweep import Sweep

MOST_TICKS = 10
"""On the axis of sharpness."""


def rate_looks(sweep: Sweep) -> list[dict[str, str]]:
    """The color of each learning rate, as the charts' legend takes it: key, label, color and dash."""
    rates = sorted(sweep.lr or (sweep.base.recipe.lr,))
    hues = palette.SEQUENTIAL[3:8]  # neither too dark for a dark page nor too light for a light one
    step = (len(hues) - 1) / max(1, len(rates) - 1)
    return [
        {"key": f"lr {lr:g}", "label": f"lr {lr:g}", "color": hues[round(k * step)], "dash": "solid"}
        for k, lr in enumerate(rates)
    ]


def gap_figure(sweep: Sweep, networks: Sequence[Network], kind: Measured, gap: str) -> dict[str, Any]:
    """A point a network, colored by its learning rate, as a plain plotly dictionary {data, layout}.

    The networks have this kind of sharpness and all gaps; `gap` is a key of `GAPS`.
    """
    traces = []
    for look in rate_looks(sweep):
        mine = [network for network in networks if f"lr {network.point.lr:g}" == look["key"]]
        traces.append(
            {
                "type": "scatter",
                "mode": "markers",
                "meta": look["key"],
                "name": look["label"],
                "x": [network.sharpness[kind] for network in mine],
                "y": [network.gap(gap, kind) for network in mine],
                "marker": {"color": look["color"], "size": 9, "line": {"color": "#8a9099", "width": 0.8}},
                "text": [_hover(sweep, network, kind) for network in mine],
                "hovertemplate": "%{text}<extra></extra>",
            }
        )
    return {
        "data": traces,
        "layout": {
            "xaxis": {"title": {"text": "sharpness"}, **_axis([network.sharpness[kind] for network in networks])},
            "yaxis": {"title": {"text": GAPS[gap]}},
            "hovermode": "closest",
        },
    }


def _axis(values: Sequence[float]) -> dict[str, Any]:
    """Logarithmic where all values allow it."""
    if not values or min(values) <= 0:
        return {"type": "linear"}
    ticks = round_ticks((min(values) / 2, max(values) * 2), MOST_TICKS)
    return {"type": "log", "tickvals": ticks, "ticktext": [f"{tick:g}" for tick in ticks]}


def _hover(sweep: Sweep, network: Network, kind: Measured) -> str:
    several = len(sweep.base.seeds) > 1
    lines = [place(network.point) + (f", seed {network.seed}" if several else "")]
    if len(sweep.base.arms) > 1:
        lines.insert(0, f"<b>{sweep.labels[network.arm]}</b>")
    loss, accuracy = (network.gap(of, kind) for of in GAPS)
    lines.append(f"sharpness {network.sharpness[kind]:.4g}")
    lines.append(f"gap {loss:.3g} in the loss, {accuracy:.1f} points in the accuracy")
    return "<br>".join(lines)
