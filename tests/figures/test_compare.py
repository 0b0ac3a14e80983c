"""Arms of several comparisons side by side: who is paired, which epoch is best, what the table and the curves say."""

from dataclasses import replace

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest

from samviz.figures import palette
from samviz.figures.compare import Side, Source, compared, ended, reference_of, sides_of, unpaired
from samviz.figures.compare_curves import axes_of, curves_chart, measures_of
from samviz.figures.compare_results import results_section, results_table
from samviz.figures.curves import curves_data
from samviz.figures.measures import axis_data
from samviz.runs import Header
from samviz.spec import Arm, Comparison
from tests import synthetic


def source(
    spec: Comparison, id: str = "1", metrics: pd.DataFrame | None = None, data_label: str = "Built-in shapes"
) -> Source:
    metrics = synthetic.metrics(spec) if metrics is None else metrics
    header = Header(
        id=id,
        comparison=spec,
        state="finished",
        created=1_700_000_000.0,
        runs=tuple(synthetic.run(seed) for seed in spec.seeds),
        data_label=data_label,
        revision="r1",
    )
    tally = synthetic.tally(metrics, spec).add([], synthetic.tuples(synthetic.histograms(spec)))
    return Source(header=header, tally=tally)


def of(sides: list[Side], id: str, key: str) -> Side:
    (found,) = [side for side in sides if side.key == f"{id}~{key}"]
    return found


def values(metrics: pd.DataFrame, arm: str, name: str) -> pd.DataFrame:
    """Rows seeds, columns epochs."""
    own = metrics[(metrics["arm"] == arm) & (metrics["name"] == name)]
    return own.pivot(index="seed", columns="epoch", values="value")


def test_arms_of_several_comparisons_look_and_are_called_differently() -> None:
    spec = synthetic.comparison(2, 3)
    sides = sides_of([source(spec, str(k)) for k in range(5)] + [source(replace(spec, name="Other"), "9")])
    assert len(sides) == 24
    assert len({side.look for side in sides}) == len({side.label for side in sides}) == 24
    assert sides[0].label == "SGD · Synthetic (0)"
    assert sides[-1].label == "SAM no-norm · Other"
    assert {side.look.color for side in sides if side.arm.variant is None} == {palette.SGD}


def test_a_single_comparison_keeps_its_own_names_and_looks() -> None:
    spec = synthetic.comparison(2, 3)
    sides = sides_of([source(spec)], [f"1~{spec.arms[2].key}"])
    assert [(side.label, side.look) for side in sides] == [("SAM-ON", palette.looks(spec.arms)[spec.arms[2].key])]
    assert reference_of(sides) is sides[0]
    everyone = sides_of([source(spec)])
    assert reference_of(everyone).label == "SGD"
    assert reference_of(everyone, f"1~{spec.arms[1].key}").label == "SAM-all"


@pytest.mark.parametrize("held_out", [0, 200])
def test_the_best_epoch_is_chosen_on_held_out_images_where_there_are_any(held_out: int) -> None:
    spec = synthetic.comparison(3, 12)
    spec = replace(spec, recipe=replace(spec.recipe, validation_size=held_out))
    metrics = synthetic.metrics(spec, {0: 12, 1: 12, 2: 7})
    judge = "validation_accuracy" if held_out else "test_accuracy"
    for side in sides_of([source(spec, metrics=metrics)]):
        test, judged = values(metrics, side.arm.key, "test_accuracy"), values(metrics, side.arm.key, judge)
        found = ended(side)
        assert found.judge == judge
        assert found.last == pytest.approx({seed: test.loc[seed, 12] for seed in (0, 1)})
        assert found.epochs == {seed: judged.loc[seed].idxmax() for seed in (0, 1)}
        assert found.best == pytest.approx({seed: test.loc[seed, found.epochs[seed]] for seed in (0, 1)})
    said = " ".join(results_section(sides_of([source(spec, metrics=metrics)]), side, "best").notes)
    assert ("honest" in said, "flatters" in said) == (bool(held_out), not held_out)


def test_differences_are_those_of_the_same_seeds() -> None:
    spec = synthetic.comparison(4, 6)
    metrics = synthetic.metrics(spec)
    sides = sides_of([source(spec, metrics=metrics)])
    reference, on = sides[0], sides[2]
    expected = values(metrics, on.arm.key, "test_accuracy")[6] - values(metrics, "sgd", "test_accuracy")[6]
    found = compared(on, reference, "last")
    assert found.seeds == (0, 1, 2, 3)
    assert found.values == pytest.approx(expected.to_numpy())
    table = results_table(sides, reference)
    assert table.rows[0][5] == "reference"
    assert table.rows[2][5] == f"{expected.mean():.1f} ± {expected.std(ddof=1):.1f}"
    assert all(len(row) == len(table.head) for row in table.rows)


