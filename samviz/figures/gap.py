"""Sharpness against the generalization gap over the networks of a sweep: ASAM's Table 1 and Fig. 2."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf, isfinite
from typing import Any

from samviz.figures import palette
from samviz.figures.agreement import Agreement, agreement
from samviz.figures.sweep import place
from samviz.figures.sweep_figure import round_ticks
from samviz.spec.measure import Measure
from samviz.spec.sweep import Point, Sweep

GAPS = {
    "loss": "test loss minus train loss",
    "accuracy": "train accuracy minus test accuracy (points)",
}
"""Of what the gap is: ASAM's (section 2, the expected loss minus the training loss), and the Lab's."""

MEASURES = (
    Measure(variant="sam", rho=0.05, normalized=False),
    Measure(variant="elementwise_l2", rho=0.5, normalized=False),
    Measure(variant="sam", p=inf, rho=0.001, normalized=False),
    Measure(variant="elementwise_linf", rho=0.005, normalized=False),
)
"""The columns of ASAM Table 1. Its radii are not in the text at hand: 0.05 and 0.5 are those that it trains with
(section 5.2), 0.005 is that of SAM-ON Table 8, and 0.001 is ours."""
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
MOST_TICKS = 10
"""On the axis of sharpness."""
FEWEST_SURE = 20
"""Networks below which a tau says little: one of 0.33 may be chance then."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Network:
    """One network that was trained and measured."""

    point: Point
    seed: int
    arm: str
    """Key of the base's arm."""
    gaps: dict[str, float]
    """By the keys of `GAPS`."""
    sharpness: tuple[float, ...]
    """In the order of `MEASURES`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Correlation:
    """What the sharpness of a sweep's networks has to do with their gap."""

    sweep: Sweep
    networks: tuple[Network, ...]
    lost: int
    """Networks that were measured but have no finite number of each kind: mostly they diverged."""

    @property
    def varied(self) -> tuple[str, ...]:
        """The hyper-parameters that have several values, in the order of `ROWS`."""
        return varied(self.sweep)

    def agreement(self, k: int, gap: str) -> Agreement:
        """Between the k-th measure and a gap; within a group seed and arm are the same, too."""
        return agreement(
            [network.sharpness[k] for network in self.networks],
            [network.gaps[gap] for network in self.networks],
            {axis: [getattr(network.point, axis) for network in self.networks] for axis in self.varied},
            [(network.seed, network.arm) for network in self.networks],
        )


def varied(sweep: Sweep) -> tuple[str, ...]:
    """The hyper-parameters of a grid that have several values; none of a search, whose points have no grid."""
    return tuple(axis for axis in ROWS if len(getattr(sweep, axis)) > 1) if sweep.search == "grid" else ()


def correlation_data(
    sweep: Sweep,
    members: Iterable[tuple[Point, str]],
    rows: Iterable[tuple[str, int, str, str, int, float]],
    results: Mapping[tuple[str, int], Mapping[str, Any]],
) -> Correlation:
    """Every network that was measured.

    `members` are (point, its comparison's id); `rows` what training told: (comparison's id, seed, key of the arm as it
    is trained, name, epoch, value), of test_loss, test_accuracy and train_accuracy; `results` what `MEASURES`, in their
    order and with any radii, came to: (comparison's id, seed) -> the result of a `SharpnessOf`.

    The train loss is that of the measurement: at the weights that were measured, without dropout, augmentation and
    label smoothing, as the test loss is. Train accuracy is the Lab's, an average over the last epoch.
    """
    told = {tuple(row[:5]): row[5] for row in rows}
    found, lost = [], 0
    for point, id in members:
        for key, arm in sweep.arms(point).items():
            for seed in sweep.base.seeds:
                if (result := results.get((id, seed))) is None:
                    continue
                measured = result["arms"][arm.key]
                test_loss, test, train = (
                    told.get((id, seed, arm.key, name, result["epoch"]))
                    for name in ("test_loss", "test_accuracy", "train_accuracy")
                )
                numbers = [test_loss, test, train, *(one[part] for one in measured for part in ("value", "loss"))]
                if not all(number is not None and isfinite(number) for number in numbers):
                    lost += 1
                    continue
                gaps = {"loss": test_loss - measured[0]["loss"], "accuracy": train - test}
                sharpness = tuple(one["value"] for one in measured)
                found.append(Network(point=point, seed=seed, arm=key, gaps=gaps, sharpness=sharpness))
    return Correlation(sweep=sweep, networks=tuple(found), lost=lost)


