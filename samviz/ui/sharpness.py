"""The Sharpness page: how sharp the minima are that training found, and what rescaling does to each sharpness."""

import streamlit as st

from samviz.figures import palette
from samviz.figures.rescaling import rescaling_page
from samviz.figures.sharpness import sharpness_charts, sharpness_rows
from samviz.figures.slices import slice_charts
from samviz.runs import UNFINISHED, Header, MeasurementView, Store, UnknownError, open_store
from samviz.spec.measurement import RescalingOf, SharpnessOf, SliceOf
from samviz.ui import charts, guide, sharpness_ask, sharpness_gap, sign_in
from samviz.ui.components import component
from samviz.ui.plain import plain
from samviz.ui.sharpness_choice import VIEWS, Choice
from samviz.ui.state import bound, latest, read

POLL_SECONDS = 1
LEADS = {
    "rescaling": "The same function, written with other weights: each layer is multiplied by a and the next one takes "
    "it back. A measure of flatness that is to say something about the function must not notice.",
    "sharpness": "How much the loss rises at most within a region around the trained weights, arm by arm.",
    "slice": "The loss on a line or in a plane through the trained weights, with the regions that it is perturbed in.",
}
"""What each view is about."""


def page() -> None:
    """Everything below the title bar."""
    st.title("Sharpness", anchor=False)
    guide.bar()
    try:
        store, choice = open_store(), read(Choice)
        if choice.view == "gap":
            _view(choice)
            sharpness_gap.show(store, choice)
            sign_in.show()
            return
        header = store.header(choice.id or store.measured_last())
    except UnknownError:
        st.error(plain(f"There is no comparison {choice.id[:40]!r}: it may have been deleted."))
        _from_the_start()
        return
    except ValueError as error:
        st.error(plain(str(error)))
        _from_the_start()
        return
    seeds = [str(run.seed) for run in header.runs]
    if choice.seed not in ("", *seeds):
        st.error(plain(f"seed must be one of {', '.join(seeds)}, but it is {choice.seed}."))
        _from_the_start()
        return
    _choices(store, header, choice, seeds)
    st.markdown(LEADS[choice.view])
    seed = int(choice.seed or seeds[0])
    waiting = any(view.state in UNFINISHED for view in _found(store, header, choice, seed))
    st.fragment(_measured, run_every=POLL_SECONDS if waiting else None)(store, header, choice, seed, waiting)
    sharpness_ask.form(store, header, seed, choice.view)
    sign_in.show()


def _from_the_start() -> None:
    st.button("Sharpness from the start", icon=":material/restart_alt:", on_click=st.query_params.clear)


def _choices(store: Store, header: Header, choice: Choice, seeds: list[str]) -> None:
    names = {summary.id: summary.name for summary in store.comparisons()} | {header.id: header.comparison.name}
    left, right = st.columns([5, 1])
    left.selectbox(
        "Comparison",
        list(names),
        format_func=lambda id: f"{names[id]} ({id})" if id.isdecimal() else names[id],
        **bound(choice, "id", header.id),
    )
    right.selectbox("Seed", seeds, **bound(choice, "seed", choice.seed or seeds[0]))
    _view(choice)


def _view(choice: Choice) -> None:
    shown = bound(choice, "view", choice.view)
    st.segmented_control("View", list(VIEWS), format_func=VIEWS.__getitem__, label_visibility="collapsed", **shown)


def _found(store: Store, header: Header, choice: Choice, seed: int) -> list[MeasurementView]:
    """What was asked about this run in this view, the newest first."""
    return [one for one in store.measurements(header.id) if (one.seed, one.measurement.kind) == (seed, choice.view)]


def _measured(store: Store, header: Header, choice: Choice, seed: int, drawn: bool) -> None:
    """What was measured, or is being: runs the page again when something waits no longer."""
    found = _found(store, header, choice, seed)
    if drawn and not any(view.state in UNFINISHED for view in found):
        st.rerun()
    for view in found:
        if view.state != "finished":
            sharpness_ask.standing(store, header, view)
    done = {view.id: view for view in found if view.state == "finished"}
    if not done:
        if not found:
            st.info("Nothing was measured here yet: ask for it below.", icon=":material/straighten:")
        return
    choice = latest(choice)
    shown = choice.shown if choice.shown in done else next(iter(done))
    if len(done) > 1:
        labels = {id: f"{sharpness_ask.describe(header, view)} ({id})" for id, view in done.items()}
        st.selectbox("Measurement", list(done), format_func=labels.__getitem__, **bound(choice, "shown", shown))
    _show(header, done[shown])
    sharpness_ask.own(store, header, done[shown])


def _show(header: Header, view: MeasurementView) -> None:
    labels, looks = header.comparison.labels, palette.looks(header.comparison.arms)
    match view.measurement:
        case RescalingOf() as asked:
            data = rescaling_page(asked, view.result, labels[asked.arm])
            component("rescaling", "controls")(key=f"sharpness-rescaling-{header.id}-{view.id}", data=data)
        case SharpnessOf() as asked:
            colors = {key: look.color for key, look in looks.items()}
            _sharpness(asked, view, labels, colors)
        case SliceOf() as asked:
            charts.show("sharpness-slice", slice_charts(asked, view.result, f"slice-{header.id}-{view.id}"))
    _where(header, view)


def _sharpness(asked: SharpnessOf, view: MeasurementView, labels: dict[str, str], colors: dict[str, str]) -> None:
    name = f"sharpness-{view.comparison}-{view.id}"
    charts.show("sharpness-bars", sharpness_charts(asked, view.result, labels, colors, name))
    rows = [
        {"sharpness": measure.label, "loss": measure.loss_label} | values
        for measure, values in sharpness_rows(asked, view.result, labels)
    ]
    columns = {labels[arm]: st.column_config.NumberColumn(format="%.4g") for arm in asked.arms}
    st.dataframe(rows, column_config=columns, hide_index=True)
    st.caption("Bars: the mean over batches of the largest loss less the loss; whiskers: deviation of the batches.")


def _where(header: Header, view: MeasurementView) -> None:
    result = view.result
    st.caption(
        plain(
            f"{sharpness_ask.describe(header, view)}; after epoch {result['epoch']}, {result['images']} train images, "
            f"{header.data_label}; it took {result['seconds']:.0f} s."
        )
    )
