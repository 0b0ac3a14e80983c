"""The operators T_w, entry by entry, from the papers' formulas; the same line must serve floats, NumPy and torch."""

from dataclasses import replace
from math import inf, sqrt

import numpy as np
import pytest
import torch

from samviz.variants import VARIANTS, Role

FILTERS = Role(layer_axes=(0, 1, 2, 3), filter_axes=(1, 2, 3))
BIAS = Role(bias=True, layer_axes=(0,))


def entry(key: str, w: np.ndarray, g: np.ndarray, eta: float, bias: bool, i: tuple[int, ...]) -> float:
    """T_w^i as SAM-ON Table 10 and ASAM Eq. 5 write it, one entry at a time."""
    if key == "sam":
        return 1.0
    if key in {"elementwise_l2", "elementwise_linf"}:
        return abs(w[i]) + eta
    if key == "elementwise_l2_orig":
        return 1.0 if bias else abs(w[i]) + eta
    if key == "layerwise_l2":
        return sqrt(sum(x * x for x in w.ravel())) + eta
    if key == "filterwise_l2":
        return abs(w[i]) + eta if w.ndim == 1 else sqrt(sum(x * x for x in w[i[0]].ravel())) + eta
    assert key == "fisher"
    return 1 / sqrt(1 + eta * g[i] ** 2)


@pytest.mark.parametrize("key", VARIANTS)
@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("eta", [0.0, 0.3])
def test_the_operator_is_the_papers_entry_by_entry(key: str, bias: bool, eta: float) -> None:
    rng = np.random.default_rng(0)
    w, g = rng.normal(size=(2, *((5,) if bias else (4, 3, 2, 2))))
    role = BIAS if bias else FILTERS
    expected = np.array([entry(key, w, g, eta, bias, i) for i in np.ndindex(w.shape)]).reshape(w.shape)
    T = VARIANTS[key].T
    np.testing.assert_allclose(np.broadcast_to(T(w, g, eta, role), w.shape), expected, rtol=1e-14)
    tensor = T(torch.tensor(w), torch.tensor(g), eta, role)
    np.testing.assert_allclose(np.broadcast_to(np.asarray(tensor), w.shape), expected, rtol=1e-14)


@pytest.mark.parametrize("key", VARIANTS)
def test_a_layer_of_one_weight_takes_python_floats(key: str) -> None:
    w, g = -0.3, 0.7
    expected = entry(key, np.array([w]), np.array([g]), 0.2, False, (0,))
    assert VARIANTS[key].T(w, g, 0.2, Role()) == pytest.approx(expected, rel=1e-14)


def test_the_family_is_complete() -> None:
    assert list(VARIANTS) == [
        "sam",
        "elementwise_l2",
        "elementwise_l2_orig",
        "elementwise_linf",
        "layerwise_l2",
        "filterwise_l2",
        "fisher",
    ]
    assert {k for k, v in VARIANTS.items() if v.p == inf} == {"elementwise_linf"}


def test_the_four_curves_of_asam_figure_4_are_members() -> None:
    elementwise, filterwise = VARIANTS["elementwise_l2"], VARIANTS["filterwise_l2"]
    curves = [
        replace(elementwise, p=inf, eta=0.01),
        replace(elementwise, eta=0.01),
        replace(elementwise, eta=0.01, normalize_bias=False),
        replace(filterwise, normalize_bias=False),
    ]
    rng = np.random.default_rng(0)
    f, b = rng.normal(size=(4, 3, 2, 2)), rng.normal(size=5)
    for variant in curves:
        bias = variant.T(b, b, variant.eta, BIAS)
        np.testing.assert_array_equal(bias, abs(b) + 0.01 if variant.normalize_bias else 1.0)
        norms = np.sqrt((f**2).sum(axis=(1, 2, 3), keepdims=True)) + 0.01
        T = variant.T(f, f, variant.eta, FILTERS)
        np.testing.assert_allclose(T, norms if variant.operator is filterwise.operator else abs(f) + 0.01, rtol=1e-14)
    assert curves[2].operator is VARIANTS["elementwise_l2_orig"].operator
    assert not VARIANTS["elementwise_l2_orig"].normalize_bias


@pytest.mark.parametrize(
    ("field", "value"),
    [("p", 0.5), ("p", float("nan")), ("p", "2"), ("p", True), ("eta", -1), ("eta", inf), ("eta", None)],
)
def test_a_variant_that_makes_no_sense_is_refused(field: str, value: object) -> None:
    with pytest.raises(ValueError, match=f"^{field} must be"):
        replace(VARIANTS["sam"], **{field: value})
