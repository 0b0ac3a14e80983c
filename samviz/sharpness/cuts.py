"""Where the regions around a network's weights cut a line or a plane through them."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import cos, inf, pi, sin

from torch import Tensor

from samviz.sharpness.frozen import Frozen
from samviz.sharpness.regions import Region
from samviz.spec.measure import Measure

ANGLES = 64
"""Points of the outline in a plane."""


@dataclass(frozen=True, slots=True)
class Cut:
    """A region {eps : ||T_w^-1 eps||_p <= rho} on a slice."""

    region: Measure
    """Of which variant, rho, p, eta and scope count."""
    reach: tuple[float, ...]
    """How far it reaches along each direction, to both sides, in multiples of it: rho / ||T_w^-1 d||_p; 0 where the
    direction moves parameters that the region keeps."""
    outline: tuple[tuple[float, float], ...]
    """Its border in the plane, around w once; empty on a line."""


def cut(frozen: Frozen, measure: Measure, g: Sequence[Tensor], directions: Sequence[Sequence[Tensor]]) -> Cut:
    """How the region of a measure cuts the slice along one or two directions, g being the gradient at w."""
    positions = frozen.within(measure.scope)
    w, gradient, roles = ([values[i] for i in positions] for values in (frozen.w, g, frozen.roles))
    region = Region.around(w, gradient, roles, measure.model, measure.rho)

    def reach(d: Sequence[Tensor]) -> float:
        outside = any(bool(t.any()) for i, t in enumerate(d) if i not in positions)
        radius = 0.0 if outside else region.radius([d[i] for i in positions])
        return radius if radius < inf else 0.0

    reaches = tuple(reach(d) for d in directions)
    if len(directions) == 1:
        return Cut(measure, reaches, ())
    half = []
    for k in range(ANGLES // 2):
        c, s = cos(2 * pi * k / ANGLES), sin(2 * pi * k / ANGLES)
        r = reach([c * a + s * b for a, b in zip(*directions, strict=True)])
        half.append((r * c, r * s))
    return Cut(measure, reaches, (*half, *((-x, -y) for x, y in half)))
