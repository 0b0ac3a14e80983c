"""Figures on a page that are redrawn in place: what a reader has zoomed or switched off stays so."""

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from samviz.figures.parts import Chart
from samviz.ui.components import component


def show(key: str, charts: Sequence[Chart], arms: Sequence[dict[str, str]] = ()) -> None:
    """Draw the charts, under a legend that switches `arms` off where there are any (see `compare.legend`)."""
    plain: list[dict[str, Any]] = [{f.name: getattr(chart, f.name) for f in fields(chart)} for chart in charts]
    component("charts")(key=key, data={"charts": plain, "arms": list(arms)})
