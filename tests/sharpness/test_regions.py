"""Regions against plain loops over single numbers and against scipy."""

from math import inf, sqrt

import numpy as np
import pytest
import torch
from scipy.optimize import minimize
from torch import Tensor, nn

from samviz.optim import maximizer, select
from samviz.sharpness import Ball, Region, finish, one_step
from samviz.variants import VARIANTS

RHO = 0.4


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(2, 3, 2), nn.BatchNorm2d(3), nn.Flatten(), nn.Linear(3, 2)).double()


def setting(variant: str, p: float) -> tuple[Region, list[Tensor], list[Tensor], list]:
    chosen = select(network())
    w, roles = [x.detach() for x in chosen], list(chosen.values())
    generator = torch.Generator().manual_seed(1)
    g, eps = ([torch.randn(x.shape, generator=generator, dtype=x.dtype) for x in w] for _ in range(2))
    w[3] = w[3] + 0.5  # a beta of 0 has T = 0
    region = Region.around(w, g, roles, VARIANTS[variant], RHO)
    return Region(region.T, Ball(RHO, p)), w, g, eps


def by_loops(variant: str, w: list[Tensor], g: list[Tensor]) -> list[np.ndarray]:
    """The diagonal of T_w, number by number (SAM-ON Table 10, ASAM Eq. 5): conv weight and bias, gamma, beta, ..."""
    found = []
    for i, (wi, gi) in enumerate(zip(w, g, strict=True)):
        T = np.ones(wi.shape)
        for at in np.ndindex(*wi.shape):
            whole = sqrt(sum(float(v) ** 2 for v in wi.flatten()))
            of_filter = sqrt(sum(float(v) ** 2 for v in wi[at[0]].flatten())) if i == 0 else abs(float(wi[at]))
            T[at] = {
                "sam": 1.0,
                "elementwise_l2": abs(float(wi[at])),
                "elementwise_l2_orig": 1.0 if i in (1, 3, 5) else abs(float(wi[at])) + 0.01,
                "layerwise_l2": whole,
                "filterwise_l2": of_filter + 0.01,
                "fisher": 1 / sqrt(1 + float(gi[at]) ** 2),
            }[variant]
        found.append(T)
    return found


VARIANTS_HERE = ["sam", "elementwise_l2", "elementwise_l2_orig", "layerwise_l2", "filterwise_l2", "fisher"]


@pytest.mark.parametrize("p", [2.0, inf])
@pytest.mark.parametrize("variant", VARIANTS_HERE)
def test_norm_and_projection_are_those_of_plain_loops(variant: str, p: float):
    region, w, g, eps = setting(variant, p)
    T = np.concatenate([t.ravel() for t in by_loops(variant, w, g)])
    z = np.concatenate([e.numpy().ravel() for e in eps]) / T
    norm = np.linalg.norm(z, p)
    assert region.norm(eps) == pytest.approx(norm)
    assert region.radius(eps) == pytest.approx(RHO / norm)
    projected = T * (z * RHO / norm if p == 2 else np.clip(z, -RHO, RHO))
    got = region.project(eps)
    np.testing.assert_allclose(np.concatenate([e.numpy().ravel() for e in got]), projected, rtol=1e-12)
    assert region.norm(got) == pytest.approx(RHO)
    inside = [0.01 * e for e in got]
    for a, b in zip(region.project(inside), inside, strict=True):
        torch.testing.assert_close(a, b)


@pytest.mark.parametrize("p", [2.0, inf])
def test_the_projection_is_the_nearest_point_as_scipy_finds_it(p: float):
    """Nearest in the region's own norm: in the coordinates z it is the Euclidean projection onto the ball."""
    z = np.random.default_rng(2).normal(size=6)
    limit = (
        {"type": "ineq", "fun": lambda v: RHO**2 - v @ v}
        if p == 2
        else [{"type": "ineq", "fun": lambda v: RHO - v}, {"type": "ineq", "fun": lambda v: RHO + v}]
    )
    nearest = minimize(lambda v: ((v - z) ** 2).sum(), np.zeros(6), constraints=limit, options={"ftol": 1e-14}).x
    (got,) = Ball(RHO, p).project([torch.from_numpy(z)])
    np.testing.assert_allclose(got.numpy(), nearest, atol=1e-5)


@pytest.mark.parametrize("variant", list(VARIANTS))
def test_one_step_goes_where_the_optimizer_climbs(variant: str):
    model = network()
    chosen = select(model)
    w, roles = [x.detach() for x in chosen], list(chosen.values())
    g = [torch.randn(x.shape, generator=torch.Generator().manual_seed(3), dtype=x.dtype) for x in w]
    region = Region.around(w, g, roles, VARIANTS[variant], RHO)
    found = finish(one_step(lambda z: torch.zeros(()), region.ball, region.eps(g)))
    for here, there in zip(region.eps(found.z), maximizer(w, g, roles, VARIANTS[variant], RHO), strict=True):
        torch.testing.assert_close(here, there)


@pytest.mark.parametrize("p", [2.0, inf])
def test_random_points_fill_the_ball_evenly_and_come_from_the_seed(p: float):
    like = [torch.zeros(2), torch.zeros(())]
    points = torch.stack(
        [torch.cat([t.flatten() for t in Ball(RHO, p).random_point(like, str(i))]) for i in range(800)]
    )
    norms = torch.linalg.vector_norm(points, p, dim=1) / RHO
    assert float(norms.max()) <= 1 + 1e-6
    # Of a ball in three dimensions, an eighth lies within half its radius.
    assert float((norms < 0.5).double().mean()) == pytest.approx(1 / 8, abs=0.04)
    assert float(points.mean(dim=0).abs().max()) < 0.05 * RHO
    again = Ball(RHO, p).random_point([torch.zeros(2, dtype=torch.float64), torch.zeros(())], "3")
    torch.testing.assert_close(again[0].float(), points[3, :2])


def test_where_T_is_0_nothing_moves_and_other_perturbations_are_outside():
    w = [torch.tensor([0.0, 2.0])]
    region = Region.around(w, w, [next(iter(select(nn.Linear(1, 1)).values()))], VARIANTS["elementwise_l2"], RHO)
    assert region.norm([torch.tensor([0.0, 1.0])]) == pytest.approx(0.5)
    assert region.norm([torch.tensor([0.1, 0.0])]) == inf
    assert region.radius([torch.tensor([0.1, 0.0])]) == 0
    assert region.radius([torch.zeros(2)]) == inf


@pytest.mark.parametrize("p", [2.0, inf])
def test_a_ball_of_radius_0_is_its_center(p: float):
    (point,) = Ball(0.0, p).project([torch.ones(3)])
    assert not point.any()


def test_wrong_balls_are_told_in_a_sentence():
    with pytest.raises(ValueError, match="p must be 2 or infinity, but it is 3"):
        Ball(0.1, 3.0)
    with pytest.raises(ValueError, match="rho must be a number from 0 to 100, but it is -1"):
        Ball(-1, 2.0)
