"""The Papers page's figures: each with the page and state that redraws it, and its recipe with the hours it takes."""

from collections.abc import Sequence

import streamlit as st

from samviz.figures.papers_correlation import Correlation, correlation_figure, correlations
from samviz.papers.outcomes import Outcome
from samviz.papers.published import FIGURES, Figure
from samviz.runs import Header, Store
from samviz.spec import Comparison
from samviz.ui import papers_recipes
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
        _figure(one, found[one.key], comparisons, alone=True)
        if one.of == "networks" and found[one.key] is not None:
            _correlation(grids[found[one.key][0]][1])
        papers_recipes.show(store, one, comparisons)
        return
    for one in FIGURES:
        with st.container(border=True, gap="xsmall", key=f"papers-line-{one.key}"):
            _figure(one, found[one.key], comparisons)


def _correlated(known: Outcomes) -> dict[str, tuple[_FOUND, list[Correlation]]]:
    """Id -> a grid of networks whose sharpness is known, and its correlations."""
    found = {}
    for id, name, networks in known.grids():
        if pairs := correlations(networks):
            header = networks[0].header
            found[id] = (id, name, header.comparison, header), pairs
    return found


def _usable(
    one: Figure,
    known: Outcomes,
    grids: dict[str, tuple[_FOUND, list[Correlation]]],
) -> list[_FOUND]:
    """What could draw a figure."""
    if one.of == "networks":
        return [found for found, _ in grids.values()]
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


def _figure(one: Figure, found: _FOUND | None, comparisons: Sequence[Outcome], alone: bool = False) -> None:
    """What it shows, and the way to where it is drawn or to its recipe."""
    st.markdown(f"**{one.name}**: {plain(one.shows)}")
    if not one.of:
        _link(one, f"Drawn by the {one.page.capitalize()} page", {})
    elif found is not None:
        id, name, _, header = found
        query = {field: text.format(id=id) for field, text in one.query}
        _link(one, plain(f"Drawn from your {WORDS[one.of]} “{name}”"), query)
        st.caption(plain(f"Not the paper's: {'; '.join(one.differences(header))}."))
    if not alone and one.recipes:
        label = f"Recipe: {plain(papers_recipes.hours_text(one, comparisons))}"
        query = {"view": "figures", "figure": one.key}
        st.page_link(PAGE, label=label, icon=":material/description:", query_params=query)
    if one.note and (alone or not one.recipes):
        st.caption(plain(one.note))


def _link(one: Figure, label: str, query: dict[str, str]) -> None:
    icon = f":material/{ICONS[one.page]}:"
    st.page_link(PAGES / f"{one.page}.py", label=label, icon=icon, query_params=query)


def _correlation(pairs: list[Correlation]) -> None:
    """A picture for each pair of a plain and an adaptive sharpness."""
    for k, pair in enumerate(pairs):
        figure = correlation_figure(pair)
        st.plotly_chart(
            figure,
            height=figure["layout"]["height"],
            config={"displayModeBar": False},
            alt="Sharpness and adaptive sharpness against the generalization gap",
            key=f"papers-correlation-{k}",
        )
        st.caption(
            f"Kendall's τ with the generalization gap over {len(pair.gap)} networks: {pair.taus[0]:.3f} and, adaptive, "
            f"{pair.taus[1]:.3f}. The difference lies between {pair.low:+.2f} and {pair.high:+.2f} (95 %, a bootstrap "
            "over the networks)."
        )
