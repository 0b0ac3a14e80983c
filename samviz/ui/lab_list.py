"""The list of comparisons: the newest first, the bundled example last."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import streamlit as st

from samviz.runs import UNFINISHED, Store, Summary
from samviz.ui import access, lab_form

SHOWN = 8
"""Comparisons listed before one asks for more."""
_REFUSED = "lab-refused"
COLORS = {"queued": "gray", "running": "blue", "finished": "green", "cancelled": "orange", "failed": "red"}


def badge(state: str) -> str:
    """A state as a colored word, in Markdown."""
    return f":{COLORS[state]}-badge[{state}]"


def when(seconds: float) -> str:
    """A time as the reader's clock shows it."""
    try:
        zone = ZoneInfo(st.context.timezone or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        zone = UTC
    return datetime.fromtimestamp(seconds, zone).strftime("%d %b %Y, %H:%M")


def show(store: Store, page: str, locked: bool) -> None:
    """The list; `page` is the Lab page's file, for the links. Renewed every few seconds while something runs."""
    running = any(summary.state in UNFINISHED for summary in store.comparisons())
    st.fragment(_list, run_every=3 if running else None)(store, page, locked)


def _list(store: Store, page: str, locked: bool) -> None:
    summaries = store.comparisons()
    shown = summaries
    if len(summaries) > SHOWN and not st.toggle(f"Show all {len(summaries)}", key="lab-show-all"):
        shown = summaries[:SHOWN] + [summary for summary in summaries[SHOWN:] if summary.bundled]
    if not summaries:
        st.caption("Nothing yet: what you start appears here, also from the terminal.")
    for summary in shown:
        _line(store, summary, page, locked)


def _line(store: Store, summary: Summary, page: str, locked: bool) -> None:
    with st.container(border=True, gap="xsmall", key=f"lab-line-{summary.id}"):
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            st.page_link(page, label=f"**{_plain(summary.name)}**", query_params={"id": summary.id}, width="content")
            mark = ":gray-badge[example, ships with samviz]" if summary.bundled else badge(summary.state)
            progress = f" {summary.progress:.0%}" if summary.state == "running" else ""
            st.markdown(mark + progress, width="content")
        seeds = f"{len(summary.seeds)} seeds" if len(summary.seeds) > 1 else f"seed {summary.seeds[0]}"
        classes = [] if summary.classes is None else [f"{summary.classes} classes"]
        facts = [when(summary.created), summary.dataset, *classes, summary.network, ", ".join(summary.arms), seeds]
        st.caption(_plain(" · ".join(facts)))
        with st.container(horizontal=True):
            duplicate_button(store, summary.id)
            if not summary.bundled:
                delete_button(store, summary.id, summary.name, locked or summary.state in UNFINISHED)
        refusal(summary.id)


def _plain(text: str) -> str:
    """Text that Markdown shows as it is."""
    return "".join(f"\\{c}" if c in "\\`*_{}[]()#+-.!|~:$<>" else c for c in text)


def duplicate_button(store: Store, id: str) -> None:
    """Put a comparison's settings into the form; where that is refused, `refusal` says why."""

    def duplicate() -> None:
        st.session_state.pop(_REFUSED, None)
        try:
            lab_form.fill(store.header(id).comparison)
        except (ValueError, KeyError) as error:
            st.session_state[_REFUSED] = id, str(error.args[0])
        else:
            st.query_params.pop("id", None)

    pressed = st.button(
        "Duplicate and edit",
        icon=":material/content_copy:",
        key=f"lab-duplicate-{id}",
        on_click=duplicate,
        type="tertiary",
    )
    if pressed and _REFUSED not in st.session_state:
        st.rerun()  # the list is a fragment, and the form is not in it


def refusal(id: str) -> None:
    """Why this comparison could not be put into the form, if that was asked for last."""
    other, sentence = st.session_state.get(_REFUSED, ("", ""))
    if other == id:
        st.error(sentence)


def delete_button(store: Store, id: str, name: str, disabled: bool) -> None:
    """Delete a comparison, after asking once more."""
    if st.button("Delete", icon=":material/delete:", key=f"lab-delete-{id}", disabled=disabled, type="tertiary"):
        _confirm(store, id, name)


@st.dialog("Delete this comparison?")
def _confirm(store: Store, id: str, name: str) -> None:
    st.markdown(f"**{_plain(name)}** goes with all its numbers, logs and checkpoints. This cannot be undone.")
    if st.button("Delete", type="primary", key="lab-delete-confirmed"):

        def delete() -> bool:
            store.delete(id)
            return True

        if access.act(delete):
            st.query_params.pop("id", None)
            st.rerun()
