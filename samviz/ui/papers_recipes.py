"""The recipes of the papers' figures on the Papers page: what to train, how long it takes, and the way to it."""

from collections.abc import Sequence

import streamlit as st

from samviz.figures.sweep import AXES
from samviz.papers.outcomes import Hours, Outcome, hours, hours_timed
from samviz.papers.published import Figure
from samviz.runs import UNFINISHED, Store
from samviz.spec import Comparison, Sweep
from samviz.ui import access, lab_form, sign_in
from samviz.ui.document import PAGES
from samviz.ui.lab_arms import key
from samviz.ui.lab_jobs import duration
from samviz.ui.plain import plain


def hours_text(one: Figure, comparisons: Sequence[Outcome]) -> str:
    """The hours of all recipes of a figure together."""
    known = [hours(work, comparisons) for work in one.recipes]
    if None in known:
        return "not estimated on this machine yet"
    return f"about {duration(3600 * sum(each.hours for each in known))} here, training alone"


def show(store: Store, one: Figure, comparisons: Sequence[Outcome]) -> None:
    """The recipes of one figure."""
    locked = bool(access.refused())
    for k, work in enumerate(one.recipes):
        with st.container(border=True, key=f"papers-recipe-{one.key}-{k}"):
            st.markdown(f"**{plain(work.name)}**: {plain(words(work))}")
            estimate = f"papers-estimate-{one.key}-{k}"
            _known(store, estimate, work, hours(work, comparisons))
            with st.container(horizontal=True, vertical_alignment="center"):
                if st.button("Open in the Lab", icon=":material/science:", key=f"papers-open-{one.key}-{k}"):
                    fill(work)
                    # The address of now: Streamlit would empty it first, and Back would lead there.
                    st.switch_page(PAGES / "lab.py", query_params=st.query_params.to_dict())
                _estimate(store, estimate, work, locked)
                st.download_button(
                    "Save the recipe",
                    work.to_json(),
                    file_name=f"{one.key}.json",
                    mime="application/json",
                    icon=":material/file_save:",
                    key=f"papers-save-{one.key}-{k}",
                    on_click="ignore",
                    type="tertiary",
                )
    sign_in.show()


def base(work: Comparison | Sweep) -> Comparison:
    """What a sweep repeats, or the comparison itself."""
    return work.base if isinstance(work, Sweep) else work


def words(work: Comparison | Sweep) -> str:
    """What has to be trained: "4 arms (SGD, ...), 5 values of rho from 0.05 to 5, 200 epochs, 3 seeds"."""
    own = base(work)
    parts = [f"{len(own.arms)} arm{'' if len(own.arms) == 1 else 's'} ({', '.join(own.labels.values())})"]
    for axis in work.axes if isinstance(work, Sweep) else ():
        values = getattr(work, axis)
        parts.append(f"{len(values)} values of {AXES[axis]} from {values[0]:g} to {values[-1]:g}")
    seeds = f"{len(own.seeds)} seed{'' if len(own.seeds) == 1 else 's'}"
    return ", ".join([*parts, f"{own.recipe.epochs} epochs", seeds])


def fill(work: Comparison | Sweep) -> None:
    """Put a recipe into the Lab's form, and a sweep's values into the form below it."""
    lab_form.fill(base(work))
    sweep = isinstance(work, Sweep)
    st.session_state[key("sweep", "search")] = "grid"
    for name in AXES:
        values = getattr(work, name) if sweep else ()
        st.session_state[key("sweep", name)] = ", ".join(f"{value:g}" for value in values)


def _known(store: Store, estimate: str, work: Comparison | Sweep, known: Hours | None) -> None:
    """What is known of the time: what was timed for it, or the pace of one's own runs."""
    if estimate in st.session_state:
        waiting = store.job(st.session_state[estimate]).state in UNFINISHED
        st.fragment(_timing, run_every=0.5 if waiting else None)(store, estimate, work, waiting)
    elif known is None:
        st.caption("Not estimated on this machine yet.")
    else:
        st.caption(plain(f"About {duration(3600 * known.hours)}, training alone, after {known.source}."))


def _estimate(store: Store, estimate: str, work: Comparison | Sweep, locked: bool) -> None:
    """The button that times a few steps of each arm."""
    look = {"icon": ":material/timer:", "type": "tertiary", "disabled": locked or estimate in st.session_state}
    if st.button("Estimate the time", key=f"{estimate}-button", **look):
        job = access.act(lambda: store.calibrate(base(work), access.person()))
        if job is not None:
            st.session_state[estimate] = job
            st.rerun()


def _timing(store: Store, estimate: str, work: Comparison | Sweep, waiting: bool) -> None:
    view = store.job(st.session_state[estimate])
    if view.state in UNFINISHED:
        st.info("Timing a few steps of each arm…", icon=":material/timer:")
        return
    if waiting:
        st.rerun()  # so that this fragment is drawn without a timer
    if view.state != "finished":
        st.error(plain(view.error or f"The estimate was {view.state}."))
        return
    timed = hours_timed(work, view.result)
    st.info(plain(f"About {duration(3600 * timed.hours)}, {timed.source}."), icon=":material/timer:")
