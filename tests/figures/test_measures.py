"""Measures and axes: what a comparison can be asked for, and where its epochs lie."""

import numpy as np
import pytest

from samviz.figures.measures import AXES, MEASURES, axes, axis_data, offered, round_up
from samviz.figures.tally import Tally
from samviz.spec import Arm, Comparison, Recipe
from tests import synthetic

STEPS = Recipe().steps_per_epoch


def comparison(*arms: Arm, epochs: int = 4, seeds: int = 2, **recipe) -> Comparison:
    return Comparison(name="m", recipe=Recipe(epochs=epochs, **recipe), arms=arms, seeds=tuple(range(seeds)))


def measured(spec: Comparison, **change) -> Tally:
    return synthetic.tally(synthetic.metrics(spec, **change), spec)


def test_what_training_tells_is_offered_and_nothing_else() -> None:
    spec = comparison(Arm(), Arm(variant="sam", rho=0.1), validation_size=100)
    assert offered(measured(spec)) == [name for name in MEASURES if name != "weight_norm/other"]
    alone = offered(measured(comparison(Arm())))
    assert "gap" in alone
    assert not {"adversarial_loss", "sharpness", "eps_norm", "validation_loss"} & set(alone)
    assert offered(Tally(spec)) == []


def test_what_an_older_comparison_has_is_offered_with_what_follows_from_it() -> None:
    old = {"train_loss", "test_loss", "train_accuracy", "test_accuracy", "gamma_mean", "gamma_std", "seconds", "lr"}
    spec = synthetic.comparison(2, 3)
    frame = synthetic.metrics(spec)
    tally = synthetic.tally(frame[frame["name"].isin(old)], spec)
    assert set(offered(tally)) == old | {"gap"}
    assert axes(tally) == ["epoch", "time"]
    np.testing.assert_array_equal(
        tally.measure("gap"), tally.measure("train_accuracy") - tally.measure("test_accuracy")
    )


def test_every_measure_and_axis_has_a_name_of_its_own() -> None:
    assert len({measure.title for measure in MEASURES.values()}) == len(MEASURES)
    assert list(AXES) == axes(measured(synthetic.comparison(1, 1)))


def test_the_axis_of_epochs_is_as_long_as_the_longest_arm() -> None:
    spec = comparison(Arm(), Arm(epochs_factor=2))
    axis = axis_data(measured(spec), "epoch")
    assert axis.end == 8
    assert axis.mean.tolist() == [list(range(9))] * 2
    assert axis.seeds.shape == (2, 2, 9)


def test_the_axis_of_evaluations_ends_where_the_training_will() -> None:
    spec = comparison(Arm(epochs_factor=2), Arm(variant="sam", rho=0.1, first_epoch=3))
    axis = axis_data(measured(spec, reached={0: 2, 1: 1}), "evaluations")
    assert axis.end == 8 * STEPS
    assert axis.mean[0, :4].tolist()[:3] == [0, STEPS, 2 * STEPS]
    assert np.isnan(axis.mean[0, 3])
    assert np.isnan(axis.seeds[0, 1, 2])
    whole = axis_data(measured(spec), "evaluations")
    assert whole.mean[1, :5].tolist() == [0, STEPS, 2 * STEPS, 4 * STEPS, 6 * STEPS]


def test_time_is_summed_by_seed_and_its_mean_never_runs_backwards() -> None:
    spec = comparison(Arm())
    seconds = {0: [10.0, 10.0], 1: [30.0, 30.0, 30.0, 30.0]}
    rows = [(seed, "sgd", e + 1, 0, "seconds", s) for seed, each in seconds.items() for e, s in enumerate(each)]
    axis = axis_data(Tally(spec).add(rows, []), "time")
    assert axis.title == "training time (s)"
    assert axis.seeds[0, 0].tolist()[:3] == [0, 10, 20]
    assert np.isnan(axis.seeds[0, 0, 3:]).all()
    assert axis.seeds[0, 1].tolist() == [0, 30, 60, 90, 120]
    assert axis.mean[0].tolist() == [0, 20, 40, 70, 100]
    assert axis.end == 100


@pytest.mark.parametrize(
    ("seconds", "unit", "end"), [(10, "s", 40), (300, "min", 20), (7200, "h", 8), (2650, "min", 180)]
)
def test_time_has_a_unit_that_fits_its_length(seconds: float, unit: str, end: float) -> None:
    axis = axis_data(Tally(comparison(Arm(), seeds=1)).add([(0, "sgd", 1, 0, "seconds", seconds)], []), "time")
    assert axis.title == f"training time ({unit})"
    assert axis.end == end


def test_an_axis_without_numbers_is_there_all_the_same() -> None:
    for name in AXES:
        axis = axis_data(Tally(comparison(Arm())), name)
        assert axis.end > 0
        assert axis.mean[0, 0] == 0


@pytest.mark.parametrize(
    ("value", "rounded"), [(0, 1), (1, 1), (0.31, 0.35), (99, 100), (100, 100), (101, 110), (1234, 1300), (9.7, 10)]
)
def test_a_round_number_is_not_smaller(value: float, rounded: float) -> None:
    assert round_up(value) == pytest.approx(rounded)
