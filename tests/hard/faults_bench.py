"""What the faults share: a home, a run that is broken while somebody watches, and the same run unbroken."""

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from math import inf
from pathlib import Path
from typing import Any

import psutil
import torch
from sqlalchemy import Row, select

from samviz.runs import News, Store, process
from samviz.runs.checkpoints import Checkpoints
from samviz.runs.places import checkpoint_folder
from samviz.runs.schema import jobs as table
from samviz.spec import Comparison
from tests.runs.conftest import ENDED, kill, processes, tiny
from tests.serve import ROOT

PATIENCE = 240.0
"""Seconds that a busy machine may take for what usually takes three."""
SETTINGS = ("SAMVIZ_DATA", "SAMVIZ_STORE", "SAMVIZ_CHECKPOINTS", "SAMVIZ_EXECUTOR", "SAMVIZ_RUNS_AT_ONCE")
"""Environment variables that would lead elsewhere."""
APART = 8
SPARE = 40
"""Epochs of a long race after the last time that it is broken: more than go by before a busy test gets to do it."""
CLOCK = "seconds"
"""The one metric that is no matter of arithmetic."""

Key = tuple[int, str, int, str]
"""Seed, arm, step and name of a metric row; seed, arm, epoch and name of a histogram."""


@dataclass
class Outcome:
    """What came of a fault."""

    fault: str
    times: int = 0
    """How often it was done."""
    acknowledged: int = 0
    """Rows that somebody saw in the store before the end."""
    lost: int = 0
    """Those of them that were not there at the end, or with another value."""
    doubled: int = 0
    """Rows that were there twice."""
    equal: bool | None = None
    """Whether the end equals that of an unbroken run; None where there is no run."""
    seconds: float = 0.0
    wrong: list[str] = field(default_factory=list)
    """What was not as it should be, in sentences."""

    def expect(self, true: object, sentence: str) -> None:
        if not true:
            self.wrong.append(sentence)


def race(epochs: int, seeds: tuple[int, ...] = (0,), **settings: Any) -> Comparison:
    """Two arms, two steps an epoch, and a checkpoint after each: many in a second."""
    small = {"train_size": 64, "test_size": 50, "network": "resnet8_half", "precision": "fp32"}
    return tiny(epochs, seeds, **small | settings)


def long_race(times: int) -> Comparison:
    """One that can be broken so many times, each `APART` epochs after the last at the earliest."""
    return race(APART * times + SPARE)


def due(k: int) -> int:
    """The step of a long race from which it may be broken for the k-th time."""
    return k * APART * race(1).recipe.steps_per_epoch


class Watching(threading.Thread):
    """Somebody who reads what is new in a comparison, all the time, and forgets nothing."""

    def __init__(self, store: Store, id: str) -> None:
        super().__init__(daemon=True)
        self.store, self.id = store, id
        self.seen: dict[Key, float] = {}
        """All rows that were ever there."""
        self.shown: dict[Key, float] = {}
        """What a page shows that is drawn anew when it is told to."""
        self.doubled, self.changed = 0, 0
        self._place = None
        self._done = threading.Event()
        self._lock = threading.Lock()

    def run(self) -> None:
        while not self._done.wait(0.2):
            with suppress(Exception):  # a store that is damaged or full: the last look tells
                self.look()

    def look(self) -> News:
        with self._lock:
            news = self.store.news(self.id, self._place)
            if news.anew:
                self.shown.clear()
            for seed, arm, _, step, name, value in news.metrics:
                key = seed, arm, step, name
                self.doubled += key in self.shown
                self.changed += name != CLOCK and self.seen.get(key, value) != value
                self.shown[key] = self.seen[key] = value
            self._place = news.place
            return news

    def stop(self) -> None:
        self._done.set()
        self.join()


@dataclass
class Whole:
    """All that a comparison came to, but for the clock."""

    metrics: dict[Key, float]
    histograms: dict[Key, tuple]
    weights: dict[int, Any]
    """Seed -> the arms' part of the last checkpoint's state."""

    def differences(self, other: "Whole") -> list[str]:
        found = []
        for name in ("metrics", "histograms"):
            mine, theirs = getattr(self, name), getattr(other, name)
            if keys := [key for key in mine.keys() | theirs.keys() if mine.get(key) != theirs.get(key)]:
                found.append(f"{len(keys)} {name} differ from those of an unbroken run, such as {min(keys)}.")
        if self.weights.keys() != other.weights.keys() or not same(self.weights, other.weights):
            found.append("The weights of the last checkpoint differ from those of an unbroken run.")
        return found


