"""Who wins how often in the papers' tables, and by how much."""

from __future__ import annotations

from math import hypot, isnan
from typing import TYPE_CHECKING, Any

from samviz.papers.tables import about
from samviz.spec import check

if TYPE_CHECKING:
    import pandas as pd

OWN_ALL = "all"
"""A reference: the method's own variant with all parameters perturbed, which is what SAM-ON's bold type compares."""
SETTING = ["paper", "table", "dataset", "network", "augmentation", "label_noise", "p", "radius", "metric"]
"""Cells that agree in these differ in the method alone."""
GAIN_COLUMNS = [*SETTING, "label", "variant", "scope", "mask", "gain", "gain_spread", "value", "spread", "unit"]
WIN_COLUMNS = ["label", "settings", "wins", "ties", "losses", "mean", "least", "most"]


def references(frame: pd.DataFrame) -> list[str]:
    """What the methods of these cells can be compared with, each of which has a setting with another one.

    `OWN_ALL` where there are scopes, then the labels of methods.
    """
    settings = _settings(frame)
    groups = [{row["label"] for row in group} for group in settings]
    labels = [label for label in dict.fromkeys(frame["label"]) if any(label in g and len(g) > 1 for g in groups)]
    scopes = {row["scope"] for group in settings for row in group}
    return ([OWN_ALL] if {"all", "norm_only"} <= scopes else []) + labels


def gains(frame: pd.DataFrame, reference: str) -> pd.DataFrame:
    """What each method gains over the reference in each setting: rows of GAIN_COLUMNS.

    `reference` is one of `references(frame)`. gain is the difference of the two cells, positive where the method is the
    better one (a higher accuracy, a lower sharpness, less time), and gain_spread the root of the sum of their squared
    spreads: the papers do not tell pairs. Cells without a number, and metrics of which neither end is better, do not
    count. Raises ValueError for another reference.
    """
    import pandas as pd

    check.choice("reference", reference, references(frame))
    rows = []
    for group in _settings(frame):
        for row in group:
            others = [other for other in group if _is_reference(other, row, reference)]
            if len(others) != 1 or others[0]["label"] == row["label"]:
                continue
            gain = _sign(row) * (row["value"] - others[0]["value"])
            spread = hypot(*(0.0 if isnan(cell["spread"]) else cell["spread"] for cell in (row, others[0])))
            row = row | {"gain": gain, "gain_spread": spread}
            rows.append([row[name] for name in GAIN_COLUMNS])
    return pd.DataFrame(rows, columns=GAIN_COLUMNS)


def _settings(frame: pd.DataFrame) -> list[list[dict[str, Any]]]:
    """The cells that have a number of which more, or less, is better, setting by setting."""
    groups: dict[tuple, list[dict[str, Any]]] = {}
    for row in frame.to_dict("records"):
        if not isnan(row["value"]) and _sign(row):
            key = tuple(None if row[name] != row[name] else row[name] for name in SETTING)  # NaN is not itself
            groups.setdefault(key, []).append(row)
    return list(groups.values())


def _sign(row: dict[str, Any]) -> int:
    better = about(row["paper"], row["table"]).metrics[row["metric"]].better
    return {"higher": 1, "lower": -1}.get(better, 0)


def _is_reference(other: dict[str, Any], row: dict[str, Any], reference: str) -> bool:
    if reference == OWN_ALL:
        return (other["variant"], other["scope"], other["mask"]) == (row["variant"], "all", "")
    return other["label"] == reference


def wins(gained: pd.DataFrame) -> pd.DataFrame:
    """How often each method is ahead of the reference, level with it and behind it: rows of WIN_COLUMNS.

    settings is how many settings have both; mean, least and most are of the gain over them, in the cells' unit. Cells
    are compared as printed: a win may be within the spread.
    """
    import pandas as pd

    rows = []
    for label, group in gained.groupby("label", sort=False):
        gain = group["gain"].round(9)  # what two printed numbers differ by
        counts = [int((gain > 0).sum()), int((gain == 0).sum()), int((gain < 0).sum())]
        rows.append([label, len(gain), *counts, float(gain.mean()), float(gain.min()), float(gain.max())])
    return pd.DataFrame(rows, columns=WIN_COLUMNS)
