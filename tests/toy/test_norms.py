"""Regions, exact maxima and first-order steps for any p from 1 to infinity: by scipy, by duality, at the limits."""

from itertools import product
from math import inf

import numpy as np
import pytest
from scipy.optimize import LinearConstraint, NonlinearConstraint, minimize

from samviz.toy import first_order_sharpness, gradient, loss, maximum, one_step, outline, sharpness
from samviz.toy.ascent import dual_norm, steepest
from samviz.variants import VARIANTS
from tests.toy import reference

NORMS = [1, 1.3, 2, 3, 10, inf]
MODELS = ["sam", "elementwise_l2", "fisher"]
"""One variant for each T that the toy can tell apart."""


def half_widths(variant: str, w, rho: float, eta: float, c: float) -> np.ndarray:
    return rho * np.array(reference.operator(variant, w, reference.slope(w, c), eta))


def norm(u: np.ndarray, p: float, axis: int = -1) -> np.ndarray:
    """||u||_p, also where a power of p leaves the floats."""
    top = np.maximum(abs(u).max(axis=axis, keepdims=True), 1e-300)
    return np.squeeze(top, axis) * np.linalg.norm(u / top, p, axis=axis)


def ball(p: float):
    """||u||_p <= 1 as a constraint that scipy takes; for p = 1 its four edges."""
    if p == 1:
        return LinearConstraint(np.array(list(product((-1, 1), repeat=2))), -inf, 1)
    return NonlinearConstraint(lambda u: (abs(u) ** p).sum(), -inf, 1, jac=lambda u: p * abs(u) ** (p - 1) * np.sign(u))


def by_search(a: np.ndarray, w, p: float, c: float, rng: np.random.Generator) -> float:
    """The largest loss in the region of half widths a that SLSQP finds from many starts, in units u = eps / a."""
    constraints = [LinearConstraint(np.array([[0, a[1]]]), -w[1], inf)]
    constraints += [] if p == inf else [ball(p)]
    best = c if w[1] - a[1] <= 0 else -inf
    for sign in (1, -1):
        for u in rng.uniform(-0.7, 0.7, (10, 2)):
            found = minimize(
                lambda u, sign=sign: -sign * (np.prod(w + a * u) - c),
                u,
                jac=lambda u, sign=sign: -sign * a * (w + a * u)[::-1],
                method="SLSQP",
                bounds=[(-1, 1)] * 2,
                constraints=constraints,
                options={"ftol": 1e-14, "maxiter": 200},
            )
            inside = w + a * found.x / max(1, np.linalg.norm(found.x, p))
            if inside[1] >= 0:
                best = max(best, reference.value(inside, c))
    return best


@pytest.mark.parametrize("p", NORMS)
@pytest.mark.parametrize("variant", MODELS)
def test_the_maximum_is_what_scipy_finds_from_many_starts(variant: str, p: float) -> None:
    """Above and below the valley, on both sides of both axes, with regions that reach over them or almost."""
    rng = np.random.default_rng(11)
    cases = [((0.3, 0.033), 0.05, 0.04), ((1.0, 1.0), 1.0, 0.04), ((0.2, 0.2), 0.05, 0.04), ((1.05, 1.1), 1.0, 3.0)]
    for _ in range(6):
        cases.append((tuple(rng.uniform(-0.5, 1.5, 2)), 10 ** rng.uniform(-2, 0.3), 10 ** rng.uniform(-2, 0.3)))
    for _ in range(4):
        w = rng.uniform(0.3, 1.5, 2)  # below the valley, the axes just out of reach
        cases.append((tuple(w), 0.95 * w.min(), 2 * w.prod()))
    for w, rho, c in cases:
        eta = float(rng.choice([0.0, 0.2]))
        a = half_widths(variant, w, rho, eta, c)
        found = maximum(variant, w, rho, eta, c, p)
        assert found.loss == pytest.approx(by_search(a, np.array(w), p, c, rng), abs=1e-6), (w, rho, eta, c)


