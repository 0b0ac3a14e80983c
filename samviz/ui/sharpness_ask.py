"""Asking for a measurement on the Sharpness page, and what is under way."""

import streamlit as st

from samviz.runs import UNFINISHED, Header, MeasurementView, Store
from samviz.spec.measure import SEARCHES, Measure
from samviz.spec.measurement import (
    DIRECTIONS,
    FEWEST_IMAGES,
    MOST_IMAGES,
    SEAMS,
    SPREADS,
    STATISTICS,
    VECTORS,
    Measurement,
    RescalingOf,
    SharpnessOf,
    SliceOf,
    factors_up_to,
)
from samviz.spec.questions import FIRST_REGIONS, FIRST_SEARCHES, IMAGES, REGIONS, STEPS, M, measures_of
from samviz.ui import access
from samviz.ui.plain import plain


def describe(header: Header, view: MeasurementView) -> str:
    """What a measurement is about, in a line."""
    labels = header.comparison.labels
    match view.measurement:
        case RescalingOf() as asked:
            a = f"a from {asked.factors[0]:g} to {asked.factors[-1]:g}"
            where = "" if asked.seams is None else f", {', '.join(asked.seams)}"
            return f"{labels[asked.arm]}, {a}, {SPREADS[asked.spread]}{where}"
        case SharpnessOf() as asked:
            return f"{', '.join(labels[arm] for arm in asked.arms)}, {len(asked.measures)} measures, m = {asked.m}"
        case SliceOf() as asked:
            to = "" if asked.other is None else f" to {labels[asked.other]}"
            return f"{labels[asked.arm]}{to}, {'; '.join(DIRECTIONS[d] for d in asked.directions)}"


def standing(store: Store, header: Header, view: MeasurementView) -> None:
    """A measurement that has no result yet: how far it is, or why there is none."""
    locked = bool(access.refused())
    with st.container(horizontal=True, vertical_alignment="center"):
        if view.state in UNFINISHED:
            waits = f", waits: {view.reason or 'for a free device'}" if view.state == "queued" else ""
            st.progress(view.progress, plain(f"{describe(header, view)}: {view.progress:.0%}{waits}"))
            if st.button("Cancel", key=f"sharpness-cancel-{view.id}", icon=":material/stop:", disabled=locked):
                access.act(lambda: store.cancel_job(view.job))
            return
        st.warning(plain(f"{describe(header, view)}: {view.state}. {view.reason}"))
        if st.button("Again", key=f"sharpness-again-{view.id}", icon=":material/refresh:", disabled=locked):
            access.act(lambda: store.measure(header.id, view.seed, view.measurement, access.person()))
            st.rerun()
        own(store, header, view)


def own(store: Store, header: Header, view: MeasurementView) -> None:
    """The button that forgets a measurement; what ships with samviz has none."""
    if not header.bundled and st.button(
        "Delete this measurement",
        key=f"sharpness-delete-{view.id}",
        icon=":material/delete:",
        type="tertiary",
        disabled=bool(access.refused()),
    ):
        access.act(lambda: store.delete_measurement(view.id) or True)
        st.rerun()


def form(store: Store, header: Header, seed: int, kind: str) -> None:
    """What can be measured next."""
    if header.bundled:
        st.caption(
            "The weights of the bundled example are not part of samviz: save its recipe on the Lab page, run it, and "
            "measure that."
        )
        return
    with st.expander("Measure something else", icon=":material/straighten:"):
        labels = header.comparison.labels
        try:
            asked = {"rescaling": _rescaling, "sharpness": _sharpness, "slice": _slice}[kind](labels)
        except ValueError as error:
            st.error(plain(str(error)))
            asked = None
        why = access.refused()
        if st.button("Measure", icon=":material/play_arrow:", type="primary", disabled=asked is None or bool(why)):
            access.act(lambda: store.measure(header.id, seed, asked, access.person()))
            st.rerun()


def _images(kind: str) -> tuple[int, int]:
    left, right = st.columns(2)
    images = left.number_input("Train images", FEWEST_IMAGES, MOST_IMAGES, IMAGES[kind], key=f"sharpness-{kind}-images")
    m = right.number_input("m, images that climb together", 1, MOST_IMAGES, M, key=f"sharpness-{kind}-m")
    return images, min(m, images)


