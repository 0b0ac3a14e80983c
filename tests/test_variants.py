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
    operator = VARIANTS[key].operator
    np.testing.assert_allclose(np.broadcast_to(operator(w, g, eta, role), w.shape), expected, rtol=1e-14)
    tensor = operator(torch.tensor(w), torch.tensor(g), eta, role)
    np.testing.assert_allclose(np.broadcast_to(np.asarray(tensor), w.shape), expected, rtol=1e-14)


@pytest.mark.parametrize("key", VARIANTS)
def test_a_layer_of_one_weight_takes_python_floats(key: str) -> None:
    w, g = -0.3, 0.7
    expected = entry(key, np.array([w]), np.array([g]), 0.2, False, (0,))
    assert VARIANTS[key].operator(w, g, 0.2, Role()) == pytest.approx(expected, rel=1e-14)


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


@pytest.mark.parametrize(("field", "value"), [("p", 0.5), ("p", float("nan")), ("eta", -1), ("eta", inf)])
def test_a_variant_that_makes_no_sense_is_refused(field: str, value: float) -> None:
    with pytest.raises(ValueError, match=f"^{field} must be"):
        replace(VARIANTS["sam"], **{field: value})
