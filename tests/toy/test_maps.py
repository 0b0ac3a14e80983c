"""Maps, the dead zone's bounds and the valley's sharpness: closed forms, and what really happens on either side."""

from math import inf, sqrt

import numpy as np
import pytest

from samviz.spec.trajectories import QUANTITIES
from samviz.toy import along_valley, dead_edge, dead_radius, descend, ends, loss, one_step, outcome
from samviz.toy.maps import DIFFERENCES, dead_from, difference, grid, quantity, valley_point
from samviz.toy.outcome import KINDS
from samviz.variants import VARIANTS

WINDOW = (-0.25, 0.95, -0.15, 0.75)


def below_the_valley(n: int, seed: int, target: float = 0.04) -> np.ndarray:
    """Random points (n, 2) with w1, w2 > 0 and w1 w2 < c."""
    points = np.random.default_rng(seed).uniform(0.01, 0.9, (20 * n, 2))
    return points[points.prod(axis=1) < target][:n]


# ---- maps --------------------------------------------------------------------------------------------------------


def test_a_grid_fills_its_window_from_above() -> None:
    points = grid((0.0, 1.0, -1.0, 1.0), 4)
    assert points.shape == (4, 4, 2)
    np.testing.assert_allclose(points[0, :, 0], [0.125, 0.375, 0.625, 0.875])
    np.testing.assert_allclose(points[:, 0, 1], [0.75, 0.25, -0.25, -0.75])


@pytest.mark.parametrize("variant", [None, "sam", "elementwise_l2"])
def test_a_map_says_what_becomes_of_each_start(variant: str | None) -> None:
    starts = grid(WINDOW, 12)
    rho = 0.05 if variant == "sam" else 0.5
    found = ends(starts, variant, rho=rho, steps=500)
    maps = {name: quantity(found, name, radius=0.1) for name in QUANTITIES}
    told = outcome(descend(starts, variant, rho=rho, steps=500), 0.04)
    assert {end.kind for end in told} >= {"valley", "dead", "moving"}
    for i, end in enumerate(told):
        kind, step, position, sharpness = (maps[name].ravel()[i] for name in ("kind", "step", "position", "sharpness"))
        assert KINDS[int(kind)] == end.kind
        assert np.isnan(step) if end.step is None else step == end.step
        w1, w2 = found.points.reshape(-1, 2)[i]
        if end.kind in ("valley", "oscillating"):
            assert position == pytest.approx(np.log(w1 / w2))
            assert sharpness == pytest.approx(0.1 * np.hypot(w1, w2))
        else:
            assert np.isnan(position)
            assert np.isnan(sharpness)


def test_a_map_without_any_end_on_the_valley_has_no_positions() -> None:
    found = ends(grid((0.1, 0.2, -0.2, -0.1), 3), "sam", steps=5)
    assert np.isnan(quantity(found, "position")).all()
    assert np.isnan(quantity(found, "sharpness")).all()


def test_differences_of_kinds_and_of_numbers() -> None:
    valley, dead, oscillating = (float(KINDS.index(kind)) for kind in ("valley", "dead", "oscillating"))
    first = np.array([valley, dead, valley, dead, dead])
    second = np.array([valley, dead, dead, valley, oscillating])
    words = [DIFFERENCES[int(i)] for i in difference(first, second, "kind")]
    assert words == ["same", "same", "first", "second", "other"]
    np.testing.assert_array_equal(difference(np.array([3.0, np.nan]), np.array([1.0, 1.0]), "step"), [2, np.nan])


# ---- the dead zone -----------------------------------------------------------------------------------------------


def test_sams_dead_zone_is_w2_below_rho_w1_over_the_length_of_w() -> None:
    """Below the valley g = -(w2, w1), so eps2 = -rho w1 / ||w||, and w2 + eps2 <= 0 is the bound."""
    w = below_the_valley(200, 1)
    np.testing.assert_allclose(dead_radius(w, "sam"), w[:, 1] * np.hypot(*w.T) / w[:, 0], rtol=1e-13)
    assert dead_radius((0.2, 0.05), "sam") == pytest.approx(0.05 * sqrt(0.0425) / 0.2)


