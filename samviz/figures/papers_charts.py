"""The papers' tables as charts: the cells as printed, what each method gains, and who wins by how much."""

from __future__ import annotations

from collections import Counter
from math import isnan
from typing import TYPE_CHECKING, Any

from samviz.figures import palette
from samviz.figures.parts import Chart
from samviz.spec import DATASETS
from samviz.spec.networks import network_label
from samviz.spec.recipe import AUGMENTATIONS
from samviz.variants import VARIANTS

if TYPE_CHECKING:
    import pandas as pd

OTHERS = "#8a9099"
"""The color of a method that is none of samviz's."""
_SYMBOL = {"all": "circle", "norm_only": "diamond", "no_norm": "square"}
_PATTERN = {"all": "", "norm_only": "/", "no_norm": "."}
ROW = {"values": 9, "gains": 15, "wins": 34}
"""Pixels that one number takes up, by kind of figure."""
_ERROR = {"thickness": 1.3, "width": 3, "color": OTHERS}
EDGE = 130
"""Pixels above and below."""
_LEGEND = {"orientation": "h", "x": 0, "y": 1.0, "yanchor": "bottom"}


def setting(row: dict[str, Any]) -> str:
    """What a cell is of but for its method."""
    parts = [network_label(row["network"])] if row["network"] else []
    parts += (
        [DATASETS[row["dataset"]].label if row["dataset"] in DATASETS else row["dataset"]] if row["dataset"] else []
    )
    augmented = row["augmentation"] not in ("", "crop_flip")
    parts += [AUGMENTATIONS[row["augmentation"]].replace("crop, flip and ", "+ ")] if augmented else []
    parts += [f"{100 * row['label_noise']:g} % noise"] if not isnan(row["label_noise"]) else []
    parts += [f"p = {row['p']:g}".replace("inf", "∞")] if not isnan(row["p"]) else []
    parts += [f"radius {row['radius']:g}"] if not isnan(row["radius"]) else []
    return ", ".join(parts) or "all"


def dataset_label(key: str) -> str:
    """A data set on screen, also one that samviz has not."""
    return DATASETS[key].label if key in DATASETS else key


def values_chart(frame: pd.DataFrame) -> Chart:
    """The cells of one metric of a table, a mark each with its spread, a line a setting."""
    traces = []
    rows = [row | {"setting": _lines(setting(row))} for row in frame[frame["value"].notna()].to_dict("records")]
    for label, mine in _by_label(rows).items():
        spreads = [None if isnan(row["spread"]) else row["spread"] for row in mine]
        traces.append(
            {
                "type": "scatter",
                "mode": "markers",
                "orientation": "h",
                "name": label,
                "x": [row["value"] for row in mine],
                "y": [row["setting"] for row in mine],
                "error_x": {"array": spreads, "thickness": 1.2, "width": 2, "color": _color(mine[0])},
                "marker": {"color": _color(mine[0]), "size": 9, "symbol": _symbol(mine[0])},
                "text": [row["cell"] for row in mine],
                "hovertemplate": "<b>%{fullData.name}</b><br>%{y}<br>%{text} %{xaxis.title.text}<extra></extra>",
            }
        )
    first = rows[0]
    metric = first["metric"]
    title = metric + (f" ({first['unit']})" if first["unit"] else "")
    layout = _layout(title) | {"legend": _LEGEND, "scattermode": "group"}
    ends = [row["value"] + sign * (0 if isnan(row["spread"]) else row["spread"]) for row in rows for sign in (-1, 1)]
    room = 0.04 * (max(ends) - min(ends)) or 1.0
    layout["xaxis"] |= {"range": [round(min(ends) - room, 6), round(max(ends) + room, 6)]}  # else it begins at zero
    return Chart(
        name=f"papers-values-{first['paper']}-{first['table']}",
        title=f"{metric[0].upper()}{metric[1:]} of each method, as printed",
        figure={"data": traces, "layout": layout},
        height=_height(len(rows), "values", len({row["setting"] for row in rows})),
    )


