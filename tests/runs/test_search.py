"""What a sweep runs next, by the real Optuna: it finds optima, keeps off what diverges, and survives a restart."""

import sys
from collections.abc import Callable
from dataclasses import replace
from math import log10

import numpy as np
import pytest

from samviz.runs.search import Outcome, diverged, installed, outcome, propose, require, value
from samviz.spec import PRESETS, Arm
from samviz.spec.sweep import Point, Sweep

QUICK = PRESETS["quick"].comparison
SGD, ALL, ON, NO_NORM = (arm.key for arm in QUICK.arms)
LOW, HIGH = -3.0, 1.0
"""Of log10 of both parameters."""


def search(arms: tuple[Arm, ...] = QUICK.arms[1:2], **changes) -> Sweep:
    ends = (10**LOW, 10**HIGH)
    fields = {"rho": ends, "lr": ends, "search": "optuna", "trials": 24}
    return Sweep(**{"name": "Search", "base": replace(QUICK, arms=arms)} | fields | changes)


def hill(lr: float, rho: float) -> float:
    """An accuracy that is highest, 90, at lr 0.1 and rho 0.5."""
    return 90 - 8 * log10(lr / 0.1) ** 2 - 6 * log10(rho / 0.5) ** 2


def searched(sweep: Sweep, judged: Callable[[float, float], float | None], most: int = 1) -> list[Outcome]:
    """All trials of a search, `most` of them at a time; None is a point that diverged."""
    outcomes: list[Outcome] = []
    while points := propose(sweep, outcomes, most):
        for point in points:
            found = judged(point.lr, point.rho)
            outcomes.append(Outcome(point=point, state="pruned" if found is None else "finished", value=found))
    return outcomes


def test_a_grid_proposes_what_it_has_not_got_yet_in_order() -> None:
    sweep = Sweep(name="Grid", base=QUICK, rho=(0.1, 0.2), lr=(0.05, 0.1))
    points = list(sweep.points())
    assert propose(sweep, [], 4) == points[:4]
    known = [Outcome(point=point, state="running") for point in (points[2], points[0])]
    assert propose(sweep, known, 9) == [points[1], *points[3:]]
    assert propose(sweep, [Outcome(point=point, state="failed") for point in points], 9) == []


def test_tpe_beats_random_draws_on_average() -> None:
    draws = np.random.default_rng(0).uniform(LOW, HIGH, (1000, 24, 2))
    by_chance = (90 - 8 * (draws[..., 0] + 1) ** 2 - 6 * (draws[..., 1] - log10(0.5)) ** 2).max(axis=1)
    best = [max(o.value for o in searched(search(seed=seed), hill)) for seed in range(12)]
    assert np.mean(best) > by_chance.mean() + 2 * by_chance.std() / np.sqrt(len(best))


def test_a_rebuilt_search_proposes_the_same_as_an_unbroken_one() -> None:
    """Whatever the process that asks, and however many it asks for at once while the others still run."""
    sweep = search(QUICK.arms, trials=14, seed=3)
    unbroken = searched(sweep, lambda lr, rho: hill(lr, rho or 0.5))
    assert len(unbroken) == sweep.size == 56
    for known in (0, 7, 30, 55):
        assert propose(sweep, unbroken[:known], 1) == [unbroken[known].point]
    running = [Outcome(point=point, state="running") for point in propose(sweep, unbroken[:44], 2)]
    assert propose(sweep, unbroken[:44], 3) == [o.point for o in running] + propose(sweep, unbroken[:44] + running, 1)
    assert propose(replace(sweep, seed=4), unbroken[:7], 1) != propose(sweep, unbroken[:7], 1)


def test_points_that_run_side_by_side_differ() -> None:
    sweep = search(trials=40)
    finished = searched(replace(sweep, trials=16), hill)
    points = propose(sweep, finished, 8)
    assert len(set(points)) == 8
    assert not set(points) & {known.point for known in finished}


def test_a_search_keeps_off_where_it_diverged() -> None:
    """Half of the square diverges, next to the optimum: random draws keep hitting it."""
    share = []
    for seed in range(4):
        trials = searched(search(trials=40, seed=seed), lambda lr, rho: hill(lr, rho) if lr < 0.1 else None)
        states = [known.state for known in trials[10:]]
        share.append(states.count("pruned") / len(states))
    assert np.mean(share) < 0.4


def test_a_failed_trial_counts_but_teaches_nothing_while_pruned_and_running_ones_do() -> None:
    sweep = search(trials=16)
    good = searched(replace(sweep, trials=12), hill)
    points = [Point(lr=lr, rho=rho, arms=(ALL,)) for lr in (0.01, 0.1, 1) for rho in (0.05, 0.5, 5)]

    def asked(state: str) -> set[Point]:
        """What is asked for next, after one of these points has ended so."""
        return {point for end in points for point in propose(sweep, [*good, Outcome(point=end, state=state)], 1)}

    assert len(asked("failed")) == 1
    assert len(asked("pruned")) > 1
    assert len(asked("running")) > 1
    assert propose(sweep, [*good, *[Outcome(point=points[0], state="failed")] * 4], 9) == []