@pytest.mark.parametrize("variant", MODELS)
def test_the_points_lie_in_the_region_and_no_point_of_its_outline_is_higher(variant: str) -> None:
    rng = np.random.default_rng(12)
    for i in range(400):
        p = float(rng.choice([1, 1 + 1e-9, 1.01, 50, 1e6, 1e300, inf])) if i % 2 else 1 / rng.uniform(1e-3, 1)
        w, c = rng.uniform(-1, 1.5, 2), 10 ** rng.uniform(-2, 1)
        rho, eta = 10 ** rng.uniform(-6, 0.5), float(rng.choice([0.0, 0.1]))
        if i % 3 == 0:  # below the valley
            w, rho = abs(w), rng.uniform(0.5, 1) * abs(w).min()
            c = w.prod() * rng.uniform(1, 3) + 1e-3
        found = maximum(variant, w, rho, eta, c, p)
        a = half_widths(variant, w.tolist(), rho, eta, c)
        assert (norm((found.points - w) / a, p) <= 1 + 1e-9 + 1e-14 / a.min()).all()
        np.testing.assert_allclose(loss(found.points, c), found.loss, rtol=1e-11)
        line = loss(outline(variant, w, rho, eta, 1441, c, p), c)
        assert line.max() <= found.loss * (1 + 1e-12)
        if (w > a).all():  # no dead half-plane, where the largest loss may lie inside
            assert line.max() == pytest.approx(found.loss, rel=1e-3)


@pytest.mark.parametrize("p", [1, 1.0001, 1.5, 2, 2.5, 7, 1000, inf])
@pytest.mark.parametrize("a", [1.0, 3.0, 0.3])
def test_asam_has_one_closed_form_for_all_p(p: float, a: float) -> None:
    """At T = |w| the worst point is w (1 + rho 2^(-1/p)), however w is rescaled."""
    w, rho, c = np.array([a * 0.8, 1.5 / a]), 0.4, 0.04
    found = maximum("elementwise_l2", w, rho, 0.0, c, p)
    grown = 1 + rho * 2 ** (-1 / p)
    assert found.loss == pytest.approx(1.2 * grown**2 - c, rel=1e-12)
    np.testing.assert_allclose(found.points, [w * grown], rtol=1e-9)
    assert not found.tie


@pytest.mark.parametrize("p", [1.2, 1.5, 2, 3, 8])
def test_below_the_valley_two_points_may_tie(p: float) -> None:
    """A sphere that almost reaches both axes touches the lowest contour twice, in mirror images."""
    found = maximum("sam", (1.02, 1.02), 1.0, target=2.0, p=p)
    assert found.tie
    assert len(found.points) == 2
    np.testing.assert_allclose(found.points[0], found.points[1][::-1], rtol=1e-9)
    assert abs(np.diff(found.points[0])) > 0.1
    alone = maximum("sam", (1.02, 1.05), 1.0, target=2.0, p=p)
    assert not alone.tie
    assert alone.points[0, 0] < alone.points[0, 1]


@pytest.mark.parametrize("p", NORMS)
def test_the_dead_half_plane_ties_for_every_p(p: float) -> None:
    found = maximum("sam", (0.3, 0.033), 0.05, p=p)
    np.testing.assert_array_equal(found.points[0], (0.3, 0.0))
    assert found.loss == 0.04
    assert found.tie


@pytest.mark.parametrize(("near", "p"), [(1 + 1e-10, 1), (2 - 1e-10, 2), (2 + 1e-10, 2), (1e12, inf)])
def test_the_closed_forms_are_the_limits_of_the_search(near: float, p: float) -> None:
    rng = np.random.default_rng(13)
    for _ in range(60):
        w, rho, c = rng.uniform(-0.5, 1.5, 2), 10 ** rng.uniform(-2, 0.2), 10 ** rng.uniform(-2, 0.5)
        exact = maximum("sam", w, rho, target=c, p=p)
        assert maximum("sam", w, rho, target=c, p=near).loss == pytest.approx(exact.loss, rel=1e-8)
        np.testing.assert_allclose(
            first_order_sharpness("sam", w, rho, p=near), first_order_sharpness("sam", w, rho, p=p)
        )


@pytest.mark.parametrize("p", [1, 1.3, 2, 3, 10, 1e6, inf])
@pytest.mark.parametrize("n", [5, 6, 181])
def test_the_outline_is_closed_and_lies_on_the_boundary(p: float, n: int) -> None:
    w, rho = np.array([0.3, 0.25]), 0.2
    line = outline("elementwise_l2", w, rho, 0.1, n, p=p)
    assert line.shape == (n, 2)
    np.testing.assert_array_equal(line[0], line[-1])
    a = half_widths("elementwise_l2", w, rho, 0.1, 0.04)
    np.testing.assert_allclose(norm((line - w) / a, p), 1, rtol=1e-9)
    if p == 1:
        for corner in [(a[0], 0), (0, a[1]), (-a[0], 0), (0, -a[1])]:
            assert abs(line - w - corner).max(axis=1).min() < 1e-15


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_variants_own_p_is_the_default(variant: str) -> None:
    w, p = (0.7, 0.4), VARIANTS[variant].p
    np.testing.assert_array_equal(outline(variant, w, 0.3), outline(variant, w, 0.3, p=p))
    np.testing.assert_array_equal(one_step(w, variant, 0.3), one_step(w, variant, 0.3, p=p))
    assert sharpness(variant, w, 0.3) == sharpness(variant, w, 0.3, p=p)
    assert first_order_sharpness(variant, w, 0.3) == first_order_sharpness(variant, w, 0.3, p=p)


