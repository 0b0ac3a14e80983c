"""Theorem 1 of ASAM on the toy, and what every region has in common, for any w, rho, eta and a."""

from math import sqrt

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from samviz.toy import first_order_sharpness, loss, maximum, one_step, outline, sharpness
from samviz.variants import VARIANTS

settings.register_profile("samviz", deadline=None, derandomize=True, max_examples=150)
settings.load_profile("samviz")

ADAPTIVE = st.sampled_from(["elementwise_l2", "elementwise_linf", "layerwise_l2", "filterwise_l2"])
VARIANT = st.sampled_from(list(VARIANTS))
WEIGHT = st.floats(0.02, 2)
RHO = st.floats(0.01, 1.5)
ETA = st.floats(0.05, 0.5)
FACTOR = st.floats(0.1, 10)
TARGET = st.floats(0.01, 0.2)


@given(variant=ADAPTIVE, x=WEIGHT, y=WEIGHT, rho=RHO, a=FACTOR, c=TARGET)
def test_adaptive_sharpness_is_scale_invariant(variant, x, y, rho, a, c) -> None:
    w, rescaled = np.array([x, y]), np.array([a * x, y / a])
    exact = [sharpness(variant, v, rho, 0.0, c) for v in (w, rescaled)]
    np.testing.assert_allclose(exact[1], exact[0], rtol=1e-8, atol=1e-12)
    linear = [float(first_order_sharpness(variant, v, rho, 0.0, c)) for v in (w, rescaled)]
    np.testing.assert_allclose(linear[1], linear[0], rtol=1e-9)
    assume(abs(x * y - c) > 1e-9)  # on the valley itself the gradient jumps, and rounding decides on which side
    np.testing.assert_allclose(
        one_step(rescaled, variant, rho, 0.0, c), one_step(w, variant, rho, 0.0, c) * (a, 1 / a), rtol=1e-6, atol=1e-12
    )


@given(x=WEIGHT, y=WEIGHT, rho=st.floats(0.01, 0.1), a=st.floats(2, 10))
def test_the_spheres_sharpness_is_not(x, y, rho, a) -> None:
    """To first order it is rho |w|, and |Aw| differs from |w| unless a happens to swap the two weights."""
    before, after = (float(first_order_sharpness("sam", np.array(v), rho)) for v in ((x, y), (a * x, y / a)))
    np.testing.assert_allclose([before, after], [rho * np.hypot(x, y), rho * np.hypot(a * x, y / a)], rtol=1e-12)
    if abs(a * x / y - 1) > 1e-3:
        assert abs(after / before - 1) > 1e-9


@given(variant=ADAPTIVE, s=st.floats(0.2, 0.6), rho=st.floats(0.1, 0.6), eta=ETA, a=st.floats(3, 10))
def test_eta_bends_the_invariance(variant, s, rho, eta, a) -> None:
    """On w1 = w2 the operator |w| + eta gives the smallest product of widths; every rescaling makes it larger."""
    w, rescaled = np.array([s, s]), np.array([a * s, s / a])
    before, after = (float(first_order_sharpness(variant, v, rho, eta, s * s)) for v in (w, rescaled))
    assert after > before


@given(variant=VARIANT, x=st.floats(-1, 2), y=st.floats(-1, 2), rho=RHO, eta=ETA, c=TARGET)
def test_the_exact_maximum_is_in_the_region_and_above_every_point_of_its_edge(variant, x, y, rho, eta, c) -> None:
    w = np.array([x, y])
    found = maximum(variant, w, rho, eta, c)
    edge = outline(variant, w, rho, eta, 181, c)
    assert found.loss >= float(loss(edge, c).max()) - 1e-9 * max(found.loss, 1)
    assert found.loss >= float(loss(w, c))
    eps = one_step(w, variant, rho, eta, c)
    assert found.loss >= float(loss(w + eps, c)) - 1e-9 * max(found.loss, 1)
    np.testing.assert_allclose(loss(found.points, c), found.loss, rtol=1e-9, atol=1e-12)
    low, high = edge.min(axis=0), edge.max(axis=0)
    room = 1e-3 * (high - low) + 1e-12  # the outline is a polygon inside of the edge
    assert ((found.points >= low - room) & (found.points <= high + room)).all()


@given(variant=VARIANT, x=WEIGHT, y=WEIGHT, eta=ETA, radii=st.tuples(RHO, RHO))
def test_a_larger_region_is_at_least_as_sharp(variant, x, y, eta, radii) -> None:
    small, large = sorted(radii)
    w = np.array([x, y])
    assert sharpness(variant, w, large, eta) >= sharpness(variant, w, small, eta) - 1e-12
    assert sharpness(variant, w, small, eta) >= 0


@given(x=st.floats(0.3, 2), y=st.floats(0.3, 2), rho=st.floats(0.01, 0.9), a=FACTOR)
def test_well_above_the_valley_the_largest_products_are_the_closed_forms(x, y, rho, a) -> None:
    c, w = 0.01, np.array([a * x, y / a])
    product = x * y
    np.testing.assert_allclose(
        maximum("elementwise_linf", w, rho, 0.0, c).loss, product * (1 + rho) ** 2 - c, rtol=1e-9
    )
    np.testing.assert_allclose(
        maximum("elementwise_l2", w, rho, 0.0, c).loss, product * (1 + rho / sqrt(2)) ** 2 - c, rtol=1e-9
    )