def same(one: Any, other: Any) -> bool:
    """Whether two states hold the same numbers."""
    if isinstance(one, torch.Tensor):
        return one.dtype == other.dtype and torch.equal(one, other)
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(value, other[key]) for key, value in one.items())
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    return one == other


class Run:
    """A comparison on a bench, watched from its first moment to its end."""

    def __init__(self, bench: "Bench", comparison: Comparison, code: Path | None = None) -> None:
        """`code`: the folder of a network of one's own, in which the terminal is then."""
        self.bench = bench
        self.id = bench.store.submit(comparison, "terminal") if code is None else _submitted(bench, comparison, code)
        self.watching = Watching(bench.store, self.id)
        self.watching.start()

    def rows(self) -> list[Row]:
        """The rows of its jobs."""
        with self.bench.store.engine.connect() as connection:
            mine = select(table).where(table.c.comparison == int(self.id)).order_by(table.c.id)
            return list(connection.execute(mine))

    def row(self) -> Row:
        return self.rows()[0]

    def worker(self) -> psutil.Process | None:
        """The process of the attempt that goes on now."""
        row = self.row()
        here = row.state == "running" and row.handle is not None
        return process.find(*process.of_handle(row.handle)) if here else None

    def entered(self, attempt: int = 1) -> bool:
        """Whether the worker of this attempt, or of a later one, has said its first word."""
        return self.row().entered >= attempt

    def checkpoints(self) -> Checkpoints:
        return Checkpoints(checkpoint_folder(self.bench.store.engine, self.bench.home, self.row().id))

    def saved(self) -> int:
        """The step of the newest checkpoint, -1 where there is none."""
        return max((int(name.removesuffix(".pt")) for name in self.checkpoints().folder.names()), default=-1)

    def goes_well(self, after: int) -> bool:
        """Whether a worker trains that has lost nobody since its last checkpoint, which is beyond the step `after`."""
        row = self.row()
        if row.state in ENDED:
            raise AssertionError(f"The run has ended too early: {row.state}, {row.reason}")
        return row.state == "running" and row.losses == 0 and self.saved() > after

    def log(self) -> str:
        return (self.bench.store.folder(self.row().id) / "worker.log").read_text("utf-8", "replace")

    def line(self, begin: str) -> str | None:
        """The first line of its log that begins so."""
        return next((line for line in self.log().splitlines() if line.startswith(begin)), None)

    def whole(self) -> Whole:
        news = self.bench.store.news(self.id)
        metrics = {(seed, arm, step, name): v for seed, arm, _, step, name, v in news.metrics if name != CLOCK}
        weights = {}
        for row in self.rows():
            state = Checkpoints(checkpoint_folder(self.bench.store.engine, self.bench.home, row.id)).load()
            weights[row.seed] = state["state"]["arms"] if state else None
        return Whole(metrics, {tuple(row[:4]): tuple(row[4:]) for row in news.histograms}, weights)

    def ended(self, seconds: float = PATIENCE) -> str:
        """Its state, once it has ended; an AssertionError where it gets no further for so many seconds."""
        reached = 0.0
        while reached != inf:
            reached = until(partial(self._beyond, reached), f"the run gets further than {reached:.1%}", seconds)
        return self.bench.store.header(self.id).state

    def _beyond(self, reached: float) -> float:
        """How far it is, infinity at its end; 0 where that is no further than it was."""
        header = self.bench.store.header(self.id)
        if header.state in ENDED:
            return inf
        progress = sum(run.progress for run in header.runs) / len(header.runs)
        return progress if progress > reached else 0.0

    def judge(self, outcome: Outcome, reference: Whole | None, state: str = "finished") -> None:
        """Wait for the end, and add what came of it to `outcome`; `reference` None takes the unbroken run."""
        found = self.ended()
        self.watching.stop()
        watching = self.watching
        watching.look()
        rows = self.bench.store.news(self.id).metrics
        last = {(seed, arm, step, name): value for seed, arm, _, step, name, value in rows}
        outcome.expect(found == state, f"The run ended as {found}, not {state}: {self.row().reason}")
        outcome.acknowledged += len(watching.seen)
        outcome.lost += sum(
            key not in last or (key[3] != CLOCK and last[key] != value) for key, value in watching.seen.items()
        )
        outcome.doubled += watching.doubled + len(rows) - len(last)
        outcome.expect(watching.changed == 0, f"{watching.changed} values were other ones when they came again.")
        outcome.expect(watching.shown == last, "Who reads what is new sees other rows than who reads all.")
        if reference is not None:
            differences = reference.differences(self.whole())
            outcome.wrong += differences
            outcome.equal = outcome.equal is not False and not differences


