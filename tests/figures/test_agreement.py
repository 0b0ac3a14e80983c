"""Kendall's tau and the granulated coefficients: SciPy's numbers, examples by hand, and what has no order."""

from itertools import product

import numpy as np
import pytest
from scipy.stats import kendalltau

from samviz.figures.agreement import Granulated, agreement, kendall_tau

GRID = {"lr": (0.1, 0.2, 0.4), "batch": (32, 64)}
NETWORKS = list(product(*GRID.values()))
SETTINGS = {name: [network[k] for network in NETWORKS] for k, name in enumerate(GRID)}


@pytest.mark.parametrize("values", [1000, 6, 2])
@pytest.mark.parametrize("n", [2, 5, 40])
def test_tau_is_scipys_with_and_without_ties(n: int, values: int) -> None:
    random = np.random.default_rng(n * values)
    for _ in range(20):
        x, y = random.integers(0, values, (2, n)) / 7
        mine, theirs = kendall_tau(x, y), kendalltau(x, y).statistic
        assert (mine is None) == bool(np.isnan(theirs))
        assert mine is None or mine == pytest.approx(theirs)


def test_tau_by_hand() -> None:
    assert kendall_tau([1, 2, 3, 4], [10, 20, 30, 40]) == 1
    assert kendall_tau([1, 2, 3, 4], [4, 3, 2, 1]) == -1
    assert kendall_tau([1, 2, 3, 4], [1, 2, 4, 3]) == pytest.approx((5 - 1) / 6)
    # One of three pairs ties in x: 2 concordant pairs over the root of 2 and 3 that differ.
    assert kendall_tau([1, 1, 2], [1, 2, 3]) == pytest.approx(2 / 6**0.5)


@pytest.mark.parametrize("x", [[], [1.0], [2.0, 2.0, 2.0]])
def test_what_has_no_order_has_no_tau(x: list[float]) -> None:
    y = list(range(len(x)))
    assert kendall_tau(x, y) is None
    assert kendall_tau(y, x) is None
    found = agreement(x, y, {"lr": y})
    assert (found.tau, found.mean, found.granulated["lr"].psi) == (None, None, None)


def test_two_measures_in_one_order_agree_in_every_hyper_parameter() -> None:
    x = [lr * 100 + batch for lr, batch in NETWORKS]
    found = agreement(x, [value**3 for value in x], SETTINGS)
    assert (found.n, found.tau, found.mean, found.ties) == (6, 1, 1, 0)
    assert found.granulated == {
        "lr": Granulated(psi=1, groups=2, alone=0, tied=0),
        "batch": Granulated(psi=1, groups=3, alone=0, tied=0),
    }
    reversed_ = agreement(x, [-value for value in x], SETTINGS)
    assert (reversed_.tau, reversed_.mean) == (-1, -1)


def test_an_overall_tau_can_hide_what_a_hyper_parameter_does() -> None:
    """The learning rate moves both alike and by much; within a learning rate the batch size moves them apart."""
    x = [lr * 1000 + batch for lr, batch in NETWORKS]
    y = [lr * 1000 - batch for lr, batch in NETWORKS]
    found = agreement(x, y, SETTINGS)
    assert found.tau == pytest.approx((12 - 3) / 15)
    assert (found.granulated["lr"].psi, found.granulated["batch"].psi, found.mean) == (1, -1, 0)


def test_a_hyper_parameter_that_does_nothing_orders_nothing() -> None:
    x = [lr for lr, _ in NETWORKS]
    found = agreement(x, x, SETTINGS)
    assert found.granulated["batch"] == Granulated(psi=None, groups=0, alone=0, tied=3)
    assert (found.granulated["lr"].psi, found.mean) == (1, None)
    assert (found.tau, found.ties) == (1, 3)


def test_psi_is_the_mean_over_the_groups() -> None:
    """Three values of lr in each of two groups: all in order in one, one pair of three swapped in the other."""
    y = {(0.1, 32): 1, (0.2, 32): 2, (0.4, 32): 3, (0.1, 64): 1, (0.2, 64): 3, (0.4, 64): 2}
    found = agreement([lr for lr, _ in NETWORKS], [y[network] for network in NETWORKS], SETTINGS)
    assert found.granulated["lr"].psi == pytest.approx((1 + 1 / 3) / 2)


def test_of_an_unfinished_grid_single_networks_are_counted_apart() -> None:
    part = {name: values[:3] for name, values in SETTINGS.items()}  # lr 0.1 with both, lr 0.2 with the first
    found = agreement([1, 2, 3], [1, 2, 3], part)
    assert found.granulated["lr"] == Granulated(psi=1, groups=1, alone=1, tied=0)
    assert found.granulated["batch"] == Granulated(psi=1, groups=1, alone=1, tied=0)


def test_networks_of_another_seed_are_not_compared_within_a_group() -> None:
    """Each seed is in order, but the second lies below the first by more than lr does."""
    lr, seeds = [0.1, 0.2, 0.1, 0.2], [0, 0, 1, 1]
    gap = [11, 12, 1, 2]
    found = agreement(lr, gap, {"lr": lr}, seeds)
    assert found.granulated["lr"] == Granulated(psi=1, groups=2, alone=0, tied=0)
    assert found.tau < 1


@pytest.mark.parametrize("n", [6, 54])
def test_what_may_be_chance_is_twice_the_deviation_of_taus_of_random_orders(n: int) -> None:
    random = np.random.default_rng(n)
    taus = [kendalltau(*random.random((2, n))).statistic for _ in range(2000)]
    found = agreement(list(range(n)), list(range(n)), {})
    assert found.chance == pytest.approx(2 * np.std(taus), rel=0.05)
