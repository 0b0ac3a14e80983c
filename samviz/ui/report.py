"""The button that writes a report: one HTML page that opens without a network."""

from collections.abc import Callable

import streamlit as st

from samviz.figures.report import report_of
from samviz.runs import Header, Store
from samviz.ui import access


def report_button(make: Callable[[], str], locked: bool, name: str, type: str = "secondary") -> None:
    """The report that `make` writes, when it is asked for, as NAME-report.html; for who may act.

    Where it is locked, Streamlit forgets the function that makes the file: the check is made on the server.
    """
    st.download_button(
        "Report",
        access.asked_later(make),
        file_name=f"samviz-{name}-report.html",
        mime="text/html",
        icon=":material/lab_profile:",
        key=f"report-{name}",
        help="Verdicts, tables, figures, recipe and versions as one page that opens without a network.",
        on_click="ignore",
        type=type,
        disabled=locked,
    )


def lab_button(store: Store, header: Header, locked: bool) -> None:
    """The report on one comparison, for the row of buttons above it in the Lab."""
    report_button(lambda: report_of(store.news(header.id)), locked, header.id, "tertiary")
