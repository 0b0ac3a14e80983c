"""The papers' tables as charts: what is drawn is what is in the table, and plotly takes it."""

import plotly.graph_objects as go
import pytest

from samviz import papers
from samviz.figures import palette
from samviz.figures.papers_charts import beside_chart, gains_chart, setting, values_chart, wins_chart
from samviz.papers.wins import OWN_ALL, gains, references, wins


def measured() -> list[tuple[papers.Table, str]]:
    """Every table's metrics of which more, or less, is better."""
    return [(one, name) for one in papers.tables() for name, metric in one.metrics.items() if metric.better]


def rows_of(one: papers.Table, metric: str):
    frame = papers.table(one.paper, one.number)
    return frame[frame["metric"] == metric]


@pytest.mark.parametrize(("one", "metric"), measured(), ids=lambda value: getattr(value, "name", value))
def test_every_cell_is_drawn_once_with_its_spread(one: papers.Table, metric: str) -> None:
    rows = rows_of(one, metric)
    figure = values_chart(rows).figure
    go.Figure(figure)
    drawn = sorted((x, s) for t in figure["data"] for x, s in zip(t["x"], t["error_x"]["array"], strict=True) if s)
    spread = rows[rows["spread"] > 0]
    assert drawn == sorted(zip(spread["value"], spread["spread"], strict=True))
    assert sum(len(trace["x"]) for trace in figure["data"]) == len(rows)
    low, high = figure["layout"]["xaxis"]["range"]
    assert low < rows["value"].min()
    assert high > rows["value"].max()


def test_settings_are_told_apart_on_the_axis() -> None:
    for one, metric in measured():
        for label, mine in rows_of(one, metric).groupby("label"):
            names = [setting(row) for row in mine.to_dict("records")]
            assert len(set(names)) == len(names), (one.name, label)


def test_gains_are_drawn_as_they_were_worked_out() -> None:
    frame = papers.table("sam-on", 1)
    gained = gains(frame, OWN_ALL)
    figure = gains_chart(gained).figure
    go.Figure(figure)
    drawn = {(trace["name"], x) for trace in figure["data"] for x in trace["x"]}
    assert drawn == {(row["label"], round(row["gain"], 6)) for row in gained.to_dict("records")}
    colors = {trace["name"]: trace["marker"]["color"] for trace in figure["data"]}
    assert colors["SAM-ON"] == palette.color("sam", "norm_only")
    assert figure["layout"]["xaxis"]["title"]["text"] == "gain (points)"


def test_two_scopes_of_one_hue_are_told_apart_by_a_pattern() -> None:
    figure = gains_chart(gains(papers.table("sam-on", 1), "SGD")).figure
    shapes = {trace["name"]: trace["marker"]["pattern"]["shape"] for trace in figure["data"]}
    assert shapes["ASAM-all"] != shapes["ASAM-ON"]
    assert shapes["SAM-all"] == shapes["SAM-ON"] == ""  # of two hues


def test_wins_have_their_range() -> None:
    won = wins(gains(papers.accuracies(), OWN_ALL))
    figure = wins_chart(won).figure
    go.Figure(figure)
    (trace,) = figure["data"]
    expected = won.sort_values("mean")
    lows = [x - a for x, a in zip(trace["x"], trace["error_x"]["arrayminus"], strict=True)]
    highs = [x + a for x, a in zip(trace["x"], trace["error_x"]["array"], strict=True)]
    assert lows == pytest.approx(expected["least"].tolist(), abs=1e-5)
    assert highs == pytest.approx(expected["most"].tolist(), abs=1e-5)
    assert trace["y"][0].startswith("ASAM, original-ON<br>ahead in ")


def test_one_s_own_gains_stand_beside_the_paper_s() -> None:
    rows = [
        {"label": "SAM-all", "paper": 0.9, "paper_spread": 0.2, "own": 1.4, "own_half": None},
        {"label": "SAM-ON", "paper": None, "paper_spread": None, "own": 2.0, "own_half": 0.5},
    ]
    figure = beside_chart(rows, "SAM-ON Table 11").figure
    go.Figure(figure)
    assert [(trace["name"], trace["y"]) for trace in figure["data"]] == [
        ("SAM-ON Table 11", ["SAM-all"]), ("your runs", ["SAM-all", "SAM-ON"]),
    ]  # fmt: skip


def test_every_reference_of_every_table_can_be_drawn() -> None:
    for one, metric in measured():
        rows = rows_of(one, metric)
        charts = {reference: gains_chart(gains(rows, reference)) for reference in references(rows)}
        for reference, chart in charts.items():
            assert sum(len(trace["x"]) for trace in chart.figure["data"]) == len(gains(rows, reference))
        if charts:
            go.Figure(chart.figure)
