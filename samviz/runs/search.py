"""What a sweep runs next: a pure function of what its comparisons have come to, so that a search survives anything.

A search is rebuilt from the store at every call: no process has to remember it. Each proposal's random draws depend
on the sweep's seed, the arm and the number of the trial alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from math import isfinite

from samviz.spec import check
from samviz.spec.sweep import Point, Sweep

OUTCOMES = ("running", "finished", "pruned", "failed")
"""What a point has come to: running also while it waits or is paused, pruned where it diverged, failed also where it
was cancelled."""
DIGITS = 4
"""Of a value that a search proposes: names, keys and addresses can tell it exactly."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What one point of a sweep has come to."""

    point: Point
    state: str
    """One of `OUTCOMES`."""
    value: float | None = None
    """What the point is judged by, in percent; of a finished one alone."""

    def __post_init__(self) -> None:
        check.choice("state", self.state, OUTCOMES)
        if (self.value is not None) != (self.state == "finished"):
            raise ValueError(f"value must be there for a finished point alone, but it is {self.value}.")


def outcome(sweep: Sweep, point: Point, state: str, rows: Iterable[tuple[int, str, str, int, float]]) -> Outcome:
    """What a point has come to, where `state` is its comparison's and `rows` are what was measured.

    A row is (seed, key of the arm as it is trained, name, epoch, value). Needed are the last epoch's rows of the
    sweep's judge, and those named diverged.
    """
    rows = list(rows)
    if diverged(sweep, point, rows):
        return Outcome(point=point, state="pruned")
    if state not in ("finished", "cancelled", "failed"):
        return Outcome(point=point, state="running")
    found = value(sweep, point, rows) if state == "finished" else None
    if found is None:
        return Outcome(point=point, state="failed")
    return Outcome(point=point, state="finished", value=found)


def diverged(sweep: Sweep, point: Point, rows: Iterable[tuple[int, str, str, int, float]]) -> bool:
    """Whether every arm of the point has diverged with some seed: its remaining seeds need not run."""
    lost = {arm for _, arm, name, _, _ in rows if name == "diverged"}
    return all(arm.key in lost for arm in sweep.arms(point).values())


def value(sweep: Sweep, point: Point, rows: Iterable[tuple[int, str, str, int, float]]) -> float | None:
    """What a point is judged by: the mean over its arms and seeds of the accuracy after the arm's last epoch.

    That is validation accuracy where images are held out, else test accuracy (`Sweep.judge` says what this means).
    None before every seed of every arm has come to its end.
    """
    epochs = sweep.base.recipe.epochs
    ends = {arm.key: arm.epochs(epochs) for arm in sweep.arms(point).values()}
    found = {
        (seed, arm): accuracy
        for seed, arm, name, epoch, accuracy in rows
        if name == sweep.judge and ends.get(arm) == epoch and accuracy is not None and isfinite(accuracy)
    }
    return sum(found.values()) / len(found) if len(found) == len(ends) * len(sweep.base.seeds) else None


def installed() -> bool:
    """Whether Optuna is there."""
    return find_spec("optuna") is not None


def require(sweep: Sweep) -> None:
    """Raise ValueError, in one sentence that says how to install it, where a sweep needs Optuna and it is missing."""
    if sweep.search == "optuna" and not installed():
        raise ValueError(
            "search is optuna, but Optuna is not installed: pip install -r requirements-cluster.txt, or take grid."
        )


def load() -> None:
    """Import Optuna, if it is there: so that what comes next takes no second for it."""
    if installed():
        import optuna  # noqa: F401


def propose(sweep: Sweep, outcomes: Sequence[Outcome], most: int) -> list[Point]:
    """At most `most` further points to run, given the outcomes so far in the order of their proposals.

    A grid gives its next points. A search asks Optuna, in turns for the arm with the fewest trials; whatever was asked
    for counts as a trial, failed and pruned ones, too. Empty when there is nothing more to run. ValueError where Optuna
    is needed and missing.
    """
    if sweep.search == "grid":
        known = {outcome.point for outcome in outcomes}
        return [point for point in sweep.points() if point not in known][:most]
    require(sweep)
    trials: dict[str, list[Outcome]] = {arm.key: [] for arm in sweep.base.arms}
    for known in outcomes:
        trials[known.point.arms[0]].append(known)
    points: list[Point] = []
    while len(points) < most:
        open_arms = [arm for arm, own in trials.items() if len(own) < sweep.budget(arm)]
        if not open_arms:
            break
        arm = min(open_arms, key=lambda arm: len(trials[arm]))
        points.append(_ask(sweep, arm, trials[arm]))
        trials[arm].append(Outcome(point=points[-1], state="running"))
    return points


def _ask(sweep: Sweep, arm: str, trials: list[Outcome]) -> Point:
    """The next trial of one arm."""
    import numpy as np
    import optuna  # optional, and a second to import
    from optuna.distributions import FloatDistribution
    from optuna.trial import TrialState, create_trial

    told = (TrialState.RUNNING, TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL)
    states = dict(zip(OUTCOMES, told, strict=True))
    ranges = sweep.ranges(arm)
    space = {name: FloatDistribution(low, high, log=True) for name, (low, high) in ranges.items()}
    number = [known.key for known in sweep.base.arms].index(arm)
    draw = np.random.SeedSequence([sweep.seed, number, len(trials)]).generate_state(1)[0]
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    # TPE counts a pruned trial without intermediate values among the worst, and a running one (the constant liar, on
    # by default) among those not to come near to; it leaves a failed one out.
    sampler = optuna.samplers.TPESampler(seed=int(draw), constant_liar=True)
    study = optuna.create_study(direction="maximize", sampler=sampler)
    for known in trials:
        params = {name: getattr(known.point, name) for name in ranges}
        study.add_trial(create_trial(state=states[known.state], value=known.value, params=params, distributions=space))
    asked = study.ask(space).params
    values = {name: _rounded(asked[name], *ends) for name, ends in ranges.items()}
    return Point(**{"lr": sweep.base.recipe.lr, "rho": None} | values, arms=(arm,))


def _rounded(value: float, low: float, high: float) -> float:
    return min(max(float(f"{value:.{DIGITS}g}"), low), high)
