"""The papers' tables as figures: the cells as printed, what each method gains, and who wins by how much."""

from __future__ import annotations

from collections import Counter
from math import isnan
from typing import TYPE_CHECKING, Any

from samviz.figures import palette
from samviz.papers.tables import about
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


def setting(row: dict[str, Any], several: bool = False) -> str:
    """What a cell is of but for its method, on short lines; the table as well where there are several."""
    parts = [about(row["paper"], row["table"]).name] if several else []
    parts += [network_label(row["network"])] if row["network"] else []
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


def values_figure(frame: pd.DataFrame) -> dict[str, Any]:
    """The cells of one metric, a mark each with its spread: a plotly figure {data, layout}, a line a setting."""
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
    title = first["metric"] + (f" ({first['unit']})" if first["unit"] else "")
    layout = _layout(title, len(rows), "values", len({row["setting"] for row in rows}))
    ends = [row["value"] + sign * (0 if isnan(row["spread"]) else row["spread"]) for row in rows for sign in (-1, 1)]
    room = 0.04 * (max(ends) - min(ends)) or 1.0
    layout["xaxis"] |= {"range": [round(min(ends) - room, 6), round(max(ends) + room, 6)]}  # else it begins at zero
    return {"data": traces, "layout": layout | {"scattermode": "group"}}


def gains_figure(gained: pd.DataFrame, several: bool = False) -> dict[str, Any]:
    """What each method gains over the reference, a bar a cell with the spread of the difference: {data, layout}."""
    traces = []
    rows = [row | {"setting": _lines(setting(row, several))} for row in gained.to_dict("records")]
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
    unit = rows[0]["unit"]
    title = "gain" + (" (points)" if unit == "%" else f" ({unit})" if unit else "")
    layout = _layout(title, len(rows), "gains", len({row["setting"] for row in rows}))
    return {"data": traces, "layout": layout | {"barmode": "group", "bargap": 0.25}}


def wins_figure(won: pd.DataFrame, unit: str = "%") -> dict[str, Any]:
    """The mean gain of each method, with the least and the most of any setting: {data, layout}."""
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
    title = "mean gain" + (" (points)" if unit == "%" else f" ({unit})" if unit else "")
    return {
        "data": [trace],
        "layout": _layout(title, len(rows), "wins", len(rows)) | {"showlegend": False, "bargap": 0.55},
    }


def beside_figure(rows: list[dict[str, Any]], source: str) -> dict[str, Any]:
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
    layout = _layout("gain (points)", 2 * len(rows), "gains", len(rows))
    return {"data": traces, "layout": layout | {"barmode": "group", "bargap": 0.3}}


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


def _layout(title: str, numbers: int, kind: str, settings: int) -> dict[str, Any]:
    return {
        "xaxis": {"title": {"text": title}, "automargin": True, "zeroline": True},
        "yaxis": {"automargin": True, "autorange": "reversed", "type": "category"},
        "hovermode": "closest",
        "legend": {"orientation": "h", "x": 0, "y": 1.0, "yanchor": "bottom"},
        "margin": {"l": 8, "r": 12, "t": 24, "b": 40},
        "height": EDGE + max(ROW[kind] * numbers, 62 * settings),
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
    }