def gains_chart(gained: pd.DataFrame) -> Chart:
    """What each method of a table gains over the reference, a bar a cell with the spread of the difference."""
    traces = []
    rows = [row | {"setting": _lines(setting(row))} for row in gained.to_dict("records")]
    alike = Counter(_color(mine[0]) for mine in _by_label(rows).values())
    for label, mine in _by_label(rows).items():
        color = _color(mine[0])
        shape = _PATTERN.get(mine[0]["scope"], "") if alike[color] > 1 else ""
        pattern = {"shape": shape, "fillmode": "overlay", "size": 5, "fgcolor": "#ffffff", "fgopacity": 0.7}
        traces.append(
            {
                "type": "bar",
                "orientation": "h",
                "name": label,
                "x": [round(row["gain"], 6) for row in mine],
                "y": [row["setting"] for row in mine],
                "error_x": {"array": [row["gain_spread"] for row in mine], **_ERROR},
                "marker": {"color": color, "pattern": pattern},
                "hovertemplate": "<b>%{fullData.name}</b><br>%{y}<br>%{x:+.3g}<extra></extra>",
            }
        )
    first = rows[0]
    layout = _layout(f"gain{_unit(first['unit'])}") | {"legend": _LEGEND, "barmode": "group", "bargap": 0.25}
    return Chart(
        name=f"papers-gains-{first['paper']}-{first['table']}",
        title="Gain of each method in each setting",
        figure={"data": traces, "layout": layout},
        height=_height(len(rows), "gains", len({row["setting"] for row in rows})),
    )


def wins_chart(won: pd.DataFrame, unit: str = "%") -> Chart:
    """The mean gain of each method, with the least and the most of any setting."""
    rows = won.sort_values("mean").to_dict("records")
    trace = {
        "type": "bar",
        "orientation": "h",
        "x": [round(row["mean"], 6) for row in rows],
        "y": [f"{row['label']}<br>ahead in {row['wins']} of {row['settings']}" for row in rows],
        "error_x": {
            "symmetric": False,
            "array": [round(row["most"] - row["mean"], 6) for row in rows],
            "arrayminus": [round(row["mean"] - row["least"], 6) for row in rows],
            **_ERROR,
        },
        "marker": {"color": "#0072b2"},
        "hovertemplate": "<b>%{y}</b><br>mean %{x:+.3g}<extra></extra>",
    }
    layout = _layout(f"mean gain{_unit(unit)}") | {"bargap": 0.55}
    return Chart(
        name="papers-wins",
        title="Mean gain of each method",
        figure={"data": [trace], "layout": layout},
        height=_height(len(rows), "wins", len(rows)),
    )


def beside_chart(rows: list[dict[str, Any]], source: str) -> Chart:
    """Gains over the base optimizer: the paper's and one's own, arm by arm.

    Each row has label, paper and paper_spread, own and own_half: points, None where there is none.
    """
    traces = []
    for name, value, error, color in (
        (source, "paper", "paper_spread", OTHERS),
        ("your runs", "own", "own_half", "#0072b2"),
    ):
        shown = [row for row in rows if row[value] is not None]
        traces.append(
            {
                "type": "bar",
                "orientation": "h",
                "name": name,
                "x": [round(row[value], 6) for row in shown],
                "y": [row["label"] for row in shown],
                "error_x": {"array": [row[error] for row in shown], **_ERROR},
                "marker": {"color": color},
                "hovertemplate": "<b>%{y}</b>, %{fullData.name}<br>%{x:+.2f} points<extra></extra>",
            }
        )
    layout = _layout("gain (points)") | {"legend": _LEGEND, "barmode": "group", "bargap": 0.3}
    return Chart(
        name=f"papers-beside-{source}",
        title="Gains over the base optimizer alone: the paper's and your runs'",
        note="Error bars of your runs: the 95 % interval of the paired difference over the seeds; of the paper: the "
        "root of the sum of both squared spreads.",
        figure={"data": traces, "layout": layout},
        height=_height(2 * len(rows), "gains", len(rows)),
    )


def _by_label(rows: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        found.setdefault(row["label"], []).append(row)
    return found


def _lines(text: str) -> str:
    return text.replace(", ", "<br>")


def _color(row: dict[str, Any]) -> str:
    if row["variant"]:
        return palette.color(row["variant"], row["scope"]) if row["variant"] in VARIANTS else OTHERS
    return palette.SGD if row["scope"] == "" else OTHERS


def _symbol(row: dict[str, Any]) -> str:
    if row["mask"]:
        return "cross" if row["mask"] == "random" else "x"
    return _SYMBOL.get(row["scope"], "circle-open")


def _unit(unit: str) -> str:
    """Of a difference, as an axis tells it."""
    return " (points)" if unit == "%" else f" ({unit})" if unit else ""


def _height(numbers: int, kind: str, settings: int) -> int:
    """Pixels."""
    return EDGE + max(ROW[kind] * numbers, 62 * settings)


def _layout(title: str) -> dict[str, Any]:
    return {
        "xaxis": {"title": {"text": title}, "zeroline": True},
        "yaxis": {"autorange": "reversed", "type": "category"},
        "hovermode": "closest",
    }
