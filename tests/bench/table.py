"""The form of every benchmark's result: a budget, a measured figure with its n and spread, and a verdict."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line of the table. A missed budget is shown as missed; nothing fails."""

    what: str
    budget: float
    figure: float
    unit: str
    spread: str
    """n and spread, as measured."""

    @property
    def verdict(self) -> str:
        return "met" if self.figure <= self.budget else "MISSED"


def quantile_row(what: str, samples: Sequence[float], q: float, budget: float, unit: str) -> Row:
    """A row whose figure is the q-quantile of the samples; the spread column says n, least and largest."""
    values = np.asarray(samples, dtype=float)
    spread = f"n={len(values)}, {values.min():.3g} to {values.max():.3g}"
    name = "median" if q == 0.5 else f"p{round(100 * q)}"
    return Row(what=f"{what}, {name}", budget=budget, figure=float(np.quantile(values, q)), unit=unit, spread=spread)


def show(rows: Iterable[Row]) -> str:
    """The table as Markdown."""
    lines = ["| what | budget | measured | n and range | verdict |", "|---|---|---|---|---|"]
    lines += [
        f"| {r.what} | {r.budget:g} {r.unit} | {r.figure:.3g} {r.unit} | {r.spread} | {r.verdict} |" for r in rows
    ]
    return "\n".join(lines)
