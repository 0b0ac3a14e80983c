"""The searches find maxima that are known, and AutoPGD keeps up with a long ascent that starts from many points."""

from itertools import pairwise
from math import inf

import numpy as np
import pytest
import torch
from scipy.optimize import brentq
from torch import Tensor

from samviz.sharpness import Ball, Region, ascent, autopgd, finish, one_step
from samviz.sharpness.ascent import GRADIENT, VALUE, value
from samviz.sharpness.autopgd import checkpoints
from samviz.sharpness.frozen import LOSSES, Frozen
from samviz.variants import VARIANTS, WEIGHT
from tests.sharpness import reference
from tests.sharpness.networks import images, residual, trained

SHAPES = [(3, 4), (5,), ()]
RHO = 0.7


def draws(seed: int) -> list[Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(shape, generator=generator, dtype=torch.float64) for shape in SHAPES]


def flat(tensors: list[Tensor]) -> Tensor:
    return torch.cat([t.flatten() for t in tensors])


def inner(a: list[Tensor], b: list[Tensor]) -> Tensor:
    return flat(a) @ flat(b)


def searches(f, ball: Ball, steps: int = 20) -> dict[str, float]:
    """What each search of more than one step finds."""
    start = ball.random_point(draws(0), "start")
    return {
        "ascent": finish(ascent(f, ball, [torch.zeros_like(t) for t in start], steps)).value,
        "autopgd": finish(autopgd(f, ball, start, steps)).value,
    }


def test_twenty_steps_are_reviewed_where_the_paper_has_its_checkpoints():
    assert checkpoints(20) == [5, 9, 12, 14, 16, 18, 19, 20]
    assert checkpoints(100) == [22, 41, 57, 70, 80, 87, 93, 99]


@pytest.mark.parametrize(("p", "q"), [(2.0, 2), (inf, 1)])
def test_a_linear_function_is_largest_at_rho_times_the_dual_norm(p: float, q: float):
    g = draws(1)
    known = RHO * float(torch.linalg.vector_norm(flat(g), q))
    ball = Ball(RHO, p)
    assert finish(one_step(lambda z: inner(g, z), ball, g)).value == pytest.approx(known, rel=1e-12)
    for found in searches(lambda z: inner(g, z), ball).values():
        assert found == pytest.approx(known, rel=1e-9)


@pytest.mark.parametrize("variant", ["elementwise_l2", "elementwise_linf"])
def test_a_linear_function_on_an_ellipsoid_and_a_cuboid(variant: str):
    w, g = draws(2), draws(3)
    region = Region.around(w, g, [WEIGHT] * len(w), VARIANTS[variant], RHO)
    u = flat(w).abs() * flat(g)
    known = RHO * float(torch.linalg.vector_norm(u, 2 if variant == "elementwise_l2" else 1))
    for found in searches(lambda z: inner(g, region.eps(z)), region.ball).values():
        assert found == pytest.approx(known, rel=1e-9)


def quadratic(eigenvalues: np.ndarray, seed: int = 4) -> np.ndarray:
    """A symmetric matrix with these eigenvalues and random eigenvectors."""
    q, _ = np.linalg.qr(np.random.default_rng(seed).normal(size=(len(eigenvalues),) * 2))
    return q @ np.diag(eigenvalues) @ q.T


def test_a_convex_quadratic_is_largest_along_its_first_eigenvector():
    eigenvalues = np.append(np.linspace(0, 2, 17), 5.0)
    H = torch.from_numpy(quadratic(eigenvalues))
    ball = Ball(RHO, 2.0)
    start = ball.random_point(draws(0), "start")
    found = finish(autopgd(lambda z: flat(z) @ H @ flat(z) / 2, ball, start))
    assert found.value == pytest.approx(RHO**2 * 5 / 2, rel=1e-6)
    assert float(ball.norm(found.z)) == pytest.approx(RHO)


@pytest.mark.parametrize("inside", [True, False])
def test_a_concave_quadratic_has_its_maximum_inside_or_on_the_border(inside: bool):
    """max b z - z H z / 2: at H^-1 b if that is in the ball, else at (H + mu)^-1 b on its border."""
    H = quadratic(np.linspace(1, 3, 18))
    b = np.random.default_rng(5).normal(size=18)
    b *= (0.3 if inside else 3.0) * RHO / np.linalg.norm(np.linalg.solve(H, b))
    mu = 0.0

    def point(mu: float) -> np.ndarray:
        return np.linalg.solve(H + mu * np.eye(18), b)

    if not inside:
        mu = brentq(lambda mu: np.linalg.norm(point(mu)) - RHO, 0, 1e3)
    z = point(mu)
    known = b @ z - z @ H @ z / 2
    H, b = torch.from_numpy(H), torch.from_numpy(b)
    found = searches(lambda z: b @ flat(z) - flat(z) @ H @ flat(z) / 2, Ball(RHO, 2.0), steps=100)
    assert found["autopgd"] == pytest.approx(known, rel=1e-3 if inside else 1e-6)
    assert found["autopgd"] <= known * (1 + 1e-12)


def test_a_convex_function_on_a_box_is_largest_in_a_corner():
    g = draws(6)
    f = lambda z: inner(g, z) + (flat(z) ** 2).sum() / 10  # noqa: E731
    known = RHO * float(flat(g).abs().sum()) + 18 * RHO**2 / 10
    assert finish(autopgd(f, Ball(RHO, inf), Ball(RHO, inf).random_point(g, "start"))).value == pytest.approx(known)


