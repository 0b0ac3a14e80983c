"""The toy with three weights: its loss, exact maxima against scipy from many starts, invariance, meshes."""

from collections import Counter
from math import sqrt
from time import perf_counter

import numpy as np
import pytest
from scipy.optimize import minimize

from samviz.toy import REGIONS, product

SCALES = [(1.0, 1.0), (2.0, 1.0), (0.5, 1.7), (0.6, 0.5)]


def value(w, c: float) -> float:
    """|w1 ReLU(w2) ReLU(w3) - c|, one number at a time."""
    return abs(w[0] * max(w[1], 0.0) * max(w[2], 0.0) - c)


def by_search(region: str, w, rho: float, eta: float, c: float, rng: np.random.Generator) -> float:
    """The largest loss that SLSQP finds from many starts, on each smooth piece: product - c, c - product, and c."""
    w = np.asarray(w)
    a = rho * (np.ones(3) if region == "sphere" else abs(w) + eta)
    box = region == "cuboid"
    live = {"type": "ineq", "fun": lambda u: (w + a * u)[1:]}
    ball = {"type": "ineq", "fun": lambda u: 1 - u @ u, "jac": lambda u: -2 * u}
    best = c if (w[1:] <= a[1:]).any() else 0.0
    for sign in (1, -1):
        for u in rng.uniform(-0.55, 0.55, (12, 3)):
            found = minimize(
                lambda u, sign=sign: -sign * (np.prod(w + a * u) - c),
                u,
                method="SLSQP",
                bounds=[(-1, 1)] * 3,
                constraints=[live] if box else [live, ball],
                options={"ftol": 1e-14, "maxiter": 300},
            )
            inside = w + a * found.x / max(1, abs(found.x).max() if box else np.linalg.norm(found.x))
            best = max(best, value(inside, c))
    return best


def test_the_loss_is_the_papers_with_one_weight_more() -> None:
    rng = np.random.default_rng(0)
    w = rng.uniform(-1, 1, (200, 3))
    np.testing.assert_allclose(product.loss(w, 0.3), [value(point, 0.3) for point in w], rtol=1e-14)
    slopes = product.gradient(w, 0.3)
    for i in range(3):
        step = 1e-7 * np.eye(3)[i]
        rise = (product.loss(w + step, 0.3) - product.loss(w - step, 0.3)) / 2e-7
        np.testing.assert_allclose(slopes[:, i], rise, atol=1e-7)
    np.testing.assert_array_equal(product.gradient((0.5, 0.0, 1.0)), 0)
    np.testing.assert_array_equal(product.gradient((1.0, 1.0, 1.0), 1.0), 0)


@pytest.mark.parametrize("region", REGIONS)
def test_the_maximum_is_what_scipy_finds_from_many_starts(region: str) -> None:
    """On the valley and above it, with regions that reach over w1 = 0 and into the dead space."""
    rng = np.random.default_rng(1)
    for i in range(25):
        w, rho, eta = np.exp(rng.normal(0, 0.7, 3)), 10 ** rng.uniform(-1.5, 0.3), float(rng.choice([0.0, 0.2]))
        c = w.prod() * (1 - 1e-12 if i % 3 == 0 else rng.uniform(0.02, 1))
        found, worst = product.maximum(region, w, rho, eta, c)
        assert found == pytest.approx(by_search(region, w, rho, eta, c, rng), rel=1e-6, abs=1e-7), (w, rho, eta, c)
        a = rho * (np.ones(3) if region == "sphere" else w + eta)
        assert np.linalg.norm((worst - w) / a, np.inf if region == "cuboid" else 2) <= 1 + 1e-12
        assert value(worst, c) == pytest.approx(found, rel=1e-12)


@pytest.mark.parametrize("region", REGIONS)
def test_no_point_of_a_region_is_higher(region: str) -> None:
    """The claim that the largest product wins, on the valley too and wherever the region reaches."""
    rng = np.random.default_rng(2)
    for i in range(60):
        w, rho = np.exp(rng.normal(0, 1, 3)), 10 ** rng.uniform(-1, 1)
        c = w.prod() * (1 - 1e-12 if i % 2 else rng.uniform(0.01, 1))
        u = rng.normal(size=(4000, 3))
        u *= rng.uniform(0, 1, (4000, 1)) / np.linalg.norm(u, np.inf if region == "cuboid" else 2, axis=1)[:, None]
        inside = w + product.half_widths(region, w, rho, 0.1, c) * u
        assert product.loss(inside, c).max() <= product.maximum(region, w, rho, 0.1, c)[0] * (1 + 1e-12)


