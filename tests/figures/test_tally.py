"""The tally: rows added in parts come to the same as rows added at once; rows of others do not count."""

import numpy as np
import pytest

from samviz.figures.tally import Tally, shown_epochs
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
    np.testing.assert_array_equal(whole.counts["gamma"], parts.counts["gamma"])
    np.testing.assert_array_equal(whole.pooled["gamma"], parts.pooled["gamma"])


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


@pytest.mark.parametrize("last", [0, 1, 59, 60, 61, 200, 1777, 2000])
def test_shown_epochs_are_few_and_have_the_last(last: int) -> None:
    shown = shown_epochs(last, 60)
    assert len(shown) <= 62
    assert shown[-1] == last
    assert shown[0] == 0
    assert last > 60 or len(shown) == last + 1