@pytest.mark.parametrize("p", [2.0, inf])
def test_no_search_leaves_the_ball_and_each_pays_what_it_says(p: float):
    ball, seen = Ball(RHO, p), []

    def f(z: list[Tensor]) -> Tensor:
        seen.append(float(ball.norm([t.detach() for t in z])))
        return torch.sin(5 * flat(z)).sum()

    for steps in (1, 7, 20):
        for search in (autopgd(f, ball, ball.random_point(draws(0), "a"), steps), ascent(f, ball, draws(7), steps)):
            seen.clear()
            costs = []
            while True:
                try:
                    costs.append(next(search))
                except StopIteration as end:
                    found = end.value
                    break
            assert costs == [GRADIENT] * steps + [VALUE]
            assert max(seen[1:]) <= RHO * (1 + 1e-12)
            assert float(ball.norm(found.z)) <= max(RHO, seen[0]) * (1 + 1e-12)


def test_a_step_is_halved_where_the_best_point_stays_the_best_though_all_others_climb():
    """A bump at the start, and from there on a climb along the border that every step takes on, but not to its height:
    only the second of the two conditions sees that."""
    H = quadratic(np.linspace(1, 2, 6))
    x0 = np.random.default_rng(8).normal(size=6)
    x0 *= 0.5 / np.linalg.norm(x0)
    f = lambda x: x @ H @ x / 2 + 9 * np.exp(-1e4 * ((x - x0) ** 2).sum())  # noqa: E731
    slope = lambda x: H @ x - 18e4 * (x - x0) * np.exp(-1e4 * ((x - x0) ** 2).sum())  # noqa: E731
    wanted = reference.autopgd(f, slope, x0, RHO, 2.0, 20)
    M, start = torch.from_numpy(H), torch.from_numpy(x0)
    seen = []

    def g(z: list[Tensor]) -> Tensor:
        seen.append(z[0].detach().numpy().copy())
        return z[0] @ M @ z[0] / 2 + 9 * torch.exp(-1e4 * ((z[0] - start) ** 2).sum())

    finish(autopgd(g, Ball(RHO, 2.0), [start], 20))
    assert all(f(x0) > f(b) > f(a) for a, b in pairwise(wanted[1:6]))
    np.testing.assert_allclose(seen, wanted, atol=1e-9)


def test_a_halved_step_goes_back_to_the_best_point():
    """On a tent whose top is narrow, steps of 2 rho overshoot: they are halved until the top is found."""
    ball = Ball(1.0, inf)
    found = finish(autopgd(lambda z: -(z[0] - 0.3).abs().sum(), ball, [torch.zeros(3, dtype=torch.float64)], 60))
    assert found.value > -0.05


def test_a_value_that_is_no_number_is_never_the_best():
    f = lambda z: torch.log(1 - 4 * z[0].sum())  # noqa: E731
    ball = Ball(1.0, 2.0)
    found = finish(autopgd(f, ball, [torch.tensor([-0.5], dtype=torch.float64)]))
    assert found.value == pytest.approx(np.log(5))


@pytest.mark.parametrize("p", [2.0, inf])
@pytest.mark.parametrize("steps", [1, 2, 5, 20, 60])
@pytest.mark.parametrize("seed", range(3))
def test_every_point_is_that_of_the_printed_algorithm(p: float, steps: int, seed: int):
    """On a function with many hills, against a plain transcription of Croce & Hein's Algorithm 1."""
    rng = np.random.default_rng(seed)
    slopes, waves = rng.normal(size=6), rng.uniform(2, 6, 6)
    x0 = rng.uniform(-0.2, 0.2, 6)
    wanted = reference.autopgd(
        lambda x: slopes @ x + np.sin(waves * x).sum(), lambda x: slopes + waves * np.cos(waves * x), x0, RHO, p, steps
    )
    a, b = torch.from_numpy(slopes), torch.from_numpy(waves)
    seen = []

    def f(z: list[Tensor]) -> Tensor:
        seen.append(flat(z).detach().numpy().copy())
        return a @ flat(z) + torch.sin(b * flat(z)).sum()

    start = [torch.from_numpy(x0[:2].reshape(1, 2)), torch.from_numpy(x0[2:])]
    found = finish(autopgd(f, Ball(RHO, p), start, steps))
    np.testing.assert_allclose(seen, wanted, atol=1e-9)
    assert found.value == pytest.approx(max(slopes @ x + np.sin(waves * x).sum() for x in wanted))


@pytest.mark.parametrize(("variant", "rho"), [("sam", 0.3), ("elementwise_l2", 0.5), ("elementwise_linf", 0.05)])
def test_autopgd_keeps_up_with_a_long_ascent_from_many_starts(variant: str, rho: float):
    """On a trained network 20 steps find no less than the best of 3 starts of 80 steps does."""
    frozen = Frozen(trained(residual()))
    x, y = images()
    region = Region.around(frozen.w, frozen.w, frozen.roles, VARIANTS[variant], rho)
    f = frozen.loss_in(region, range(len(frozen.w)), x, y, LOSSES[True])
    zero = [torch.zeros_like(w) for w in frozen.w]
    starts = [*(region.ball.random_point(frozen.w, f"restart {i}") for i in range(2)), zero]
    here = value(f, zero)
    long = max(finish(ascent(f, region.ball, start, 80)).value for start in starts) - here
    short = finish(autopgd(f, region.ball, starts[0])).value - here
    assert 0.995 * long <= short <= 1.05 * long
