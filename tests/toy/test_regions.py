"""Exact maxima: closed forms, an independent optimizer, ties with the dead half-plane; and outlines."""

from math import inf, sqrt
from time import perf_counter

import numpy as np
import pytest
from scipy.optimize import minimize

from samviz.toy import REGIONS, loss, maximum, outline, sharpness
from samviz.variants import VARIANTS
from tests.toy import reference

SCALES = [1.0, 1.5, 3.0, 1 / 3, 20.0]


def half_widths(variant: str, w, rho: float, eta: float, c: float) -> np.ndarray:
    return rho * np.array(reference.operator(variant, w, reference.slope(w, c), eta))


def by_search(variant: str, w, rho: float, eta: float, c: float, rng: np.random.Generator) -> float:
    """The largest loss in the region that SLSQP finds from many starts, in units u = T^-1 eps / rho.

    Each smooth piece of the loss is searched on its own: w1 w2 - c and c - w1 w2 where w2 >= 0, and c where w2 <= 0.
    """
    a = half_widths(variant, w, rho, eta, c)
    box = reference.P.get(variant, 2) == inf

    def point(u):
        return np.asarray(w) + a * u

    live = {"type": "ineq", "fun": lambda u: point(u)[1]}
    ball = {"type": "ineq", "fun": lambda u: 1 - u @ u, "jac": lambda u: -2 * u}
    best = c if w[1] - a[1] <= 0 else -inf
    for sign in (1, -1):
        for u in rng.uniform(-0.7, 0.7, (8, 2)):
            found = minimize(
                lambda u, sign=sign: -sign * (np.prod(point(u)) - c),
                u,
                jac=lambda u, sign=sign: -sign * a * point(u)[::-1],
                method="SLSQP",
                bounds=[(-1, 1)] * 2,
                constraints=[live] if box else [live, ball],
                options={"ftol": 1e-14, "maxiter": 200},
            )
            inside = found.x / max(1, abs(found.x).max() if box else np.linalg.norm(found.x))
            if point(inside)[1] >= 0:
                best = max(best, reference.value(point(inside), c))
    return best


@pytest.mark.parametrize("a", SCALES)
@pytest.mark.parametrize("w", [(1.0, 1.0), (0.5, 0.3), (3.0, 2.0)])
@pytest.mark.parametrize("rho", [0.05, 0.3, 0.5, 0.9])
def test_the_closed_forms_hold_whatever_the_rescaling(w: tuple[float, float], a: float, rho: float) -> None:
    c, product = 0.04, w[0] * w[1]
    rescaled = (a * w[0], w[1] / a)
    ellipsoid = maximum("elementwise_l2", rescaled, rho, 0.0, c)
    cuboid = maximum("elementwise_linf", rescaled, rho, 0.0, c)
    assert ellipsoid.loss == pytest.approx(product * (1 + rho / sqrt(2)) ** 2 - c, rel=1e-12)
    assert cuboid.loss == pytest.approx(product * (1 + rho) ** 2 - c, rel=1e-12)
    np.testing.assert_allclose(ellipsoid.points, [np.array(rescaled) * (1 + rho / sqrt(2))], rtol=1e-9)
    np.testing.assert_allclose(cuboid.points, [np.array(rescaled) * (1 + rho)], rtol=1e-12)
    assert not ellipsoid.tie
    assert not cuboid.tie


