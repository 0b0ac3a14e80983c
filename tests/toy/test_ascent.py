"""The one-step maximizer and first-order sharpness, against the papers' formulas and the region itself."""

from math import sqrt

import numpy as np
import pytest

from samviz.toy import first_order_sharpness, gradient, loss, one_step, sharpness
from samviz.variants import VARIANTS
from tests.toy import reference


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("eta", [0.0, 0.3])
def test_one_step_is_the_papers_formula(variant: str, eta: float) -> None:
    rng = np.random.default_rng(1)
    w = np.concatenate([rng.uniform(-1, 1, (50, 2)), [(0.0, 0.0), (0.3, 0.0), (0.0, 0.4), (0.2, 0.2)]])
    expected = [reference.epsilon(variant, point, 0.3, eta, 0.04) for point in w.tolist()]
    np.testing.assert_allclose(one_step(w, variant, 0.3, eta), expected, rtol=1e-13, atol=1e-15)
    np.testing.assert_allclose(one_step(w.reshape(2, 27, 2), variant, 0.3, eta).reshape(-1, 2), expected, 1e-13, 1e-15)


@pytest.mark.parametrize("variant", VARIANTS)
def test_one_step_is_on_the_edge_of_its_region_and_zero_where_the_gradient_is(variant: str) -> None:
    w, rho, eta = (0.3, 0.25), 0.1, VARIANTS[variant].eta
    T = np.array(reference.operator(variant, w, reference.slope(w, 0.04), eta))
    order = reference.P.get(variant, 2)
    assert np.linalg.norm(one_step(w, variant, rho) / T, order) == pytest.approx(rho, rel=1e-13)
    np.testing.assert_array_equal(one_step((0.3, -0.1), variant, rho), [0, 0])


def test_asam_moves_along_w() -> None:
    for w, sign in [((0.2, 0.05), -1), ((0.3, 0.033), -1), ((0.5, 0.3), 1)]:
        expected = np.array(w) * sign * 0.5 / sqrt(2)
        np.testing.assert_allclose(one_step(w, "elementwise_l2", 0.5, 0.0), expected, rtol=1e-14)


@pytest.mark.parametrize("variant", VARIANTS)
def test_first_order_sharpness_is_the_rise_of_the_linearized_loss(variant: str) -> None:
    w = np.random.default_rng(2).uniform(0.05, 1, (30, 2))
    expected = np.sum(gradient(w) * one_step(w, variant, 0.2), axis=-1)
    np.testing.assert_allclose(first_order_sharpness(variant, w, 0.2), expected, rtol=1e-13)
    assert first_order_sharpness(variant, (0.3, -0.1), 0.2) == 0
    # and it is what the true sharpness tends to
    small = sharpness(variant, w[0], 1e-6) / 1e-6
    assert small == pytest.approx(first_order_sharpness(variant, w[0], 1e-6) / 1e-6, rel=1e-4)


def test_on_the_valley_sam_is_sharpest_at_the_ends_and_asam_the_same_everywhere() -> None:
    x = np.array([0.05, 0.1, 0.2, 0.4, 0.8])
    valley = np.stack([x, 0.04 / x], axis=-1)
    np.testing.assert_allclose(first_order_sharpness("sam", valley, 0.05), 0.05 * np.hypot(*valley.T), rtol=1e-14)
    assert np.argmin(first_order_sharpness("sam", valley, 0.05)) == 2
    np.testing.assert_allclose(first_order_sharpness("elementwise_l2", valley, 0.5), 0.5 * 0.04 * sqrt(2), rtol=1e-14)
    exact = (0.5, 0.5)  # here rounding leaves no remainder, and torch's gradient is 0
    assert loss(exact, 0.25) == 0
    assert first_order_sharpness("sam", exact, 0.1, target=0.25) == pytest.approx(0.1 * sqrt(0.5))


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        (((0.2, 0.1), "adam", 0.1), "variant must be one of sam, "),
        (((0.2, 0.1), "sam", -1), "rho must be a number from 0 to 1000, but it is -1."),
        (((0.2, 0.1), "sam", float("nan")), "rho must be a number from 0 to 1000, but it is nan."),
        (((0.2, 0.1), "sam", 0.1, -0.5), "eta must be a number from 0 to 1000, but it is -0.5."),
        (((0.2, 0.1), "sam", 0.1, 0.0, 0), "target must be a number from 1e-06 to 1000, but it is 0."),
        (((0.2, np.inf), "sam", 0.1), "w must be finite numbers of shape (..., 2), but it is (0.2, inf)."),
        (("left", "sam", 0.1), "w must be finite numbers of shape (..., 2), but it is 'left'."),
        (((1, 2, 3), "sam", 0.1), "w must be finite numbers of shape (..., 2), but it is (1, 2, 3)."),
    ],
)
def test_a_wrong_argument_is_one_sentence(arguments: tuple, field: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the text is compared below
        one_step(*arguments)
    assert str(caught.value).startswith(field)
    assert "\n" not in str(caught.value)
