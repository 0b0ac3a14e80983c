"""ASAM Definition 1 and Theorem 1 on small ReLU networks: for which variants, and under which rescalings, they hold.

A rescaling multiplies what a node reads (weights and bias) by a factor and what the next layer reads of it by the
inverse; ReLU(a x) = a ReLU(x) keeps the function. Definition 1: T_Aw = A T_w. Theorem 1: equal sharpness at w and Aw.
"""

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from math import prod

import numpy as np
import pytest
import torch
from scipy.optimize import minimize
from torch import Tensor, nn

from samviz.optim import maximizer, select
from samviz.variants import VARIANTS, Variant

EXACT = {key: replace(variant, eta=0.0) if key != "fisher" else variant for key, variant in VARIANTS.items()}
EXACT["elementwise_l2_orig"] = replace(EXACT["elementwise_l2_orig"], normalize_bias=False)
"""The family with eta 0, where eta only stabilizes."""

KINDS = ("common", "filters", "nodes")
"""One factor for a hidden layer; different factors on the last hidden layer alone; different ones on both."""


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """scipy's threads and torch's wait for each other: 50 times slower on networks of this size."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def linear(bias: bool = True) -> nn.Sequential:
    return nn.Sequential(nn.Linear(3, 4, bias), nn.ReLU(), nn.Linear(4, 3, bias), nn.ReLU(), nn.Linear(3, 2, bias))


def convolutional(bias: bool = True) -> nn.Sequential:
    first, second = nn.Conv2d(1, 3, 2, bias=bias), nn.Conv2d(3, 2, 2, bias=bias)
    return nn.Sequential(first, nn.ReLU(), second, nn.ReLU(), nn.Flatten(), nn.Linear(2, 2, bias))


NETWORKS = {"linear": (linear, (6, 3)), "convolutional": (convolutional, (6, 1, 3, 3))}


def make(name: str, bias: bool = True) -> tuple[nn.Sequential, Tensor, Tensor]:
    builder, shape = NETWORKS[name]
    torch.manual_seed(1)
    net = builder(bias).double()
    with torch.no_grad():
        for w in net.parameters():
            w += 0.3 * torch.randn_like(w)
    return net, torch.randn(shape, dtype=torch.float64), torch.randint(0, 2, shape[:1])


def rescale(net: nn.Sequential, kind: str) -> list[Tensor]:
    """Rescale the hidden layers in place; returns the diagonal of A, one tensor a parameter."""
    layers = [m for m in net if hasattr(m, "weight")]
    A = {w: torch.ones_like(w) for w in net.parameters()}
    generator = torch.Generator().manual_seed(7)
    for i, (layer, following) in enumerate(pairwise(layers)):
        nodes = layer.weight.shape[0]
        factors = torch.exp(2 * torch.rand(nodes, generator=generator, dtype=torch.float64) - 1)
        if kind == "common":
            factors = torch.full((nodes,), 3.0 if i == 0 else 0.2, dtype=torch.float64)
        if kind == "filters" and i == 0:
            continue
        A[layer.weight] *= factors.view(-1, *[1] * (layer.weight.ndim - 1))
        if layer.bias is not None:
            A[layer.bias] *= factors
        A[following.weight] /= factors.view(1, -1, *[1] * (following.weight.ndim - 2))
    with torch.no_grad():
        for w, a in A.items():
            w *= a
    return list(A.values())


def loss_and_gradient(net: nn.Module, x: Tensor, y: Tensor) -> tuple[Tensor, list[Tensor]]:
    loss = nn.functional.cross_entropy(net(x), y)
    return loss, list(torch.autograd.grad(loss, list(net.parameters())))


def operators(net: nn.Module, variant: Variant, g: list[Tensor]) -> list[Tensor]:
    roles = select(net)
    T = [variant.T(w.detach(), gi, variant.eta, role) for (w, role), gi in zip(roles.items(), g, strict=True)]
    return [torch.as_tensor(t, dtype=torch.float64).expand_as(gi) for t, gi in zip(T, g, strict=True)]


def one_step_sharpness(net: nn.Module, x: Tensor, y: Tensor, variant: Variant, rho: float) -> float:
    """L(w + eps) - L(w) at the one-step maximizer."""
    loss, g = loss_and_gradient(net, x, y)
    w, roles = zip(*select(net).items(), strict=True)
    eps = maximizer([v.detach() for v in w], g, roles, variant, rho)
    with torch.no_grad():
        for v, e in zip(w, eps, strict=True):
            v += e
        higher = nn.functional.cross_entropy(net(x), y)
        for v, e in zip(w, eps, strict=True):
            v -= e
    return float(higher - loss.detach())


def worst_sharpness(net: nn.Module, x: Tensor, y: Tensor, variant: Variant, rho: float, seed: int) -> float:
    """max L(w + eps) - L(w) over ||T_w^-1 eps||_2 <= rho, by scipy from several starts in the region.

    eps = rho T_w z / sqrt(1 + |z|^2) maps all z onto the inside of the region.
    """
    loss, g = loss_and_gradient(net, x, y)
    w = [v.detach().clone() for v in net.parameters()]
    T = torch.cat([t.flatten() for t in operators(net, variant, g)]).numpy()
    sizes = [v.numel() for v in w]

    def move(eps: np.ndarray) -> None:
        with torch.no_grad():
            for v, old, e in zip(net.parameters(), w, torch.from_numpy(eps).split(sizes), strict=True):
                v.copy_(old + e.view_as(old))

    def at(z: np.ndarray) -> tuple[float, np.ndarray]:
        length = np.sqrt(1 + z @ z)
        move(rho * T * z / length)
        value, slopes = loss_and_gradient(net, x, y)
        slope = rho * T * torch.cat([s.flatten() for s in slopes]).numpy()
        return -float(value.detach()), -(slope / length - z * (slope @ z) / length**3)

    starts = np.random.default_rng(seed).normal(size=(6, len(T))) / np.sqrt(len(T))
    options = {"maxfun": 2000, "gtol": 1e-9, "ftol": 1e-12}
    highest = max(-minimize(at, z, jac=True, method="L-BFGS-B", options=options).fun for z in starts)
    move(np.zeros(len(T)))
    return highest - float(loss.detach())


HOLDS = {
    "sam": (),
    "elementwise_l2": KINDS,
    "elementwise_linf": KINDS,
    "elementwise_l2_orig": (),
    "layerwise_l2": ("common",),
    "filterwise_l2": ("common", "filters"),
    "fisher": (),
}
"""What holds on networks of convolutions with biases."""


def holds(variant: str, network: str, kind: str) -> bool:
    """Filterwise is elementwise where there is no convolution."""
    return kind in (KINDS if variant == "filterwise_l2" and network == "linear" else HOLDS[variant])


def definition_1_error(network: str, variant: Variant, kind: str, bias: bool = True) -> float:
    """The largest relative difference between T_Aw and A T_w."""
    net, x, y = make(network, bias)
    loss, g = loss_and_gradient(net, x, y)
    T = operators(net, variant, g)
    A = rescale(net, kind)
    again, scaled_g = loss_and_gradient(net, x, y)
    assert float(again.detach()) == pytest.approx(float(loss.detach()), rel=1e-12)  # A keeps the function
    return max(
        float((there / (a * t) - 1).abs().max())
        for there, a, t in zip(operators(net, variant, scaled_g), A, T, strict=True)
    )


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("variant", VARIANTS)
def test_definition_1(variant: str, network: str, kind: str) -> None:
    error = definition_1_error(network, EXACT[variant], kind)
    assert error < 1e-12 if holds(variant, network, kind) else error > 0.1


@pytest.mark.parametrize("network", NETWORKS)
def test_definition_1_wants_no_eta_and_normalized_biases_or_none(network: str) -> None:
    assert definition_1_error(network, VARIANTS["elementwise_l2"], "nodes", bias=True) < 1e-12
    assert definition_1_error(network, replace(VARIANTS["elementwise_l2"], eta=0.01), "nodes") > 1e-3
    assert definition_1_error(network, EXACT["elementwise_l2_orig"], "nodes", bias=True) > 0.1
    assert definition_1_error(network, EXACT["elementwise_l2_orig"], "nodes", bias=False) < 1e-12


def test_fisher_follows_a_rescaling_only_where_its_gradient_is_large() -> None:
    net, x, y = make("linear")
    _, g = loss_and_gradient(net, x, y)
    for eta, follows in ((1.0, False), (1e12, True)):
        fisher = replace(VARIANTS["fisher"], eta=eta)
        before = operators(net, fisher, g)
        a = 3.0
        after = [fisher.T(None, gi / a, eta, None) for gi in g]
        errors = torch.cat([(t / (a * b) - 1)[gi.abs() > 1e-4] for t, b, gi in zip(after, before, g, strict=True)])
        assert (float(errors.abs().max()) < 1e-3) == follows


@pytest.mark.parametrize("p", [1, 1.5, 2, 3, float("inf")])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("variant", VARIANTS)
def test_theorem_1_for_the_one_step_maximizer(variant: str, network: str, kind: str, p: float) -> None:
    net, x, y = make(network)
    model = replace(EXACT[variant], p=p)
    before = one_step_sharpness(net, x, y, model, 0.05)
    rescale(net, kind)
    after = one_step_sharpness(net, x, y, model, 0.05)
    if holds(variant, network, kind):
        assert after == pytest.approx(before, rel=1e-9)
    elif p > 1:  # for p = 1 a single weight is perturbed, and its operator alone may happen to follow
        assert abs(after / before - 1) > 1e-6


@pytest.mark.parametrize(
    ("variant", "network", "kind"),
    [
        ("elementwise_l2", "convolutional", "nodes"),
        ("elementwise_l2", "linear", "nodes"),
        ("sam", "linear", "nodes"),
        ("sam", "convolutional", "common"),
        ("layerwise_l2", "linear", "common"),
        ("layerwise_l2", "linear", "nodes"),
        ("filterwise_l2", "convolutional", "filters"),
        ("filterwise_l2", "convolutional", "nodes"),
    ],
)
def test_theorem_1_for_the_exact_maximum(variant: str, network: str, kind: str) -> None:
    net, x, y = make(network)
    before = worst_sharpness(net, x, y, EXACT[variant], 0.1, seed=0)
    rescale(net, kind)
    after = worst_sharpness(net, x, y, EXACT[variant], 0.1, seed=1)  # other starts: it is the maximum that agrees
    if holds(variant, network, kind):
        assert after == pytest.approx(before, rel=1e-6)
    else:
        assert abs(after / before - 1) > 0.01


def test_the_networks_have_several_nodes_a_layer() -> None:
    for name in NETWORKS:
        net, _, _ = make(name)
        assert all(m.weight.shape[0] > 1 for m in net if hasattr(m, "weight"))
        assert sum(prod(w.shape) for w in net.parameters()) > 30
