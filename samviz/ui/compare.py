"""The Compare page: arms of one or several comparisons side by side, with what can be concluded from them."""

from collections.abc import Callable
from typing import Any

import streamlit as st

from samviz.figures.compare import ENDS, Side, Source, legend, reference_of, sides_of
from samviz.figures.compare_curves import axes_of, curves_chart, measures_of
from samviz.figures.compare_html import STYLE, looks_of, table_html
from samviz.figures.compare_norm import norm_section
from samviz.figures.compare_results import results_section
from samviz.figures.compare_rho import rho_section
from samviz.figures.cost import cost_section
from samviz.figures.coverage import coverage_section
from samviz.figures.histograms import HISTOGRAMS
from samviz.figures.measures import AXES, MEASURES
from samviz.figures.parts import Section
from samviz.figures.report import report
from samviz.runs import UNFINISHED, Store, UnknownError, open_store
from samviz.ui import access, charts, guide, sign_in
from samviz.ui.compare_choice import MOST_COMPARISONS, MOST_SWEEPS, SCALES, VIEWS, Choice
from samviz.ui.compare_data import numbers, swept
from samviz.ui.plain import plain
from samviz.ui.report import report_button
from samviz.ui.state import bound, read

POLL_SECONDS = 5


def page() -> None:
    """Everything below the title bar."""
    st.html(f"<style>{STYLE}</style>")
    st.title("Compare", anchor=False)
    guide.bar()
    try:
        store, choice = open_store(), read(Choice)
    except ValueError as error:
        st.error(plain(str(error)))
        st.button("Compare from the start", icon=":material/restart_alt:", on_click=st.query_params.clear)
        return
    st.markdown("What differs between arms, by how much, and whether that is more than chance between seeds.")
    ids = _comparisons(store, choice)
    if not ids:
        st.info("Nothing to compare yet: train something on the Lab page.")
        return
    with numbers(store).reading(ids) as sources:
        sides = _arms(sources, choice)
    running, keys = any(source.header.state in UNFINISHED for source in sources), [side.key for side in sides]
    _view(store, choice, ids, sides)
    st.fragment(_shown, run_every=POLL_SECONDS if running else None)(store, choice, ids, keys, running)
    sign_in.show()


def _comparisons(store: Store, choice: Choice) -> list[str]:
    """The chosen ids that there are, or the newest that has finished."""
    summaries = store.comparisons()
    names = {summary.id: summary.name for summary in summaries}
    finished = [summary.id for summary in summaries if summary.state == "finished"]
    chosen = list(choice.comparisons) or (finished or list(names))[:1]
    for id in [id for id in chosen if id not in names]:
        try:
            names[id] = store.header(id).comparison.name  # of a sweep: not in the list
        except KeyError:
            st.warning(plain(f"There is no comparison {id[:40]!r}: it may have been deleted."))
            chosen.remove(id)
    st.multiselect(
        "Comparisons",
        list(names),
        format_func=lambda id: f"{names[id]} ({id})" if id.isdecimal() else names[id],
        max_selections=MOST_COMPARISONS,
        **bound(choice, "comparisons", chosen),
    )
    return chosen


def _arms(sources: list[Source], choice: Choice) -> list[Side]:
    """The chosen arms, all where none is, or none that there is."""
    known = sides_of(sources)
    labels, every = {side.key: plain(side.label) for side in known}, [side.key for side in known]
    shown = [key for key in choice.arms if key in labels] or every
    st.pills(
        "Arms",
        every,
        format_func=labels.__getitem__,
        selection_mode="multi",
        **bound(choice, "arms", shown, whole=every),
    )
    return [side for side in known if side.key in shown]


def _view(store: Store, choice: Choice, ids: list[str], sides: list[Side]) -> None:
    """The reference, the part of the page that is shown, and that part's own settings."""
    labels = {side.key: side.label for side in sides}
    reference = reference_of(sides, choice.reference)
    with st.container(horizontal=True, vertical_alignment="bottom", horizontal_alignment="distribute"):
        known = bound(choice, "reference", reference.key)
        st.selectbox("Differences to", list(labels), format_func=labels.__getitem__, width=320, **known)
        make = _report(store, choice, ids, [side.key for side in sides])
        report_button(make, bool(access.refused()), "compare")
    _single(choice, "view", "Show", VIEWS, label_visibility="collapsed")
    if choice.view == "results":
        _single(choice, "end", "Judged at", ENDS)
    elif choice.view == "curves":
        with st.container(horizontal=True, vertical_alignment="bottom"):
            measures = {name: MEASURES[name].title for name in measures_of(sides)}
            _menu(choice, "measure", "Measure", measures)
            _single(choice, "axis", "Over", {name: AXES[name] for name in axes_of(sides)})
    elif choice.view == "norm":
        with st.container(horizontal=True):
            _single(choice, "kind", "Parameters", HISTOGRAMS)
            _single(choice, "scale", "Vertical axis of the histograms", SCALES)
    elif choice.view == "rho" and (names := {sweep.id: sweep.name for sweep in store.sweeps()}):
        known = bound(choice, "sweeps", list(_sweeps(store, choice)))
        st.multiselect("Sweeps", list(names), format_func=names.__getitem__, max_selections=MOST_SWEEPS, **known)