def _measures(kind: str) -> tuple[Measure, ...]:
    regions = st.pills(
        "Regions", list(REGIONS), selection_mode="multi", default=list(FIRST_REGIONS), key=f"sharpness-{kind}-regions"
    )
    searches = st.pills(
        "Search",
        list(SEARCHES),
        format_func=SEARCHES.__getitem__,
        selection_mode="multi",
        default=list(FIRST_SEARCHES),
        key=f"sharpness-{kind}-searches",
        help="The largest loss in a region is looked for: one step finds some of it, AutoPGD most.",
    )
    left, right = st.columns(2)
    steps = left.number_input("Steps of AutoPGD and of the ascent", 1, 1000, STEPS, key=f"sharpness-{kind}-steps")
    normalized = right.toggle(
        "Normalize the logits",
        value=True,
        key=f"sharpness-{kind}-normalized",
        help="Divide the logits by their norm first (SAM-ON appendix D): else a network that is merely surer of itself "
        "is sharper.",
    )
    if not (regions and searches):
        raise ValueError("Choose at least one region and one search.")
    return measures_of(regions, searches, steps, normalized)


def _rescaling(labels: dict[str, str]) -> Measurement:
    left, right = st.columns(2)
    arm = left.selectbox("Arm", list(labels), format_func=lambda key: plain(labels[key]), key="sharpness-rescaling-arm")
    spread = right.selectbox("Factors", list(SPREADS), format_func=SPREADS.__getitem__, key="sharpness-spread")
    seams = st.pills(
        "What is rescaled",
        list(SEAMS),
        format_func=SEAMS.__getitem__,
        selection_mode="multi",
        key="sharpness-seams",
        help="None chosen: all that the network has.",
    )
    most = st.number_input("The largest a; the smallest is its inverse", 1.01, 1e4, 10.0, key="sharpness-most")
    measures, (images, m) = _measures("rescaling"), _images("rescaling")
    factors, where = factors_up_to(most), tuple(seams) or None
    return RescalingOf(arm=arm, measures=measures, factors=factors, seams=where, spread=spread, images=images, m=m)


def _sharpness(labels: dict[str, str]) -> Measurement:
    arms = st.pills(
        "Arms",
        list(labels),
        format_func=lambda key: plain(labels[key]),
        selection_mode="multi",
        default=list(labels),
        key="sharpness-arms",
    )
    if not arms:
        raise ValueError("Choose at least one arm.")
    measures, (images, m) = _measures("sharpness"), _images("sharpness")
    return SharpnessOf(arms=tuple(arms), measures=measures, images=images, m=m)


def _slice(labels: dict[str, str]) -> Measurement:
    left, middle, right = st.columns(3)
    arm = left.selectbox("Arm", list(labels), format_func=lambda key: plain(labels[key]), key="sharpness-slice-arm")
    first = middle.selectbox("Along", list(DIRECTIONS), format_func=DIRECTIONS.__getitem__, key="sharpness-first")
    second = right.selectbox(
        "and along",
        [None, *DIRECTIONS],
        index=1,
        format_func=lambda key: "nothing: one dimension" if key is None else DIRECTIONS[key],
        key="sharpness-second",
    )
    directions = (first,) if second is None else (first, second)
    other = None
    if "line" in directions:
        others = [key for key in labels if key != arm]
        if not others:
            raise ValueError("A line needs another arm to end at, but this comparison has one arm only.")
        other = st.selectbox("To", others, format_func=lambda key: plain(labels[key]), key="sharpness-other")
    regions = st.pills(
        "Regions drawn in",
        list(REGIONS),
        selection_mode="multi",
        default=["sphere", "elementwise"],
        key="sharpness-slice-regions",
    )
    left, middle, right = st.columns(3)
    vectors = left.selectbox("Vectors", list(VECTORS), format_func=VECTORS.__getitem__, key="sharpness-vectors")
    known = [key for key in STATISTICS if other is not None or key != "interpolated"]
    statistics = middle.selectbox("BatchNorm", known, format_func=STATISTICS.__getitem__, key="sharpness-statistics")
    points = right.number_input("Points each way", 2, 201, 21, key="sharpness-points")
    left, right = st.columns(2)
    images = left.number_input(
        "Train images", FEWEST_IMAGES, MOST_IMAGES, IMAGES["slice"], key="sharpness-slice-images"
    )
    reach = right.number_input(
        "How far, in lengths of the weights",
        1e-6,
        100.0,
        None,
        key="sharpness-reach",
        placeholder="a little beyond the regions",
    )
    return SliceOf(
        arm=arm,
        directions=directions,
        other=other,
        points=points,
        reach=reach,
        regions=tuple(REGIONS[name] for name in regions),
        vectors=vectors,
        statistics=statistics,
        images=images,
    )
