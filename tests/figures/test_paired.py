"""Paired differences against scipy, and what is said of them."""

import numpy as np
import pytest
from scipy import stats

from samviz.figures.paired import Difference, difference, interval, t_quantile, verdict


@pytest.mark.parametrize("df", [*range(1, 20), 40])
@pytest.mark.parametrize("level", [0.5, 0.95, 0.99])
def test_the_quantile_is_that_of_scipy(df: int, level: float) -> None:
    assert t_quantile(df, level) == pytest.approx(stats.t.ppf((1 + level) / 2, df), rel=1e-10)


@pytest.mark.parametrize("n", [2, 3, 5, 20])
def test_mean_and_interval_are_those_of_a_paired_t_test(n: int) -> None:
    random = np.random.default_rng(n)
    own, reference = random.normal(80, 1, n), random.normal(79, 1, n)
    found = difference(dict(enumerate(own)), dict(enumerate(reference)))
    test = stats.ttest_rel(own, reference)
    low, high = test.confidence_interval(0.95)
    assert found.mean == pytest.approx((low + high) / 2)
    assert found.half == pytest.approx((high - low) / 2)
    assert found.sd == pytest.approx(stats.tstd(own - reference))
    assert found.settled == (test.pvalue < 0.05)


def test_only_seeds_that_both_have_are_paired() -> None:
    found = difference({3: 5.0, 0: 1.0, 2: 9.0}, {0: 0.5, 1: 7.0, 3: 4.0})
    assert found == Difference((3, 0), (1.0, 0.5))


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ((0.5, 0.7, 0.8, 0.9, 1.1), "SAM-ON is ahead by 0.8 ± 0.3 points over 5 seeds"),
        ((-2.0, -2.1, -1.9), "SAM-ON is behind by 2.0 ± 0.2 points over 3 seeds"),
        ((0.30, 0.31, 0.32), "SAM-ON is ahead by 0.31 ± 0.02 points over 3 seeds"),
        ((-0.4, 0.6, 0.1), "SAM-ON: within seed noise (+0.1 ± 1.2 points over 3 seeds)"),
        ((0.0, 0.0), "SAM-ON: within seed noise (+0.00 ± 0.00 points over 2 seeds)"),
        ((3.14,), "SAM-ON: +3.1 points with one seed, which tells nothing of seed noise"),
        ((), "SAM-ON: no seed has finished with both arms yet"),
    ],
)
def test_the_verdict_says_no_more_than_the_seeds_tell(values: tuple[float, ...], sentence: str) -> None:
    assert verdict("SAM-ON", Difference(tuple(range(len(values))), values)) == sentence


def test_the_interval_has_signs_and_needs_two_seeds() -> None:
    assert interval(Difference((0, 1, 2), (-0.4, 0.6, 0.1))) == "−1.1 to +1.3"
    assert interval(Difference((0,), (1.0,))) == ""
