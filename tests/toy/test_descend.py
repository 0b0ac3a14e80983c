"""Paths: the paper's two starts, every step against the papers' formulas, and both engines against each other."""

from math import sqrt
from time import perf_counter

import numpy as np
import pytest

from samviz.toy import descend, loss
from samviz.toy.descend import FEW, walk_arrays, walk_floats
from samviz.variants import VARIANTS
from tests.toy import reference

METHODS = [None, *VARIANTS]
STARTS = [(0.2, 0.05), (0.3, 0.033), (0.05, 0.4), (0.6, 0.3), (-0.1, 0.5), (0.3, -0.2), (0.0, 0.2)]


def from_valley(points: np.ndarray) -> np.ndarray:
    """Distance of points (n, 2) from the valley w1 w2 = 0.04, by its points in fine steps."""
    x = np.geomspace(0.05, 0.8, 20_001)
    return np.array([np.hypot(x - a, 0.04 / x - b).min() for a, b in points])


def test_sam_slides_to_the_middle_from_the_first_start() -> None:
    path = descend((0.2, 0.05), "sam", rho=0.05, lr=0.003, steps=5000)
    np.testing.assert_allclose(path.points[-1], (0.2000, 0.1995), atol=1e-4)
    assert abs(path.points[-1] - 0.2).max() < 0.005
    end = descend((0.2, 0.05), "sam", rho=0.05, lr=0.01, steps=5000).points[-1]
    np.testing.assert_allclose(end, (0.2, 0.2), atol=0.005)


def test_sam_never_moves_from_the_second_start() -> None:
    path = descend((0.3, 0.033), "sam", rho=0.05, lr=0.003, steps=5000)
    np.testing.assert_array_equal(path.points, np.broadcast_to((0.3, 0.033), (5001, 2)))
    assert (path.perturbed[:, 1] < 0).all()


@pytest.mark.parametrize("start", STARTS[:2])
def test_asam_rests_where_it_first_reached_the_valley(start: tuple[float, float]) -> None:
    path = descend(start, "elementwise_l2", rho=0.5, eta=0, lr=0.003, steps=5000)
    near = from_valley(path.points[:400]) <= 0.001
    first = int(np.argmax(near))
    assert near[first]
    assert from_valley(path.points[-1:])[0] <= 0.001
    assert abs(path.points[first:, 0] - path.points[first, 0]).max() <= 0.01


def test_asam_rests_at_the_measured_point() -> None:
    path = descend((0.2, 0.05), "elementwise_l2", rho=0.5, eta=0, lr=0.003, steps=5000)
    np.testing.assert_allclose(path.points[-1], (0.2485, 0.160), atol=5e-4)


@pytest.mark.parametrize("start", STARTS[:2])
@pytest.mark.parametrize("rho", [0.05, 0.5, 1.0, 1.3])
def test_asam_converges_below_the_square_root_of_two(start: tuple[float, float], rho: float) -> None:
    end = descend(start, "elementwise_l2", rho=rho, eta=0, lr=0.003, steps=20_000, lr_decay=1.0).points[-1]
    assert from_valley(end[None])[0] < 0.001
    np.testing.assert_array_equal(descend(start, "elementwise_l2", rho=sqrt(2) + 0.01, eta=0).points[-1], start)


@pytest.mark.parametrize("variant", METHODS)
@pytest.mark.parametrize("eta", [None, 0.0, 0.3])
def test_every_step_is_the_papers_formula(variant: str | None, eta: float | None) -> None:
    """Each step from the path's own point, so that rounding cannot add up."""
    rho, lr, steps, decay, c = 0.2, 0.02, 60, 0.5, 0.06
    used = 0.0 if variant is None else VARIANTS[variant].eta if eta is None else eta
    for start in STARTS:
        path = descend(start, variant, rho=rho, eta=eta, lr=lr, steps=steps, lr_decay=decay, target=c)
        assert path.points.shape == (steps + 1, 2)
        assert path.perturbed.shape == (steps, 2)
        np.testing.assert_array_equal(path.points[0], start)
        for t in range(steps):
            w = path.points[t].tolist()
            eps = [0.0, 0.0] if variant is None else reference.epsilon(variant, w, rho, used, c)
            perturbed = [w[0] + eps[0], w[1] + eps[1]]
            g = reference.slope(perturbed, c)
            rate = lr * (1 - decay * t / steps)
            np.testing.assert_allclose(path.perturbed[t], perturbed, rtol=0, atol=1e-13)
            np.testing.assert_allclose(path.points[t + 1], [a - rate * b for a, b in zip(w, g, strict=True)], 0, 1e-13)
            assert path.loss[t] == pytest.approx(reference.value(w, c), abs=1e-15)
    np.testing.assert_array_equal(path.loss, loss(path.points, c))


