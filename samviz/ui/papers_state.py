"""What somebody looks at on the Papers page, read from its address and written into it.

Written here, and not by Streamlit's own binding, each choice is an entry of the browser's history: Back undoes it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import streamlit as st

from samviz.figures.papers_claims import STATES
from samviz.papers import tables
from samviz.papers.published import FIGURES
from samviz.spec import check
from samviz.ui import guide

VIEWS = {"tables": "Tables", "runs": "Your runs beside them", "figures": "Figures", "claims": "Claims"}
"""The parts of the page and what they are called."""
SHOWN = {"gains": "Gains", "values": "Values"}
ALL = "all"
"""All accuracies of both papers, as one table."""
_LISTS = ("datasets", "networks", "methods")


@dataclass(frozen=True, kw_only=True, slots=True)
class Choice:
    """A state of the page; an address leaves out what is as it is here."""

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

    @classmethod
    def from_query(cls, query: Mapping[str, Sequence[str]]) -> "Choice":
        """Read an address; ValueError in one sentence where something in it is wrong, unknown or there twice."""
        values: dict[str, Any] = {}
        for name, texts in check.mapping(
            "The address of the Papers page", query, [f.name for f in fields(cls)]
        ).items():
            if name not in _LISTS and len(texts) != 1:
                raise ValueError(f"{name} must be given once, but it is given {len(texts)} times.")
            values[name] = tuple(texts) if name in _LISTS else texts[0]
        return cls(**values)

    def to_query(self) -> dict[str, str | list[str]]:
        """The address of this state; a list is there once for each of its values."""
        plain, query = Choice(), {}
        for field in fields(self):
            if (value := getattr(self, field.name)) != getattr(plain, field.name):
                query[field.name] = list(value) if field.name in _LISTS else value
        return query

    def changed(self, name: str, value: Any) -> "Choice":
        """The state with one part changed; another table has other metrics, methods and references."""
        if name == "table":
            return replace(Choice(), view=self.view, table=value, shown=self.shown)
        if name == "comparison":
            return replace(self, comparison=value, beside="")
        return replace(self, **{name: tuple(value) if name in _LISTS else value})


def read() -> Choice:
    """What the address says, but for the guide's marks and Streamlit's own keys.

    The address is written as well: a link to the page that one is on changes what is shown, but not the address.
    """
    others = [key for key in st.query_params if key in guide.MARKS or key.startswith("embed")]
    choice = Choice.from_query({key: st.query_params.get_all(key) for key in st.query_params if key not in others})
    write(choice)
    return choice


def write(choice: Choice) -> None:
    """Make this the page's address."""
    kept = {key: st.query_params[key] for key in guide.MARKS if key in st.query_params}
    st.query_params.from_dict(kept | choice.to_query())


def bound(choice: Choice, name: str, shown: Any, empty: str | None = None) -> dict[str, Any]:
    """What binds a widget to a part of the address: it shows that part, and a change is a new address.

    `empty` is the option that the address leaves out.
    """
    key = f"papers-choice-{name}"
    st.session_state[key] = shown

    def change() -> None:
        value = st.session_state[key]
        if value is not None:  # a single choice that was taken back stays as it was
            write(choice.changed(name, "" if value == empty else value))

    return {"key": key, "on_change": change}
