"""The tables of both papers, ASAM 1 to 6 and SAM-ON 1 to 14, as tidy data from assets/papers."""

from __future__ import annotations

import csv
import re
import tomllib
from dataclasses import dataclass, field
from functools import cache
from math import inf, nan
from pathlib import Path
from typing import TYPE_CHECKING, Any

from samviz.papers.settings import Settings
from samviz.spec import MASKS, SCOPES, check
from samviz.variants import VARIANTS

if TYPE_CHECKING:
    import pandas as pd

ASSETS = Path(__file__).parents[2] / "assets" / "papers"
PAPERS = ("asam", "sam-on")

TEXTS = (
    "dataset",
    "network",
    "augmentation",
    "method",
    "variant",
    "scope",
    "mask",
    "trained",
    "metric",
    "cell",
    "bold",
)
NUMBERS = ("label_noise", "sparsity", "rho", "radius", "p")
COLUMNS = [
    "paper", "table", "dataset", "network", "augmentation", "label_noise", "method", "label", "variant", "scope",
    "mask", "sparsity", "trained", "rho", "radius", "p", "metric", "value", "spread", "unit", "n", "bold", "cell",
    "settings",
]  # fmt: skip
"""Of every table's frame. Texts are "" and numbers NaN where the paper, or this table, has none."""

_CELL = re.compile(r"(-?[\d.]+|inf)(?:±<?([\d.]+))?")
_MARKED = re.compile(r"([\d.]+)\*")


@dataclass(frozen=True, kw_only=True, slots=True)
class Metric:
    """What a number of a table is of."""

    unit: str
    """"%" for accuracies; "" for numbers without one, and for settings."""
    better: str
    """higher, lower, or "" where neither is."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Table:
    """What a paper says of one of its tables, but for the cells."""

    paper: str
    """One of `PAPERS`."""
    number: int
    caption: str
    section: str
    metrics: dict[str, Metric]
    settings: Settings
    """How its numbers were trained."""
    settings_of: dict[str, Settings] = field(default_factory=dict)
    """Network -> its own settings, where it has others."""
    spread: str
    """What the number after ± is."""
    n: int | None = None
    """Runs behind each number; None where the text does not say, or the rows do."""
    notes: tuple[str, ...] = ()
    """What else there is to know: misprints, what is missing in the text at hand."""
    repeats: bool = False
    """Whether it prints cells of another table again."""
    common: dict[str, str] = field(default_factory=dict)
    """dataset, network and trained, where all rows share them."""

    @property
    def name(self) -> str:
        """ "SAM-ON Table 5"."""
        return f"{paper(self.paper)['short']} Table {self.number}"

    def of(self, network: str) -> Settings:
        """The settings of a network's rows."""
        return self.settings_of.get(network, self.settings)


@cache
def paper(key: str) -> dict[str, Any]:
    """title, short, authors, venue, missing (what the text at hand lacks), and what its tables say of themselves.

    Raises ValueError for another key than those of `PAPERS`.
    """
    check.choice("paper", key, PAPERS)
    return tomllib.loads((ASSETS / f"{key}.toml").read_text("utf-8"))


@cache
def tables() -> tuple[Table, ...]:
    """All twenty tables, ASAM's first."""
    return tuple(_table(key, int(number)) for key in PAPERS for number in paper(key)["tables"])


def _table(key: str, number: int) -> Table:
    data, sets = dict(paper(key)["tables"][str(number)]), paper(key)["settings"]
    return Table(
        paper=key,
        number=number,
        caption=data["caption"],
        section=data["section"],
        metrics={name: Metric(**metric) for name, metric in data["metrics"].items()},
        settings=Settings.from_dict(sets[data["settings"]]),
        settings_of={name: Settings.from_dict(sets[of]) for name, of in data.get("settings_of", {}).items()},
        spread=data["spread"],
        n=data.get("n"),
        notes=tuple(data.get("notes", ())),
        repeats=data.get("repeats", False),
        common={name: data[name] for name in ("dataset", "network", "trained") if name in data},
    )