@pytest.mark.parametrize("variant", METHODS)
def test_many_starts_take_the_same_paths_as_one_at_a_time(variant: str | None) -> None:
    rng = np.random.default_rng(3)
    starts = np.concatenate([STARTS, rng.uniform(-0.5, 1, (FEW, 2))])
    many = descend(starts, variant, rho=0.3, eta=0.1, lr=0.01, steps=2000, lr_decay=0.3)
    assert many.points.shape == (2001, len(starts), 2)
    for i, start in enumerate(starts):
        one = descend(start, variant, rho=0.3, eta=0.1, lr=0.01, steps=2000, lr_decay=0.3)
        np.testing.assert_allclose(many.points[:, i], one.points, rtol=0, atol=1e-12)
        np.testing.assert_allclose(many.perturbed[:, i], one.perturbed, rtol=0, atol=1e-12)
        np.testing.assert_allclose(many.loss[:, i], one.loss, rtol=0, atol=1e-12)


@pytest.mark.parametrize("variant", METHODS)
@pytest.mark.parametrize("start", [(-1e308, 1e308), (1e200, 1e200), (1e-200, 1e-200), (1e308, -1e308)])
def test_both_engines_agree_beyond_all_bounds(variant: str | None, start: tuple[float, float]) -> None:
    model = None if variant is None else VARIANTS[variant]
    arrays = walk_arrays(np.array([start]), model, 0.5, 0.1, np.full(8, 1000.0), 0.04)
    floats = walk_floats(*start, model, 0.5, 0.1, [1000.0] * 8, 0.04)
    for a, b in zip(arrays, floats, strict=True):
        np.testing.assert_allclose(a[:, 0], b, rtol=1e-12)


@pytest.mark.parametrize("variant", METHODS)
def test_a_path_that_is_no_longer_finite_stays_so_without_a_warning(variant: str | None) -> None:
    path = descend((-1e308, 1e308), variant, lr=1000.0, steps=20)
    finite = np.isfinite(path.points).all(axis=1)
    assert finite[0]
    assert not finite[1:].any()


@pytest.mark.parametrize("shape", [(2,), (1, 2), (2, 3, 2), (5, 10, 2)])
def test_shapes_follow_the_starts(shape: tuple[int, ...]) -> None:
    starts = np.random.default_rng(4).uniform(0.1, 0.5, shape)
    path = descend(starts, "sam", steps=3)
    assert path.points.shape == (4, *shape)
    assert path.perturbed.shape == (3, *shape)
    assert path.loss.shape == (4, *shape[:-1])
    np.testing.assert_array_equal(path.points[0], starts)


def test_rho_zero_is_plain_descent_and_eta_none_the_default() -> None:
    plain = descend((0.2, 0.05), None, steps=500)
    np.testing.assert_allclose(descend((0.2, 0.05), "sam", rho=0, steps=500).points, plain.points, atol=1e-15)
    np.testing.assert_array_equal(plain.perturbed, plain.points[:-1])
    default, given = (descend((0.2, 0.05), "elementwise_l2_orig", eta=eta, steps=50).points for eta in (None, 0.01))
    np.testing.assert_array_equal(default, given)


def test_a_dragged_path_is_fast() -> None:
    """3 ms on an idle machine of 2 cores; the bound leaves room for a busy one, not for arrays (150 ms)."""
    seconds = []
    for _ in range(20):
        begin = perf_counter()
        descend((0.2, 0.05), "elementwise_l2", rho=0.5, steps=5000)
        seconds.append(perf_counter() - begin)
    assert min(seconds) < 0.03


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"start": (0.2, float("nan"))}, "start must be finite numbers of shape (..., 2), but it is (0.2, nan)."),
        ({"start": (1, 2, 3)}, "start must be finite numbers of shape (..., 2), but it is (1, 2, 3)."),
        ({"start": None}, "start must be finite numbers of shape (..., 2), but it is None."),
        ({"start": np.empty((0, 2))}, "start must be finite numbers of shape (..., 2), but it is array("),
        ({"variant": "adam"}, "variant must be one of sam, elementwise_l2, "),
        ({"rho": -1}, "rho must be a number from 0 to 1000, but it is -1."),
        ({"variant": "sam", "eta": float("inf")}, "eta must be a number from 0 to 1000, but it is inf."),
        ({"lr": float("nan")}, "lr must be a number from 0 to 1000, but it is nan."),
        ({"lr_decay": 1.5}, "lr_decay must be a number from 0 to 1, but it is 1.5."),
        ({"steps": 0}, "steps must be a whole number from 1 to 100000, but it is 0."),
        ({"steps": 10**9}, "steps must be a whole number from 1 to 100000, but it is 1000000000."),
        ({"target": 0}, "target must be a number from 1e-06 to 1000, but it is 0."),
        ({"start": np.zeros((3000, 2))}, "start must hold at most 2000 starts for 5000 steps, not 3000."),
    ],
)
def test_a_wrong_argument_is_one_sentence(arguments: dict, sentence: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the text is compared below
        descend(**{"start": (0.2, 0.05)} | arguments)
    assert str(caught.value).startswith(sentence)
    assert "\n" not in str(caught.value)
