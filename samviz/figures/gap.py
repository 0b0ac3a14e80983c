"""Rank correlations of sharpness and the generalization gap over the networks of a sweep: ASAM's Table 1."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from math import inf

from samviz.figures.agreement import Agreement, agreement
from samviz.figures.networks import Network, kinds_of, varied
from samviz.papers.outcomes import Measured
from samviz.spec.measure import Measure
from samviz.spec.measurement import SharpnessOf
from samviz.spec.sweep import Sweep

MEASURES = (
    Measure(variant="sam", rho=0.05, normalized=False),
    Measure(variant="elementwise_l2", rho=0.5, normalized=False),
    Measure(variant="sam", p=inf, rho=0.001, normalized=False),
    Measure(variant="elementwise_linf", rho=0.005, normalized=False),
)
"""The columns of ASAM Table 1. Its radii are not in the text at hand: 0.05 and 0.5 are those that it trains with
(section 5.2), 0.005 is that of SAM-ON Table 8, and 0.001 is ours."""
IMAGES, M = 1024, 128
"""Train images that are measured, and how many climb together, until somebody asks for others: ours."""
COLUMNS = (
    ("sharpness", 2.0, "Sharpness, p = 2"),
    ("adaptive sharpness", 2.0, "Adaptive sharpness, p = 2"),
    ("sharpness", inf, "Sharpness, p = ∞"),
    ("adaptive sharpness", inf, "Adaptive sharpness, p = ∞"),
)
"""Of each measure what ASAM Table 1 calls it, its p, and both on screen."""
ROWS = {
    "batch_size": ("Batch size", "granulated tau, mini-batch size"),
    "lr": ("Learning rate", "granulated tau, learning rate"),
    "weight_decay": ("Weight decay", "granulated tau, weight decay"),
    "dropout": ("Dropout", "granulated tau, dropout rate"),
    "rho": ("Radius ρ of training", ""),
}
"""Each hyper-parameter's name on screen, and what the data of ASAM Table 1 call its row."""
FEWEST_SURE = 20
"""Networks below which a tau says little: one of 0.33 may be chance then."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Correlation:
    """What the sharpness of a sweep's networks has to do with their gap."""

    sweep: Sweep
    kinds: tuple[Measured, ...]
    """In the order of `MEASURES`."""
    networks: tuple[Network, ...]
    """That have all these kinds."""
    lost: int
    """Networks that were measured but have no finite number of each kind: mostly they diverged."""

    @property
    def varied(self) -> tuple[str, ...]:
        """The hyper-parameters that have several values, in the order of `ROWS`."""
        return tuple(axis for axis in ROWS if axis in varied(self.sweep))

    def agreement(self, k: int, gap: str) -> Agreement:
        """Between the k-th measure and a gap, a key of `GAPS`; within a group seed and arm are the same, too."""
        kind = self.kinds[k]
        return agreement(
            [network.sharpness[kind] for network in self.networks],
            [network.gap(gap, kind) for network in self.networks],
            {axis: [getattr(network.point, axis) for network in self.networks] for axis in self.varied},
            [(network.seed, network.arm) for network in self.networks],
        )


def correlation_data(sweep: Sweep, networks: Iterable[Network], asked: SharpnessOf) -> Correlation:
    """Over those networks of a sweep of which all was measured that is asked: `MEASURES`, with any radii."""
    kinds = kinds_of(asked)
    measured = [network for network in networks if all(kind in network.sharpness for kind in kinds)]
    known = tuple(network for network in measured if network.known(kinds))
    return Correlation(sweep=sweep, kinds=kinds, networks=known, lost=len(measured) - len(known))


def correlation_table(data: Correlation, gap: str) -> list[tuple[str, str, list[float | None]]]:
    """A line for each hyper-parameter, their mean and the overall tau, as in ASAM Table 1.

    (name on screen, what the data of ASAM Table 1 call it, a coefficient for each of `MEASURES`).
    """
    found = [data.agreement(k, gap) for k in range(len(MEASURES))]
    lines = [(*ROWS[axis], [one.granulated[axis].psi for one in found]) for axis in data.varied]
    lines.append(("Ψ, their mean", "granulated tau, average", [one.mean for one in found]))
    return [*lines, ("τ, over all networks", "Kendall tau", [one.tau for one in found])]