@pytest.mark.parametrize("p", [1, 1.001, 1.3, 2, 3, 10, 1e6, inf])
def test_one_step_is_the_steepest_of_its_region(p: float) -> None:
    """Its rise is rho ||T g||_q, and no other point of the region has a larger one."""
    w, rng = np.random.default_rng(14).uniform(0.05, 1, (40, 2)), np.random.default_rng(15)
    for variant in MODELS:
        rise = (gradient(w) * one_step(w, variant, 0.2, p=p)).sum(axis=-1)
        np.testing.assert_allclose(first_order_sharpness(variant, w, 0.2, p=p), rise, rtol=1e-12)
        a = np.array([half_widths(variant, point, 0.2, VARIANTS[variant].eta, 0.04) for point in w.tolist()])
        others = rng.normal(size=(300, 2))
        others = others / norm(others, p)[:, None]
        assert ((gradient(w)[:, None] * a[:, None] * others).sum(axis=-1) <= rise[:, None] * (1 + 1e-12)).all()


@pytest.mark.parametrize("p", [1, 1 + 1e-12, 1.3, 2, 3, 1e300, inf])
def test_steepest_and_the_dual_norm_fit_together(p: float) -> None:
    u = np.random.default_rng(16).normal(size=(7, 50)) * 10.0 ** np.random.default_rng(17).uniform(-150, 150, 50)
    z = steepest(u, p)
    np.testing.assert_allclose(norm(z, p, axis=0), 1, rtol=1e-9)
    np.testing.assert_allclose((u * z).sum(axis=0), dual_norm(u, p), rtol=1e-9)
    np.testing.assert_array_equal(steepest(np.zeros((3, 2)), p), 0)
    np.testing.assert_array_equal(dual_norm(np.zeros((3, 2)), p), 0)
    assert np.isnan(steepest(np.array([1.0, np.nan]), p)[1])


def test_for_p_1_the_largest_entries_share_the_radius() -> None:
    np.testing.assert_array_equal(steepest(np.array([3.0, -3.0, 1.0]), 1), [0.5, -0.5, 0])
    # ASAM at eta 0 has T g = (w1 w2, w1 w2) on the toy: both weights always tie
    np.testing.assert_allclose(one_step((0.5, 0.3), "elementwise_l2", 0.4, 0.0, p=1), [0.1, 0.06], rtol=1e-14)
    np.testing.assert_array_equal(one_step((0.5, 0.3), "sam", 0.4, p=1), [0, 0.4])


@pytest.mark.parametrize("p", [0.5, 0, -1, float("nan"), "2", True])
@pytest.mark.parametrize(
    "call",
    [
        lambda p: one_step((1, 1), "sam", 0.5, p=p),
        lambda p: maximum("sam", (1, 1), 0.5, p=p),
        lambda p: outline("sam", (1, 1), 0.5, p=p),
        lambda p: sharpness("sam", (1, 1), 0.5, p=p),
        lambda p: first_order_sharpness("sam", (1, 1), 0.5, p=p),
    ],
)
def test_a_p_that_is_none_is_one_sentence(call, p: object) -> None:
    with pytest.raises(ValueError, match=r"^p must be a number from 1 to infinity, but it is .*\.$"):
        call(p)


@pytest.mark.parametrize("p", [1, 1 + 2.3e-16, 1.3, 3, 1e6, 1e308])
@pytest.mark.parametrize("variant", MODELS)
def test_no_point_and_no_radius_breaks_it(variant: str, p: float) -> None:
    rng = np.random.default_rng(18)
    for _ in range(200):
        w, rho = rng.uniform(-1, 1, 2) * 10 ** rng.uniform(-320, 9, 2), float(10 ** rng.uniform(-320, 3))
        eta = float(rng.choice([0.0, 1.0]))
        found = maximum(variant, w, rho, eta, p=p)
        assert np.isfinite(found.points).all()
        assert found.loss >= loss(w)
        assert np.isfinite(outline(variant, w, rho, eta, p=p)).all()
