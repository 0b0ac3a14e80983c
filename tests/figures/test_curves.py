"""Curves: mean and deviation over the seeds that have come so far, where seeds stop, valid plotly figures."""

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest

from samviz.figures import palette
from samviz.figures.curves import MOST_LINES, Curve, curves_data, curves_figure
from samviz.figures.measures import AXES, MEASURES, axis_data
from samviz.figures.tally import Divergence
from samviz.runs.views import METRIC_COLUMNS
from samviz.spec import Arm, Comparison, Recipe
from tests import synthetic


def rows(*values: tuple, name: str = "test_accuracy") -> pd.DataFrame:
    """(seed, arm, epoch, value) as rows of one measure."""
    return pd.DataFrame(
        [(seed, arm, epoch, epoch * 10, name, value) for seed, arm, epoch, value in values],
        columns=METRIC_COLUMNS,
    )


def two_seeds() -> Comparison:
    arms = (Arm(), Arm(variant="sam", rho=0.1))
    return Comparison(name="two", recipe=Recipe(epochs=3), arms=arms, seeds=(7, 3))


def test_the_mean_counts_the_seeds_that_have_reached_the_epoch() -> None:
    metrics = rows((7, "sgd", 0, 10.0), (7, "sgd", 1, 20.0), (3, "sgd", 0, 14.0))
    (curve,) = curves_data(synthetic.tally(metrics, two_seeds()), "test_accuracy")
    assert curve.key == "sgd"
    assert curve.epochs.tolist() == curve.x.tolist() == [0, 1]
    assert curve.mean.tolist() == [12.0, 20.0]
    assert curve.seeds.tolist() == [2, 1]
    assert curve.sd[0] == 2.83
    assert np.isnan(curve.sd[1])
    assert [(line.seed, line.x.tolist(), line.y.tolist()) for line in curve.lines] == [
        (7, [0, 1], [10.0, 20.0]),
        (3, [0], [14.0]),
    ]
    assert curve.stops == ()


def test_a_single_seed_is_a_plain_line() -> None:
    (curve,) = curves_data(
        synthetic.tally(rows((7, "sgd", 0, 10.0), (7, "sgd", 1, 20.0)), two_seeds()), "test_accuracy"
    )
    assert curve.lines == ()
    assert np.isnan(curve.sd).all()


def test_a_value_that_is_not_finite_is_left_out() -> None:
    metrics = rows((7, "sgd", 0, 10.0), (7, "sgd", 1, np.nan), (3, "sgd", 1, np.inf))
    (curve,) = curves_data(synthetic.tally(metrics, two_seeds()), "test_accuracy")
    assert curve.epochs.tolist() == [0]


def test_rows_of_other_names_arms_seeds_and_epochs_do_not_count() -> None:
    metrics = rows((7, "other", 0, 1.0), (5, "sgd", 0, 1.0), (7, "sgd", 9, 1.0))
    assert curves_data(synthetic.tally(metrics, two_seeds()), "test_accuracy") == []
    assert curves_data(synthetic.tally(rows((7, "sgd", 0, 1.0)), two_seeds()), "test_loss") == []


@pytest.mark.parametrize("measure", ["test_loss", "gap", "adversarial_loss", "weight_norm/conv"])
def test_mean_and_deviation_are_numpys_also_where_seeds_diverge(measure: str) -> None:
    spec = synthetic.comparison(4, epochs=40)
    diverged = {(1, spec.arms[1].key): 20, (2, spec.arms[1].key): 33, (0, spec.arms[0].key): 1}
    tally = synthetic.tally(synthetic.metrics(spec, {0: 40, 1: 40, 2: 40, 3: 12}, diverged=diverged), spec)
    values = tally.measure(measure)
    curves = curves_data(tally, measure)
    assert len(curves) == (3 if measure == "adversarial_loss" else 4)
    for curve in curves:
        k = [arm.key for arm in spec.arms].index(curve.key)
        own = values[k][:, curve.epochs]
        count = np.isfinite(own).sum(axis=0)
        assert curve.seeds.tolist() == count.tolist()
        tolerance = 0.6 * 10.0 ** -MEASURES[measure].decimals
        np.testing.assert_allclose(curve.mean, np.nanmean(own, axis=0), atol=tolerance)
        several = count > 1
        np.testing.assert_allclose(curve.sd[several], np.nanstd(own[:, several], axis=0, ddof=1), atol=tolerance)
        assert np.isnan(curve.sd[~several]).all()
        for line in curve.lines:
            there = np.isfinite(own[line.seed])
            assert line.x.tolist() == curve.epochs[there].tolist()
            np.testing.assert_allclose(line.y, own[line.seed, there], atol=0.6 * 10.0**-curve.decimals)
    assert curves[-3].key == spec.arms[1].key
    stops = curves[-3].stops
    assert [stop.divergence for stop in stops] == [Divergence(1, 20, 20 * 31 - 15), Divergence(2, 33, 33 * 31 - 15)]
    assert [stop.x for stop in stops] == [19, 32]
    assert stops[0].y == pytest.approx(values[1, 1, 19], abs=0.01)


@pytest.mark.parametrize("axis", AXES)
def test_each_seed_has_its_own_place_on_the_axis_and_the_mean_theirs(axis: str) -> None:
    spec = synthetic.comparison(3, epochs=10)
    tally = synthetic.tally(synthetic.metrics(spec), spec)
    along = axis_data(tally, axis)
    for k, curve in enumerate(curves_data(tally, "test_loss", along)):
        np.testing.assert_allclose(curve.x, along.mean[k], atol=0.06)
        for s, line in enumerate(curve.lines):
            np.testing.assert_allclose(line.x, along.seeds[k, s], atol=0.06)


