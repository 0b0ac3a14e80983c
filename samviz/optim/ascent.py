"""The one-step maximizer: from weights and gradients to the perturbation eps."""

from collections.abc import Sequence
from functools import reduce
from math import inf, nan

import torch
from torch import Tensor

from samviz.variants import Role, Variant


def maximizer(
    w: Sequence[Tensor], g: Sequence[Tensor], roles: Sequence[Role], variant: Variant, rho: float
) -> list[Tensor]:
    """eps, shaped like w: where <g, eps> is largest in the region ||T_w^-1 eps||_p <= rho (ASAM section 4).

    With the dual exponent q, 1/p + 1/q = 1, and u = T_w g over all tensors together

        eps = rho T_w sign(u) (|u| / ||u||_q)^(q - 1)

    of which SAM-ON Eq. 4 prints two cases: rho T_w^2 g / ||T_w g||_2 for p = 2, rho T_w sign(g) for p = infinity.
    For p = 1 it is the limit: rho T_w sign(u) on the largest |u| alone, in equal parts where several are the largest.

    eps is 0 where all of u is 0: a zero gradient, or zero weights with eta 0. (For p = 2 it is next to 0 where u is so
    small that the sum of its squares is 0 in the tensors' precision.) A NaN or an infinity in u makes eps NaN, for
    p = infinity in its own coordinate and otherwise in all: a step that went wrong shows in the next loss. Nothing is
    read back from the device; tensors may lie on several.
    """
    T = [variant.T(wi, gi, variant.eta, role) for wi, gi, role in zip(w, g, roles, strict=True)]
    if all(isinstance(t, float) for t in T):  # SAM: u = g
        return _steepest(g, variant.p, rho)
    T = [torch.full_like(gi, t) if isinstance(t, float) else t for gi, t in zip(g, T, strict=True)]
    eps = _steepest(torch._foreach_mul(g, T), variant.p, rho)
    torch._foreach_mul_(eps, T)
    return eps


def _steepest(u: Sequence[Tensor], p: float, rho: float) -> list[Tensor]:
    """z, shaped like u: where <u, z> is largest in the ball ||z||_p <= rho."""
    if p == 2:
        norm = _norm(u, 2)
        z = _divided(u, torch.where(norm == inf, nan, norm))
    elif p == inf:
        z = torch._foreach_sign(u)
        torch._foreach_add_(z, u, alpha=0)  # sign(NaN) is 0 in torch, NaN + 0 is not
    elif p == 1:
        top = _norm(u, inf)
        z = [x.sign() * (x.abs() == top.to(x)) for x in u]
        parts = sum(x.count_nonzero().to(top.device) for x in z)
        z = _divided(z, torch.where(top.isfinite(), parts, nan))
    else:
        q = p / (p - 1)
        v = torch._foreach_abs(_divided(u, _norm(u, inf)))  # at most 1, so that no power leaves the range of floats
        z = torch._foreach_pow(v, q - 1)
        total = _norm(torch._foreach_mul(z, v), 1)  # sum v^q = (||u||_q / max |u|)^q
        z = _divided(z, total ** (1 / p))
        torch._foreach_mul_(z, torch._foreach_sign(u))
    torch._foreach_mul_(z, rho)
    return z


def _norm(tensors: Sequence[Tensor], order: float) -> Tensor:
    """The norm over all entries of all tensors, a scalar on the first one's device, in the widest of their types."""
    norms = torch._foreach_norm(tensors, order)
    widest = reduce(torch.promote_types, {n.dtype for n in norms})
    return torch.linalg.vector_norm(torch.stack([n.to(norms[0].device, widest) for n in norms]), order)


def _divided(tensors: Sequence[Tensor], norm: Tensor) -> list[Tensor]:
    """The tensors over their norm; unchanged where that is 0, and so are they."""
    norm = torch.where(norm == 0, 1.0, norm)
    if len({(t.device, t.dtype) for t in tensors}) == 1:
        return torch._foreach_div(tensors, norm.to(tensors[0]))
    return [t / norm.to(t) for t in tensors]
