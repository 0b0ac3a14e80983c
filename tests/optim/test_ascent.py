"""The one-step maximizer: best in its region, and defined where gradients or weights are zero, huge or no numbers."""

from dataclasses import replace
from math import inf, nan

import pytest
import torch
from torch import Tensor

from samviz.optim import maximizer
from samviz.variants import VARIANTS, WEIGHT, Role

NORMS = [1, 1.01, 1.5, 2, 3, 100, inf]


def eps_of(w: list[Tensor], g: list[Tensor], variant: str = "sam", p: float = 2, rho: float = 0.3, eta: float = 0.0):
    return maximizer(w, g, [WEIGHT] * len(w), replace(VARIANTS[variant], p=p, eta=eta), rho)


@pytest.mark.parametrize("p", NORMS)
def test_eps_is_on_the_edge_of_the_region_and_no_other_point_of_it_gains_more(p: float) -> None:
    torch.manual_seed(0)
    w = [torch.randn(4, 3, dtype=torch.float64), torch.randn(5, dtype=torch.float64)]
    g = [torch.randn_like(x) for x in w]
    T = [x.abs() + 0.1 for x in w]
    eps = eps_of(w, g, "elementwise_l2", p, 0.3, 0.1)

    def scaled_norm(e: list[Tensor]) -> Tensor:
        return torch.linalg.vector_norm(torch.cat([(x / t).flatten() for x, t in zip(e, T, strict=True)]), p)

    def gain(e: list[Tensor]) -> Tensor:
        return sum((x * y).sum() for x, y in zip(e, g, strict=True))

    assert float(scaled_norm(eps)) == pytest.approx(0.3, rel=1e-12)
    q = inf if p == 1 else 1 if p == inf else p / (p - 1)
    dual = torch.linalg.vector_norm(torch.cat([(x * t).flatten() for x, t in zip(g, T, strict=True)]), q)
    assert float(gain(eps)) == pytest.approx(0.3 * float(dual), rel=1e-12)  # Hoelder: no point can gain more
    for _ in range(100):
        other = [x + 0.3 * torch.randn_like(x) for x in eps]
        scale = 0.3 / scaled_norm(other)
        assert gain([scale * x for x in other]) < gain(eps)


def test_for_p_of_one_equal_largest_entries_share_the_radius() -> None:
    g = [torch.tensor([1.0, -2.0, 2.0]), torch.tensor([[0.5], [-2.0]])]
    first, second = eps_of([torch.ones(3), torch.ones(2, 1)], g, p=1, rho=0.3)
    torch.testing.assert_close(first, torch.tensor([0.0, -0.1, 0.1]))
    torch.testing.assert_close(second, torch.tensor([[0.0], [-0.1]]))
    near, _ = eps_of([torch.ones(3), torch.ones(2, 1)], g, p=1 + 1e-6, rho=0.3)
    torch.testing.assert_close(near, first)  # it is the limit of p going to 1


@pytest.mark.parametrize("p", NORMS)
@pytest.mark.parametrize("variant", VARIANTS)
def test_eps_is_zero_where_the_gradient_is(variant: str, p: float) -> None:
    first, second = eps_of([torch.ones(3), torch.ones(2)], [torch.zeros(3), torch.zeros(2)], variant, p)
    assert torch.equal(first, torch.zeros(3))
    assert torch.equal(second, torch.zeros(2))


@pytest.mark.parametrize("p", NORMS)
def test_a_single_zero_in_the_gradient_has_no_eps(p: float) -> None:
    (eps,) = eps_of([torch.ones(2)], [torch.tensor([0.0, -2.0])], p=p)
    torch.testing.assert_close(eps, torch.tensor([0.0, -0.3]))


@pytest.mark.parametrize("p", NORMS)
@pytest.mark.parametrize("variant", ["elementwise_l2", "elementwise_linf", "layerwise_l2", "filterwise_l2"])
def test_zero_weights_stay_where_eta_is_zero(variant: str, p: float) -> None:
    w, g = [torch.zeros(2, 2), torch.ones(2)], [torch.ones(2, 2), torch.ones(2)]
    roles = [Role(layer_axes=(0, 1), filter_axes=(1,)), Role(bias=True, layer_axes=(0,))]
    zero, other = maximizer(w, g, roles, replace(VARIANTS[variant], p=p, eta=0.0), 0.3)
    assert torch.equal(zero, torch.zeros(2, 2))
    assert other.abs().sum() > 0
    (alone,) = maximizer(w[:1], g[:1], roles[:1], replace(VARIANTS[variant], p=p, eta=0.0), 0.3)
    assert torch.equal(alone, torch.zeros(2, 2))
    (moved,) = maximizer(w[:1], g[:1], roles[:1], replace(VARIANTS[variant], p=p, eta=0.1), 0.3)
    assert (moved > 0).all()


@pytest.mark.parametrize("p", NORMS)
@pytest.mark.parametrize("scale", [1e-30, 1e-3, 1e3, 1e30])
def test_the_scale_of_the_gradient_does_not_matter(p: float, scale: float) -> None:
    g = torch.tensor([3.0, -4.0, 1.0])
    (eps,) = eps_of([torch.ones(3)], [scale * g], p=p)
    if p == 2 and scale == 1e-30:
        assert eps.abs().max() < 1e-29  # the sum of squares is 0 in single precision
    elif p == 2 and scale == 1e30:
        assert eps.isnan().all()  # it is infinite
    else:
        torch.testing.assert_close(eps, eps_of([torch.ones(3)], [g], p=p)[0])


@pytest.mark.parametrize("p", NORMS)
@pytest.mark.parametrize("value", [nan, inf, -inf])
def test_what_is_no_number_in_the_gradient_is_not_silent(p: float, value: float) -> None:
    first, second = eps_of([torch.ones(2), torch.ones(3)], [torch.tensor([1.0, value]), torch.ones(3)], p=p)
    assert first[1].isnan()
    if p != inf:  # for the largest norm every coordinate stands for itself
        assert first[0].isnan()
        assert second.isnan().all()


@pytest.mark.parametrize("p", NORMS)
@pytest.mark.parametrize("variant", VARIANTS)
def test_each_tensor_keeps_its_type_and_layout(variant: str, p: float) -> None:
    w = [torch.ones(2, 3, 4, 4).to(memory_format=torch.channels_last), torch.ones(3, dtype=torch.float64)]
    g = [2 * x for x in w]
    eps = eps_of(w, g, variant, p)
    assert [e.dtype for e in eps] == [torch.float32, torch.float64]
    assert eps[0].is_contiguous(memory_format=torch.channels_last)
    alike = eps_of([x.double() for x in w], [x.double() for x in g], variant, p)
    for e, a in zip(eps, alike, strict=True):
        torch.testing.assert_close(e.double(), a, rtol=1e-6, atol=0)
