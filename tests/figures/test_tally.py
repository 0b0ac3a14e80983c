"""The tally: rows added in parts come to the same as rows added at once; rows of others do not count."""

import numpy as np
import pytest

from samviz.figures.tally import Divergence, Tally, shown_epochs
from samviz.spec import Arm, Comparison, Recipe
from tests import synthetic

SPEC = synthetic.comparison(3, epochs=6)
FRAME = synthetic.metrics(SPEC)
METRICS, HISTOGRAMS = synthetic.tuples(FRAME), synthetic.tuples(synthetic.histograms(SPEC))


def test_rows_in_parts_come_to_the_same_as_rows_at_once() -> None:
    whole, parts = Tally(SPEC).add(METRICS, HISTOGRAMS), Tally(SPEC)
    for start in range(0, max(len(METRICS), len(HISTOGRAMS)), 7):
        parts.add(METRICS[start : start + 7], HISTOGRAMS[start : start + 7])
    for name in FRAME["name"].unique():
        np.testing.assert_array_equal(whole.measure(name), parts.measure(name))
    for name in ("gamma_mean", "beta_mean"):
        np.testing.assert_array_equal(whole.layers(name), parts.layers(name))
    for name in ("gamma", "beta"):
        np.testing.assert_array_equal(whole.counts[name], parts.counts[name])
        np.testing.assert_array_equal(whole.pooled[name], parts.pooled[name])


def test_a_measure_is_by_arm_seed_and_epoch() -> None:
    loss = Tally(SPEC).add(METRICS, []).measure("test_loss")
    for row in FRAME[FRAME["name"] == "test_loss"].itertuples():
        arm = [arm.key for arm in SPEC.arms].index(row.arm)
        assert loss[arm, SPEC.seeds.index(row.seed), row.epoch] == row.value
    assert np.isnan(Tally(SPEC).measure("test_loss")).all()


def test_rows_of_other_arms_seeds_and_epochs_do_not_count() -> None:
    strange = [(0, "other", 1), (9, "sgd", 1), (0, "sgd", 7), (0, "sgd", -1)]
    metrics = [(*row, 0, "test_loss", 1.0) for row in strange]
    tally = Tally(SPEC).add(metrics, [(*row, "gamma", -1.0, 3.0, (1,)) for row in strange])
    assert np.isnan(tally.measure("test_loss")).all()
    assert tally.bins == {}


def test_single_layers_are_pooled_over_the_seeds_and_are_no_measures() -> None:
    tally = Tally(SPEC).add(METRICS, [])
    layers = tally.layers("gamma_mean")
    assert layers.shape == (4, synthetic.LAYERS, 7)
    mine = FRAME[(FRAME["name"] == "gamma_mean/3") & (FRAME["arm"] == SPEC.arms[2].key) & (FRAME["epoch"] == 5)]
    assert layers[2, 3, 5] == pytest.approx(mine["value"].mean())
    assert not tally.has("gamma_mean/3")
    assert tally.has_layers("beta_mean")
    assert not Tally(SPEC).has_layers("beta_mean")
    assert Tally(SPEC).layers("beta_mean").shape == (4, 0, 7)


def test_gap_and_sharpness_follow_from_what_is_told() -> None:
    tally = Tally(SPEC).add(METRICS, [])
    np.testing.assert_allclose(
        tally.measure("gap"), tally.measure("train_accuracy") - tally.measure("test_accuracy"), rtol=1e-12
    )
    sharpness = tally.measure("sharpness")
    np.testing.assert_array_equal(sharpness, tally.measure("adversarial_loss") - tally.measure("train_loss"))
    assert np.isnan(sharpness[0]).all()
    assert np.isfinite(sharpness[1:, :, 1:]).all()
    rest = Tally(SPEC).add([row for row in METRICS if row[4] != "gap"], [])
    np.testing.assert_allclose(rest.measure("gap"), tally.measure("gap"), rtol=1e-12)
    assert not Tally(SPEC).has("gap")
    assert np.isnan(Tally(SPEC).measure("gap")).all()


def test_a_divergence_is_told_by_seed() -> None:
    rows = [(2, SPEC.arms[1].key, 3, 120, "diverged", 120.0), (0, SPEC.arms[1].key, 5, 170, "diverged", 170.0)]
    tally = Tally(SPEC).add(rows, [])
    assert tally.diverged(0) == ()
    assert tally.diverged(1) == (Divergence(0, 5, 170), Divergence(2, 3, 120))
    assert tally.diverged(1)[1].text == "diverged at step 120 (epoch 3)"
    assert Tally(SPEC).diverged(1) == ()


def test_there_is_room_for_the_epochs_of_the_longest_arm() -> None:
    spec = Comparison(name="x2", recipe=Recipe(epochs=3), arms=(Arm(), Arm(epochs_factor=2)))
    tally = Tally(spec).add([(0, "sgd:x2", 6, 10, "test_loss", 0.5)], [])
    assert tally.measure("test_loss")[1, 0].tolist()[-1] == 0.5


@pytest.mark.parametrize("last", [0, 1, 59, 60, 61, 200, 1777, 2000])
def test_shown_epochs_are_few_and_have_the_last(last: int) -> None:
    shown = shown_epochs(last, 60)
    assert len(shown) <= 62
    assert shown[-1] == last
    assert shown[0] == 0
    assert last > 60 or len(shown) == last + 1
