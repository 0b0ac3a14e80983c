"""Why a sharpness stays or moves under a rescaling A: ASAM Definition 1, T_Aw = A T_w, tried at the weights at hand.

The words are those of `samviz.toy.invariance`, which tries the same on the toy.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from samviz.variants import Role, Variant, elementwise, filterwise, fisher, identity, layerwise

ROUNDING = 1e-9
"""Relative errors of Definition 1 up to here, in float64, are the computer's."""


@dataclass(frozen=True, slots=True)
class Reason:
    """What Definition 1 says of one variant and one rescaling."""

    error: float
    """The largest relative difference of T_Aw from A T_w over the perturbed parameters; 0 where it holds."""
    words: str

    @property
    def stays(self) -> bool:
        """Whether Definition 1 holds, so that the sharpness is the same at w and Aw (Theorem 1)."""
        return self.error <= ROUNDING


def reason(
    variant: Variant, w: Sequence[Tensor], g: Sequence[Tensor], roles: Sequence[Role], A: Sequence[Tensor]
) -> Reason:
    """Definition 1 for the perturbed parameters w with gradients g, and diagonals of A that broadcast to them."""
    tensors = [
        (wi.cpu().double(), gi.cpu().double(), role, Ai.cpu().double())
        for wi, gi, role, Ai in zip(w, g, roles, A, strict=True)
    ]
    error = _error(variant, tensors)
    return Reason(error, _words(variant, tensors, error <= ROUNDING))


def _error(variant: Variant, tensors: Sequence[tuple[Tensor, Tensor, Role, Tensor]]) -> float:
    """The largest relative error of Definition 1; the gradient at Aw is g / A."""
    errors = []
    for w, g, role, A in tensors:
        here, there = (
            torch.as_tensor(variant.T(wi, gi, variant.eta, role), dtype=torch.float64)
            for wi, gi in ((w, g), (A * w, g / A))
        )
        wanted = A * here
        errors.append(float(((there - wanted).abs() / torch.where(wanted == 0, 1.0, wanted)).max()))
    return max(errors)


def _words(variant: Variant, tensors: Sequence[tuple[Tensor, Tensor, Role, Tensor]], holds: bool) -> str:
    touched = [role for _, _, role, A in tensors if bool((A != 1).any())]
    if not touched:
        return "A leaves everything that is perturbed as it is."
    if variant.operator is identity:
        return "T = 1 stays where it is when w is rescaled."
    if variant.operator is fisher:
        return "A divides g, and T = (1 + ηg²)^(-1/2) follows it only where ηg² is far above 1."
    if holds:
        return {
            elementwise: "T is |w| itself, which is rescaled as w is.",
            layerwise: "T is the norm of a layer, which follows A: here each layer has one factor for all of it.",
            filterwise: "T is the norm of a filter, which follows A: here each filter has one factor for all of it.",
        }.get(variant.operator, "T is rescaled as w is.")
    found = []
    if variant.eta > 0:
        found.append(f"η = {variant.eta:g} is added to what scales with w, and does not scale itself.")
    if not variant.normalize_bias and any(role.bias for role in touched):
        found.append("Biases have T = 1, but A rescales them too.")
    follows = _error(replace(variant, eta=0.0, normalize_bias=True), tensors) <= ROUNDING
    if variant.operator is layerwise and not follows:
        found.append("The norm of a layer follows one factor for all of it, but not different factors on its nodes.")
    if variant.operator is filterwise and not follows:
        found.append(
            "The norm of a filter follows a factor on the whole filter, but not different factors on its input "
            "channels."
        )
    return " ".join(found) or "No reason is known."