def test_the_sphere_depends_on_the_rescaling_and_eta_breaks_the_invariance_a_little() -> None:
    losses = [maximum("sam", (a, 1 / a), 0.5).loss for a in (1.0, 3.0)]
    assert losses[0] == pytest.approx((1 + 0.5 / sqrt(2)) ** 2 - 0.04, rel=1e-12)
    assert losses[1] > losses[0] + 0.5
    for variant in ("elementwise_l2", "elementwise_linf"):
        here, there = (maximum(variant, (a, 1 / a), 0.5, 0.01).loss for a in (1.0, 3.0))
        assert 1e-4 < abs(there - here) < 0.05


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_maximum_is_what_an_independent_optimizer_finds(variant: str) -> None:
    """Above and below the valley, on both sides of both axes, with regions that reach over them."""
    rng = np.random.default_rng(5)
    cases = [((0.3, 0.033), 0.05, 0.04), ((1.0, 1.0), 1.0, 0.04), ((0.2, 0.2), 0.05, 0.04), ((0.3, 0.033), 0.5, 0.04)]
    for _ in range(8):
        w = tuple(rng.uniform(-0.5, 1.5, 2))
        cases.append((w, 10 ** rng.uniform(-2, 0.3), 10 ** rng.uniform(-2, 0.3)))
    for _ in range(4):
        x = rng.uniform(0.1, 1)  # just above and just below the valley
        cases.append(((x, 0.04 / x * rng.uniform(0.7, 1.4)), 10 ** rng.uniform(-2, -0.5), 0.04))
    for w, rho, c in cases:
        eta = float(rng.choice([0.0, 0.01, 0.5]))
        found = maximum(variant, w, rho, eta, c)
        assert found.loss == pytest.approx(by_search(variant, w, rho, eta, c, rng), abs=1e-6), (w, rho, eta, c)


@pytest.mark.parametrize("variant", VARIANTS)
def test_its_points_lie_in_the_region_and_reach_it_and_nothing_on_the_outline_is_higher(variant: str) -> None:
    rng = np.random.default_rng(6)
    for i in range(200):
        w = rng.uniform(-1, 1, 2) * (10.0 ** rng.uniform(-9, 1) if i % 3 == 0 else 1)
        rho, eta, c = 10 ** rng.uniform(-9, 1), float(rng.choice([0.0, 0.1])), 10 ** rng.uniform(-3, 1)
        found = maximum(variant, w, rho, eta, c)
        a = half_widths(variant, w.tolist(), rho, eta, c)
        order = reference.P.get(variant, 2)
        assert (
            np.linalg.norm((found.points - w) / a, order, axis=1) <= 1 + 1e-6 + 1e-15 * abs(w).max() / a.min()
        ).all()
        np.testing.assert_allclose(loss(found.points, c), found.loss, rtol=1e-11, atol=1e-11 * c)
        assert loss(outline(variant, w, rho, eta, 721, c), c).max() <= found.loss * (1 + 1e-12) + 1e-12 * c
        distances = np.linalg.norm(found.points - w, axis=1)
        assert (np.diff(distances) >= 0).all()
        assert sharpness(variant, w, rho, eta, c) == found.loss - loss(w, c) >= 0


def test_below_the_valley_the_dead_half_plane_ties_and_the_nearest_point_is_given() -> None:
    found = maximum("sam", (0.3, 0.033), 0.05)
    assert found.loss == 0.04
    assert found.tie
    np.testing.assert_array_equal(found.points, [(0.3, 0.0)])


def test_the_dead_half_plane_ties_only_if_it_is_reached_and_nothing_is_higher() -> None:
    assert not maximum("sam", (0.3, 0.1), 0.05).tie
    assert not maximum("sam", (0.3, 0.033), 0.02).tie
    higher = maximum("sam", (1.0, 0.2), 0.5)
    assert higher.loss > 0.04
    assert not higher.tie
    left = maximum("sam", (0.01, 0.2), 0.3)  # beyond w1 = 0 the loss is above c
    assert left.loss > 0.04
    assert left.points[0, 0] < 0
    assert not left.tie


@pytest.mark.parametrize("variant", VARIANTS)
def test_within_the_dead_half_plane_w_itself_is_nearest(variant: str) -> None:
    found = maximum(variant, (0.5, -1.0), 0.1)
    assert found.loss == 0.04
    assert found.tie
    np.testing.assert_array_equal(found.points, [(0.5, -1.0)])
    alone = maximum(variant, (0.5, -1.0), 0.0)
    assert not alone.tie
    np.testing.assert_array_equal(alone.points, [(0.5, -1.0)])


