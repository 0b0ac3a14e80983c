"""The checker of Definition 1 and Theorem 1: its network against torch, its rescalings, and its verdicts."""

from dataclasses import replace
from math import inf
from time import perf_counter

import numpy as np
import pytest
import torch
from torch import nn

from samviz.toy import network
from samviz.toy.invariance import (
    HIGHEST,
    KINDS,
    LOWEST,
    ROUNDING,
    TRIALS,
    on_network,
    on_toy,
    rescaled_network,
    verdict,
)
from samviz.variants import VARIANTS, Variant

EXACT = {key: v if key == "fisher" else replace(v, eta=0.0) for key, v in VARIANTS.items()}
"""The family with eta 0, where eta only stabilizes."""

HOLDS = {
    "sam": (),
    "elementwise_l2": KINDS,
    "elementwise_linf": KINDS,
    "elementwise_l2_orig": (),
    "layerwise_l2": ("common",),
    "filterwise_l2": ("common", "filters"),
    "fisher": (),
}
"""The table of docs/optimizer.md, which tests/optim/test_invariance.py finds in torch."""


def in_torch(w: np.ndarray) -> tuple[float, np.ndarray]:
    """Loss and gradient of one network (PARAMETERS,), by torch's own layers."""
    f, f0, g, g0, v, v0 = (torch.tensor(t[..., 0]) for t in network.tensors(w[:, None]))
    net = nn.Sequential(nn.Conv1d(2, 3, 2), nn.ReLU(), nn.Conv1d(3, 2, 2), nn.ReLU(), nn.Flatten(), nn.Linear(4, 2))
    net = net.double()
    with torch.no_grad():
        for parameter, value in zip(net.parameters(), (f, f0, g, g0, v.flatten(1), v0), strict=True):
            parameter.copy_(value)
    loss = nn.functional.cross_entropy(net(torch.tensor(network.INPUTS)), torch.tensor(network.LABELS))
    slopes = torch.autograd.grad(loss, list(net.parameters()))
    return float(loss.detach()), torch.cat([s.flatten() for s in slopes]).numpy()


def test_the_network_is_torchs() -> None:
    scale = np.exp(np.random.default_rng(0).normal(size=(network.PARAMETERS, 5)))
    w = np.concatenate([network.WEIGHTS, scale * network.WEIGHTS], axis=1)
    losses, slopes = network.loss_and_gradient(w)
    np.testing.assert_array_equal(losses, network.loss(w))
    for column in range(w.shape[1]):
        value, slope = in_torch(w[:, column])
        assert losses[column] == pytest.approx(value, rel=1e-13)
        np.testing.assert_allclose(slopes[:, column], slope, rtol=1e-11, atol=1e-13)


def test_the_gradient_is_the_slope_of_the_loss() -> None:
    _, slope = network.loss_and_gradient(network.WEIGHTS)
    steps = 1e-6 * np.eye(network.PARAMETERS)
    rise = (network.loss(network.WEIGHTS + steps) - network.loss(network.WEIGHTS - steps)) / 2e-6
    np.testing.assert_allclose(slope[:, 0], rise, rtol=1e-6, atol=1e-8)
    assert (abs(slope) > 1e-3).all()  # no parameter is idle, so that every entry of T counts


def test_the_network_has_what_the_claims_are_about() -> None:
    shapes = [shape for shape, role in network.LAYERS if role.filter_axes]
    assert all(filters > 1 and channels > 1 for filters, channels, _ in shapes)
    assert sum(role.bias for _, role in network.LAYERS) == 3
    w = np.random.default_rng(1).normal(size=(network.PARAMETERS, 4))
    np.testing.assert_array_equal(network.columns(network.tensors(w)), w)


