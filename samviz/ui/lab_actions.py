"""What can be done with one comparison, as a row of buttons above it."""

import platform
from collections.abc import Mapping
from importlib.metadata import version

import streamlit as st

import samviz
from samviz.runs import UNFINISHED, Header, Store
from samviz.runs.jobs import STOPPED
from samviz.spec import Comparison
from samviz.spec.recipe import MOST_EPOCHS
from samviz.ui import access, lab_exchange, lab_list, report
from samviz.ui.document import PAGES


def show(store: Store, header: Header) -> None:
    """The buttons that make sense in the state that the comparison is in."""
    locked = bool(access.refused())
    states = {run.state for run in header.runs}
    with st.container(horizontal=True, vertical_alignment="center"):
        if not header.bundled:
            _running(store, header, states, locked)
            _names(store, header, locked)
        lab_list.duplicate_button(store, header.id)
        recipe_file(header.comparison, header.runs[0].machine or versions())
        lab_exchange.export_button(store, header, locked)
        report.lab_button(store, header, locked)
        st.page_link(
            PAGES / "compare.py",
            label="Compare",
            icon=":material/compare_arrows:",
            query_params={"comparisons": header.id},
        )
        st.page_link(
            PAGES / "sharpness.py", label="Sharpness", icon=":material/straighten:", query_params={"id": header.id}
        )
        if not header.bundled and header.sweep is None:
            lab_list.delete_button(store, header.id, header.comparison.name, locked or header.state in UNFINISHED)
    lab_list.refusal(header.id)


def _running(store: Store, header: Header, states: set[str], locked: bool) -> None:
    if not states.isdisjoint(UNFINISHED):
        if st.button("Pause", icon=":material/pause:", disabled=locked, help="Saves where it is, and rests."):
            access.act(lambda: store.pause(header.id))
        if st.button("Cancel", icon=":material/stop:", disabled=locked):
            access.act(lambda: store.cancel(header.id))
    if not states.isdisjoint(STOPPED) and st.button(
        "Go on",
        icon=":material/play_arrow:",
        disabled=locked,
        help="Runs that rest, were cancelled or failed go on from their last checkpoints.",
    ):
        access.act(lambda: store.go_on(header.id, access.person()))
        st.rerun()
    if states == {"finished"} and header.sweep is None:
        _more_epochs(store, header, locked)


def _more_epochs(store: Store, header: Header, locked: bool) -> None:
    trained = header.comparison.recipe.epochs
    if trained >= MOST_EPOCHS:
        return
    with st.popover("More epochs", icon=":material/add:", type="tertiary", disabled=locked):
        epochs = st.number_input(
            "Train up to epoch", trained + 1, MOST_EPOCHS, min(trained + max(1, trained // 2), MOST_EPOCHS)
        )
        st.caption(
            f"It goes on from where it ended. From epoch {trained + 1} on the learning rate is that of a training of "
            "that length; the recipe keeps what was before."
        )
        if st.button("Train on", type="primary"):
            access.act(lambda: store.extend(header.id, epochs, access.person()))
            st.rerun()


def _names(store: Store, header: Header, locked: bool) -> None:
    with (
        st.popover("Name and note", icon=":material/edit:", type="tertiary", disabled=locked),
        st.form(f"lab-names-{header.id}", border=False),
    ):
        name = st.text_input("Name", header.comparison.name, max_chars=80)
        note = st.text_area("Note", header.note, max_chars=4000, placeholder="What you want to remember of it")
        if st.form_submit_button("Save"):

            def save() -> bool:
                if name != header.comparison.name:
                    store.rename(header.id, name)
                store.annotate(header.id, note)
                return True

            if access.act(save):
                st.rerun()


def versions() -> dict[str, str]:
    """What a comparison that is started now runs with, as far as that is known without importing torch."""
    packages = {name: version(name) for name in ("torch", "numpy")}
    return {"samviz": samviz.__version__, **packages, "python": platform.python_version()}


def recipe_file(comparison: Comparison, versions: Mapping[str, str]) -> None:
    """The recipe as a file, with the versions that it was run with, or would be."""
    st.download_button(
        "Save the recipe",
        comparison.to_json(versions),
        file_name="recipe.json",
        mime="application/json",
        icon=":material/file_save:",
        help="As JSON: for the terminal, or for somebody else.",
        on_click="ignore",
        type="tertiary",
    )
