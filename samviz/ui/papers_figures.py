"""The Papers page's figures: each with the page and state that redraws it, and its recipe with the hours it takes."""

from collections.abc import Sequence

import streamlit as st

from samviz.figures.gap_figure import rate_looks
from samviz.figures.networks import MeasuredGrid
from samviz.figures.papers_correlation import Pair, pair_charts, pairs_of
from samviz.papers.outcomes import Outcome
from samviz.papers.published import FIGURES, Figure
from samviz.runs import Header, Store
from samviz.spec import Comparison
from samviz.ui import charts, papers_recipes
from samviz.ui.document import PAGES
from samviz.ui.papers_data import Outcomes, outcomes
from samviz.ui.papers_state import Choice
from samviz.ui.plain import plain

PAGE = PAGES / "papers.py"
ICONS = {
    "regions": "circle",
    "trajectories": "timeline",
    "compare": "compare_arrows",
    "sharpness": "landscape",
    "papers": "scatter_plot",
}
_FOUND = tuple[str, str, Comparison, Header]
"""The id and name of a comparison or a sweep, what it trains, and a header: the comparison's, or one of the sweep's."""
_GRIDS = dict[str, tuple[MeasuredGrid, list[Pair]]]
"""Id -> a grid of networks whose sharpness is known, and its correlations."""

WORDS = {"comparison": "comparison", "sweep": "sweep", "networks": "grid"}
"""Of what a figure is drawn."""


def show(store: Store, choice: Choice) -> None:
    """All figures, or one with its recipes."""
    known = outcomes(store)
    grids = _correlated(known)
    found = {one.key: closest(one, _usable(one, known, grids)) for one in FIGURES}
    # The times of other networks tell nothing of these recipes.
    comparisons = known.comparisons(
        {papers_recipes.base(work).recipe.network for one in FIGURES for work in one.recipes}
    )
    one = next((figure for figure in FIGURES if figure.key == choice.figure), None)
    if one is not None:
        st.page_link(PAGE, label="All figures", icon=":material/arrow_back:", query_params={"view": "figures"})
        _figure(one, found[one.key], grids, comparisons, alone=True)
        if one.of == "networks" and found[one.key] is not None:
            _correlation(*grids[found[one.key][0]])
        papers_recipes.show(store, one, comparisons)
        return
    for one in FIGURES:
        with st.container(border=True, gap="xsmall", key=f"papers-line-{one.key}"):
            _figure(one, found[one.key], grids, comparisons)


def _correlated(known: Outcomes) -> _GRIDS:
    found = {grid.id: (grid, pairs_of(grid.networks)) for grid in known.grids()}
    return {id: (grid, pairs) for id, (grid, pairs) in found.items() if pairs}


def _usable(one: Figure, known: Outcomes, grids: _GRIDS) -> list[_FOUND]:
    """What could draw a figure."""
    if one.of == "networks":
        return [(id, grid.sweep.name, grid.sweep.base, grid.header) for id, (grid, _) in grids.items()]
    if one.of == "sweep":
        swept = [(id, data, header) for id, data, header in known.sweeps() if any(row.n for row in data.rows)]
        return [(id, data.sweep.name, data.sweep.base, header) for id, data, header in swept]
    usable = [header for header in known.headers() if any(run.state == "finished" for run in header.runs)]
    return [(header.id, header.comparison.name, header.comparison, header) for header in usable]


def closest(one: Figure, known: Sequence[_FOUND]) -> _FOUND | None:
    """The comparison or sweep that redraws a figure: of the same data set and network before others, one's own before
    the one that ships with samviz, the newest."""

    def far(found: _FOUND) -> tuple:
        recipe = found[2].recipe
        return recipe.dataset != one.dataset, recipe.network != one.network, found[3].bundled, -found[3].created

    drawn = [found for found in known if one.of == "networks" or one.drawn_by(found[2])]
    return min(drawn, key=far, default=None)


def _figure(
    one: Figure, found: _FOUND | None, grids: _GRIDS, comparisons: Sequence[Outcome], alone: bool = False
) -> None:
    """What it shows, and the way to where it is drawn or to its recipe."""
    st.markdown(f"**{one.name}**: {plain(one.shows)}")
    if not one.of:
        _link(one, f"Drawn by the {one.page.capitalize()} page", {})
    elif found is not None:
        id, name, _, header = found
        query = {field: text.format(id=id) for field, text in one.query}
        _link(one, plain(f"Drawn from your {WORDS[one.of]} “{name}”"), query)
        differences = (grids[id][0].apart,) if one.of == "networks" else one.differences(header)
        st.caption(plain(f"Not the paper's: {'; '.join(differences)}."))
    if not alone and one.recipes:
        label = f"Recipe: {plain(papers_recipes.hours_text(one, comparisons))}"
        query = {"view": "figures", "figure": one.key}
        st.page_link(PAGE, label=label, icon=":material/description:", query_params=query)
    if one.note and (alone or not one.recipes):
        st.caption(plain(one.note))


def _link(one: Figure, label: str, query: dict[str, str]) -> None:
    icon = f":material/{ICONS[one.page]}:"
    st.page_link(PAGES / f"{one.page}.py", label=label, icon=icon, query_params=query)


def _correlation(grid: MeasuredGrid, pairs: list[Pair]) -> None:
    """Two charts for each pair of a plain and an adaptive sharpness, and what they come to."""
    sentences = [f"{pair.adaptive.label} against {pair.plain.label}: {pair.found}." for pair in pairs]
    st.markdown("Kendall's τ with the generalization gap, the intervals being 95 % (a bootstrap over the networks):")
    st.markdown("\n".join(f"- {plain(sentence)}" for sentence in sentences))
    charts.show("papers-correlation", pair_charts(grid, pairs), rate_looks(grid.sweep))