def test_a_region_that_touches_both_axes_ties_on_them() -> None:
    """rho 1 and eta 0: box and ellipse touch w1 = 0 and w2 = 0, where the loss is c."""
    for variant in ("elementwise_linf", "elementwise_l2"):
        found = maximum(variant, (0.1, 0.05), 1.0, 0.0, 0.04)
        assert found.loss == pytest.approx(0.04, rel=1e-12)
        assert found.tie
        np.testing.assert_allclose(found.points[:2], [(0.1, 0.0), (0.0, 0.05)], atol=1e-9)


def test_regions_without_width_are_segments_or_points() -> None:
    assert maximum("sam", (0.3, 0.2), 0.0).loss == pytest.approx(0.02)
    across = maximum("elementwise_l2", (0.0, 0.3), 0.5, 0.0)  # T is 0 for w1 = 0: the loss is c all over
    assert across.loss == 0.04
    assert across.points[0].tolist() == [0.0, 0.3]
    flat = maximum("elementwise_l2", (0.3, 0.0), 0.5, 0.0)
    assert flat.loss == 0.04
    assert flat.tie


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("n", [5, 6, 100, 181])
def test_the_outline_is_closed_and_lies_on_the_boundary(variant: str, n: int) -> None:
    w, rho, eta = (0.3, 0.25), 0.2, 0.1
    line = outline(variant, w, rho, eta, n)
    assert line.shape == (n, 2)
    np.testing.assert_array_equal(line[0], line[-1])
    order = reference.P.get(variant, 2)
    a = half_widths(variant, w, rho, eta, 0.04)
    np.testing.assert_allclose(np.linalg.norm((line - w) / a, order, axis=1), 1, rtol=1e-12)
    if order == inf:
        corners = {(round(x, 9), round(y, 9)) for x in (w[0] - a[0], w[0] + a[0]) for y in (w[1] - a[1], w[1] + a[1])}
        assert corners <= {(round(x, 9), round(y, 9)) for x, y in line.tolist()}


def test_the_regions_of_the_figure_are_variants() -> None:
    assert list(REGIONS) == ["sphere", "cuboid", "ellipsoid"]
    assert set(REGIONS.values()) <= set(VARIANTS)
    assert VARIANTS[REGIONS["cuboid"]].p == inf


@pytest.mark.parametrize("variant", VARIANTS)
def test_no_point_and_no_radius_breaks_it(variant: str) -> None:
    rng = np.random.default_rng(7)
    for _ in range(500):
        w = rng.uniform(-1, 1, 2) * 10 ** rng.uniform(-320, 9, 2)
        found = maximum(variant, w, float(10 ** rng.uniform(-320, 3)), float(rng.choice([0.0, 1.0])))
        assert np.isfinite(found.points).all()
        assert found.loss >= loss(w)


def test_a_maximum_is_fast_enough_to_drag() -> None:
    """0.1 ms on an idle machine of 2 cores; the bound leaves room for a busy one, not for a search."""
    seconds = []
    for _ in range(50):
        begin = perf_counter()
        maximum("elementwise_l2", (1.0, 1.0), 0.5)
        seconds.append(perf_counter() - begin)
    assert min(seconds) < 0.002


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: maximum("adam", (1, 1), 0.5), "variant must be one of sam, "),
        (lambda: maximum("sam", (1, 1), -0.5), "rho must be a number from 0 to 1000, but it is -0.5."),
        (lambda: maximum("sam", [(1, 1)], 0.5), "w must be two numbers from -1e+09 to 1e+09, but it is [[1.0, 1.0]]."),
        (lambda: maximum("sam", (1e10, 1), 0.5), "w must be two numbers from -1e+09 to 1e+09, but it is [1"),
        (lambda: outline("sam", (1, 1), 0.5, n=4), "n must be a whole number from 5 to 10000, but it is 4."),
        (lambda: sharpness("sam", (1, 1), 0.5, target=-1), "target must be a number from 1e-06 to 1000, but it is -1."),
    ],
)
def test_a_wrong_argument_is_one_sentence(call, sentence: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the text is compared below
        call()
    assert str(caught.value).startswith(sentence)
