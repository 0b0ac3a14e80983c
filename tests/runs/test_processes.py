"""Real workers and supervisors: killed, frozen, doubled and orphaned, without a row lost or a run done twice."""

import json
import math
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import psutil
import pytest
from sqlalchemy import select

from samviz import training
from samviz.runs import Snapshot, Store
from samviz.runs.checkpoints import Checkpoints
from samviz.runs.engine import FILE
from samviz.runs.places import checkpoint_folder
from samviz.runs.schema import jobs as table
from samviz.runs.supervisor import GRACE_SECONDS
from samviz.runs.worker import Work
from samviz.spec import Arm, Comparison, Recipe
from tests.runs.conftest import ended, processes, tiny, wait

CANCEL_SECONDS = 3.0
KEYS = ["seed", "arm", "step", "name"]


def worker(store: Store, home: Path) -> psutil.Process:
    """The worker of the run that runs now, once it has taken it up."""
    (pid,) = wait(lambda: [p.pid for p in processes(home, "worker")])
    return psutil.Process(pid)


def rows(store: Store, id: str, step: int) -> bool:
    """Whether training has told of a step beyond this one."""
    return bool((store.snapshot(id).metrics["step"] > step).any())


def checkpoint(store: Store, snapshot: Snapshot) -> dict:
    return Checkpoints(checkpoint_folder(store.engine, store.home, snapshot.runs[0].id)).load()


def facts(snapshot: Snapshot) -> pd.DataFrame:
    """All rows but those of the clock, in one order."""
    metrics = snapshot.metrics[snapshot.metrics["name"] != "seconds"]
    return metrics.sort_values(KEYS).reset_index(drop=True)


@pytest.fixture(scope="module")
def steps() -> int:
    """Updates an epoch of a tiny comparison."""
    return tiny().recipe.steps_per_epoch


@pytest.mark.parametrize("spoiled", ["", "{", "[]", '{"KEY": 3}', '{"KEY": {"fp32": "slow"}}'])
def test_the_pace_is_measured_once_and_anew_where_its_file_is_spoiled(
    home: Path, monkeypatch: pytest.MonkeyPatch, spoiled: str
) -> None:
    asked: list[dict] = []

    def find_pace(*_: object, known: dict) -> training.Pace:
        asked.append(dict(known))
        known["fp32"] = known.get("fp32", 0.25)
        return training.Pace(precision="fp32", compiled=False)

    monkeypatch.setattr(training, "find_pace", find_pace)
    home.mkdir(exist_ok=True)
    work = Work(SimpleNamespace(id=1), None, home, threading.Event())
    (home / "pace.json").write_text(spoiled)
    for _ in range(2):
        work._pace(tiny(), training.machine())
    assert asked == [{}, {"fp32": 0.25}]
    key = list(json.loads((home / "pace.json").read_text()))[-1]
    (home / "pace.json").write_text(spoiled.replace("KEY", key))
    work._pace(tiny(), training.machine())
    assert asked[-1] == {}


def test_runs_go_on_in_order_after_the_death_of_whoever_started_them(store: Store, home: Path, tmp_path: Path) -> None:
    recipe = tmp_path / "recipe.json"
    recipe.write_text(tiny(epochs=1, seeds=(1, 0)).to_json(), "utf-8")
    command = [sys.executable, "-m", "samviz", "compare", "--recipe", str(recipe)]
    submitter = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    wait(lambda: processes(home, "worker"))
    (supervisor,) = processes(home, "supervisor")
    submitter.kill()
    submitter.wait()
    supervisor.kill()  # from here on nobody is left but the first worker
    snapshot = ended(store, "1")
    assert [(run.seed, run.state, run.attempt) for run in snapshot.runs] == [
        (1, "finished", 1),
        (0, "finished", 1),
    ]
    times = [time for run in snapshot.runs for time in (run.started, run.finished)]
    assert times == sorted(times), "one run at a time"


