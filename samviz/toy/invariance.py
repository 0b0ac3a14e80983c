"""Which T_w are scale-invariant, tried out: ASAM Definition 1 and Theorem 1, on the toy and on a small network.

A rescaling A multiplies what a node reads (weights and bias) by a factor and divides by it what is read of the node, so
that a network of ReLUs keeps its function. Definition 1 asks that T_Aw = A T_w, Theorem 1 that the sharpness is the
same at w and Aw. A thousand random A can refute them, and cannot prove them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from samviz.toy import network
from samviz.toy.ascent import dual_norm, epsilon, first_order_sharpness, steepest
from samviz.toy.loss import loss, partials
from samviz.toy.regions import sharpness
from samviz.variants import WEIGHT, Variant, elementwise, filterwise, fisher, identity, layerwise

KINDS = ("common", "filters", "nodes")
"""What A does to the network: one factor a hidden layer; different factors on the filters of the last hidden layer
alone; different factors on all nodes, so that the input channels of a filter get different ones too."""

TRIALS = 1000
LOWEST, HIGHEST = 0.1, 10.0
"""Bounds of the factors of A, drawn evenly in their logarithm."""

RHO = 0.05
"""The radius on the network."""

ROUNDING = 1e-9
"""Relative errors up to here are the computer's."""


