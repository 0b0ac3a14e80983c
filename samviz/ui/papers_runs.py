"""The Papers page's runs: a comparison of one's own beside the closest cells, with every difference in the recipe."""

from __future__ import annotations

from math import isnan
from typing import Any

import streamlit as st

from samviz import papers
from samviz.figures import papers_charts
from samviz.figures.paired import Difference, difference
from samviz.figures.parts import mean_and_deviation
from samviz.papers.matching import Match, best_table, matches, shared
from samviz.papers.outcomes import Outcome
from samviz.runs import Store
from samviz.spec import Comparison
from samviz.spec.networks import network_label
from samviz.ui import charts
from samviz.ui.document import PAGES
from samviz.ui.papers_data import outcomes
from samviz.ui.papers_state import Choice
from samviz.ui.papers_tables import split
from samviz.ui.plain import plain
from samviz.ui.state import bound


def show(store: Store, choice: Choice) -> None:
    """The chosen comparison beside one table."""
    known = {header.id: header for header in outcomes(store).headers()}
    if not known:
        st.info("Nothing to put beside the tables yet: train something on the Lab page.")
        return
    if choice.comparison and choice.comparison not in known:
        st.warning(plain(f"There is no comparison {choice.comparison[:40]!r}: it may have been deleted."))
    done = [id for id, header in known.items() if any(run.state == "finished" for run in header.runs)]
    id = choice.comparison if choice.comparison in known else [*done, *known][0]
    left, right = st.columns(2)
    left.selectbox(
        "Your comparison",
        list(known),
        format_func=lambda id: known[id].comparison.name,
        **bound(choice, "comparison", id),
    )
    (one,) = outcomes(store).measured([id])
    found = matches(one.header)
    best = best_table(found)
    if best is None:
        st.info("None of its arms is in a table of the papers.")
        return
    offered = list(dict.fromkeys((match.cell["paper"], match.cell["table"]) for match in found))
    offered = sorted(offered, key=lambda pair: (pair != best, pair))
    chosen = split(choice.beside) if choice.beside and split(choice.beside) in offered else best
    right.selectbox(
        "Beside",
        [f"{paper}-{number}" for paper, number in offered],
        format_func=lambda key: f"{papers.about(*split(key)).name}: {papers.about(*split(key)).caption}",
        **bound(choice, "beside", f"{chosen[0]}-{chosen[1]}"),
    )
    _beside(one, [match for match in found if (match.cell["paper"], match.cell["table"]) == chosen])


def _beside(one: Outcome, found: list[Match]) -> None:
    about = papers.about(found[0].cell["paper"], found[0].cell["table"])
    common, labels = shared(found), one.header.comparison.labels
    st.warning(
        f"**Beside, not the same.** In all arms: {plain('; '.join(common))}." if common else
        "**Beside, not the same**: see what differs in each arm.",
        icon=":material/difference:",
    )  # fmt: skip
    if found[0].unnamed:
        st.caption(plain(f"Not named by the paper, and chosen here: {', '.join(found[0].unnamed)}."))
    rows = [_row(one, match, common) for match in found]
    _table(rows, about.name)
    alone = [f"- {plain(row['label'])}: {plain(row['differences'])}" for row in rows if row["differences"]]
    if alone:
        st.markdown("In single arms:\n" + "\n".join(alone))
    drawn = [row for row in rows if row["paper"] is not None or row["own"] is not None]
    if drawn:
        charts.show("papers-beside", [papers_charts.beside_chart(drawn, about.name)])
    if sharp := _sharpness(one, found):
        _sharp_table(sharp, about.name)
    missing = [labels[arm.key] for arm in one.header.comparison.arms if arm.key not in {match.arm for match in found}]
    if missing:
        st.caption(plain(f"Not in this table: {', '.join(missing)}."))
    st.page_link(
        PAGES / "lab.py",
        label="The comparison in the Lab",
        icon=":material/science:",
        query_params={"id": one.header.id},
    )


def _row(one: Outcome, match: Match, common: tuple[str, ...]) -> dict[str, Any]:
    """One arm: what the paper has, what the runs came to, and the differences of this arm alone."""
    comparison, cell = one.header.comparison, match.cell
    arm = next(arm for arm in comparison.arms if arm.key == match.arm)
    measure = measure_of(match)
    values = one.of(measure, arm)
    gain = _own_gain(one, comparison, match, measure)
    paper_gain, paper_spread = _paper_gain(match)
    own = [difference for difference in match.differences if difference not in common]
    return {
        "label": comparison.labels[arm.key],
        "cell": f"{network_label(cell['network'])}, {papers_charts.dataset_label(cell['dataset'])}",
        "printed": cell["cell"].replace("±", " ± "),
        "paper": paper_gain,
        "paper_spread": paper_spread,
        "ours": mean_and_deviation(list(values.values()), 2),
        "seeds": len(values),
        "own": None if gain is None else gain.mean,
        "own_half": None if gain is None or isnan(gain.half) else gain.half,
        "differences": "; ".join(own),
    }


