"""A sweep as one table: what each arm came to at each point, and which point is its best."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from math import isfinite
from statistics import fmean, stdev

from samviz.spec.sweep import RECIPE_FIELDS, Point, Sweep

AXES = {
    "lr": "lr",
    "rho": "rho",
    "batch_size": "batch size",
    "weight_decay": "weight decay",
    "dropout": "dropout",
}
"""What a sweep can vary, and what tables and sentences call it."""
STOPS = ("diverged", "failed")
"""Measures that tell that an arm went no further: its loss was no longer finite, or it ran out of memory."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One arm at one point. Accuracies in percent; None where no seed has come to the end, or too few have."""

    comparison: str
    """Id of the comparison that trains it."""
    key: str
    """Of the base's arm."""
    label: str
    lr: float
    rho: float | None
    """None for the base optimizer alone."""
    n: int
    """Seeds that have come to the end of the arm's epochs."""
    mean: float | None
    """Test accuracy after the last epoch, over those seeds."""
    sd: float | None
    """Its sample standard deviation (n - 1); None below two seeds."""
    best: float | None
    """Mean over those seeds of the highest test accuracy of any epoch: picked with the test set, so too good by a
    little."""
    judged: float | None
    """What the point is judged by (`Sweep.judge`), over those seeds."""
    diverged: int
    """Seeds whose loss stopped being finite; they count nowhere above."""
    state: str
    """The comparison's, or where no seed of the arm is left one of `STOPS`."""
    batch_size: int | None = None
    """None where it is not swept, as with the next two."""
    weight_decay: float | None = None
    dropout: float | None = None
    chosen: bool = False
    """Whether this is the arm's best point so far, of those that all seeds have finished."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Swept:
    """What a sweep has come to so far."""

    sweep: Sweep
    rows: tuple[Row, ...]
    """In the order of the base's arms, by lr, then by rho and by what else is swept."""

    def of(self, key: str) -> list[Row]:
        """The rows of one arm."""
        return [row for row in self.rows if row.key == key]


def sweep_data(
    sweep: Sweep, members: Sequence[tuple[Point, str, str]], rows: Iterable[tuple[str, int, str, str, int, float]]
) -> Swept:
    """One row for each arm of each point that has a comparison.

    `members` are (point, its comparison's id, that one's state); `rows` are what was measured: (comparison's id, seed,
    key of the arm as it is trained, name, epoch, value), of test_accuracy, validation_accuracy and `STOPS`. Of each
    name are needed the last epoch's row and the highest; more change nothing.
    """
    measured: dict[tuple[str, str, str], dict[int, dict[int, float]]] = defaultdict(lambda: defaultdict(dict))
    for id, seed, arm, name, epoch, value in rows:
        if value is not None and isfinite(value):
            measured[id, arm, name][seed][epoch] = value
    found = [_row(sweep, *member, key, measured) for member in members for key in member[0].arms]
    order = [arm.key for arm in sweep.base.arms]
    found.sort(key=lambda row: (order.index(row.key), *(getattr(row, axis) or 0 for axis in AXES)))
    best = [_best(sweep, [row for row in found if row.key == key]) for key in order]
    return Swept(sweep=sweep, rows=tuple(replace(row, chosen=row in best) for row in found))


def _row(sweep: Sweep, point: Point, id: str, state: str, key: str, measured: dict) -> Row:
    arm = sweep.arms(point)[key]
    last = arm.epochs(sweep.base.recipe.epochs)
    test, judge, *stops = (measured.get((id, arm.key, name), {}) for name in ("test_accuracy", sweep.judge, *STOPS))
    ends = [seed for seed in sweep.base.seeds if last in test.get(seed, {})]
    finals = [test[seed][last] for seed in ends]
    judged = [judge[seed][last] for seed in ends if last in judge.get(seed, {})]
    return Row(
        comparison=id,
        key=key,
        label=sweep.labels[key],
        lr=point.lr,
        rho=None if arm.variant is None else arm.rho,
        **{field: getattr(point, field) for field in RECIPE_FIELDS},
        n=len(ends),
        mean=fmean(finals) if ends else None,
        sd=stdev(finals) if len(ends) > 1 else None,
        best=fmean(max(test[seed].values()) for seed in ends) if ends else None,
        judged=fmean(judged) if judged else None,
        diverged=len(stops[0]),
        state=state if ends else next((why for why, seeds in zip(STOPS, stops, strict=True) if seeds), state),
    )


def _best(sweep: Sweep, rows: list[Row]) -> Row | None:
    done = [row for row in rows if row.n == len(sweep.base.seeds) and row.judged is not None]
    return max(done, key=lambda row: row.judged, default=None)


def sweep_table(data: Swept) -> list[tuple[str, ...]]:
    """The table as text, its head first."""
    held_out = data.sweep.judge == "validation_accuracy"
    more = [field for field in RECIPE_FIELDS if field in data.sweep.axes]
    head = ("arm", "lr", "rho", *(AXES[field] for field in more))
    head += ("test accuracy", "best epoch", "seeds", "diverged", "state")
    table = [head + (("validation accuracy",) if held_out else ())]
    for row in data.rows:
        rho = "" if row.rho is None else f"{row.rho:g}"
        mark = " *" if row.chosen else ""
        cells = (row.label + mark, f"{row.lr:g}", rho, *(f"{getattr(row, field):g}" for field in more))
        cells += (accuracy(row), _percent(row.best), str(row.n), str(row.diverged or ""), row.state)
        table.append(cells + ((_percent(row.judged),) if held_out else ()))
    return table


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f} %"


def accuracy(row: Row) -> str:
    """The test accuracy at the end, with its deviation where there is one."""
    return _percent(row.mean) + ("" if row.sd is None else f" ± {row.sd:.2f}")


def sweep_conclusion(data: Swept) -> list[str]:
    """What came out best for each arm, by what it was chosen, and what that does not say: sentences."""
    sweep, sentences = data.sweep, []
    for row in data.rows:
        if row.chosen:
            edge = _edge(sweep, row)
            sentences.append(f"{row.label}: best at {place(row)}, test accuracy {accuracy(row)}{edge}.")
    if not sentences:
        return ["No point has finished all its seeds yet."]
    if sweep.judge == "validation_accuracy":
        sentences.append("Chosen by the accuracy on held-out train images, so the test accuracy is an honest one.")
    else:
        sentences.append("Chosen with the test set, which flatters: hold validation images out to choose by.")
    if len(sweep.base.seeds) == 1:
        sentences.append("One seed: small differences may be chance.")
    return sentences


def place(row: Row) -> str:
    """Where in the sweep a row is: "lr 0.1, rho 0.05, batch size 64"."""
    told = ((name, getattr(row, axis)) for axis, name in AXES.items())
    return ", ".join(f"{name} {value:g}" for name, value in told if value is not None)


def _edge(sweep: Sweep, row: Row) -> str:
    """A warning where the best value of several is the first or the last that was tried; nothing is below 0."""
    told = []
    for axis, name in AXES.items():
        values, value = getattr(sweep, axis), getattr(row, axis)
        if sweep.search == "grid" and len(values) > 1 and value in (min(values), max(values)) and value != 0:
            told.append(f"the {'smallest' if value == min(values) else 'largest'} {name} tried")
    return f" ({' and '.join(told)}: the best may lie beyond)" if told else ""