def _submitted(bench: "Bench", comparison: Comparison, code: Path) -> str:
    ask = "import sys; from pathlib import Path; from samviz.runs import Store; from samviz.spec import Comparison;"
    ask += "print(Store(Path(sys.argv[1])).submit(Comparison.from_json(sys.argv[2]), 'terminal'))"
    command = [sys.executable, "-c", ask, str(bench.home), comparison.to_json()]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=code, env=environment, capture_output=True, text=True, check=True)
    return done.stdout.strip()


class Bench:
    """A home, its store, and whatever runs there."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.store = Store(home)
        if _pace:
            (home / "pace.json").write_text(_pace[0])

    def run(self, comparison: Comparison, code: Path | None = None) -> Run:
        return Run(self, comparison, code)

    def supervisor(self, **environment: str) -> None:
        """Start one more supervisor, whatever else runs."""
        log = self.home / "runs" / "supervisor.log"
        process.detach("samviz.runs.supervisor", home=self.home, log=log, environment=environment)

    def supervisors(self) -> list[psutil.Process]:
        return processes(self.home, "supervisor")

    @contextmanager
    def alone(self) -> Iterator[None]:
        """While nobody but the caller works on jobs: no supervisor runs, and none can be started."""
        with process.lock(process.supervisor_lock(self.home), PATIENCE) as held:
            assert held
            yield

    def stop(self) -> None:
        """End all of its processes; each may start others as long as one is there."""
        while any(processes(self.home, module) for module in ("supervisor", "worker")):
            kill(self.home, "supervisor", "worker")


@contextmanager
def bench(folder: Path) -> Iterator[Bench]:
    """A home in this folder, of which nothing runs afterwards."""
    made = Bench(folder.resolve() / "home")
    try:
        yield made
    finally:
        made.stop()
        made.store.close()


@contextmanager
def tried(fault: str) -> Iterator[Outcome]:
    """An outcome to fill in: with the seconds that it took, and with what went wrong on the way."""
    outcome, begun = Outcome(fault), time.monotonic()
    try:
        yield outcome
    except AssertionError as error:
        outcome.wrong.append(str(error))
    except Exception as error:
        traceback.print_exc()
        outcome.wrong.append(f"{type(error).__name__}: {error}")
    outcome.seconds = time.monotonic() - begun


_wholes: dict[str, Whole] = {}
_pace: list[str] = []
"""What the first run has measured of this machine: the others need not measure it again."""
_one = threading.Lock()


def unbroken(comparison: Comparison, code: Path | None = None) -> Whole:
    """What a comparison comes to when nothing happens to it: worked out once."""
    key = json.dumps(comparison.to_dict())
    with _one:
        if key not in _wholes:
            with tempfile.TemporaryDirectory() as folder, bench(Path(folder)) as calm:
                run = calm.run(comparison, code)
                run.watching.stop()
                assert run.ended() == "finished", run.row().reason
                _wholes[key] = run.whole()
                _pace[:] = _pace or [(calm.home / "pace.json").read_text()]
        return _wholes[key]


def settled() -> None:
    """One thread a worker, and no setting of whoever runs this: for a process that does nothing else."""
    os.environ["OMP_NUM_THREADS"] = "1"
    for name in SETTINGS:
        os.environ.pop(name, None)


def until(condition: Callable[[], object], what: str, seconds: float = PATIENCE) -> Any:
    """The first true value of `condition`; an AssertionError that says what did not come where there is none."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if value := condition():
            return value
        time.sleep(0.1)
    raise AssertionError(f"Within {seconds:.0f} s it did not come that {what}.")
