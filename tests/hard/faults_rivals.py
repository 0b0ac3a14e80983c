"""Two who believe that it is theirs: supervisors that start at once, and a worker that wakes up after its run was given
to another one.
"""

import random
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import psutil

from samviz.runs import jobs, process
from samviz.runs.engine import FILE
from tests.hard.faults_bench import Bench, Outcome, Run, bench, due, long_race, race, tried, unbroken, until

AT_ONCE = 4
"""Supervisors that are started at the same moment."""
START_SECONDS = 3.0
"""About what a worker takes to start."""
SECONDS = 20.0
"""Within which a stale worker ends: sooner than a supervisor would end it."""


def supervisors(folder: Path, times: int) -> Outcome:
    """Several at the same moment, on a run that waits for one: it is done once, and one of them remains."""
    comparison = race(6)
    with tried(f"{AT_ONCE} supervisors at once") as outcome, bench(folder) as place:
        reference = unbroken(comparison)
        for _ in range(times):
            with place.alone():
                run = place.run(comparison)
            for _ in range(AT_ONCE):
                place.supervisor()
            outcome.times += 1
            until(lambda run=run: run.row().state == "running", "one of them starts the run")
            until(lambda: len(place.supervisors()) <= 1, "one of them remains", process.LOCK_SECONDS + 60)
            run.judge(outcome, reference)
            outcome.expect(run.row().attempt == 1, f"The run took {run.row().attempt} attempts.")
            until(lambda: not place.supervisors(), "the last one goes when nothing is left")
    return outcome


def workers(folder: Path, times: int) -> Outcome:
    """A worker is frozen at a random moment, and the supervisor of another machine gives its run to another one; every
    second time that one is frozen while it starts, and a third one gets the run. It goes on, and the others wake up.
    """
    comparison = long_race(times)
    with tried("stale worker woken up") as outcome, bench(folder) as place:
        reference = unbroken(comparison)
        run, saved = place.run(comparison), -1
        until(lambda: run.goes_well(-1), "the first worker goes on")
        while outcome.times < times:
            aim = max(saved, due(outcome.times))
            until(lambda aim=aim: run.goes_well(aim), f"a checkpoint comes before freeze {outcome.times + 1}")
            time.sleep(0.3 * random.random())
            stale = {run.row().attempt: frozen(place, run)}
            give_away(place, run)
            if len(stale) + outcome.times < times and random.random() < 0.5:
                until(run.worker, "another worker is started")
                time.sleep(START_SECONDS * random.random())
                stale[run.row().attempt] = frozen(place, run)
                give_away(place, run)
            outcome.times += len(stale)
            saved = run.saved()
            until(lambda saved=saved: run.goes_well(saved), "another worker goes on")
            for attempt, worker in stale.items():
                wakes_up(worker, attempt, run, outcome)
        run.judge(outcome, reference)
        outcome.expect(run.row().attempt == times + 1, f"{times} stale workers made {run.row().attempt} attempts.")
    return outcome


def before_its_first_step(folder: Path) -> Outcome:
    """The worker of the first attempt is frozen before it has cleared the folder of what an older store left there; it
    wakes up when its successor has finished, whose checkpoint must stay. And the same again with the first one killed,
    whose successor must not take up what was left there.
    """
    comparison = race(6)
    with tried("worker frozen or killed before its first step") as outcome, bench(folder) as place:
        reference = unbroken(comparison)
        for fault in ("frozen", "killed"):
            with place.alone():
                run = place.run(comparison)
                left = run.checkpoints()
                left.save(6 * comparison.recipe.steps_per_epoch, 6, {"of": "an older store"}, 1)
            place.store.resume()
            until(run.entered, "the first worker has begun")
            outcome.times += 1
            if fault == "killed":
                run.worker().kill()
            else:
                stale = frozen(place, run)
                outcome.expect(run.row().resumed == 0, "It was not frozen before its first step.")
                give_away(place, run)
            run.judge(outcome, reference)
            if fault == "frozen":
                wakes_up(stale, 1, run, outcome)
                outcome.wrong += reference.differences(run.whole())
    return outcome


def frozen(place: Bench, run: Run) -> psutil.Process:
    """Stop the worker where it is; not within a transaction, in which no other machine could take its run away."""
    for _ in range(200):
        worker = until(run.worker, "there is a worker to freeze")
        worker.suspend()
        try:
            with closing(sqlite3.connect(place.home / FILE, timeout=0, isolation_level=None)) as store:
                store.execute("BEGIN IMMEDIATE")
            return worker
        except sqlite3.OperationalError:
            worker.resume()
            time.sleep(0.001)
    raise AssertionError("The worker holds the lock all the time.")


def give_away(place: Bench, run: Run) -> None:
    """What the supervisor of another machine does about a worker that is silent."""
    row = run.row()
    jobs.requeue(place.store.engine, jobs.of_row(row), row.losses, "The worker was silent.")
    place.store.resume()


def wakes_up(stale: psutil.Process, attempt: int, run: Run, outcome: Outcome) -> None:
    """Let it go on, and see it end by itself; what it had in its hands goes with the next checkpoint."""
    try:
        stale.resume()
    except psutil.NoSuchProcess:
        return  # on a busy machine a supervisor may have found a worker of no run, and ended it
    until(lambda: gone(stale), "the stale worker ends by itself", SECONDS)
    outcome.expect(f"Attempt {attempt} no longer has job" in run.log(), "The stale worker ended without a word.")
    left = run.checkpoints().folder.work / f"{attempt}.partial"
    until(lambda: not left.exists(), "the part of a checkpoint is gone that the stale worker was writing", SECONDS)


def gone(process: psutil.Process) -> bool:
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