@pytest.mark.parametrize("kind", KINDS)
def test_a_rescaling_keeps_the_function_and_divides_the_gradient(kind: str) -> None:
    value, slope = network.loss_and_gradient(network.WEIGHTS)
    A, w, value_there, slope_there = rescaled_network(kind)
    assert A.shape == w.shape == (network.PARAMETERS, TRIALS)
    np.testing.assert_allclose(value_there, np.broadcast_to(value, TRIALS), rtol=1e-12)
    np.testing.assert_allclose(A * slope_there, np.broadcast_to(slope, A.shape), rtol=1e-8)
    f, f0, g, g0, v, v0 = network.tensors(A)
    for factors in (f0, g0):
        assert factors.min() >= LOWEST
        assert factors.max() <= HIGHEST
        assert np.ptp(factors, axis=1).max() > 5 or (kind == "filters" and factors is f0)
    np.testing.assert_array_equal(v0, 1)
    same = {"common": (f, g, v), "filters": (f,), "nodes": ()}[kind]
    for part in same:  # one factor for all of the tensor
        assert (np.ptp(part, axis=(0, 1, 2)) == 0).all()
    if kind == "filters":
        np.testing.assert_array_equal(f, 1)
    if kind == "nodes":
        assert (np.ptp(g, axis=1) > 0).all()  # the input channels of a filter get different factors


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_verdicts_are_those_of_the_docs(variant: str) -> None:
    found = verdict(EXACT[variant], (1.0, 1.0), 3.0, 0.5, 0.04)
    for kind in KINDS:
        trial = found.network[kind]
        assert trial.holds == (kind in HOLDS[variant])
        if trial.holds:
            assert trial.definition < 1e-12
            assert trial.theorem < 1e-10
        else:
            assert min(trial.definition, trial.theorem) > 0.1
    on_the_toy = variant not in {"sam", "fisher"}  # every layer is one weight there, and none is a bias
    assert found.toy.holds == found.toy_random.holds == on_the_toy
    assert found.reason.endswith(".")


@pytest.mark.parametrize("p", [1, 1.3, 2, 3, 10, inf])
def test_every_p_is_invariant_with_an_invariant_operator(p: float) -> None:
    found = verdict(replace(EXACT["elementwise_l2"], p=p), (0.7, 0.4), 2.0, 0.3, 0.04)
    assert found.toy.holds
    assert found.toy_random.holds
    assert all(trial.holds for trial in found.network.values())
    assert not any(on_network(replace(VARIANTS["sam"], p=p), kind).holds for kind in KINDS)


@pytest.mark.parametrize("key", ["elementwise_l2", "layerwise_l2", "filterwise_l2"])
def test_any_eta_breaks_it_a_little(key: str) -> None:
    little, more = (verdict(replace(VARIANTS[key], eta=eta), (1.0, 1.0), 3.0, 0.5, 0.04) for eta in (1e-4, 0.1))
    for trials in ((little.toy, more.toy), (little.toy_random, more.toy_random)):
        assert ROUNDING < trials[0].theorem < trials[1].theorem < 1
    assert ROUNDING < little.network["common"].theorem < more.network["common"].theorem
    assert not little.network["common"].holds
    assert "η = 0.0001" in little.reason


def test_biases_left_alone_are_the_reason_where_they_are() -> None:
    trial = on_network(EXACT["elementwise_l2_orig"], "nodes")
    assert not trial.holds
    assert trial.definition == pytest.approx(HIGHEST - 1, rel=0.02)  # T = 1 where A is up to 10
    assert "Biases" in verdict(EXACT["elementwise_l2_orig"], (1, 1), 2, 0.5, 0.04).reason
    assert "Biases" not in verdict(EXACT["elementwise_l2"], (1, 1), 2, 0.5, 0.04).reason


def test_fisher_comes_close_where_its_gradient_is_large() -> None:
    errors = [on_network(replace(VARIANTS["fisher"], eta=eta), "nodes").definition for eta in (1.0, 1e4, 1e8, 1e12)]
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] < 1e-3


def test_the_identity_changes_nothing_and_the_valley_is_no_exception() -> None:
    for variant in EXACT.values():
        assert verdict(variant, (1.0, 1.0), 1.0, 0.5, 0.04).toy.holds
        assert on_toy(variant, (0.2, 0.2), 0.3, 0.04).holds == (variant.key not in {"sam", "fisher"})


def test_a_variant_of_ones_own_gets_a_verdict() -> None:
    """A root of |w| is no normalization operator; whoever adds a variant needs no line in the checker."""
    own = Variant(key="own", label="Own", operator=lambda w, g, eta, role: abs(w) ** 0.5, equation="", source="")
    trial = on_network(own, "common")
    assert not trial.holds
    assert trial.definition == pytest.approx(9, rel=0.1)  # a weight that is divided by 100 has a T divided by 10


def test_a_thousand_rescalings_are_fast() -> None:
    """All of the family takes 50 ms on an idle machine of 2 cores, and 3 ms again; the bound leaves room."""
    on_network.cache_clear()
    begin = perf_counter()
    for variant in EXACT.values():
        verdict(variant, (1.0, 1.0), 3.0, 0.5, 0.04)
    assert perf_counter() - begin < 1.5
