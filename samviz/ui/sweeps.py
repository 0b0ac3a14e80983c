"""Sweeps on the Lab page: the form under that of a comparison, and the page of one sweep, ?sweep=ID."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Protocol

import streamlit as st

from samviz.figures.sweep import Swept, sweep_conclusion, sweep_data
from samviz.figures.sweep_figure import TITLES, sweep_figure
from samviz.runs import UNFINISHED
from samviz.runs.search import installed
from samviz.spec import Comparison
from samviz.spec.sweep import LONGEST_NAME, MOST_POINTS, RECIPE_FIELDS, SEARCHES, Sweep, parse_values
from samviz.ui import access, lab_list, press, sign_in
from samviz.ui.lab_arms import key
from samviz.ui.plain import plain

if TYPE_CHECKING:
    import pandas as pd

    from samviz.runs import SweepView

TRIALS = 20
"""Of a search for each arm, until somebody asks for others."""
POLL_SECONDS = 3
EXAMPLES = {"batch_size": "32, 128", "weight_decay": "0, 0.0005", "dropout": "0, 0.25"}
"""Of further fields of the recipe, what might be tried."""
HEIGHT = 460
"""Of the figure, in pixels."""


class Source(Protocol):
    """The part of the store that is needed here."""

    def submit_sweep(self, sweep: Sweep, origin: str = "app", person: str = "") -> str: ...

    def sweep(self, id: str) -> SweepView: ...

    def sweep_metrics(self, id: str) -> pd.DataFrame: ...

    def cancel_sweep(self, id: str) -> None: ...


def section(store: Source, comparison: Comparison | None, locked: bool) -> None:
    """What turns the comparison of the Lab's form into a sweep; None where that form has something wrong in it."""
    with st.expander("Sweep ρ, the learning rate and more", icon=":material/grid_on:"):
        sweep = form(comparison)
        look = {"icon": ":material/play_arrow:", "disabled": locked or sweep is None}
        start = press.button("Start the sweep", "lab-sweep-start", **look)
        if start and sweep is not None:
            id = access.act(lambda: store.submit_sweep(sweep, person=access.person()))
            if id is not None:
                press.started("sweep", id)


def form(comparison: Comparison | None) -> Sweep | None:
    """The sweep's own fields, and what they come to; None where there is no sweep in them."""
    search = "grid"
    if installed():
        search = st.radio(
            "Values",
            list(SEARCHES),
            format_func=SEARCHES.__getitem__,
            key=key("sweep", "search"),
            horizontal=True,
            persist_state="session",
        )
    grid = search == "grid"
    example = ("0.05, 0.1, 0.2", "0.05, 0.1") if grid else ("0.01, 1", "0.01, 0.5")
    what = "Values with commas between them" if grid else "The lowest and the highest, with a comma between them"
    columns = st.columns(2 if grid else 3, vertical_alignment="bottom")
    rho = columns[0].text_input(
        "ρ of every arm with an ascent",
        key=key("sweep", "rho"),
        placeholder=example[0],
        help=f"{what}. Empty leaves each arm its own. The base optimizer alone is trained once for each learning rate.",
        persist_state="session",
    )
    lr = columns[1].text_input(
        "Learning rates",
        key=key("sweep", "lr"),
        placeholder=example[1],
        help=f"{what}. Empty leaves the recipe's.",
        persist_state="session",
    )
    trials = None
    if not grid:
        trials = columns[2].number_input(
            "Trials of each arm", 1, MOST_POINTS, TRIALS, key=key("sweep", "trials"), persist_state="session"
        )
    texts = {"rho": rho, "lr": lr} | (_more() if grid else {})
    with st.container():
        if comparison is None or not any(text.strip() for text in texts.values()):
            st.caption("Trains the arms of the form above at each of these values, instead of once.")
            return None
        try:
            sweep = Sweep(
                name=comparison.name[:LONGEST_NAME],
                base=comparison,
                search=search,
                trials=trials,
                **{field: parse_values(field, text) for field, text in texts.items()},
            )
        except ValueError as error:
            st.error(str(error))
            return None
        st.caption(_comes_to(sweep))
    return sweep


def _more() -> dict[str, str]:
    """Values of further fields of the recipe, as text."""
    with st.expander("More fields"):
        columns = st.columns(len(RECIPE_FIELDS), vertical_alignment="bottom")
    return {
        field: column.text_input(
            TITLES[field].capitalize(),
            key=key("sweep", field),
            placeholder=EXAMPLES[field],
            help="Values with commas between them. Empty leaves the recipe's.",
            persist_state="session",
        )
        for field, column in zip(RECIPE_FIELDS, columns, strict=True)
    }