def test_a_cancelled_run_is_gone_within_three_seconds_wherever_it_is(store: Store, home: Path, steps: int) -> None:
    taken = []
    for moment in (None, 0, 2 * steps):  # loading, in the first epoch, and after checkpoints
        id = store.submit(tiny(epochs=60))
        process = worker(store, home)
        if moment is not None:
            wait(lambda id=id, moment=moment: rows(store, id, moment))
        begun = time.monotonic()
        store.cancel(id)
        wait(lambda process=process: not process.is_running() or process.status() == psutil.STATUS_ZOMBIE)
        taken.append(time.monotonic() - begun)
        snapshot = ended(store, id, 5)
        assert snapshot.state == "cancelled"
        if moment:
            assert checkpoint(store, snapshot)["step"] >= moment
    assert max(taken) <= CANCEL_SECONDS, taken


def test_a_run_that_was_paused_and_cancelled_goes_on_as_if_unbroken(store: Store, home: Path, steps: int) -> None:
    whole = ended(store, store.submit(tiny(epochs=4)))
    id = store.submit(tiny(epochs=4, seeds=(0, 1)))
    wait(lambda: rows(store, id, steps // 2))
    begun = time.monotonic()
    store.pause(id)
    wait(lambda: store.header(id).state == "paused", 30)
    print("rests after", time.monotonic() - begun, "s")
    wait(lambda: not processes(home, "worker") and not processes(home, "supervisor"))
    first, second = store.snapshot(id).runs
    assert (first.state, second.state, second.attempt) == ("paused", "paused", 0)
    saved = checkpoint(store, store.snapshot(id))["step"]
    assert first.reason == f"Rests after step {saved} of {4 * steps}."
    known = store.snapshot(id).metrics
    with pytest.raises(ValueError, match="not finished"):
        store.extend(id, 9)
    store.go_on(id)
    wait(lambda: rows(store, id, max(saved, steps) + 1))
    store.cancel(id)
    assert ended(store, id, 10).state == "cancelled"
    store.go_on(id)
    snapshot = ended(store, id)
    assert [(run.state, run.attempt) for run in snapshot.runs] == [("finished", 3), ("finished", 1)]
    mine = snapshot.metrics[snapshot.metrics["seed"] == 0]
    pd.testing.assert_frame_equal(
        facts(whole), mine[mine["name"] != "seconds"].sort_values(KEYS).reset_index(drop=True), check_exact=True
    )
    again = known.merge(mine, on=[*KEYS, "epoch", "value"])
    assert len(again) == len(known), "what was told before the rest was not told anew"
    with pytest.raises(ValueError, match="has no run that rests"):
        store.go_on(id)


def test_a_run_that_cannot_save_does_not_rest(
    store: Store, home: Path, tmp_path: Path, steps: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()  # in place of a folder: nothing can be saved below it, as on a full disk
    monkeypatch.setenv("SAMVIZ_CHECKPOINTS", str(tmp_path / "file"))
    id = store.submit(tiny(epochs=60))
    wait(lambda: rows(store, id, steps))
    store.pause(id)
    wait(lambda: "then pause it again. The run goes on." in store.header(id).runs[0].reason, 30)
    assert store.header(id).state == "running"
    step = store.snapshot(id).metrics["step"].max()
    wait(lambda: rows(store, id, step))
    store.cancel(id)


def test_a_finished_run_is_given_more_epochs(store: Store, home: Path, steps: int) -> None:
    """As if it had been told from the start that it would be given more."""
    id = store.submit(tiny(epochs=2))
    short = ended(store, id)
    with pytest.raises(ValueError, match=r"epochs must be a whole number from 3 to 2000, but it is 2\."):
        store.extend(id, 2)
    store.extend(id, 4)
    long = ended(store, id)
    assert (long.state, long.comparison.recipe.epochs, long.comparison.recipe.extended) == ("finished", 4, (2,))
    assert long.runs[0].progress == 1.0
    both = facts(short).merge(facts(long), on=[*KEYS, "epoch", "value"])
    assert len(both) == len(short.metrics) - len(short.metrics[short.metrics["name"] == "seconds"])
    scratch = ended(store, store.submit(long.comparison))
    pd.testing.assert_frame_equal(facts(scratch), facts(long), check_exact=True)
    rates = long.metrics[(long.metrics["name"] == "lr") & (long.metrics["arm"] == "sgd")].set_index("step")["value"]
    assert rates[2 * steps] == pytest.approx(0.1 / 2 * (1 + math.cos(math.pi * (2 * steps - 1) / (2 * steps))))
    assert rates[2 * steps + 1] == pytest.approx(0.1 / 2)


def freeze(process: psutil.Process, home: Path) -> None:
    """Stop a process while it does not hold the store's write lock, which nobody else gets until it is killed."""
    for _ in range(100):
        process.suspend()
        try:
            with closing(sqlite3.connect(home / FILE, timeout=0, isolation_level=None)) as store:
                store.execute("BEGIN IMMEDIATE")
            return
        except sqlite3.OperationalError:
            process.resume()
    raise AssertionError("The process holds the lock all the time.")


def test_a_frozen_worker_is_killed_when_it_is_cancelled(store: Store, home: Path) -> None:
    id = store.submit(tiny(epochs=60))
    frozen = worker(store, home)
    wait(lambda: rows(store, id, 0))
    freeze(frozen, home)
    begun = time.monotonic()
    store.cancel(id)
    wait(lambda: not frozen.is_running() or frozen.status() == psutil.STATUS_ZOMBIE, 10)
    assert GRACE_SECONDS["cancelled"] < time.monotonic() - begun <= CANCEL_SECONDS
    assert ended(store, id, 5).state == "cancelled"


def test_a_run_that_fails_says_why_and_is_not_tried_again(
    store: Store, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "own" / "cifar-10-batches-bin"
    folder.mkdir(parents=True)
    for name in [*(f"data_batch_{k}.bin" for k in range(1, 6)), "test_batch.bin"]:
        with (folder / name).open("wb") as file:
            file.truncate(10_000 * 3073)
    with (folder / "data_batch_3.bin").open("r+b") as file:
        file.write(b"\xff")  # a label that no class has
    monkeypatch.setenv("SAMVIZ_DATA", str(tmp_path / "own"))
    id = store.submit(tiny(dataset="cifar10"))
    snapshot = ended(store, id)
    (run,) = snapshot.runs
    assert (run.state, run.attempt) == ("failed", 1)
    assert "data_batch_3.bin" in run.reason
    assert "Traceback" in run.error
    assert "Traceback" in run.log_tail
    assert snapshot.metrics.empty


def test_an_arm_that_diverges_is_marked_and_the_run_finishes(store: Store) -> None:
    recipe = Recipe(train_size=256, test_size=100, batch_size=32, epochs=1, lr=100, weight_decay=1)
    id = store.submit(Comparison(name="Too fast", recipe=recipe, arms=(Arm(),)))
    snapshot = ended(store, id)
    marks = snapshot.metrics[snapshot.metrics["name"] == "diverged"]
    assert (snapshot.state, len(marks)) == ("finished", 1)
    assert (marks["value"] == marks["step"]).all()


def test_an_estimate_times_real_steps(store: Store) -> None:
    job = store.calibrate(tiny(seeds=(0, 1, 2)))
    wait(lambda: store.job(job).state == "finished")
    estimate = store.estimate(job)
    assert estimate.seconds_per_run > 0.1
    assert estimate.seconds == pytest.approx(3 * estimate.seconds_per_run)
    assert (estimate.device, estimate.error) == ("CPU", "")
    with store.engine.connect() as connection:
        assert connection.scalar(select(table.c.attempt).where(table.c.id == job)) == 1