@cache
def about(paper: str, number: int) -> Table:
    """One table's caption, units and settings; ValueError where there is no such table."""
    found = {table.number: table for table in tables() if table.paper == check.choice("paper", paper, PAPERS)}
    return found[check.choice("number", number, found)]


@cache
def table(paper: str, number: int) -> pd.DataFrame:
    """One table as a tidy frame of `COLUMNS`, a row a cell: table("sam-on", 5). Treat it as read-only.

    dataset, network, augmentation, variant, scope, mask and trained are keys of `samviz.spec` and `VARIANTS` where
    these have them, and the paper's own names elsewhere (ImageNet, ResNet-50); variant is "" for the base optimizer
    alone and for methods that samviz has not. value is the number and spread what follows ±, in `unit`; cell is what
    the paper prints. radius is of the ball that sharpness is measured in, p its norm. Raises ValueError for a table
    that there is not.
    """
    import pandas as pd

    one = about(paper, number)
    with (ASSETS / f"{paper}-{number}.csv").open(encoding="utf-8", newline="") as file:
        rows = [_row(one, line) for line in csv.DictReader(file)]
    return pd.DataFrame(rows, columns=COLUMNS).astype({"n": "Int64"})


@cache
def cells() -> pd.DataFrame:
    """All tables, one below the other. Treat it as read-only."""
    import pandas as pd

    return pd.concat([table(one.paper, one.number) for one in tables()], ignore_index=True)


@cache
def accuracies() -> pd.DataFrame:
    """The accuracies of all tables, those that a table repeats from another one left out. Treat it as read-only."""
    import pandas as pd

    once = [table(one.paper, one.number) for one in tables() if not one.repeats]
    frame = pd.concat(once, ignore_index=True)
    return frame[frame["unit"] == "%"].reset_index(drop=True)


def _row(one: Table, line: dict[str, str]) -> dict[str, Any]:
    row: dict[str, Any] = {name: line.get(name, one.common.get(name, "")) for name in TEXTS}
    row |= {name: float(line.get(name) or nan) for name in NUMBERS}
    row["metric"] = row["metric"] or next(iter(one.metrics))
    row["value"], row["spread"] = _numbers(row["cell"], row["metric"])
    settings = one.of(row["network"])
    row["augmentation"] = row["augmentation"] or settings.augmentation or ""
    n = line.get("n") or one.n
    return row | {
        "paper": one.paper,
        "table": one.number,
        "label": label(row),
        "unit": one.metrics[row["metric"]].unit,
        "n": None if n is None else int(n),
        "bold": row["bold"] == "yes",
        "settings": settings.words(),
    }


def _numbers(cell: str, metric: str) -> tuple[float, float]:
    """Value and spread of a cell as printed; of a list of radii, the one that is marked."""
    if metric == "rho":
        marked = _MARKED.search(cell)
        return (float(marked[1]) if marked else nan), nan
    found = _CELL.fullmatch(cell)
    if found is None:
        return nan, nan
    value = inf if found[1] == "inf" else float(found[1])
    return value, float(found[2]) if found[2] else nan


def label(row: dict[str, Any]) -> str:
    """What an arm like that of the row is called elsewhere in samviz: SAM-ON, SSAM-F (50 % sparse), SGD."""
    if row["variant"] not in VARIANTS:
        return row["method"]
    if row["mask"]:
        return f"{MASKS[row['mask']]} ({100 * row['sparsity']:.6g} % sparse)"
    name = VARIANTS[row["variant"]].label
    rho = f" (ρ {row['rho']:g})" if row["trained"] else ""  # Table 13 has two radii of one method
    return f"{name}{' ' if row['scope'] == 'no_norm' else '-'}{SCOPES[row['scope']]}{rho}"
