"""What the linked panels show, against the functions for single points and closed forms."""

import numpy as np
import pytest

from samviz.toy import descend, first_order_sharpness, sharpness
from samviz.toy.along import distance, position, sharpness_along, spread
from samviz.toy.regions import REGIONS


@pytest.mark.parametrize("region", ["sphere", "ellipsoid"])
@pytest.mark.parametrize(("rho", "eta"), [(0.05, 0.0), (0.5, 0.0), (1.8, 0.0), (0.3, 0.2)])
def test_exact_sharpness_is_that_of_single_points(region: str, rho: float, eta: float) -> None:
    rng = np.random.default_rng(0)
    w = np.concatenate([rng.uniform(-1, 1, (150, 2)), rng.uniform(0, 0.3, (150, 2)), [[0, 0], [0, 0.2], [0.2, 0]]])
    expected = [sharpness(REGIONS[region], point, rho, eta, 0.04) for point in w]
    np.testing.assert_allclose(sharpness_along(region, w, rho, eta, 0.04)[0], expected, rtol=0, atol=1e-9)
    linear = first_order_sharpness(REGIONS[region], w, rho, eta, 0.04)
    np.testing.assert_array_equal(sharpness_along(region, w, rho, eta, 0.04)[1], linear)


def test_exact_sharpness_along_real_paths() -> None:
    for variant, rho in ((None, 0.0), ("sam", 0.05), ("elementwise_l2", 0.5)):
        w = descend((0.2, 0.05), variant, rho=rho, steps=400).points
        for region, radius in (("sphere", 0.05), ("ellipsoid", 0.5)):
            expected = [sharpness(REGIONS[region], point, radius) for point in w]
            np.testing.assert_allclose(sharpness_along(region, w, radius)[0], expected, rtol=1e-9, atol=1e-12)


def test_points_that_are_not_finite_have_no_sharpness() -> None:
    w = np.array([[0.2, 0.2], [np.inf, 0.1], [0.1, np.nan]])
    assert np.isnan(sharpness_along("sphere", w, 0.1)).tolist() == [[False, True, True]] * 2
    assert np.isnan(sharpness_along("sphere", w[1:], 0.1)).all()


def test_distance_and_position() -> None:
    w = np.array([[0.2, 0.2], [0.4, 0.1], [0.3, 0.3], [-0.1, 0.2], [0.1, 0.0]])
    np.testing.assert_allclose(distance(w), [0, 0, 0.05 / np.hypot(0.3, 0.3), np.nan, np.nan], atol=1e-16)
    np.testing.assert_allclose(position(w), [0, np.log(4), 0, np.nan, np.nan], atol=1e-16)
    a = 1.7
    np.testing.assert_allclose(position(w[:3] * (a, 1 / a)), position(w[:3]) + 2 * np.log(a), rtol=1e-12)
    near = np.array([0.2001, 0.2])  # to first order: the nearest point of the valley is within a step's square
    s = np.linspace(0.19, 0.21, 200_001)
    assert distance(near) == pytest.approx(np.hypot(s - near[0], 0.04 / s - near[1]).min(), rel=1e-3)


def test_steps_are_spread_over_a_range_with_both_ends() -> None:
    steps = spread(0, 5000, 200)
    assert (steps[0], steps[-1]) == (0, 5000)
    assert len(steps) <= 200
    assert (np.diff(steps) > 0).all()
    assert steps[:5].tolist() == [0, 1, 2, 3, 4]
    assert spread(7, 7, 10).tolist() == [7]
    assert spread(10, 14, 200).tolist() == [10, 11, 12, 13, 14]


@pytest.mark.parametrize(
    ("field", "arguments"), [("region", ("cuboid", [[0.1, 0.1]], 0.1)), ("rho", ("sphere", [[0.1, 0.1]], -1))]
)
def test_wrong_values_are_named(field: str, arguments: tuple) -> None:
    with pytest.raises(ValueError, match=f"^{field} must be"):
        sharpness_along(*arguments)
