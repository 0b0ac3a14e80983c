"""The region {eps : ||T_w^-1 eps||_p <= rho} around the weights of a network (ASAM Eq. 4, SAM-ON Eq. 3)."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from samviz.sharpness.balls import Ball
from samviz.variants import Role, Variant


@dataclass(frozen=True, slots=True)
class Region:
    """A sphere, a cube, an ellipsoid or a cuboid: the image of a ball under the diagonal T_w.

    eps is a list of tensors shaped like the perturbed parameters, and z = T_w^-1 eps are its coordinates in the ball.
    """

    T: tuple[Tensor | float, ...]
    """The diagonal of T_w for each perturbed tensor, broadcastable to it."""
    ball: Ball

    @classmethod
    def around(
        cls, w: Sequence[Tensor], g: Sequence[Tensor], roles: Sequence[Role], variant: Variant, rho: float
    ) -> "Region":
        """The region of `variant` around the weights w with gradient g, which only the Fisher variant looks at."""
        T = [variant.T(wi, gi, variant.eta, role) for wi, gi, role in zip(w, g, roles, strict=True)]
        return cls(tuple(T), Ball(rho, variant.p))

    def eps(self, z: Sequence[Tensor]) -> list[Tensor]:
        """T_w z: from coordinates to a perturbation."""
        return [zi * t for zi, t in zip(z, self.T, strict=True)]

    def coordinates(self, eps: Sequence[Tensor]) -> list[Tensor]:
        """T_w^-1 eps: 0 where eps is 0, and infinite where only T_w is."""
        return [torch.where(e == 0, 0.0, e / t) for e, t in zip(eps, self.T, strict=True)]

    def norm(self, eps: Sequence[Tensor]) -> float:
        """||T_w^-1 eps||_p over all perturbed parameters."""
        return float(self.ball.norm(self.coordinates(eps)))

    def project(self, eps: Sequence[Tensor]) -> list[Tensor]:
        """The point of the region next to eps in its own norm: rescaled for p = 2, clipped for p = infinity."""
        return self.eps(self.ball.project(self.coordinates(eps)))

    def radius(self, d: Sequence[Tensor]) -> float:
        """How far the region reaches along d, as a multiple of it: rho / ||T_w^-1 d||_p; infinite along 0."""
        norm = self.norm(d)
        return self.ball.rho / norm if norm else float("inf")
