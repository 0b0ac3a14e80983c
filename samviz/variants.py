"""The family of perturbation models: which region of weights each member of the SAM family searches.

A variant is data. Its normalization operator T_w is plain Python arithmetic, so that the same line of code
serves Python floats, NumPy arrays and torch tensors. The region is {eps : ||T_w^-1 eps||_p <= rho}
(ASAM Eq. 4, SAM-ON Eq. 3); the one-step maximizer is worked out from T_w by `samviz.toy` and `samviz.optim`.

Other members are made with `dataclasses.replace`: the four curves of ASAM Fig. 4 are `elementwise_l2`,
`elementwise_l2_orig`, `elementwise_linf` and `filterwise_l2`, each with or without `normalize_bias`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from typing import Any


@dataclass(frozen=True, slots=True)
class Role:
    """What a tensor is to its layer: the operator reduces over these axes and no others.

    `layer_axes` are the axes of one layer and `filter_axes` those of one convolution filter. Both are empty for
    a layer of a single weight, as in the toy, where leading axes run over independent starts.
    """

    bias: bool = False
    layer_axes: tuple[int, ...] = ()
    filter_axes: tuple[int, ...] = ()


WEIGHT = Role()

Operator = Callable[[Any, Any, float, Role], Any]
"""operator(w, g, eta, role) -> diagonal of T_w, broadcastable to w."""


def _norm(w, axes: tuple[int, ...]):
    return (w * w).sum(axis=axes, keepdims=True) ** 0.5 if axes else abs(w)


def identity(w, g, eta: float, role: Role):
    """T_w = 1 (SAM)."""
    return 1.0


def elementwise(w, g, eta: float, role: Role):
    """T_w = |w| + eta (ASAM section 3; SAM-ON Table 10).

    With eta 0 and normalized biases it is the one normalization operator here in the full sense of ASAM Definition 1:
    T_Aw = A T_w for every rescaling A of nodes, so that its sharpness is scale-invariant (Theorem 1).
    """
    return abs(w) + eta


def layerwise(w, g, eta: float, role: Role):
    """T_w = ||W||_2 + eta, the norm of the parameter tensor (SAM-ON section 3.2).

    With eta 0 it is invariant where a whole layer is scaled by one factor, and no further, as ASAM section 3 says.
    """
    return _norm(w, role.layer_axes) + eta


def filterwise(w, g, eta: float, role: Role):
    """T_w = ||f||_2 + eta for each convolution filter f, |w| + eta for every other parameter (ASAM Eq. 5).

    ASAM lists it as a normalization operator, but that holds only in part. With eta 0 it is invariant where whole
    filters are scaled; as soon as the input channels of a filter get different factors (which is what undoes different
    factors on the filters of the layer before), ||A f|| is no multiple of ||f||, Definition 1 fails and the
    sharpness changes. A network of one channel a layer, or with one factor a layer, does not show it.
    """
    return _norm(w, role.filter_axes) + eta


def fisher(w, g, eta: float, role: Role):
    """T_w = (1 + eta g^2)^(-1/2), g the gradient of the batch (SAM-ON section 3.2 and Table 10).

    It is not scale-invariant: a weight scaled by a has a gradient of g / a, and T_w follows a only where eta g^2 >> 1.
    """
    return (1.0 + eta * g * g) ** -0.5


@dataclass(frozen=True, kw_only=True, slots=True)
class Variant:
    """A perturbation model: the region {eps : ||T_w^-1 eps||_p <= rho}."""

    key: str
    """The name in code, URLs and recipes."""
    label: str
    """The name on screen."""
    operator: Operator
    """T_w of one tensor: operator(w, g, eta, role). `T` adds the rule for biases."""
    p: float = 2.0
    """The norm of the region, in [1, infinity]."""
    eta: float = 0.0
    """The default stabilizer (for Fisher: the scale of the squared gradient)."""
    normalize_bias: bool = True
    """Whether the operator holds for biases too; if not, T_w = 1 there (ASAM sections 3 and 5.2; SAM-ON section 3.2).

    SAM-ON Table 10 prints 1 + eta for them; its text and its published code have 1.
    """
    equation: str
    """The diagonal of T_w, in LaTeX."""
    source: str
    """Where the definition stands."""

    def __post_init__(self) -> None:
        if not _is_number(self.p) or not self.p >= 1:
            raise ValueError(f"p must be a number from 1 to infinity, but it is {self.p!r}.")
        if not _is_number(self.eta) or not 0 <= self.eta < inf:
            raise ValueError(f"eta must be a finite number of at least 0, but it is {self.eta!r}.")

    def T(self, w, g, eta: float, role: Role):
        """The diagonal of T_w for one tensor w with gradient g: broadcastable to w, and the float 1.0 where it is 1."""
        return self.operator(w, g, eta, role) if self.normalize_bias or not role.bias else 1.0


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


VARIANTS: dict[str, Variant] = {
    v.key: v
    for v in (
        Variant(key="sam", label="SAM", operator=identity, equation=r"1", source="Foret et al. 2021; ASAM Eq. 3"),
        Variant(
            key="elementwise_l2",
            label="ASAM",
            operator=elementwise,
            equation=r"|w_i| + \eta",
            source="ASAM section 3, with bias normalization; SAM-ON Table 10",
        ),
        Variant(
            key="elementwise_l2_orig",
            label="ASAM, original",
            operator=elementwise,
            normalize_bias=False,
            eta=0.01,
            equation=r"|w_i| + \eta \text{ for weights}, 1 \text{ for biases}",
            source="ASAM sections 3 and 5.2; SAM-ON section 3.2",
        ),
        Variant(
            key="elementwise_linf",
            label="ASAM, l-infinity",
            operator=elementwise,
            p=inf,
            equation=r"|w_i| + \eta",
            source="ASAM section 4, p = infinity; SAM-ON Eq. 4",
        ),
        Variant(
            key="layerwise_l2",
            label="ASAM, layerwise",
            operator=layerwise,
            equation=r"\lVert W_{\mathrm{layer}[i]} \rVert_2 + \eta",
            source="SAM-ON section 3.2 and Table 10",
        ),
        Variant(
            key="filterwise_l2",
            label="ASAM, filterwise",
            operator=filterwise,
            eta=0.01,
            equation=r"\lVert f_{\mathrm{filter}[i]} \rVert_2 + \eta",
            source="ASAM Eq. 5, eta from its section 5.2",
        ),
        Variant(
            key="fisher",
            label="Fisher-SAM",
            operator=fisher,
            eta=1.0,
            equation=r"(1 + \eta\, g_i^2)^{-1/2}",
            source="Kim et al. 2022; SAM-ON section 3.2 and Table 10",
        ),
    )
}