@dataclass(frozen=True, slots=True)
class Trial:
    """The largest relative errors over a set of rescalings."""

    definition: float
    """Of Definition 1: how far T_Aw is from A T_w."""
    theorem: float
    """Of Theorem 1: how far the sharpness at Aw is from that at w."""

    @property
    def holds(self) -> bool:
        return max(self.definition, self.theorem) <= ROUNDING


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the rescalings did to one variant with its eta and p."""

    variant: Variant
    toy: Trial
    """On the toy with the A at hand; its sharpness is the exact maximum of Definition 2."""
    toy_random: Trial
    """On the toy with TRIALS random A, as on the network."""
    network: Mapping[str, Trial]
    """By KINDS, each over TRIALS random A; sharpness of the one-step maximizer and of the linearized loss."""
    reason: str
    """Why it fails where it does, or why it holds."""


def verdict(variant: Variant, w: tuple[float, float], a: float, rho: float, target: float) -> Verdict:
    """Try the variant at w (2,) of the toy under A = diag(a, 1/a), and under random A there and on the network.

    Raises ValueError for arguments out of range.
    """
    trials = {kind: on_network(variant, kind) for kind in KINDS}
    at_hand = Trial(_toy_definition(variant, w, np.array([a]), target), _toy_maximum(variant, w, a, rho, target))
    return Verdict(variant, at_hand, on_toy(variant, w, rho, target), trials, _reason(variant))


@lru_cache(maxsize=512)
def on_network(variant: Variant, kind: str) -> Trial:
    """TRIALS random A of one of KINDS on the network, with radius RHO."""
    w = network.WEIGHTS
    value, g = network.loss_and_gradient(w)
    A, rescaled, value_there, g_there = rescaled_network(kind)
    here, there = _operator(variant, w, g), _operator(variant, rescaled, g_there)
    before = _network_sharpness(variant, w, value, g, here)
    after = _network_sharpness(variant, rescaled, value_there, g_there, there)
    return Trial(_error(there, A * here), max(map(_error, after, before)))


def on_toy(variant: Variant, w: tuple[float, float], rho: float, target: float) -> Trial:
    """TRIALS random A = diag(a, 1/a) on the toy, at w (2,)."""
    a = _factors(np.random.default_rng(0), TRIALS)
    points = np.stack([np.append(1, a) * w[0], w[1] / np.append(1, a)], axis=-1)
    rises = [first_order_sharpness(variant.key, points, rho, variant.eta, target, variant.p)]
    if abs(w[0] * w[1] - target) > ROUNDING * target:  # on the valley rounding alone decides which way eps goes
        x, y = points.T
        eps = np.stack(epsilon(x, y, *partials(x, y, target), variant, rho, variant.eta), axis=-1)
        rises.append(loss(points + eps, target) - loss(points, target))
    return Trial(_toy_definition(variant, w, a, target), max(_error(rise[1:], rise[0]) for rise in rises))


def _toy_definition(variant: Variant, w: tuple[float, float], a: np.ndarray, target: float) -> float:
    """The error of Definition 1 over all a (n,); the operator of a weight needs its own gradient alone."""
    x, y = w
    here, there = partials(x, y, target), partials(a * x, y / a, target)
    pairs = ((x, a * x, a, here[0], there[0]), (y, y / a, 1 / a, here[1], there[1]))
    errors = []
    for weight, rescaled, factor, g, g_there in pairs:
        T = variant.operator(weight, g, variant.eta, WEIGHT)
        errors.append(_error(variant.operator(rescaled, g_there, variant.eta, WEIGHT), factor * T))
    return max(errors)


def _toy_maximum(variant: Variant, w: tuple[float, float], a: float, rho: float, target: float) -> float:
    """The error of Theorem 1 for the exact maximum."""
    points = (w, (a * w[0], w[1] / a))
    here, there = (sharpness(variant.key, point, rho, variant.eta, target, variant.p) for point in points)
    return _error(np.array(there), np.array(here))


@lru_cache
def rescaled_network(kind: str) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """The diagonals of A, Aw, and the loss and gradient there, TRIALS columns each."""
    rng = np.random.default_rng(KINDS.index(kind))
    first, second = (_factors(rng, (1 if kind == "common" else nodes, TRIALS)) for nodes in (3, 2))
    if kind == "filters":
        first = np.ones_like(first)
    A = np.ones((network.PARAMETERS, TRIALS))
    f, f0, g, g0, v, _ = network.tensors(A)  # views into A
    f *= first[:, None, None]
    f0 *= first
    g *= second[:, None, None] / first[None, :, None]
    g0 *= second
    v /= second[None, :, None]
    w = A * network.WEIGHTS
    return A, w, *network.loss_and_gradient(w)


def _factors(rng: np.random.Generator, shape: int | tuple[int, ...]) -> np.ndarray:
    return np.exp(rng.uniform(np.log(LOWEST), np.log(HIGHEST), shape))


def _operator(variant: Variant, w: np.ndarray, g: np.ndarray) -> np.ndarray:
    """The diagonal of T_w of the networks w (PARAMETERS, n), same shape."""
    parts = zip(network.tensors(w), network.tensors(g), network.LAYERS, strict=True)
    return network.columns(
        [np.broadcast_to(variant.T(wi, gi, variant.eta, role), wi.shape) for wi, gi, (_, role) in parts]
    )


def _network_sharpness(
    variant: Variant, w: np.ndarray, value: np.ndarray, g: np.ndarray, T: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """L(w + eps) - L(w) at the one-step maximizer, and its first-order value rho ||T g||_q: (n,) each."""
    u = T * g
    eps = RHO * T * steepest(u, variant.p)
    return network.loss(w + eps) - value, RHO * dual_norm(u, variant.p)


def _error(there: np.ndarray, here: np.ndarray) -> float:
    """The largest relative difference; where `here` is 0, the largest value of `there`."""
    return float(np.max(abs(there - here) / np.where(here == 0, 1, abs(here))))


def _reason(variant: Variant) -> str:
    """What is known of the operator, in words: where it is no normalization operator, and why."""
    if variant.operator is identity:
        return "T = 1 stays where it is when w is rescaled."
    if variant.operator is fisher:
        return "A divides g, and T = (1 + ηg²)^(-1/2) follows it only where ηg² is far above 1."
    found = []
    if variant.eta > 0:
        found.append(f"η = {variant.eta:g} is added to what scales with w, and does not scale itself.")
    if not variant.normalize_bias:
        found.append("Biases have T = 1, but A rescales them too; the toy has none.")
    if variant.operator is layerwise:
        found.append(
            "The norm of a layer follows one factor for all of it, but not different factors on its nodes. "
            "ASAM says so as well."
        )
    if variant.operator is filterwise:
        found.append(
            "The norm of a filter follows a factor on the whole filter, but not different factors on its input "
            "channels, and those come with different factors on the filters before it. ASAM lists it as a "
            "normalization operator: true where whole filters are scaled, and no further."
        )
    if variant.operator is elementwise and not found:
        return "T is |w| itself, which is rescaled as w is."
    return " ".join(found) or "No reason is known."