@pytest.mark.parametrize("axis", AXES)
@pytest.mark.parametrize("seeds", [1, 3])
def test_figures_are_valid_and_wear_the_arms_colors(axis: str, seeds: int) -> None:
    spec = synthetic.comparison(seeds, epochs=4)
    tally = synthetic.tally(synthetic.metrics(spec), spec)
    along = axis_data(tally, axis)
    for measure in MEASURES:
        curves = curves_data(tally, measure, along)
        figure = go.Figure(curves_figure(curves, measure, along))
        arms = [arm for arm in spec.arms if arm.key in [curve.key for curve in curves]]
        lines = [trace for trace in figure.data if trace.line.width == 2]
        assert [trace.meta for trace in lines] == [arm.key for arm in arms]
        assert [trace.line.color for trace in lines] == [palette.color(arm.variant, arm.scope) for arm in arms]
        assert len(figure.data) == len(arms) * (1 if seeds == 1 else 3)
        uids = {trace.uid for trace in figure.data}
        assert len(uids) == len(figure.data)
        assert all(re.fullmatch("[a-z0-9_-]+", uid) for uid in uids)  # each becomes a CSS class
        assert figure.layout.xaxis.range == (0, along.end)


def curve(**change) -> Curve:
    fields = {
        "key": "sgd",
        "label": "SGD",
        "color": "#000000",
        "dash": "solid",
        "epochs": np.array([0, 1]),
        "x": np.array([0, 1]),
        "mean": np.array([2.0, 1.0]),
        "sd": np.array([0.5, np.nan]),
        "decimals": 2,
        "seeds": np.array([2, 1]),
        "lines": (),
        "stops": (),
    }
    return Curve(**fields | change)


def test_a_band_is_one_deviation_wide_and_the_hover_tells_it() -> None:
    along = axis_data(synthetic.tally(rows(), two_seeds()), "epoch")
    band, mean = curves_figure([curve()], "test_loss", along)["data"]
    assert (band["x"], band["y"]) == ([0, 0], [2.5, 1.5])
    assert mean["text"] == [" ± 0.5000", ""]
    assert mean["hovertemplate"] == "%{y:.4f}%{text}"
    (alone,) = curves_figure([curve(sd=np.full(2, np.nan))], "test_loss", along)["data"]
    assert alone["hovertemplate"] == "%{y:.4f}"
    timed = curves_figure([curve()], "test_loss", replace(along, title="training time (s)"))["data"][1]
    assert timed["hovertemplate"] == "%{y:.4f}%{text}, epoch %{customdata}"
    assert timed["customdata"] == [0, 1]


def test_the_lines_of_the_seeds_are_one_trace_with_gaps() -> None:
    spec = two_seeds()
    tally = synthetic.tally(rows((7, "sgd", 0, 1.0), (7, "sgd", 1, 2.0), (3, "sgd", 0, 4.0)), spec)
    along = axis_data(tally, "epoch")
    _, seeds, _ = curves_figure(curves_data(tally, "test_accuracy", along), "test_accuracy", along)["data"]
    assert seeds["x"] == [0, 1, None, 0]
    assert seeds["y"] == [1.0, 2.0, None, 4.0]


def test_a_seed_that_diverged_ends_in_a_cross_that_says_when() -> None:
    spec = two_seeds()
    frame = pd.concat([rows((7, "sgd", 0, 1.0), (7, "sgd", 1, 2.0)), rows((7, "sgd", 2, 25.0), name="diverged")])
    tally = synthetic.tally(frame, spec)
    along = axis_data(tally, "epoch")
    figure = curves_figure(curves_data(tally, "test_accuracy", along), "test_accuracy", along)
    go.Figure(figure)
    cross = figure["data"][-1]
    assert (cross["x"], cross["y"], cross["text"]) == ([1], [2.0], ["seed 7 diverged at step 25 (epoch 2)"])


def test_a_long_run_is_thinned_and_keeps_its_last_epoch() -> None:
    spec = Comparison(name="long", recipe=Recipe(epochs=2000), arms=(Arm(),))
    (curve,) = curves_data(synthetic.tally(rows(*((0, "sgd", e, 1.0) for e in range(1778))), spec), "test_accuracy")
    assert len(curve.epochs) <= 252
    assert curve.epochs[-1] == 1777


def test_too_many_seeds_are_told_by_their_bands_alone() -> None:
    arms = tuple(Arm(variant="sam", rho=0.1 * (k + 1)) for k in range(6))
    spec = Comparison(name="many", recipe=Recipe(epochs=3), arms=arms, seeds=tuple(range(MOST_LINES // 6 + 1)))
    curves = curves_data(synthetic.tally(synthetic.metrics(spec, layers=0), spec), "test_loss")
    assert len(curves) == 6
    assert not any(curve.lines for curve in curves)
    assert all(np.isfinite(curve.sd).all() for curve in curves)


def test_before_the_first_number_the_figure_says_so() -> None:
    along = axis_data(synthetic.tally(rows(), two_seeds()), "epoch")
    figure = go.Figure(curves_figure([], "test_loss", along))
    assert figure.layout.annotations[0].text == "nothing measured yet"
    assert figure.layout.yaxis.showticklabels is False