def _comes_to(sweep: Sweep) -> str:
    """ "= 12 comparisons, 24 runs"."""
    most = "" if sweep.search == "grid" else "at most "
    return f"= {most}{_counted(sweep.size, 'comparison')}, {_counted(sweep.runs, 'run')}"


def _counted(n: int, what: str) -> str:
    return f"{n} {what}{'' if n == 1 else 's'}"


def show(store: Source, id: str) -> None:
    """The page of one sweep, below the way back: where it stands, its figure and its table."""
    try:
        view = store.sweep(id)
    except KeyError:
        st.title("Lab")
        st.error(plain(f"There is no sweep {id[:40]!r}: it may have been deleted."))
        return
    st.title(plain(view.sweep.name), anchor=False)
    running = view.state in UNFINISHED
    if running:
        locked = bool(access.refused())
        if st.button("Cancel the sweep", icon=":material/stop:", disabled=locked):
            access.act(lambda: store.cancel_sweep(id))
        sign_in.show()
    st.fragment(_results, run_every=POLL_SECONDS if running else None)(store, id, view.state)
    with st.expander("The sweep as JSON", icon=":material/description:"):
        st.code(view.sweep.to_json(), language="json")


def _results(store: Source, id: str, drawn: str) -> None:
    """What there is so far; runs the page again when the sweep comes into another state than the page has drawn."""
    view = store.sweep(id)
    if view.state != drawn:
        st.rerun()
    members = [(point, comparison, header.state) for point, comparison, header in view.members]
    rows = store.sweep_metrics(id)[["comparison", "seed", "arm", "name", "epoch", "value"]]
    data = sweep_data(view.sweep, members, rows.itertuples(index=False, name=None))
    st.markdown(f"{lab_list.badge(view.state)} {_progress(view)}")
    figure, sentences = sweep_figure(data), sweep_conclusion(data)
    if figure["data"]:  # Streamlit refuses a figure without any
        shown = {"height": HEIGHT, "config": {"displayModeBar": False}, "alt": " ".join(sentences)}
        st.plotly_chart(figure, key=f"lab-sweep-figure-{id}", **shown)
        st.caption("★ the best point of an arm so far; ○ not all seeds are there; ✕ seeds diverged. Bars: ± deviation.")
    st.markdown("\n".join(f"- {sentence}" for sentence in sentences))
    if data.rows:
        _table(data, id)


def _progress(view: SweepView) -> str:
    sweep = view.sweep
    done = sum(header.state not in UNFINISHED for _, _, header in view.members)
    ended = sum(run.state not in UNFINISHED for _, _, header in view.members for run in header.runs)
    most = "" if sweep.search == "grid" else "at most "
    return f"{done} of {most}{sweep.size} comparisons and {ended} of {most}{sweep.runs} runs have ended"


def _table(data: Swept, id: str) -> None:
    held_out = data.sweep.judge == "validation_accuracy"
    more = [field for field in RECIPE_FIELDS if field in data.sweep.axes]
    judged = ["judged"] if held_out else []
    order = ["label", "lr", "rho", *more, "mean", "sd", "best", *judged, "n", "diverged", "state"]
    percent = {"format": "%.2f", "width": "small"}
    columns = {
        "label": st.column_config.TextColumn("Arm"),
        "lr": st.column_config.NumberColumn("Learning rate", format="%g"),
        "rho": st.column_config.NumberColumn("ρ", format="%g"),
        **{field: st.column_config.NumberColumn(TITLES[field].capitalize(), format="%g") for field in more},
        "mean": st.column_config.NumberColumn("Test accuracy (%)", help="After the last epoch, mean.", **percent),
        "sd": st.column_config.NumberColumn("± deviation", help="Over the seeds, n − 1.", **percent),
        "best": st.column_config.NumberColumn(
            "best epoch (%)", help="Picked with the test set: too good by a little.", **percent
        ),
        "judged": st.column_config.NumberColumn("Validation accuracy (%)", **percent),
        "n": st.column_config.NumberColumn("Seeds", help="That have finished all epochs.", width="small"),
        "diverged": st.column_config.NumberColumn("Diverged", help="Seeds whose loss stopped being finite."),
        "state": st.column_config.TextColumn("State"),
        "link": st.column_config.LinkColumn("Comparison", display_text="open"),
    }
    rows: list[dict[str, Any]] = [
        asdict(row) | {"label": row.label + (" ★" if row.chosen else ""), "link": f"?id={row.comparison}"}
        for row in data.rows
    ]
    st.dataframe(
        rows,
        column_config=columns,
        column_order=[*order, "link"],
        hide_index=True,
        placeholder="",
        key=f"lab-sweep-table-{id}",
    )