def test_arms_take_turns_and_each_varies_what_it_has() -> None:
    sweep = search(QUICK.arms, trials=2, lr=())
    points = propose(sweep, [], 99)
    assert [point.arms for point in points] == [(SGD,), (ALL,), (ON,), (NO_NORM,), (ALL,), (ON,), (NO_NORM,)]
    assert points[0] == Point(lr=QUICK.recipe.lr, rho=None, arms=(SGD,))
    assert all(point.lr == QUICK.recipe.lr and 10**LOW <= point.rho <= 10**HIGH for point in points[1:])
    (next_one,) = propose(sweep, [Outcome(point=point, state="running") for point in points[:-1]], 99)
    assert next_one == points[-1]
    (plain,) = propose(search(QUICK.arms[:1], rho=(), trials=1), [], 9)
    assert plain.rho is None
    assert plain.lr != QUICK.recipe.lr


def test_proposals_have_few_digits_and_stay_within_the_ends() -> None:
    sweep = search(rho=(0.0123456, 0.0123457), trials=20)
    for point in propose(sweep, [], 20):
        assert 0.0123456 <= point.rho <= 0.0123457
        assert point.lr == float(f"{point.lr:.4g}")
        assert sweep.comparison(point).recipe.lr == point.lr


def test_without_optuna_one_sentence_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    assert installed()
    monkeypatch.setitem(sys.modules, "optuna", None)
    assert not installed()
    with pytest.raises(ValueError, match=r"pip install -r requirements-cluster\.txt, or take grid\.$"):
        propose(search(), [], 1)
    grid = Sweep(name="Grid", base=QUICK, rho=(0.1,))
    require(grid)
    assert len(propose(grid, [], 9)) == 2


def test_a_finished_outcome_alone_has_a_value() -> None:
    point = Point(lr=0.1, rho=0.5, arms=(ALL,))
    with pytest.raises(ValueError, match=r"^state must be one of running, finished, pruned, failed, but"):
        Outcome(point=point, state="lost")
    for wrong in ({"state": "finished"}, {"state": "pruned", "value": 50.0}):
        with pytest.raises(ValueError, match=r"^value must be there for a finished point alone"):
            Outcome(point=point, **wrong)


class TestJudging:
    """Two seeds of SGD, for twice the epochs, and of SAM-all at a radius that is swept."""

    base = replace(QUICK, arms=(Arm(epochs_factor=2), QUICK.arms[1]), seeds=(0, 1))
    sweep = Sweep(name="Grid", base=base, rho=(0.3,))
    plain, climbing = sweep.points()
    last = base.recipe.epochs

    def row(self, seed: int, epoch: int, accuracy: float | None, name: str = "test_accuracy") -> tuple:
        return seed, "sam:all:rho=0.3", name, epoch, accuracy

    def test_a_point_is_worth_the_mean_over_its_seeds_after_the_last_epoch(self) -> None:
        rows = [self.row(0, self.last - 1, 99.0), self.row(0, self.last, 60.0), self.row(1, self.last, 64.0)]
        assert value(self.sweep, self.climbing, rows) == 62.0
        assert outcome(self.sweep, self.climbing, "finished", rows).value == 62.0
        assert outcome(self.sweep, self.climbing, "running", rows).state == "running"
        for waiting in ("queued", "paused"):
            assert outcome(self.sweep, self.climbing, waiting, rows).state == "running"
        assert value(self.sweep, self.climbing, rows[:2]) is None
        assert value(self.sweep, self.climbing, [*rows[:2], self.row(1, self.last, None)]) is None
        twice = [
            (seed, "sgd:x2", "test_accuracy", epoch, 50.0) for seed in (0, 1) for epoch in (self.last, 2 * self.last)
        ]
        assert value(self.sweep, self.plain, twice) == 50.0
        assert value(self.sweep, self.plain, twice[::2]) is None

    def test_held_out_images_judge_where_there_are_any(self) -> None:
        base = replace(self.base, recipe=replace(self.base.recipe, train_size=1000, validation_size=100))
        sweep = replace(self.sweep, base=base)
        rows = [self.row(seed, self.last, 60.0) for seed in (0, 1)]
        assert value(sweep, self.climbing, rows) is None
        rows += [self.row(seed, self.last, 55.0 + seed, "validation_accuracy") for seed in (0, 1)]
        assert value(sweep, self.climbing, rows) == 55.5

    def test_a_point_is_pruned_when_every_arm_has_diverged(self) -> None:
        (both,) = replace(self.sweep, rho=(), lr=(0.1,)).points()
        lost = self.row(0, 2, 120.0, "diverged")
        assert diverged(self.sweep, self.climbing, [lost])
        assert not diverged(self.sweep, self.plain, [lost])
        own = (0, ALL, "diverged", 2, 120.0)
        assert len(both.arms) == 2
        assert not diverged(self.sweep, both, [own])
        assert diverged(self.sweep, both, [own, (1, "sgd:x2", "diverged", 1, 9.0)])
        for state in ("running", "cancelled", "finished"):
            assert outcome(self.sweep, self.climbing, state, [lost]).state == "pruned"
        for state in ("cancelled", "failed", "finished"):
            assert outcome(self.sweep, self.climbing, state, []).state == "failed"