@pytest.mark.parametrize(("a", "b"), SCALES)
def test_cuboid_and_ellipsoid_are_invariant_and_the_sphere_is_not(a: float, b: float) -> None:
    w, rho, c = np.array([a, b, 1 / (a * b)]), 0.5, 0.04
    (cuboid, corner), (ellipsoid, worst), (sphere, _) = (
        product.maximum(region, w, rho, 0.0, c) for region in ("cuboid", "ellipsoid", "sphere")
    )
    assert cuboid == pytest.approx((1 + rho) ** 3 - c, rel=1e-12)
    assert ellipsoid == pytest.approx((1 + rho / sqrt(3)) ** 3 - c, rel=1e-12)
    np.testing.assert_allclose(corner, w * (1 + rho), rtol=1e-12)
    np.testing.assert_allclose(worst, w * (1 + rho / sqrt(3)), rtol=1e-12)
    if a == b == 1:
        assert sphere == pytest.approx(ellipsoid, rel=1e-12)
    else:
        assert sphere > ellipsoid + 0.05
        assert product.maximum("ellipsoid", w, rho, 0.2, c)[0] > ellipsoid
        one = product.maximum("ellipsoid", (1, 1, 1), rho, 0.2, c)[0]
        assert product.maximum("ellipsoid", w, rho, 0.2, c)[0] != pytest.approx(one, rel=1e-3)


def test_a_region_without_width_is_a_point() -> None:
    for region in REGIONS:
        found, worst = product.maximum(region, (1.0, 1.0, 1.0), 0.0)
        assert found == pytest.approx(0.96)
        np.testing.assert_array_equal(worst, (1, 1, 1))


@pytest.mark.parametrize("region", REGIONS)
def test_a_mesh_is_closed_and_lies_on_the_boundary(region: str) -> None:
    w, rho, eta = np.array([2.0, 1.0, 0.5]), 0.4, 0.1
    vertices, triangles = product.mesh(region, w, rho, eta)
    a = product.half_widths(region, w, rho, eta)
    sizes = np.linalg.norm((vertices - w) / a, np.inf if region == "cuboid" else 2, axis=1)
    np.testing.assert_allclose(sizes, 1, rtol=1e-12)
    assert set(np.unique(triangles)) == set(range(len(vertices)))
    corners = np.round(vertices, 9)[triangles]
    edges = Counter()
    for triangle in corners.tolist():
        if len({tuple(corner) for corner in triangle}) == 3:  # at the poles of a ball some have no area
            for i in range(3):
                edges[frozenset((tuple(triangle[i]), tuple(triangle[i - 1])))] += 1
    assert set(edges.values()) == {2}
    assert product.loss(vertices).max() <= product.maximum(region, w, rho, eta)[0] * (1 + 1e-12)


def test_the_level_surface_has_its_product_and_ends_at_the_window() -> None:
    vertices, triangles = product.level_surface(2.5, 3.0, 9)
    assert vertices.shape == (81, 3)
    np.testing.assert_allclose(vertices.prod(axis=1), 2.5, rtol=1e-12)
    assert (vertices <= 3 * (1 + 1e-12)).all()
    assert triangles.shape == (128, 3)
    for axis in range(3):  # its three edges lie in the window's far sides
        assert (vertices[:, axis] > 3 - 1e-9).sum() >= 9


def test_the_surface_of_the_maximum_touches_the_region_where_it_is_worst() -> None:
    w, c = (2.0, 1.0, 0.5), 0.04
    for region in REGIONS:
        found, worst = product.maximum(region, w, 0.5, 0.0, c)
        assert worst.prod() == pytest.approx(found + c, rel=1e-12)
        assert (product.mesh(region, w, 0.5, 0.0, c)[0].prod(axis=1) <= (found + c) * (1 + 1e-12)).all()


def test_a_maximum_is_fast_enough_to_drag() -> None:
    seconds = []
    for _ in range(30):
        begin = perf_counter()
        product.maximum("sphere", (1.0, 1.0, 1.0), 0.5)
        seconds.append(perf_counter() - begin)
    assert min(seconds) < 0.005


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (
            lambda: product.maximum("ball", (1, 1, 1), 0.5),
            "region must be one of sphere, cuboid, ellipsoid, but it is 'b",
        ),
        (
            lambda: product.maximum("sphere", (1, 1), 0.5),
            "w must be three numbers from 0 to 1e+06 with a product of at",
        ),
        (
            lambda: product.maximum("sphere", (1, 1, 0.01), 0.5),
            "w must be three numbers from 0 to 1e+06 with a product",
        ),
        (lambda: product.maximum("sphere", "one", 0.5), "w must be three numbers"),
        (lambda: product.mesh("sphere", (1, 1, 1), -1), "rho must be a number from 0 to 1000, but it is -1."),
        (lambda: product.mesh("cuboid", (1, 1, 1), 1, -1), "eta must be a number from 0 to 1000, but it is -1."),
        (lambda: product.level_surface(30, 3), "product must be a number from 2.7e-08 to 27, but it is 30."),
        (lambda: product.level_surface(1, 3, 1), "n must be a whole number from 2 to 200, but it is 1."),
    ],
)
def test_a_wrong_argument_is_one_sentence(call, sentence: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the text is compared below
        call()
    assert str(caught.value).startswith(sentence)
