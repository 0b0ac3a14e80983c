"""The Papers page: the published tables, one's own runs beside them, the figures and the claims."""

import streamlit as st

from samviz.papers import PAPERS, paper
from samviz.runs import open_store
from samviz.ui import guide, papers_claims, papers_figures, papers_runs, papers_tables
from samviz.ui.document import PAGES
from samviz.ui.papers_state import VIEWS, Choice
from samviz.ui.plain import plain
from samviz.ui.state import bound, read

PAGE = str(PAGES / "papers.py")
_STYLE = """<style>
/* Streamlit marks a link to the page that one is on, but these lead to another view of it. */
[class*="st-key-papers-line"] [data-testid="stPageLink-NavLink"]:not(:hover, :focus-visible) { background: none; }
</style>"""


def page() -> None:
    """Everything below the title bar."""
    st.html(_STYLE)
    st.title("Papers", anchor=False)
    guide.bar()
    try:
        choice = read(Choice)
    except ValueError as error:
        st.error(plain(str(error)))
        st.page_link(PAGE, label="The tables from the start", icon=":material/restart_alt:")
        return
    st.markdown(
        "The tables of both papers as data, your own runs beside them, and what these say of the papers' claims."
    )
    st.segmented_control(
        "Show",
        list(VIEWS),
        format_func=VIEWS.__getitem__,
        label_visibility="collapsed",
        **bound(choice, "view", choice.view),
    )
    if choice.view == "tables":
        papers_tables.show(choice)
    else:
        _with_store(choice)
    _sources()


def _with_store(choice: Choice) -> None:
    try:
        store = open_store()
    except ValueError as error:
        st.error(plain(str(error)))
        return
    parts = {"runs": papers_runs.show, "figures": papers_figures.show, "claims": papers_claims.show}
    parts[choice.view](store, choice)


def _sources() -> None:
    for key in PAPERS:
        one = paper(key)
        st.caption(plain(f"{one['authors']}, {one['title']}, {one['venue']}. {one['missing']}"))
