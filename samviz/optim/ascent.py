"""The one-step maximizer: from weights and gradients to the perturbation eps."""

from collections.abc import Sequence
from math import inf

import torch
from torch import Tensor

from samviz.variants import Role, Variant


def maximizer(
    w: Sequence[Tensor], g: Sequence[Tensor], roles: Sequence[Role], variant: Variant, rho: float, eta: float
) -> list[Tensor]:
    """eps, shaped like w: where <g, eps> is largest in the region ||T_w^-1 eps||_p <= rho, for p above 1.

    With the dual exponent q, 1/p + 1/q = 1, and u = T_w g over all tensors together (ASAM section 4):

        eps = rho T_w sign(u) (|u| / ||u||_q)^(q - 1)

    SAM-ON Eq. 4 prints its two cases: rho T_w^2 g / ||T_w g||_2 for p = 2, rho T_w sign(g) for p = infinity.
    eps is 0 where ||T_w g||_q = 0. Nothing is read back from the device.
    """
    q = 1.0 if variant.p == inf else variant.p / (variant.p - 1)
    T = [variant.operator(wi, gi, eta, role) for wi, gi, role in zip(w, g, roles, strict=True)]
    if not all(isinstance(t, float) for t in T):  # foreach takes a list of numbers or a list of tensors
        T = [torch.full_like(gi, t) if isinstance(t, float) else t for gi, t in zip(g, T, strict=True)]
    u = torch._foreach_mul(g, T)
    norm = torch.linalg.vector_norm(torch.stack(torch._foreach_norm(u, q)), q)
    norm = torch.where(norm == 0, 1.0, norm)  # then u = 0, and so is eps
    eps = torch._foreach_div(u, norm)
    if q != 2:
        eps = [x.sign() * x.abs() ** (q - 1) for x in eps]
    torch._foreach_mul_(eps, T)
    torch._foreach_mul_(eps, rho)
    return eps
