"""Sharpness against adaptive sharpness, by their rank correlation with the generalization gap: ASAM's claim, Fig. 2."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from samviz.figures.agreement import kendall_tau
from samviz.figures.gap_figure import gap_figure
from samviz.figures.networks import MeasuredGrid, Network
from samviz.figures.parts import Chart
from samviz.papers.outcomes import Measured
from samviz.variants import elementwise

FEWEST = 10
"""Networks that a rank correlation is worked out of."""
DRAWS = 1000
"""Of the bootstrap, over the networks."""
TITLES = ("Sharpness", "Adaptive sharpness")
"""Of the two charts of a pair."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Pair:
    """One kind of sharpness in the sphere (or cube), and its adaptive counterpart, over the same networks."""

    plain: Measured
    adaptive: Measured
    networks: tuple[Network, ...]
    taus: tuple[float, float]
    """Kendall's rank correlation of each with the gap of the loss (ASAM section 2)."""
    low: float
    """The 95 % interval of the second less the first, by a bootstrap over the networks."""
    high: float

    @property
    def found(self) -> str:
        """Both correlations and the interval, in words."""
        plain, adaptive = self.taus
        return (
            f"τ {adaptive:.3f} against {plain:.3f} over {len(self.networks)} networks, the difference between "
            f"{self.low:+.2f} and {self.high:+.2f}"
        )


def pairs_of(networks: Sequence[Network]) -> list[Pair]:
    """All pairs of a plain and an adaptive sharpness that at least `FEWEST` of these networks have.

    The two of a pair have the same p, search, steps and images: only the region's shape and radius differ.
    """
    kinds = list(dict.fromkeys(kind for network in networks for kind in network.sharpness))
    found = []
    for plain in kinds:
        if plain.measure.variant != "sam" or plain.measure.scope != "all":
            continue
        for adaptive in kinds:
            if adaptive.measure.model.operator is not elementwise or _alike(plain) != _alike(adaptive):
                continue
            known = tuple(network for network in networks if network.known((plain, adaptive)))
            points = np.array([(n.gap("loss", plain), n.sharpness[plain], n.sharpness[adaptive]) for n in known]).T
            if len(known) >= FEWEST and np.ptp(points, axis=1).all():  # where all are alike, no rank
                found.append(_pair(plain, adaptive, known, points))
    return found


def _alike(kind: Measured) -> tuple:
    measure = kind.measure
    return measure.model.p, measure.scope, measure.search, measure.steps, measure.normalized, kind.images, kind.m


def _pair(plain: Measured, adaptive: Measured, networks: tuple[Network, ...], points: np.ndarray) -> Pair:
    """`points` are (3, networks): the gap and both kinds of sharpness."""
    ranks = [_signs(row) for row in points]
    random = np.random.default_rng(0)
    drawn = []
    for _ in range(DRAWS):
        chosen = random.integers(0, len(networks), len(networks))
        g, a, b = (rank[np.ix_(chosen, chosen)] for rank in ranks)
        drawn.append(_tau(g, b) - _tau(g, a))
    low, high = np.nanquantile(drawn, [0.025, 0.975])
    gap, *values = points
    taus = kendall_tau(gap, values[0]), kendall_tau(gap, values[1])
    return Pair(plain=plain, adaptive=adaptive, networks=networks, taus=taus, low=float(low), high=float(high))


def _signs(x: np.ndarray) -> np.ndarray:
    """(n, n): which of two is the larger; the bootstrap takes rows and columns of it, and counts no pairs anew."""
    return np.sign(x[:, None] - x[None, :])


def _tau(a: np.ndarray, b: np.ndarray) -> float:
    size = np.sqrt((a * a).sum() * (b * b).sum())
    return float((a * b).sum() / size) if size else float("nan")


def pair_charts(grid: MeasuredGrid, pairs: Sequence[Pair]) -> list[Chart]:
    """Two charts a pair, a point a network: the sharpness, and the adaptive one."""
    return [
        Chart(
            name=f"asam-2-{grid.id}-{k}-{title}",
            title=f"{title}: τ = {tau:.3f}",
            figure=gap_figure(grid.sweep, pair.networks, kind, "loss"),
            height=320,
            note=kind.label,
        )
        for k, pair in enumerate(pairs)
        for title, kind, tau in zip(TITLES, (pair.plain, pair.adaptive), pair.taus, strict=True)
    ]
