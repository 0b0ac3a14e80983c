"""What somebody looks at on the Papers page, as it stands in its address."""

from dataclasses import dataclass, replace
from typing import Any

from samviz.figures.papers_claims import STATES
from samviz.papers import tables
from samviz.papers.published import FIGURES
from samviz.spec import check
from samviz.ui.state import State

VIEWS = {"tables": "Tables", "runs": "Your runs beside them", "figures": "Figures", "claims": "Claims"}
"""The parts of the page and what they are called."""
SHOWN = {"gains": "Gains", "values": "Values"}
ALL = "all"
"""All accuracies of both papers, as one table."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Choice(State):
    """A state of the page; an address leaves out what is as it is here."""

    PAGE = "Papers"

    view: str = "tables"
    table: str = "sam-on-1"
    """PAPER-NUMBER, or `ALL`."""
    metric: str = ""
    """What is shown of a table with several; "" is its first."""
    reference: str = ""
    """What gains are over; "" is the first that there is."""
    shown: str = "gains"
    datasets: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()
    """Of the rows that are shown; none is all."""
    comparison: str = ""
    """One's own, beside the papers' cells; "" is the newest."""
    beside: str = ""
    """PAPER-NUMBER; "" is the table with the most of its arms."""
    figure: str = ""
    """PAPER-NUMBER of the figure whose recipe is shown; "" lists them all."""
    state: str = ""
    """Key of `STATES`: the claims that are listed; "" is all."""

    def __post_init__(self) -> None:
        numbers = [f"{one.paper}-{one.number}" for one in tables()]
        for name, allowed in (
            ("view", VIEWS),
            ("table", [ALL, *numbers]),
            ("shown", SHOWN),
            ("beside", ["", *numbers]),
            ("figure", ["", *(figure.key for figure in FIGURES)]),
            ("state", ["", *STATES]),
        ):
            check.choice(name, getattr(self, name), allowed)

    def changed(self, name: str, value: Any) -> "Choice":
        """The state with one part changed; another table has other metrics, methods and references."""
        if name == "table":
            return replace(Choice(), view=self.view, table=value, shown=self.shown)
        if name == "comparison":
            return replace(self, comparison=value, beside="")
        return replace(self, **{name: value})