@pytest.mark.parametrize("variant", ["elementwise_l2", "elementwise_l2_orig", "layerwise_l2", "filterwise_l2"])
def test_asams_bound_is_the_square_root_of_two_everywhere(variant: str) -> None:
    w = below_the_valley(200, 2)
    np.testing.assert_allclose(dead_radius(w, variant, 0.0), sqrt(2), rtol=1e-13)
    np.testing.assert_allclose(w + one_step(w, variant, 0.7, 0.0), (1 - 0.7 / sqrt(2)) * w, rtol=1e-12)
    eta = 0.1
    x, y = w.T
    length = np.hypot((x + eta) * y, (y + eta) * x)
    np.testing.assert_allclose(dead_radius(w, variant, eta), y * length / ((y + eta) ** 2 * x), rtol=1e-12)


def test_the_boxs_bound() -> None:
    w = below_the_valley(50, 3)
    np.testing.assert_allclose(dead_radius(w, "elementwise_linf", 0.0), 1, rtol=1e-13)
    np.testing.assert_allclose(dead_radius(w, "elementwise_linf", 0.2), w[:, 1] / (w[:, 1] + 0.2), rtol=1e-13)


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("eta", [None, 0.0, 0.1])
def test_beyond_the_bound_nothing_moves_and_before_it_something_does(variant: str, eta: float | None) -> None:
    for w in below_the_valley(40, 4):
        radius = float(dead_radius(w, variant, eta))
        stuck = descend(w, variant, rho=1.0001 * radius, eta=eta, steps=3)
        assert stuck.perturbed[0, 1] < 0
        np.testing.assert_array_equal(stuck.points, np.broadcast_to(w, (4, 2)))
        free = descend(w, variant, rho=0.9999 * radius, eta=eta, steps=1)
        assert free.perturbed[0, 1] > 0
        assert (free.points[1] != w).any()


@pytest.mark.parametrize("variant", VARIANTS)
def test_no_radius_is_dead_above_the_valley_or_left_of_it_and_every_one_is_within_the_dead_half_plane(variant) -> None:
    w = np.array([[(0.5, 0.5), (-0.2, 0.3)], [(0.3, -0.1), (0.3, 0.0)]])
    np.testing.assert_array_equal(dead_radius(w, variant), [[inf, inf], [0, 0]])
    for start in w[0]:
        assert (start + one_step(start, variant, 100.0))[1] > 0


@pytest.mark.parametrize("rho", [0.01, 0.05, 0.2])
@pytest.mark.parametrize("target", [0.04, 0.2])
def test_the_edge_of_sams_dead_zone(rho: float, target: float) -> None:
    line = dead_edge(rho, WINDOW, target)
    x, y = line.T
    assert line[0].tolist() == [0, 0]
    assert (x * y <= target).all()
    assert x[-1] == WINDOW[1] or y[-1] * x[-1] > 0.95 * target
    inside = (line[1:] * x[1:, None] > 0).all(axis=1)
    np.testing.assert_allclose(dead_radius(line[1:][inside], "sam", target=target), rho, rtol=1e-9)


def test_outside_the_window_or_without_a_radius_there_is_no_edge() -> None:
    assert not dead_edge(0.05, (-1.0, -0.5, 0.0, 1.0))[:, 1].any()
    assert len(dead_edge(0.05, (0.1, 1.0, 0.2, 1.0))) == 0
    assert not dead_edge(0.0, WINDOW)[:, 1].any()


@pytest.mark.parametrize(
    ("variant", "parameter", "values", "bound"),
    [
        ("sam", "rho", np.linspace(0, 0.3, 7), 0.05 * sqrt(0.0425) / 0.2),
        ("elementwise_l2", "rho", np.linspace(0, 2, 9), sqrt(2)),
        ("elementwise_linf", "eta", np.linspace(0, 0.5, 4001), 0.05 / 0.35 - 0.05),
    ],
)
def test_where_a_sweep_turns_dead(variant: str, parameter: str, values: np.ndarray, bound: float) -> None:
    found = dead_from((0.2, 0.05), variant, parameter, values, rho=0.35, eta=0.0, target=0.04)
    assert found == [pytest.approx(bound, rel=1e-9 if parameter == "rho" else 1e-5)]
    tried = bound * np.array([0.999, 1.001])
    settings = {"rho": 0.35, "eta": 0.0} | {parameter: tried}
    below, beyond = ends(np.full((2, 2), (0.2, 0.05)), variant, lr=0.01, steps=1000, **settings).points
    assert (below != (0.2, 0.05)).any()
    assert (beyond == (0.2, 0.05)).all()


