"""What a view of a page, or of the report, is made of: sentences, tables and charts, free of any theme."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True, slots=True)
class Table:
    """Text in rows; the first column names what the row is about."""

    head: tuple[str, ...]
    rows: list[tuple[str, ...]]
    keys: tuple[str, ...] = ()
    """For each row the key of the arm that it is about, whose mark stands before it."""
    note: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Chart:
    """One plotly figure {data, layout}; a trace's meta is the key of the arm that it belongs to."""

    name: str
    """Unique on the page: what a redraw finds the chart by."""
    title: str
    figure: dict[str, Any]
    height: int = 300
    """Pixels."""
    wide: bool = False
    """Whether it takes the page's whole width."""
    note: str = ""
    group: str = ""
    """What it stands under, together with the charts before and after it that have the same."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Section:
    """One view."""

    name: str
    title: str
    lead: str = ""
    """What the sentences are about."""
    sentences: list[str] = field(default_factory=list)
    """What can and cannot be concluded, above everything else."""
    tables: list[Table] = field(default_factory=list)
    charts: list[Chart] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    """What to know about the numbers, below everything else."""
    toggled: bool = False
    """Whether arms can be switched off in its charts."""


def mean_and_deviation(values: list[float], decimals: int = 1) -> str:
    """ "38.0 ± 1.1" over the values; without a deviation where there is one, "–" where there is none."""
    n = len(values)
    if not n:
        return "–"
    mean = sum(values) / n
    text = f"{mean:.{decimals}f}".replace("-", "−")
    if n == 1:
        return text
    sd = (sum((value - mean) ** 2 for value in values) / (n - 1)) ** 0.5
    return f"{text} ± {sd:.{decimals}f}"
