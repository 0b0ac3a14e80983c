"""What the Lab page waits for: an estimate of the time, and a download. Shown by fragments, so nothing else waits."""

import streamlit as st

from samviz import data
from samviz.data import DatasetStatus
from samviz.runs import UNFINISHED, Store
from samviz.spec import Comparison
from samviz.ui import access, lab_form, press

_ESTIMATE = "lab-estimate-job"


def duration(seconds: float) -> str:
    """A rough length of time in words: two figures are all that an estimate is worth."""
    if seconds < 100:
        whole = max(1, round(seconds))
        return f"{whole} second{'s' if whole > 1 else ''}"
    if seconds < 100 * 60:
        return f"{round(seconds / 60)} minutes"
    return f"{seconds / 3600:.1f} hours" if seconds < 72 * 3600 else f"{seconds / 86400:.0f} days"


def data_choice(store: Store, locked: bool) -> None:
    """The data set, what is known of it, and how to get it where it is missing."""
    statuses = {status.key: status for status in data.status()}
    labels = {key: status.label + ("" if status.ready else ", not here yet") for key, status in statuses.items()}
    status = statuses[lab_form.dataset(labels)]
    with st.container():
        if status.ready:
            st.caption(status.note)
        else:
            _missing(store, status, locked)


def _missing(store: Store, status: DatasetStatus, locked: bool) -> None:
    key = f"lab-download-{status.key}"
    st.warning(status.note, icon=":material/download:")
    with st.container(horizontal=True):
        if st.button(f"Download {status.label}", icon=":material/download:", disabled=locked):
            job = access.act(lambda: store.download(status.key))
            if job is not None:
                st.session_state[key] = job
        st.button("Take the built-in data", on_click=lab_form.choose_builtin)
    if key in st.session_state:
        st.fragment(_downloading, run_every=1)(store, key)


def _downloading(store: Store, key: str) -> None:
    view = store.job(st.session_state[key])
    if view.state in UNFINISHED:
        st.progress(view.progress, f"Downloading, {view.progress:.0%}")
        return
    if view.state == "finished":
        del st.session_state[key]
        st.rerun()
    st.error(view.error or view.reason or f"The download was {view.state}: the built-in data need none.")


def estimate(store: Store, comparison: Comparison | None, locked: bool) -> None:
    """The button that times a few real steps; while it does, another press asks for nothing more."""
    look = {"icon": ":material/timer:", "disabled": locked or comparison is None}
    if not press.button("Estimate the time", "lab-estimate", **look) or comparison is None:
        return
    job = _asked(comparison)
    if job is None or store.job(job).state not in UNFINISHED:
        job = access.act(lambda: store.calibrate(comparison, access.person()))
        if job is not None:
            st.session_state[_ESTIMATE] = job, comparison


def estimated(store: Store, comparison: Comparison | None) -> None:
    """The estimate, if there is one of these very settings."""
    if comparison is None or (job := _asked(comparison)) is None:
        return
    waiting = store.job(job).state in UNFINISHED
    st.fragment(_timing, run_every=0.5 if waiting else None)(store, job, len(comparison.seeds), waiting)


def _asked(comparison: Comparison) -> int | None:
    """The job that was asked for last, if it times these very settings."""
    job, timed = st.session_state.get(_ESTIMATE, (None, None))
    return job if timed is not None and _work(timed) == _work(comparison) else None


def _work(comparison: Comparison) -> dict:
    return comparison.to_dict() | {"name": ""}


def _timing(store: Store, job: int, seeds: int, waiting: bool) -> None:
    result = store.estimate(job)
    if result.state in UNFINISHED:
        st.info("Timing a few steps of each arm…", icon=":material/timer:")
        return
    if waiting:
        st.rerun()  # so that this fragment is drawn without a timer
    if result.state != "finished" or result.seconds is None:
        st.error(result.error or f"The estimate was {result.state}.")
        return
    each = f", {duration(result.seconds_per_run)} a seed" if seeds > 1 and result.seconds_per_run else ""
    st.info(f"About {duration(result.seconds)} on {result.device}{each}.", icon=":material/timer:")