def test_a_sweep_that_never_turns_has_no_bound() -> None:
    values = np.linspace(0, 1, 11)
    for start in ((0.5, 0.5), (0.3, -0.1)):
        assert dead_from(start, "sam", "rho", values, rho=0.1, eta=0.0, target=0.04) == []


# ---- along the valley --------------------------------------------------------------------------------------------

PLACES = np.linspace(-3, 3, 61)


def test_the_points_lie_on_the_valley() -> None:
    points = valley_point(PLACES, 0.06)
    np.testing.assert_allclose(loss(points, 0.06), 0, atol=1e-15)
    np.testing.assert_allclose(np.log(points[:, 0] / points[:, 1]), PLACES, atol=1e-12)


def test_sams_sharpness_is_least_in_the_middle() -> None:
    exact, linear = along_valley(PLACES, "sam", 0.02)
    np.testing.assert_allclose(linear, 0.02 * np.hypot(*valley_point(PLACES).T), rtol=1e-12)
    assert PLACES[linear.argmin()] == PLACES[exact.argmin()] == 0
    assert (exact >= linear).all()
    middle = 2 * 0.02 * 0.2 / sqrt(2) + 0.02**2 / 2  # (0.2 + rho / sqrt 2)^2 - c
    assert exact[30] == pytest.approx(middle, rel=1e-12)


@pytest.mark.parametrize(
    ("variant", "first", "exact"),
    [
        ("elementwise_l2", lambda rho: sqrt(2) * rho, lambda rho: (1 + rho / sqrt(2)) ** 2 - 1),
        ("elementwise_linf", lambda rho: 2 * rho, lambda rho: (1 + rho) ** 2 - 1),
    ],
)
@pytest.mark.parametrize("rho", [0.05, 0.35])
def test_the_adaptive_ones_are_flat_until_eta_bends_them(variant: str, first, exact, rho: float) -> None:
    found = along_valley(PLACES, variant, rho, 0.0, 0.06)
    np.testing.assert_allclose(found[0], 0.06 * exact(rho), rtol=1e-12)
    np.testing.assert_allclose(found[1], 0.06 * first(rho), rtol=1e-12)
    for bent in along_valley(PLACES, variant, rho, 0.05, 0.06):
        assert PLACES[bent.argmin()] == 0
        assert bent.max() > 1.2 * bent.min()
        np.testing.assert_allclose(bent, bent[::-1], rtol=1e-9)


def test_a_sphere_that_reaches_the_dead_half_plane_finds_at_least_c() -> None:
    exact, _ = along_valley(np.array([3.5]), "sam", 0.05)
    assert exact[0] >= 0.04


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: grid((0, 1, 1), 3), "axes must be a list of 4 to 4 entries, but it is (0, 1, 1)."),
        (lambda: grid(WINDOW, 0), "n must be a whole number from 1 to 1000, but it is 0."),
        (lambda: dead_radius((0.2, np.nan), "sam"), "w must be finite numbers of shape (..., 2)"),
        (lambda: dead_radius((0.2, 0.1), "adam"), "variant must be one of sam, "),
        (lambda: dead_radius((0.2, 0.1), "sam", -1.0), "eta must be a number from 0 to 1000, but it is -1.0."),
        (lambda: dead_edge(-0.1, WINDOW), "rho must be a number from 0 to 1000, but it is -0.1."),
        (
            lambda: dead_from((0.2, 0.1), "sam", "lr", PLACES, rho=0.1, eta=0.0, target=0.04),
            "parameter must be one of rho, eta, but it is 'lr'.",
        ),
        (
            lambda: along_valley(PLACES, "sam", 0.1, target=0),
            "target must be a number from 1e-06 to 1000, but it is 0.",
        ),
        (lambda: difference(PLACES, PLACES, "color"), "quantity must be one of kind, position, sharpness, step"),
    ],
)
def test_a_wrong_argument_is_one_sentence(call, sentence: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the text is compared below
        call()
    assert str(caught.value).startswith(sentence)
