"""Curves: means and ranges over the seeds that have come so far, valid plotly figures, fixed colors."""

import re

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest

from samviz.figures import palette
from samviz.figures.curves import MEASURES, curves_data, curves_figure
from samviz.runs.views import METRIC_COLUMNS
from samviz.spec import Arm, Comparison, Recipe
from tests import synthetic


def rows(*values: tuple) -> pd.DataFrame:
    """(seed, arm, epoch, value) as test accuracies."""
    return pd.DataFrame(
        [(seed, arm, epoch, epoch * 10, "test_accuracy", value) for seed, arm, epoch, value in values],
        columns=METRIC_COLUMNS,
    )


def two_seeds() -> Comparison:
    arms = (Arm(), Arm(variant="sam", rho=0.1))
    return Comparison(name="two", recipe=Recipe(epochs=3), arms=arms, seeds=(7, 3))


def test_the_mean_counts_the_seeds_that_have_reached_the_epoch() -> None:
    metrics = rows((7, "sgd", 0, 10.0), (7, "sgd", 1, 20.0), (3, "sgd", 0, 14.0))
    (curve,) = curves_data(synthetic.tally(metrics, two_seeds()), "test_accuracy")
    assert curve.key == "sgd"
    assert curve.epochs.tolist() == [0, 1]
    assert curve.mean.tolist() == [12.0, 20.0]
    assert curve.seeds.tolist() == [2, 1]
    assert curve.low[0] == 10
    assert curve.high[0] == 14
    assert np.isnan(curve.low[1])


def test_a_value_that_is_not_finite_is_left_out() -> None:
    metrics = rows((7, "sgd", 0, 10.0), (7, "sgd", 1, np.nan), (3, "sgd", 1, np.inf))
    (curve,) = curves_data(synthetic.tally(metrics, two_seeds()), "test_accuracy")
    assert curve.epochs.tolist() == [0]


def test_rows_of_other_names_arms_seeds_and_epochs_do_not_count() -> None:
    metrics = rows((7, "other", 0, 1.0), (5, "sgd", 0, 1.0), (7, "sgd", 9, 1.0))
    assert curves_data(synthetic.tally(metrics, two_seeds()), "test_accuracy") == []
    assert curves_data(synthetic.tally(rows((7, "sgd", 0, 1.0)), two_seeds()), "test_loss") == []


def test_curves_agree_with_a_plain_groupby() -> None:
    spec = synthetic.comparison()
    metrics = synthetic.metrics(spec, {0: 60, 1: 30})
    grouped = metrics[metrics["name"] == "test_loss"].groupby(["arm", "epoch"])["value"]
    for curve in curves_data(synthetic.tally(metrics, spec), "test_loss"):
        np.testing.assert_allclose(curve.mean, grouped.mean()[curve.key], atol=5e-5)
        both = curve.seeds == 2
        assert both.sum() == 31
        np.testing.assert_allclose(curve.low[both], grouped.min()[curve.key][both], atol=5e-5)
        np.testing.assert_allclose(curve.high[both], grouped.max()[curve.key][both], atol=5e-5)


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("seeds", [1, 3])
def test_figures_are_valid_and_wear_the_arms_colors(measure: str, seeds: int) -> None:
    spec = synthetic.comparison(seeds, epochs=4)
    curves = curves_data(synthetic.tally(synthetic.metrics(spec), spec), measure)
    figure = go.Figure(curves_figure(curves, measure, 4))
    lines = [trace for trace in figure.data if trace.line.width == 2]
    assert [trace.line.color for trace in lines] == [palette.color(arm.variant, arm.scope) for arm in spec.arms]
    assert len(figure.data) == (4 if seeds == 1 else 8)
    uids = {trace.uid for trace in figure.data}
    assert len(uids) == len(figure.data)
    assert all(re.fullmatch("[a-z0-9_-]+", uid) for uid in uids)  # each becomes a CSS class


def test_a_long_run_is_thinned_and_keeps_its_last_epoch() -> None:
    spec = Comparison(name="long", recipe=Recipe(epochs=2000), arms=(Arm(),))
    (curve,) = curves_data(synthetic.tally(rows(*((0, "sgd", e, 1.0) for e in range(1778))), spec), "test_accuracy")
    assert len(curve.epochs) <= 252
    assert curve.epochs[-1] == 1777


def test_before_the_first_number_the_figure_says_so() -> None:
    figure = go.Figure(curves_figure([], "test_loss", 10))
    assert figure.layout.annotations[0].text == "nothing measured yet"
    assert figure.layout.yaxis.showticklabels is False