def correlation_table(data: Correlation, gap: str) -> list[tuple[str, str, list[float | None]]]:
    """A line for each hyper-parameter, their mean and the overall tau, as in ASAM Table 1.

    (name on screen, what the data of ASAM Table 1 call it, a coefficient for each of `MEASURES`).
    """
    found = [data.agreement(k, gap) for k in range(len(MEASURES))]
    lines = [(*ROWS[axis], [one.granulated[axis].psi for one in found]) for axis in data.varied]
    lines.append(("Ψ, their mean", "granulated tau, average", [one.mean for one in found]))
    return [*lines, ("τ, over all networks", "Kendall tau", [one.tau for one in found])]


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


def rate_looks(sweep: Sweep) -> list[dict[str, str]]:
    """The color of each learning rate, as the charts' legend takes it: key, label, color and dash."""
    rates = sorted(sweep.lr or (sweep.base.recipe.lr,))
    hues = palette.SEQUENTIAL[3:8]  # neither too dark for a dark page nor too light for a light one
    step = (len(hues) - 1) / max(1, len(rates) - 1)
    return [
        {"key": f"lr {lr:g}", "label": f"lr {lr:g}", "color": hues[round(k * step)], "dash": "solid"}
        for k, lr in enumerate(rates)
    ]


def correlation_figure(data: Correlation, k: int, gap: str) -> dict[str, Any]:
    """The gap against the k-th measure, a point a network, as a plain plotly dictionary {data, layout}."""
    traces = []
    for look in rate_looks(data.sweep):
        mine = [network for network in data.networks if f"lr {network.point.lr:g}" == look["key"]]
        traces.append(
            {
                "type": "scatter",
                "mode": "markers",
                "meta": look["key"],
                "name": look["label"],
                "x": [network.sharpness[k] for network in mine],
                "y": [network.gaps[gap] for network in mine],
                "marker": {"color": look["color"], "size": 9, "line": {"color": "#8a9099", "width": 0.8}},
                "text": [_hover(data, network, k) for network in mine],
                "hovertemplate": "%{text}<extra></extra>",
            }
        )
    return {
        "data": traces,
        "layout": {
            "xaxis": {"title": {"text": "sharpness"}, **_axis([network.sharpness[k] for network in data.networks])},
            "yaxis": {"title": {"text": GAPS[gap]}},
            "hovermode": "closest",
        },
    }


def _axis(values: Sequence[float]) -> dict[str, Any]:
    """Logarithmic where all values allow it."""
    if not values or min(values) <= 0:
        return {"type": "linear"}
    ticks = round_ticks((min(values) / 2, max(values) * 2), MOST_TICKS)
    return {"type": "log", "tickvals": ticks, "ticktext": [f"{tick:g}" for tick in ticks]}


def _hover(data: Correlation, network: Network, k: int) -> str:
    several = len(data.sweep.base.seeds) > 1
    lines = [place(network.point) + (f", seed {network.seed}" if several else "")]
    if len(data.sweep.base.arms) > 1:
        lines.insert(0, f"<b>{data.sweep.labels[network.arm]}</b>")
    gaps = network.gaps
    lines.append(f"sharpness {network.sharpness[k]:.4g}")
    lines.append(f"gap {gaps['loss']:.3g} in the loss, {gaps['accuracy']:.1f} points in the accuracy")
    return "<br>".join(lines)


def with_radii(radii: Sequence[float]) -> tuple[Measure, ...]:
    """`MEASURES` with other radii; ValueError where one cannot be."""
    return tuple(replace(measure, rho=rho) for measure, rho in zip(MEASURES, radii, strict=True))
