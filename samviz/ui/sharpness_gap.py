"""The view "gap" of the Sharpness page: sharpness against generalization gap over a sweep (ASAM Table 1, Fig. 2)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import streamlit as st

from samviz import data
from samviz.figures.gap import (
    COLUMNS,
    MEASURES,
    Correlation,
    about_gap,
    beside_asam,
    correlation_notes,
    with_radii,
)
from samviz.figures.gap_figure import gap_figure, rate_looks
from samviz.figures.gap_runs import COMPARABLE, Standing, correlation_of, last_asked, looked_up, standing_of
from samviz.figures.networks import GAPS, comparable
from samviz.figures.parts import Chart
from samviz.runs import UNFINISHED, Store
from samviz.spec import check
from samviz.spec.grids import GRIDS
from samviz.spec.measurement import FEWEST_IMAGES, MOST_IMAGES, SharpnessOf
from samviz.ui import access, charts, press
from samviz.ui.document import PAGES
from samviz.ui.plain import plain
from samviz.ui.sharpness_choice import Choice
from samviz.ui.state import bound

LEAD = (
    "Does a sharper minimum generalize worse? Many networks, trained with different hyper-parameters, are put in order "
    "by their sharpness and by their generalization gap, as in ASAM's Table 1 and Fig. 2."
)
POLL_SECONDS = 3


def show(store: Store, choice: Choice) -> None:
    """The whole view, below the choice of views."""
    st.markdown(LEAD)
    names = {one.id: one.name for one in store.sweeps() if comparable(one.sweep)}
    if choice.sweep and choice.sweep not in names:
        st.error(plain(str(check.wrong("sweep", COMPARABLE, choice.sweep[:40]))))
    elif not names:
        st.info("No grid was trained yet that varies two hyper-parameters: start one below.", icon=":material/grid_on:")
    else:
        id = choice.sweep or next(iter(names))
        left, right = st.columns([3, 2])
        left.selectbox("Sweep", list(names), format_func=lambda id: f"{names[id]} ({id})", **bound(choice, "sweep", id))
        right.selectbox("Gap", list(GAPS), format_func=GAPS.__getitem__, **bound(choice, "gap", choice.gap))
        _sweep(store, id, choice.gap)
    _start(store, opened=not names)


def _start(store: Store, opened: bool) -> None:
    """The grid that comes with samviz, on a data set that is here."""
    grid = GRIDS["gap"]
    with st.expander("Train a grid", icon=":material/grid_on:", expanded=opened):
        st.caption(plain(f"{grid.note} Source: {grid.source}."))
        ready = {one.key: one.label for one in data.status() if one.ready}
        first = list(ready).index(own) if (own := grid.sweep.base.recipe.dataset) in ready else 0
        key = st.selectbox("Data", list(ready), first, format_func=ready.__getitem__, key="sharpness-gap-data")
        recipe = replace(grid.sweep.base.recipe, dataset=key)
        sweep = replace(grid.sweep, base=replace(grid.sweep.base, recipe=recipe))
        st.caption(
            f"= {sweep.runs} runs of {recipe.epochs} epochs on {recipe.images} images each; the Lab page has a form "
            "for other grids, and an estimate of the time that one run takes."
        )
        look = {"icon": ":material/play_arrow:", "disabled": bool(access.refused())}
        if press.button("Train the grid", "sharpness-gap-train", **look):
            id = access.act(lambda: store.submit_sweep(sweep, person=access.person()))
            if id is not None:
                press.started("sweep", id)


def _sweep(store: Store, id: str, gap: str) -> None:
    """One sweep: what is measured, how far that is, and what it comes to."""
    view, known = looked_up(store, id)
    asked = _settings(last_asked(known), id)
    if asked is None:
        return
    busy = bool(standing_of(view, known, asked).waiting) or view.state in UNFINISHED
    st.fragment(_results, run_every=POLL_SECONDS if busy else None)(store, id, asked, gap, busy)


def _settings(last: SharpnessOf, id: str) -> SharpnessOf | None:
    """Radii and images, at first those that were taken last; None where they cannot be. Arms are filled in later."""
    with st.expander("Radii and images", icon=":material/tune:"):
        radii = [
            column.number_input(
                f"ρ: {COLUMNS[k][2].lower()}",
                0.0,
                100.0,
                last.measures[k].rho,
                step=MEASURES[k].rho / 5,
                format="%g",
                key=f"sharpness-gap-{id}-rho-{k}",
            )
            for k, column in enumerate(st.columns(len(MEASURES), vertical_alignment="bottom"))
        ]
        left, right = st.columns(2)
        images = left.number_input(
            "Train images", FEWEST_IMAGES, MOST_IMAGES, last.images, key=f"sharpness-gap-{id}-images"
        )
        m = right.number_input("m, images that climb together", 1, MOST_IMAGES, last.m, key=f"sharpness-gap-{id}-m")
        st.caption(
            f"The largest loss is looked for by AutoPGD in {MEASURES[0].steps} steps, in the cross-entropy of the "
            "logits as they are. Radii of different regions are in different units."
        )
    try:
        return SharpnessOf(arms=("any",), measures=with_radii(radii), images=images, m=m)
    except ValueError as error:
        st.error(plain(str(error)))
        return None


def _results(store: Store, id: str, asked: SharpnessOf, gap: str, drawn: bool) -> None:
    """What there is so far; runs the page again when nothing is under way any longer."""
    view, known = looked_up(store, id)
    standing = standing_of(view, known, asked)
    if drawn and not standing.waiting and view.state not in UNFINISHED:
        st.rerun()
    _actions(store, id, standing)
    st.progress(standing.share, standing.line)
    if standing.trouble:
        st.warning(plain(standing.trouble))
    if not standing.results:
        return
    found = correlation_of(store, view, known, asked)
    _table(found, gap)
    st.markdown("\n".join(f"- {plain(note)}" for note in correlation_notes(found, gap)))
    if found.networks:
        _charts(found, gap, id)
    where = next(iter(standing.results.values()))
    st.caption(plain(f"{about_gap(gap, view.sweep)} {where['images']} train images, {where['data_label']}."))


def _actions(store: Store, id: str, standing: Standing) -> None:
    locked = bool(access.refused())
    with st.container(horizontal=True, vertical_alignment="center"):
        idle = locked or not standing.left
        asked = st.button("Measure what is left", icon=":material/straighten:", type="primary", disabled=idle)
        if asked and access.act(lambda: _measure(store, standing, access.person())):
            st.rerun()
        waits = bool(standing.waiting)
        stopped = waits and st.button("Cancel what waits", icon=":material/stop:", disabled=locked)
        if stopped and access.act(lambda: [store.cancel_job(one.job) for one in standing.waiting]):
            st.rerun()
        query = {"sweep": id}
        st.page_link(str(PAGES / "lab.py"), label="The sweep in the Lab", icon=":material/science:", query_params=query)


def _measure(store: Store, standing: Standing, person: str) -> list[str]:
    """Queue what is left, one measurement a run; their ids."""
    return [store.measure(*run, standing.wanted[run], person) for run in standing.left]


def _table(found: Correlation, gap: str) -> None:
    """The coefficients, and beside each column what ASAM printed."""
    columns: dict[str, Any] = {"name": st.column_config.TextColumn("Within groups that differ in", pinned=True)}
    for k, (_, _, label) in enumerate(COLUMNS):
        columns[f"own{k}"] = st.column_config.NumberColumn(label, format="%.3f")
        columns[f"asam{k}"] = st.column_config.NumberColumn(
            "ASAM", help=f"ASAM Table 1, {label}.", format="%.3f", width="small"
        )
    rows = []
    for name, cells in beside_asam(found, gap):
        row: dict[str, Any] = {"name": name}
        for k, (own, asam) in enumerate(cells):
            row |= {f"own{k}": own, f"asam{k}": asam}
        rows.append(row)
    st.dataframe(rows, column_config=columns, hide_index=True, key="sharpness-gap-table")
    st.caption("ASAM: the cells of its Table 1, which are from another network and grid.")


def _charts(found: Correlation, gap: str, id: str) -> None:
    shown = []
    for k, ((_, _, label), kind) in enumerate(zip(COLUMNS, found.kinds, strict=True)):
        tau = found.agreement(k, gap).tau
        title = label + ("" if tau is None else f": τ = {tau:.3f}")
        figure = gap_figure(found.sweep, found.networks, kind, gap)
        shown.append(Chart(name=f"gap-{id}-{k}", title=title, note=kind.label, height=320, figure=figure))
    charts.show("sharpness-gap-charts", shown, rate_looks(found.sweep))