def _single(choice: Choice, name: str, label: str, options: dict[str, str], **more: Any) -> None:
    known = bound(choice, name, _known(choice, name, options))
    st.segmented_control(label, list(options), format_func=options.__getitem__, required=True, **more, **known)


def _menu(choice: Choice, name: str, label: str, options: dict[str, str]) -> None:
    known = bound(choice, name, _known(choice, name, options))
    st.selectbox(label, list(options), format_func=options.__getitem__, width=320, **known)


def _known(choice: Choice, name: str, options: dict[str, str]) -> str | None:
    """What is chosen, or the first option where that is none."""
    shown = getattr(choice, name)
    return shown if shown in options else next(iter(options), None)


def _shown(store: Store, choice: Choice, ids: list[str], keys: list[str], running: bool) -> None:
    """The part of the page that is chosen, as far as it has come.

    Runs the page again when all has ended of what it was drawn with, or something has been deleted.
    """
    try:
        with numbers(store).reading(ids) as sources:
            sides = sides_of(sources, keys)
            section = SECTIONS[choice.view](store, choice, sides)
            going = [source.comparison.name for source in sources if source.header.state in UNFINISHED]
    except UnknownError:
        st.rerun()
    if running and not going:
        st.rerun()
    if going:
        st.caption(f"Not finished yet: {plain(', '.join(going))}. The page goes along.")
    _draw(section, sides)


def _draw(section: Section, sides: list[Side]) -> None:
    if section.lead:
        st.markdown(plain(section.lead))
    if section.sentences:
        st.markdown("\n".join(f"- {plain(sentence)}" for sentence in section.sentences))
    for table in section.tables:
        st.html(table_html(table, looks_of(sides)))
    if section.charts:
        charts.show("compare-charts", section.charts, legend(sides) if section.toggled else ())
    for note in section.notes:
        st.caption(plain(note))


def _report(store: Store, choice: Choice, ids: list[str], keys: list[str]) -> Callable[[], str]:
    """What writes the report on the chosen arms, with all parts of the page, when it is asked for.

    Sweeps are part of it where some are chosen or looked at.
    """

    def make() -> str:
        shown = choice.sweeps or choice.view == "rho"
        sweeps = [(id, swept(store, id)) for id in _sweeps(store, choice)] if shown else []
        with numbers(store).reading(ids) as sources:
            sides = sides_of(sources, keys)
            return report(sides, reference_of(sides, choice.reference), sweeps)

    return make


def _results(store: Store, choice: Choice, sides: list[Side]) -> Section:
    return results_section(sides, reference_of(sides, choice.reference), choice.end)


def _curves(store: Store, choice: Choice, sides: list[Side]) -> Section:
    known = measures_of(sides)
    if not known:
        return Section(name="curves", title="Curves", notes=["Nothing has been measured yet."])
    measure = choice.measure if choice.measure in known else known[0]
    axis = choice.axis if choice.axis in axes_of(sides) else "epoch"
    return Section(name="curves", title="Curves", charts=[curves_chart(sides, measure, axis)], toggled=True)


def _sweeps(store: Store, choice: Choice) -> dict[str, str]:
    """The chosen sweeps that there are, or the newest: id -> name."""
    names = {sweep.id: sweep.name for sweep in store.sweeps()}
    chosen = [id for id in choice.sweeps if id in names] or list(names)[:1]
    return {id: names[id] for id in chosen}


def _rho(store: Store, choice: Choice, sides: list[Side]) -> Section:
    chosen = [(id, swept(store, id)) for id in _sweeps(store, choice)]
    if not chosen:
        told = "There is no sweep yet: the Lab page has a form for one, below that of a comparison."
        return Section(name="rho", title="ρ curves", notes=[told])
    return rho_section(chosen)


SECTIONS: dict[str, Callable[[Store, Choice, list[Side]], Section]] = {
    "results": _results,
    "curves": _curves,
    "cost": lambda store, choice, sides: cost_section(sides),
    "norm": lambda store, choice, sides: norm_section(sides, choice.kind, choice.scale == "log"),
    "network": lambda store, choice, sides: coverage_section(sides),
    "rho": _rho,
}
"""View -> what it shows."""