def measure_of(match: Match) -> str:
    """The highest accuracy of any epoch where the paper reports that, else the one after the last epoch."""
    settings = papers.about(match.cell["paper"], match.cell["table"]).of(match.cell["network"])
    return "best_accuracy" if settings.accuracy == "best" else "test_accuracy"


def _own_gain(one: Outcome, comparison: Comparison, match: Match, measure: str) -> Difference | None:
    """Over the comparison's first base optimizer alone that trains the same parameters."""
    arm = next(arm for arm in comparison.arms if arm.key == match.arm)
    plain_arms = [other for other in comparison.arms if other.variant is None and other.trained == arm.trained]
    if arm.variant is None or not plain_arms:
        return None
    found = difference(one.of(measure, arm), one.of(measure, plain_arms[0]))
    return found if found.n else None


def _paper_gain(match: Match) -> tuple[float | None, float | None]:
    """Over the base optimizer in the cell's own setting of the table."""
    cell = match.cell
    frame = papers.table(cell["paper"], cell["table"])
    here = frame
    for name in ("dataset", "network", "augmentation", "metric"):
        here = here[here[name] == cell[name]]
    if not isnan(cell["label_noise"]):
        here = here[here["label_noise"] == cell["label_noise"]]
    base = here[(here["variant"] == "") & (here["scope"] == "")]
    if not cell["variant"] or len(base) != 1:
        return None, None
    spreads = [0.0 if isnan(spread) else spread for spread in (cell["spread"], base.iloc[0]["spread"])]
    return cell["value"] - base.iloc[0]["value"], sum(spread**2 for spread in spreads) ** 0.5


def _table(rows: list[dict[str, Any]], source: str) -> None:
    number = st.column_config.NumberColumn
    columns = {
        "label": "Arm",
        "ours": st.column_config.TextColumn("Yours (%)", help="Test accuracy, mean ± standard deviation over seeds."),
        "seeds": number("Seeds", width="small"),
        "own": number("Your gain", help="Points over the base optimizer alone, paired by seed.", format="%+.2f"),
        "printed": st.column_config.TextColumn(f"{source} (%)"),
        "paper": number("Its gain", help="Points over the base optimizer alone.", format="%+.2f"),
        "cell": st.column_config.TextColumn("Its cell"),
    }
    st.dataframe(
        rows, column_config=columns, column_order=list(columns), hide_index=True, placeholder="", key="papers-own"
    )


def _sharpness(one: Outcome, found: list[Match]) -> list[dict[str, Any]]:
    """What was measured of one's own sharpness beside the cells of the same method and number of steps."""
    rows = []
    for match in found:
        theirs = papers.table(match.cell["paper"], match.cell["table"])
        for kind, values in one.sharpness.items():
            steps = {"autopgd": "20 steps", "one_step": "1 step"}.get(kind.measure.search)
            cell = theirs[theirs["metric"] == f"sharpness, {steps}"]
            for name in ("network", "label"):
                cell = cell[cell[name] == match.cell[name]]
            if not kind.published or match.arm not in values or not len(cell):
                continue
            nearest = (cell["radius"] - kind.measure.rho).abs().fillna(0).idxmin()
            printed = cell.loc[nearest]
            rows.append(
                {
                    "label": one.header.comparison.labels[match.arm],
                    "ours": mean_and_deviation(list(values[match.arm].values()), 3),
                    "seeds": len(values[match.arm]),
                    "kind": kind.label,
                    "images": kind.images,
                    "m": kind.m,
                    "printed": printed["cell"].replace("±", " ± "),
                    "radius": None if isnan(printed["radius"]) else printed["radius"],
                }
            )
    return rows


def _sharp_table(rows: list[dict[str, Any]], source: str) -> None:
    number = st.column_config.NumberColumn
    columns = {
        "label": "Arm",
        "ours": st.column_config.TextColumn("Your sharpness", help="Mean ± standard deviation over seeds."),
        "printed": st.column_config.TextColumn(source),
        "radius": number("Its radius", format="%g"),
        "kind": "Yours was measured in",
        "images": number("On images"),
        "m": number("m"),
        "seeds": number("Seeds"),
    }
    st.dataframe(
        rows, column_config=columns, column_order=list(columns), hide_index=True, placeholder="", key="papers-sharp"
    )
    theirs = papers.paper("sam-on")["sharpness"]
    st.caption(
        plain(f"The paper measures on {theirs['images']} train images, m = {theirs['m']}, by {theirs['steps']} steps.")
    )
