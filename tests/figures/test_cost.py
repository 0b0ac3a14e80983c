"""What a step costs: measured ratios by seed, beside the paper's cells."""

from dataclasses import replace

import plotly.graph_objects as go
import pytest

from samviz import papers
from samviz.figures.compare import sides_of
from samviz.figures.cost import cost_of, cost_section, cost_table, published_of
from samviz.spec import Arm
from tests import synthetic
from tests.figures.test_compare import source


def test_seconds_and_factors_are_those_that_were_measured() -> None:
    spec = synthetic.comparison(3, 5)
    metrics = synthetic.metrics(spec)
    sides = sides_of([source(spec, metrics=metrics)])
    seconds = metrics[metrics["name"] == "seconds"].groupby(["arm", "seed"])["value"].mean()
    for side in sides:
        cost = cost_of(side)
        assert cost.seconds == pytest.approx(seconds[side.arm.key].to_dict())
        assert cost.factor == pytest.approx((seconds[side.arm.key] / seconds["sgd"]).to_dict())
        assert cost.gradients == (1 if side.arm.variant is None else 2)
    factor = (seconds[spec.arms[1].key] / seconds["sgd"]).agg(["mean", "std"])
    assert cost_table(sides).rows[1][3] == f"{factor['mean']:.2f} ± {factor['std']:.2f}"


def test_without_the_base_optimizer_there_is_no_factor() -> None:
    spec = replace(synthetic.comparison(2, 3), arms=(Arm(variant="sam", rho=0.1),))
    (side,) = sides_of([source(spec)])
    assert cost_of(side).factor == {}
    assert cost_section([side]).charts == []
    assert cost_table([side]).rows[0][3] == "–"


def test_the_paper_s_numbers_are_those_of_its_table_and_stand_beside_the_same_method_only() -> None:
    spec = synthetic.comparison(2, 3)
    more = (
        Arm(variant="sam", rho=0.1, mask="random", sparsity=0.5),
        Arm(variant="sam", rho=0.1, first_epoch=2),
        Arm(variant="elementwise_l2", rho=0.5),
    )
    sides = sides_of([source(replace(spec, arms=(*spec.arms, *more)))])
    table = papers.table("sam-on", 5)
    theirs = {row.method: row.value for row in table[table["metric"] == "factor"].itertuples()}
    assert [float(cells["factor"]) for side in sides[:3] if (cells := published_of(side))] == list(theirs.values())
    assert [published_of(side) for side in sides[3:]] == [{}] * 4
    assert cost_table(sides).rows[2][-2:] == ("1.13 ± 0.01", "1.54")
    adamw = replace(spec, recipe=replace(spec.recipe, optimizer="adamw"))
    assert published_of(sides_of([source(adamw)])[0]) == {}


def test_the_notes_name_the_machine() -> None:
    notes = cost_section(sides_of([source(synthetic.comparison(2, 3))])).notes
    assert any("resnet8, batches of 128, on cpu" in note for note in notes)
    assert any(papers.about("sam-on", 5).caption in note for note in notes)


def test_the_picture_has_a_bar_an_arm_even_where_names_begin_alike() -> None:
    spec = synthetic.comparison(2, 3, name="A name so long that only its end tells it from another: 1")
    sides = sides_of([source(spec), source(replace(spec, name=f"{spec.name}1"), "2")])
    (chart,) = cost_section(sides).charts
    bars, marks = go.Figure(chart.figure).data
    assert list(bars.x) == list(range(8))
    assert bars.y[1] == pytest.approx(sum(cost_of(sides[1]).factor.values()) / 2, abs=1e-3)
    assert list(marks.x) == [0, 1, 2, 4, 5, 6]
    assert list(marks.y) == [float(cells["factor"]) for side in sides if (cells := published_of(side))]
