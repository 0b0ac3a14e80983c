"""The ball ||z||_p <= rho that every region becomes in its own coordinates z = T_w^-1 eps, for p = 2 and infinity."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import inf

import torch
from torch import Tensor
from torch.nn.utils import get_total_norm

from samviz.optim import VARIANTS, maximizer
from samviz.spec import check
from samviz.variants import WEIGHT


@dataclass(frozen=True, slots=True)
class Ball:
    """{z : ||z||_p <= rho}, z being a list of tensors and the norm that of all their entries together."""

    rho: float
    p: float = 2.0

    def __post_init__(self) -> None:
        check.number("rho", self.rho, 0, 100)
        if self.p not in (2, inf):
            raise check.wrong("p", "2 or infinity", self.p)

    def norm(self, z: Sequence[Tensor]) -> Tensor:
        """||z||_p, a scalar."""
        return get_total_norm(z, self.p)

    def steepest(self, u: Sequence[Tensor], length: float) -> list[Tensor]:
        """Where <u, z> is largest in the ball of radius `length`: length u / ||u||_2, or length sign(u)."""
        return maximizer(u, u, [WEIGHT] * len(u), replace(VARIANTS["sam"], p=self.p), length)

    def project(self, z: Sequence[Tensor]) -> list[Tensor]:
        """The point of the ball next to z: rescaled for p = 2, clipped for p = infinity."""
        if self.p == inf:
            return [t.clamp(-self.rho, self.rho) for t in z]
        shrink = (self.rho / self.norm(z)).clamp(max=1)  # rho / 0 is infinite
        return [t * shrink for t in z] if self.rho > 0 else [torch.zeros_like(t) for t in z]

    def random_point(self, like: Sequence[Tensor], seed: str) -> list[Tensor]:
        """A point drawn uniformly from the ball, shaped like `like`: the same on every device, in every precision."""
        # A hash of the seed: torch's generator on the CPU looks at 32 bits of a seed only.
        rng = random.Random(seed)
        generator = torch.Generator().manual_seed(rng.getrandbits(32))
        if self.p == inf:
            draws = [2 * torch.rand(t.shape, generator=generator) - 1 for t in like]
            return [self.rho * d.to(t) for d, t in zip(draws, like, strict=True)]
        draws = [torch.randn(t.shape, generator=generator) for t in like]
        n = sum(t.numel() for t in like)
        length = self.rho * rng.random() ** (1 / n)
        return [d.to(t) * (length / float(get_total_norm(draws))) for d, t in zip(draws, like, strict=True)]
