"""A slice through the loss of a network: a curve or a map, with the regions' cuts drawn in."""

from collections.abc import Mapping
from typing import Any

from samviz.figures import palette
from samviz.figures.parts import Chart
from samviz.figures.sharpness import measure_color
from samviz.spec.measurement import DIRECTIONS, SliceOf

QUANTITIES = {"loss": "Train loss", "accuracy": "Train accuracy (%)"}


def slice_charts(asked: SliceOf, result: Mapping[str, Any], name: str) -> list[Chart]:
    """A chart for each quantity; `name` tells this measurement from all others on the page."""
    return [
        Chart(
            name=f"{name}-{quantity}",
            title=title,
            note=reaches(asked, result) if quantity == "loss" else "",
            height=420,
            figure=slice_figure(asked, result, quantity),
        )
        for quantity, title in QUANTITIES.items()
    ]


def slice_figure(asked: SliceOf, result: Mapping[str, Any], quantity: str = "loss") -> dict[str, Any]:
    """A plotly figure {data, layout}; `quantity` is a key of `QUANTITIES`."""
    return _map(asked, result, quantity) if len(asked.directions) == 2 else _curve(asked, result, quantity)


def reaches(asked: SliceOf, result: Mapping[str, Any]) -> str:
    """How far each region reaches along the directions: one may be too thin to be seen."""
    told = [
        f"{region.region_label}: ± {' and ± '.join(f'{reach:.2g}' for reach in cut['reach'])}"
        for region, cut in zip(asked.regions, result["cuts"], strict=True)
    ]
    return f"How far the regions reach: {'; '.join(told)}." if told else ""


def _axis(asked: SliceOf, i: int) -> dict[str, Any]:
    return {"title": {"text": DIRECTIONS[asked.directions[i]].capitalize()}, "zeroline": False}


def _curve(asked: SliceOf, result: Mapping[str, Any], quantity: str) -> dict[str, Any]:
    shapes = []
    for region, cut in zip(asked.regions, result["cuts"], strict=True):
        (reach,) = cut["reach"]
        line = {"color": measure_color(region), "width": 1.5, "dash": "dot"}
        shapes += [
            {"type": "line", "x0": x, "x1": x, "y0": 0, "y1": 1, "yref": "paper", "line": line} for x in (-reach, reach)
        ]
    curve = {
        "type": "scatter",
        "mode": "lines+markers",
        "x": result["x"],
        "y": result[quantity][0],
        "line": {"color": palette.color("sam")},
        "marker": {"size": 5},
        "hovertemplate": "%{x:.3g}: %{y:.4g}<extra></extra>",
    }
    layout = {"xaxis": _axis(asked, 0), "yaxis": {"title": {"text": QUANTITIES[quantity]}}, "shapes": shapes}
    return {"data": [curve], "layout": layout | {"hovermode": "closest"}}


def _map(asked: SliceOf, result: Mapping[str, Any], quantity: str) -> dict[str, Any]:
    scale = [[k / (len(palette.SEQUENTIAL) - 1), color] for k, color in enumerate(palette.SEQUENTIAL)]
    found = [
        {
            "type": "contour",
            "x": result["x"],
            "y": result["y"],
            "z": result[quantity],
            "colorscale": scale,
            "ncontours": 24,
            "line": {"width": 0.4},
            "colorbar": {"title": {"text": QUANTITIES[quantity], "side": "right"}, "thickness": 12},
            "hovertemplate": "%{x:.3g}, %{y:.3g}: %{z:.4g}<extra></extra>",
        },
        {
            "type": "scatter",
            "mode": "markers",
            "x": [0],
            "y": [0],
            "marker": {"symbol": "x", "size": 9, "color": "#ffffff", "line": {"color": "#000000", "width": 1}},
            "name": "w",
            "hovertemplate": "w<extra></extra>",
        },
    ]
    for region, cut in zip(asked.regions, result["cuts"], strict=True):
        outline = [*cut["outline"], cut["outline"][0]]
        found.append(
            {
                "type": "scatter",
                "mode": "lines",
                "x": [x for x, _ in outline],
                "y": [y for _, y in outline],
                "line": {"color": measure_color(region), "width": 2.5},
                "name": region.region_label,
                "hovertemplate": f"{region.region_label}<extra></extra>",
            }
        )
    layout = {"xaxis": _axis(asked, 0), "yaxis": _axis(asked, 1), "hovermode": "closest"}
    if asked.regions:
        layout["legend"] = {"orientation": "h", "y": 1, "yanchor": "bottom", "x": 0, "bgcolor": "rgba(0,0,0,0)"}
    return {"data": found, "layout": layout}
