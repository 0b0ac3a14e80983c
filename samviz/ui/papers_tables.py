"""The Papers page's tables: choose one, filter and sort it, and see who wins how often, by how much."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from samviz import papers
from samviz.figures import papers_charts
from samviz.papers.wins import OWN_ALL, gains, references, wins
from samviz.spec import SCOPES
from samviz.spec.networks import network_label
from samviz.spec.recipe import AUGMENTATIONS
from samviz.ui import charts
from samviz.ui.papers_state import ALL, SHOWN, Choice
from samviz.ui.plain import plain
from samviz.ui.state import bound

if TYPE_CHECKING:
    import pandas as pd

    from samviz.papers import Table

_SAME = {
    "metric": "{}",
    "unit": "in {}",
    "network": "{}",
    "dataset": "{}",
    "augmentation": "{}",
    "n": "n = {}",
}
"""A column that says one thing in all rows stands above them, in these words."""
FILTERS = {"datasets": ("dataset", "Data"), "networks": ("network", "Network"), "methods": ("label", "Method")}
"""Part of the address -> column, name on screen."""


def show(choice: Choice) -> None:
    """The chosen table."""
    names = {ALL: "All accuracies of both papers"} | {
        f"{one.paper}-{one.number}": f"{one.name}: {one.caption}" for one in papers.tables()
    }
    st.selectbox("Table", list(names), format_func=names.__getitem__, **bound(choice, "table", choice.table))
    one = None if choice.table == ALL else papers.about(*split(choice.table))
    frame = papers.accuracies() if one is None else papers.table(*split(choice.table))
    if one is not None:
        _about(one)
    frame = _filtered(choice, frame)
    if not len(frame):
        st.info("No cell has all of these.")
        return
    _cells(frame, one)
    measured = [
        name for name in dict.fromkeys(frame["metric"]) if frame.loc[frame["metric"] == name, "value"].notna().any()
    ]
    judged = [name for name in measured if one is None or one.metrics[name].better]
    if judged:
        _figures(choice, frame, judged, one)


def split(key: str) -> tuple[str, int]:
    """ "sam-on-5" -> ("sam-on", 5)."""
    paper, _, number = key.rpartition("-")
    return paper, int(number)


def _about(one: Table) -> None:
    st.caption(plain(f"Section {one.section}. ±: {one.spread}. Settings: {one.settings.words()}."))
    if one.notes:
        st.caption("  \n".join(plain(note) for note in one.notes))


def _filtered(choice: Choice, frame: pd.DataFrame) -> pd.DataFrame:
    """The rows that agree with the choice, with a widget for each column that has several values."""
    shown = {name: parts for name, parts in FILTERS.items() if frame[parts[0]].nunique() > 1}
    if not shown:
        return frame
    kept = frame
    for container, (name, (column, title)) in zip(st.columns(len(shown)), shown.items(), strict=True):
        options = [value for value in dict.fromkeys(frame[column]) if value]
        chosen = [value for value in getattr(choice, name) if value in options]
        container.multiselect(
            title, options, format_func=_label, placeholder="all", select_all=False, **bound(choice, name, chosen)
        )
        if chosen:
            kept = kept[kept[column].isin(chosen)]
    return kept


def _label(value: str) -> str:
    return papers_charts.dataset_label(network_label(value))


def _cells(frame: pd.DataFrame, one: Table | None) -> None:
    """The cells as they are, sortable by every column that tells something."""
    told = frame.assign(
        source=[papers.about(*pair).name for pair in zip(frame["paper"], frame["table"], strict=True)],
        dataset=frame["dataset"].map(papers_charts.dataset_label),
        network=frame["network"].map(network_label),
        augmentation=frame["augmentation"].map(lambda key: AUGMENTATIONS.get(key, key)),
        scope=frame["scope"].map(lambda key: SCOPES.get(key, key)),
    )
    number = st.column_config.NumberColumn
    columns = {
        "source": "Table",
        "method": "Method, as printed",
        "scope": "Perturbed",
        "network": "Network",
        "metric": "What",
        "value": number("Value", format="%g"),
        "spread": number("±", format="%g"),
        "unit": "Unit",
        "dataset": "Data",
        "augmentation": "Augmentation",
        "label_noise": number("Label noise", format="percent"),
        "sparsity": number("Sparsity", format="%g"),
        "rho": number("ρ", format="%g"),
        "radius": number("Radius", format="%g"),
        "p": number("p", format="%g"),
        "n": number("n", help="Runs behind the number."),
        "bold": st.column_config.CheckboxColumn("Bold"),
        "cell": st.column_config.TextColumn("As printed", width="large" if (told["metric"] == "T_w").any() else None),
        "label": "In samviz",
    }
    told = told[[name for name in columns if _tells(told, name) and (name != "source" or one is None)]]
    same = [name for name in _SAME if name in told and len(told) > 1 and told[name].nunique(dropna=False) == 1]
    if same:
        st.caption(plain(f"All rows: {', '.join(_SAME[name].format(told[name].iloc[0]) for name in same)}."))
    st.dataframe(
        told.drop(columns=same),
        column_config=columns,
        hide_index=True,
        placeholder="",
        height=min(38 + 35 * len(told), 420),
        key="papers-cells",
    )


def _tells(frame: pd.DataFrame, name: str) -> bool:
    column = frame[name]
    if name == "bold":
        return bool(column.any())
    return bool(column.notna().any() and (column != "").any())


def _figures(choice: Choice, frame: pd.DataFrame, judged: list[str], one: Table | None) -> None:
    if one is None:
        metric, rows = "", frame
    else:
        metric = choice.metric if choice.metric in judged else judged[0]
        rows = frame[frame["metric"] == metric]
    against = references(rows)
    values = (choice.shown == "values" and one is not None) or not against
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if one is not None and len(judged) > 1:
            st.selectbox("What", judged, width=300, **bound(choice, "metric", metric))
        if one is not None and against:
            st.segmented_control(
                "Figure of the", list(SHOWN), format_func=SHOWN.__getitem__, **bound(choice, "shown", choice.shown)
            )
        if against and not values:
            reference = choice.reference if choice.reference in against else against[0]
            st.selectbox(
                "Gain over",
                against,
                format_func=lambda name: "the same variant's all" if name == OWN_ALL else name,
                width=300,
                **bound(choice, "reference", reference),
            )
    if (choice.shown == "values" and one is not None) or not against:
        charts.show("papers-figure", [papers_charts.values_chart(rows)])
        return
    gained = gains(rows, reference)
    won = wins(gained)
    unit = rows["unit"].iloc[0]
    chart = papers_charts.wins_chart(won, unit) if one is None else papers_charts.gains_chart(gained)
    charts.show("papers-figure", [chart])
    _wins(won, unit)


def _wins(won: pd.DataFrame, unit: str) -> None:
    points = {"%": "points", "": ""}.get(unit, unit)
    number = st.column_config.NumberColumn
    columns = {
        "label": "Method",
        "mean": number(f"Mean gain ({points})" if points else "Mean gain", format="%+.3g"),
        "wins": "Ahead",
        "ties": "Level",
        "losses": "Behind",
        "settings": number("Settings", help="Data set, network, augmentation and noise that both have."),
        "least": number("Least", format="%+.3g"),
        "most": number("Most", format="%+.3g"),
    }
    st.dataframe(won[list(columns)], column_config=columns, hide_index=True, key="papers-wins")
    st.caption(
        "Cells are compared as printed, so a lead may lie within the spread. Error bars of a gain: the root of the sum "
        "of both squared spreads, since the papers do not tell pairs."
    )