def beside_asam(data: Correlation, gap: str) -> list[tuple[str, list[tuple[float | None, float | None]]]]:
    """The lines of `correlation_table`: (name on screen, of each measure its coefficient and the cell of ASAM Table 1).

    Those cells are from another network and grid; None where ASAM has no such line.
    """
    from samviz import papers  # with pandas, which those who look at something else need not wait for

    frame = papers.table("asam", 1)
    printed = {(row.method, row.p, row.metric): row.value for row in frame.itertuples()}
    return [
        (name, [(value, printed.get((*column[:2], metric))) for value, column in zip(values, COLUMNS, strict=True)])
        for name, metric, values in correlation_table(data, gap)
    ]


def about_gap(gap: str, sweep: Sweep) -> str:
    """What a key of `GAPS` means here, in sentences."""
    if gap == "loss":
        smooth = sweep.base.recipe.label_smoothing > 0
        told = ", and without the label smoothing of training" if smooth else ""
        return (
            "The gap is ASAM's (section 2): the loss on all test images, less that on the train images that are "
            f"measured, both at the final weights and in evaluation mode{told}."
        )
    return (
        "The gap is the Lab's: accuracy over the batches of the last epoch, with dropout and augmentation as trained, "
        "less that on all test images. ASAM's is that of the loss."
    )


def correlation_notes(data: Correlation, gap: str) -> list[str]:
    """What the numbers rest on, what was left out and what they do not say: sentences."""
    n = len(data.networks)
    if n < 2:
        return [f"A rank correlation needs at least two networks, but {n or 'none'} can be compared yet.", *_lost(data)]
    found = [data.agreement(k, gap) for k in range(len(MEASURES))]
    chance = min(found[0].chance, 1)
    notes = [
        f"{n} networks. Where sharpness had nothing to do with the gap, τ over so many would lie between −{chance:.2f} "
        f"and {chance:.2f} nineteen times of twenty."
    ]
    if n < FEWEST_SURE:
        notes.append(f"That is few: below {FEWEST_SURE} networks a coefficient says little.")
    notes += _lost(data)
    for axis in data.varied:
        groups = [one.granulated[axis] for one in found]
        name = ROWS[axis][0]
        if groups[0].alone:
            notes.append(f"{name}: {_counted(groups[0].alone, 'group')} left out, where one network stands alone.")
        notes += [
            f"{name}{which}: {_counted(tied, 'group')} left out, where all are alike in sharpness or in the gap."
            for which, tied in _by_measure([one.tied for one in groups])
        ]
        if all(one.psi is None for one in groups):
            notes.append(f"{name}: no coefficient, and so no mean.")
    if ties := [f"{count}{which}" for which, count in _by_measure([one.ties for one in found])]:
        notes.append(f"Pairs that tie, of {n * (n - 1) // 2}: {'; '.join(ties)}. τ is Kendall's τ-b.")
    if len(data.sweep.base.arms) > 1:
        notes.append("Groups hold the arm fixed; τ is over all arms.")
    return notes


def _by_measure(counts: Sequence[int]) -> list[tuple[str, int]]:
    """What is to be said of a number for each measure: once where all are the same, and nothing of 0."""
    if len(set(counts)) == 1:
        return [("", counts[0])] if counts[0] else []
    return [(f", {COLUMNS[k][2]}", count) for k, count in enumerate(counts) if count]


def _lost(data: Correlation) -> list[str]:
    """A sentence on what cannot be compared, where there is something."""
    if not data.lost:
        return []
    return [f"{_counted(data.lost, 'network')} left out: some loss or sharpness of theirs is not finite."]


def _counted(n: int, what: str) -> str:
    return f"{n} {what} is" if n == 1 else f"{n} {what}s are"


def with_radii(radii: Sequence[float]) -> tuple[Measure, ...]:
    """`MEASURES` with other radii; ValueError where one cannot be."""
    return tuple(replace(measure, rho=rho) for measure, rho in zip(MEASURES, radii, strict=True))
