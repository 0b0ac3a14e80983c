"""The table: means and spreads over finished seeds, and what may be concluded from them."""

import numpy as np
import pytest

from samviz.figures.results import conclusion, divergences, results_data
from samviz.figures.tally import Divergence
from samviz.spec import Arm, Comparison, Recipe
from tests import synthetic


def test_results_agree_with_numpy_over_the_finished_seeds() -> None:
    spec = synthetic.comparison(4, epochs=8)
    metrics = synthetic.metrics(spec, {0: 8, 1: 8, 2: 8, 3: 5})
    for result in results_data(synthetic.tally(metrics, spec)):
        own = metrics[(metrics["arm"] == result.key) & (metrics["seed"] < 3)]
        test = own[own["name"] == "test_accuracy"].pivot(index="seed", columns="epoch", values="value").to_numpy()
        train = own[(own["name"] == "train_accuracy") & (own["epoch"] == 8)]["value"].to_numpy()
        assert result.final.n == 3
        assert result.final.mean == pytest.approx(np.mean(test[:, -1]))
        assert result.final.sd == pytest.approx(np.std(test[:, -1], ddof=1))
        assert result.best.mean == pytest.approx(np.mean(test.max(axis=1)))
        assert result.gap.mean == pytest.approx(np.mean(train - test[:, -1]))


def test_one_seed_has_no_spread_and_no_conclusion() -> None:
    spec = synthetic.comparison(1, epochs=3)
    results = results_data(synthetic.tally(synthetic.metrics(spec), spec))
    assert all(result.final.n == 1 and np.isnan(result.final.sd) for result in results)
    assert conclusion(spec, results).startswith("One seed: no conclusion can be drawn")


def test_before_two_seeds_have_finished_there_is_no_conclusion() -> None:
    spec = synthetic.comparison(3, epochs=3)
    results = results_data(synthetic.tally(synthetic.metrics(spec, {0: 3, 1: 2}), spec))
    assert "no conclusion can be drawn yet" in conclusion(spec, results)
    assert results_data(synthetic.tally(synthetic.metrics(spec, {}), spec))[0].final.n == 0


def test_with_more_seeds_the_table_says_how_many() -> None:
    spec = synthetic.comparison(3, epochs=3)
    assert "over 3 seeds" in conclusion(spec, results_data(synthetic.tally(synthetic.metrics(spec), spec)))


def test_a_diverged_seed_is_named_with_its_step_and_left_out() -> None:
    spec = synthetic.comparison(3, epochs=3)
    results = results_data(synthetic.tally(synthetic.metrics(spec, diverged={(1, "sgd"): 2}), spec))
    assert results[0].diverged == (Divergence(seed=1, epoch=2, step=2 * 31 - 15),)
    assert results[0].final.n == 2
    assert [r.diverged for r in results[1:]] == [(), (), ()]
    assert divergences(results) == ["SGD diverged at step 47 (epoch 2) with seed 1"]
    assert conclusion(spec, results).endswith("SGD diverged at step 47 (epoch 2) with seed 1.")


def test_each_arm_counts_at_its_own_last_epoch() -> None:
    arms = (Arm(), Arm(epochs_factor=2))
    spec = Comparison(name="x2", recipe=Recipe(epochs=3), arms=arms, seeds=(0, 1))
    metrics = synthetic.metrics(spec, {0: 6, 1: 4})
    once, twice = results_data(synthetic.tally(metrics, spec))
    assert (once.final.n, twice.final.n) == (2, 1)
    tests = metrics[(metrics["name"] == "test_accuracy") & (metrics["arm"] == "sgd") & (metrics["epoch"] == 3)]
    assert once.final.mean == pytest.approx(tests["value"].mean())
