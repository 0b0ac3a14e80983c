"""The Lab page: a form and a list, or, with ?id= in the address, one comparison live."""

import json

import streamlit as st

from samviz.runs import Header, Store, open_store
from samviz.spec import Comparison
from samviz.ui import (
    access,
    guide,
    lab_actions,
    lab_arms,
    lab_exchange,
    lab_form,
    lab_jobs,
    lab_list,
    press,
    sign_in,
    sweeps,
)
from samviz.ui.components import component
from samviz.ui.document import PAGES
from samviz.ui.plain import plain
from samviz.ui.state import settle

PAGE = str(PAGES / "lab.py")
_STYLE = """<style>
/* Streamlit marks a link to the page that one is on, but these lead to another view of it. */
:is([class*="st-key-lab-line"], .st-key-lab-back) [data-testid="stPageLink-NavLink"]:not(:hover, :focus-visible) {
  background: none;
}
</style>"""


def page() -> None:
    """Everything below the title bar."""
    st.html(_STYLE)
    try:
        store = open_store()
    except ValueError as error:
        st.title("Lab")
        st.error(plain(str(error)))
        return
    settle("Lab", {key: st.query_params[key] for key in ("id", "sweep") if key in st.query_params})
    id, sweep = st.query_params.get("id"), st.query_params.get("sweep")
    guide.bar()
    if sweep is not None:
        _back()
        sweeps.show(store, sweep)
        return
    if id is None:
        _overview(store)
        return
    try:
        header = store.header(id)
    except KeyError:
        st.title("Lab")
        st.error(plain(f"There is no comparison {id[:40]!r}: it may have been deleted."))
        _back()
        return
    _comparison(store, header)


def _back() -> None:
    with st.container(key="lab-back"):
        st.page_link(PAGE, label="All comparisons", icon=":material/arrow_back:")


def _overview(store: Store) -> None:
    st.title("Lab")
    st.markdown(
        "Train the same network from the same weights on the same batches, once for each arm, and watch accuracy, loss "
        "and the γ of the norm layers as they come."
    )
    sign_in.show()
    why = access.refused()
    lab_form.ready()
    left, right = st.columns([7, 5], gap="large")
    with left:
        st.subheader("New comparison", anchor=False)
        _form(store, bool(why))
    with right:
        st.subheader("Comparisons", anchor=False)
        lab_list.show(store, PAGE, bool(why))
        lab_exchange.import_box(store, bool(why))
    summaries = store.comparisons()
    if len(summaries) == 1 and summaries[0].bundled and not store.sweeps():
        st.subheader(f"An example that ships with samviz: {plain(summaries[0].name)}", anchor=False)
        _live(summaries[0].id, summaries[0].state)


def _form(store: Store, locked: bool) -> None:
    lab_form.preset()
    lab_jobs.data_choice(store, locked)
    lab_form.name_and_seeds()
    lab_arms.show()
    lab_form.recipe()
    comparison: Comparison | None = None
    with st.container():
        try:
            comparison = lab_form.read(st.session_state)
        except ValueError as error:
            st.error(plain(str(error)))
    with st.container(horizontal=True, vertical_alignment="center"):
        start = press.button(
            "Start", "lab-start", icon=":material/play_arrow:", type="primary", disabled=locked or comparison is None
        )
        lab_jobs.estimate(store, comparison, locked)
        if comparison is not None:
            lab_actions.recipe_file(comparison, lab_actions.versions())
    lab_jobs.estimated(store, comparison)
    sweeps.section(store, comparison, locked)
    if start and comparison is not None:
        id = access.act(lambda: store.submit(comparison, person=access.person()))
        if id is not None:
            press.started("id", id)


def _comparison(store: Store, header: Header) -> None:
    _back()
    if header.sweep is not None:
        with st.container(key="lab-sweep-back"):
            st.page_link(PAGE, label="Its sweep", icon=":material/grid_on:", query_params={"sweep": header.sweep})
    st.title(plain(header.comparison.name), anchor=False)
    if header.bundled:
        st.caption("Example, ships with samviz: really run, with recipe and versions below.")
    if header.note:
        st.text(header.note)
    lab_actions.show(store, header)
    sign_in.show()
    _live(header.id, header.state, whole=True)
    with st.expander("Recipe and versions", icon=":material/description:"):
        machines = {f"seed {run.seed}": run.machine for run in header.runs if run.machine}
        recipe, versions = st.columns(2)
        recipe.code(header.comparison.to_json(), language="json")
        versions.code(json.dumps(machines, indent=2), language="json")


def _live(id: str, state: str, whole: bool = False) -> None:
    """The live view, which may be the whole page, then seen from its top.

    It runs the page again when the comparison comes into another state than the page has drawn.
    """
    data = {"id": id, "state": state, "whole": whole}
    component("live")(key=f"lab-live-{id}", data=data, on_state_change=lambda: None)