def test_comparisons_pair_with_the_same_recipe_images_and_seeds_only() -> None:
    spec = synthetic.comparison(3, 4)
    one = source(spec, "1")
    longer = replace(spec, recipe=replace(spec.recipe, epochs=5, lr=0.2))
    others = {
        "": source(replace(spec, arms=(Arm(), Arm(variant="fisher", rho=0.1)), seeds=(2, 1)), "2"),
        "the recipes differ in epochs, lr": source(longer, "3"),
        "the images are not the same: Built-in shapes and Others": source(spec, "4", data_label="Others"),
        "they have no seed in common": source(replace(spec, seeds=(7, 8)), "5"),
    }
    for reason, other in others.items():
        sides = sides_of([one, other])
        reference, theirs = of(sides, "1", "sgd"), of(sides, other.id, "sgd")
        assert unpaired(reference, theirs) == reason
        assert compared(theirs, reference, "last").seeds == ((2, 1) if not reason else ())
        (sentence,) = results_section([reference, theirs], reference, "last").sentences
        assert (f"not paired, since {unpaired(theirs, reference)}" in sentence) == bool(reason)


def test_a_diverged_seed_counts_nowhere_and_is_named() -> None:
    spec = synthetic.comparison(3, 5)
    sides = sides_of([source(spec, metrics=synthetic.metrics(spec, diverged={(1, spec.arms[1].key): 3}))])
    table = results_table(sides, sides[0])
    assert table.rows[1][-2:] == ("2 of 3", "seed 1")
    assert compared(sides[1], sides[0], "last").seeds == (0, 2)


def test_the_picture_of_differences_has_each_seed_and_the_interval() -> None:
    spec = synthetic.comparison(5, 4)
    sides = sides_of([source(spec)])
    (chart,) = results_section(sides, sides[0], "last").charts
    figure = go.Figure(chart.figure)
    found = compared(sides[1], sides[0], "last")
    dots, mean = figure.data[:2]
    assert dots.x == pytest.approx(found.values, abs=1e-3)
    assert (mean.x[0], mean.error_x.array[0]) == pytest.approx((found.mean, found.half), abs=1e-3)
    assert len(figure.data) == 2 * 3
    one = synthetic.comparison(1, 4)
    sides = sides_of([source(one)])
    section = results_section(sides, sides[0], "last")
    assert all("error_x" not in trace for trace in section.charts[0].figure["data"])
    assert any("One seed tells nothing" in note for note in section.notes)


def test_curves_are_those_of_each_comparison_on_one_axis() -> None:
    short, long = synthetic.comparison(2, 6), replace(synthetic.comparison(2, 9), name="Long")
    slow = synthetic.metrics(long)
    slow.loc[slow["name"] == "seconds", "value"] *= 100
    one, other = source(short, "1"), source(long, "2", metrics=slow)
    sides = sides_of([one, other], ["1~sgd", "2~sgd"])
    chart = curves_chart(sides, "test_accuracy", "time")
    own = {trace["meta"]: trace for trace in chart.figure["data"] if "name" in trace}
    assert list(own) == ["1~sgd", "2~sgd"]
    assert chart.figure["layout"]["xaxis"]["title"]["text"] == "training time (min)"
    curve = curves_data(one.tally, "test_accuracy", axis_data(one.tally, "epoch"))[0]
    assert own["1~sgd"]["y"] == curve.mean.tolist()
    seconds = values(synthetic.metrics(short), "sgd", "seconds").mean().sum()
    assert own["1~sgd"]["x"][-1] == pytest.approx(seconds / 60, abs=0.02)
    assert chart.figure["layout"]["xaxis"]["range"][1] >= own["2~sgd"]["x"][-1] > 10
    assert axes_of(sides) == ["epoch", "evaluations", "time"]
    assert "validation_accuracy" not in measures_of(sides)


def test_every_measure_of_a_comparison_can_be_drawn_over_every_axis() -> None:
    sides = sides_of([source(synthetic.comparison(2, 3))])
    for measure in measures_of(sides):
        for axis in axes_of(sides):
            assert np.isfinite(go.Figure(curves_chart(sides, measure, axis).figure).layout.xaxis.range[1])


def test_what_people_type_is_no_markup_in_a_figure() -> None:
    spec = replace(synthetic.comparison(1, 1), name="<b>$x$</b>")
    side = sides_of([source(spec), source(replace(spec, name="Other"), "2")])[0]
    assert side.label == "SGD · <b>$x$</b>"
    assert side.plotted() == "SGD · &lt;b&gt;&#36;x&#36;&lt;/b&gt;"
    assert side.plotted(10) == "SGD · &lt;b&gt;…"
