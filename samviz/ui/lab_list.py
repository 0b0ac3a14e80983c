"""The list of comparisons: the newest first, the bundled example last."""

from collections.abc import Callable
from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import streamlit as st

from samviz.runs import UNFINISHED, Store, Summary, SweepSummary
from samviz.runs.limits import size_text
from samviz.ui import access, lab_form
from samviz.ui.plain import plain

SHOWN = 8
"""Comparisons listed before one asks for more."""
_REFUSED = "lab-refused"
COLORS = {
    "queued": "gray",
    "running": "blue",
    "paused": "violet",
    "finished": "green",
    "cancelled": "orange",
    "failed": "red",
}


def badge(state: str) -> str:
    """A state as a colored word, in Markdown."""
    return f":{COLORS[state]}-badge[{state}]"


def when(seconds: float) -> str:
    """A time as the reader's clock shows it."""
    try:
        zone = ZoneInfo(st.context.timezone or "UTC")
    except (ZoneInfoNotFoundError, ValueError, OSError):  # whatever the browser says: also the name of a folder
        zone = UTC
    return datetime.fromtimestamp(seconds, zone).strftime("%d %b %Y, %H:%M")


def show(store: Store, page: str, locked: bool) -> None:
    """The list; `page` is the Lab page's file, for the links. Renewed every few seconds while something runs."""
    entries = [*store.comparisons(), *store.sweeps()]
    running = any(entry.state in UNFINISHED for entry in entries)
    st.fragment(_list, run_every=3 if running else None)(store, page, locked)


def _list(store: Store, page: str, locked: bool) -> None:
    summaries = store.comparisons()
    bundled = [summary for summary in summaries if summary.bundled]
    own = [*(summary for summary in summaries if not summary.bundled), *store.sweeps()]
    own.sort(key=lambda entry: entry.created, reverse=True)
    if not own:
        st.caption("Nothing yet: what you start appears here, also from the terminal.")
    elif waits := _waits(store):
        st.caption(waits)
    if len(own) > SHOWN and not st.toggle(f"Show all {len(own)}", key="lab-show-all"):
        own = own[:SHOWN]
    for entry in [*own, *bundled]:
        if isinstance(entry, SweepSummary):
            _sweep_line(store, entry, page, locked)
        else:
            _line(store, entry, page, locked)
    if own:
        _room(store)


def _waits(store: Store) -> str:
    """How many runs go on and how many wait, "" if none does."""
    running, waiting = store.queue()
    if not waiting:
        return ""
    runs = "1 run waits" if waiting == 1 else f"{waiting} runs wait"
    return f"{running} running, {runs}: people take turns."


def _room(store: Store) -> None:
    """The room on the disk, and how much there may be of it."""
    try:
        usage = store.usage()
    except ValueError as error:
        st.warning(plain(str(error)))
        return
    text = f"On disk: {size_text(usage.total)} of at most {size_text(usage.most)}"
    if usage.total >= usage.most:
        st.warning(f"{text}: nothing new is started until something is deleted.", icon=":material/hard_drive:")
    else:
        st.caption(text, help=plain(", ".join(f"{what} {size_text(size)}" for what, size in usage.parts.items())))


def _sweep_line(store: Store, sweep: SweepSummary, page: str, locked: bool) -> None:
    with st.container(border=True, gap="xsmall", key=f"lab-line-sweep-{sweep.id}"):
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            label = f":material/grid_on: **{plain(sweep.name)}**"
            st.page_link(page, label=label, query_params={"sweep": sweep.id}, width="content")
            progress = f" {sweep.progress:.0%}" if sweep.state == "running" else ""
            st.markdown(badge(sweep.state) + progress, width="content")
        base = sweep.sweep.base
        most = "" if sweep.sweep.search == "grid" else "search of at most "
        facts = [when(sweep.created), f"{most}{sweep.sweep.size} comparisons", ", ".join(base.labels.values())]
        st.caption(plain(" · ".join(facts)))
        running = sweep.state in UNFINISHED
        key, name = f"sweep-{sweep.id}", sweep.name
        delete_button(store, key, name, locked or running, act=lambda: store.delete_sweep(sweep.id))


def _line(store: Store, summary: Summary, page: str, locked: bool) -> None:
    with st.container(border=True, gap="xsmall", key=f"lab-line-{summary.id}"):
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            st.page_link(page, label=f"**{plain(summary.name)}**", query_params={"id": summary.id}, width="content")
            mark = ":gray-badge[example, ships with samviz]" if summary.bundled else badge(summary.state)
            progress = f" {summary.progress:.0%}" if summary.state == "running" else ""
            st.markdown(mark + progress, width="content")
        seeds = f"{len(summary.seeds)} seeds" if len(summary.seeds) > 1 else f"seed {summary.seeds[0]}"
        classes = [] if summary.classes is None else [f"{summary.classes} classes"]
        facts = [when(summary.created), summary.dataset, *classes, summary.network, ", ".join(summary.arms), seeds]
        st.caption(plain(" · ".join(facts)))
        with st.container(horizontal=True):
            duplicate_button(store, summary.id)
            if not summary.bundled:
                delete_button(store, summary.id, summary.name, locked or summary.state in UNFINISHED)
        refusal(summary.id)


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
        st.error(plain(sentence))


def delete_button(store: Store, id: str, name: str, disabled: bool, act: Callable[[], object] | None = None) -> None:
    """Delete a comparison, or do what `act` does, after asking once more."""
    if st.button("Delete", icon=":material/delete:", key=f"lab-delete-{id}", disabled=disabled, type="tertiary"):
        _confirm(name, act or (lambda: store.delete(id)))


@st.dialog("Delete it?")
def _confirm(name: str, act: Callable[[], object]) -> None:
    st.markdown(f"**{plain(name)}** goes with all its numbers, logs and checkpoints. This cannot be undone.")
    if st.button("Delete", type="primary", key="lab-delete-confirmed"):

        def delete() -> bool:
            act()
            return True

        if access.act(delete):
            for key in ("id", "sweep"):
                st.query_params.pop(key, None)
            st.rerun()
