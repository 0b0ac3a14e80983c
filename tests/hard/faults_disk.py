"""`python -m tests.hard.faults_disk WHICH FOLDER TIMES REFERENCE`: a disk of few megabytes that fills up, and has room
again. It is a tmpfs in mounts that nobody else sees, which takes a process of its own.
"""

import json
import os
import pickle
import random
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import asdict
from pathlib import Path

from samviz.runs.checkpoints import read
from samviz.runs.engine import FILE
from samviz.spec import Comparison
from tests.hard.faults_bench import (
    PATIENCE,
    Outcome,
    Run,
    Whole,
    bench,
    due,
    long_race,
    settled,
    tried,
    unbroken,
    until,
)
from tests.hard.faults_clock import own_mounts
from tests.hard.faults_killed import end
from tests.serve import ROOT

MEGABYTE = 1 << 20
SECONDS = 3.0
"""The longest that the store's disk stays full."""
LONG_SECONDS = 45.0
"""How long it does the last time, if it is often: longer than a worker may be silent."""
OFTEN = 10
IN_ONE_RUN = 10
"""How often the checkpoints' disk is full in one run, whose epochs are limited."""


def checkpoints(folder: Path, times: int) -> Outcome:
    """The checkpoints' disk: the run goes on and says so, and after every second time its worker is killed as well."""
    return _apart("checkpoints", folder, times)


def store(folder: Path, times: int) -> Outcome:
    """The one disk that holds store, checkpoints and logs: the worker waits for room, and its supervisor does."""
    return _apart("store", folder, times)


def _apart(which: str, folder: Path, times: int) -> Outcome:
    with tried(f"disk of the {which} full") as failed:
        folder.mkdir(parents=True, exist_ok=True)
        reference = folder / "reference"
        reference.write_bytes(pickle.dumps(unbroken(_race(which, times))))
        command = [*own_mounts(), sys.executable, "-m", "tests.hard.faults_disk"]
        command += [which, str(folder), str(times), str(reference)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        sentence = "Disks are filled in mounts of one's own: this needs root, or a user who may unshare."
        assert done.returncode == 0, f"{sentence} {done.stderr}"
        return Outcome(**json.loads(done.stdout.splitlines()[-1]))
    return failed


def _race(which: str, times: int) -> Comparison:
    """A run that is not through before its disk was full so often."""
    # Seconds go by until the run has said that a checkpoint failed and another one is saved: up to a hundred epochs.
    return long_race(16 * min(times, IN_ONE_RUN) - 30 if which == "checkpoints" else times)


class Disk:
    """A tmpfs."""

    def __init__(self, folder: Path, megabytes: int) -> None:
        folder.mkdir(parents=True)
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)], check=True)
        self.folder, self._filling = folder, folder / "filling"

    def fill(self, left: int = 0) -> None:
        """Leave so many bytes."""
        free = os.statvfs(self.folder)
        with self._filling.open("ab", buffering=0) as file:
            try:
                os.posix_fallocate(file.fileno(), file.tell(), max(1, free.f_bavail * free.f_frsize - left))
            except OSError:  # somebody was faster: then all that is left is taken
                while os.statvfs(self.folder).f_bavail > 0:
                    file.write(bytes(os.statvfs(self.folder).f_frsize))

    def room(self) -> None:
        """Give it all back."""
        self._filling.unlink()


def _checkpoints(folder: Path, times: int, reference: Whole) -> Outcome:
    disk = Disk(folder / "small", 8)
    os.environ["SAMVIZ_CHECKPOINTS"] = str(disk.folder)
    with tried("disk full while a checkpoint is written") as outcome, bench(folder) as place:
        for first in range(0, times, IN_ONE_RUN):
            run = place.run(_race("checkpoints", times))
            for k in range(min(IN_ONE_RUN, times - first)):
                until(lambda k=k, run=run: run.goes_well(due(k)), f"a checkpoint comes before time {first + k + 1}")
                time.sleep(0.1 * random.random())
                _fill_and_room(disk, run, outcome, first + k)
            run.judge(outcome, reference)
            place.store.delete(run.id)  # the small disk has no room for the last checkpoint of every run
    return outcome


def _fill_and_room(disk: Disk, run: Run, outcome: Outcome, k: int) -> None:
    left = random.choice([0, 100_000, MEGABYTE])

    def said() -> bool:
        # Again: a checkpoint that was on its way may still be saved, and the oldest one makes room then.
        disk.fill(left)
        return "could not be saved (No space left on device)" in run.row().reason

    outcome.times += 1
    until(said, "the run says so")
    saved, reached = run.saved(), run.watching.look().header.runs[0].progress
    (*_, newest) = run.checkpoints().folder.names()
    with run.checkpoints().folder.path(newest) as path:
        outcome.expect(read(path)["step"] == saved, "The checkpoint before it cannot be read any more.")
    until(lambda: run.watching.look().header.runs[0].progress > reached, "the run goes on")
    if k % 2:
        attempt = run.row().attempt
        end(run.worker())
        until(lambda: run.row().resumed > attempt, "another worker takes it up")
    disk.room()
    until(lambda: run.saved() > saved, "a checkpoint is saved when there is room")
    until(lambda: run.row().reason == "", "nothing is said any more")


def _store(folder: Path, times: int, reference: Whole) -> Outcome:
    disk = Disk(folder / "home", 24)
    with tried("disk full while the store is written") as outcome, bench(folder) as place:
        run = place.run(_race("store", times))
        for k in range(times):
            until(lambda k=k: run.goes_well(due(k)), f"a checkpoint comes before time {k + 1}")
            time.sleep(0.1 * random.random())
            for log in place.home.glob("runs/**/*.log"):
                with log.open("ab") as file:  # the next line that is printed needs a new page
                    file.write(b"\n" * (-file.tell() % os.sysconf("SC_PAGE_SIZE")))
            with closing(sqlite3.connect(place.home / FILE, timeout=PATIENCE)) as other:
                other.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # the room that its log had taken
            disk.fill()
            outcome.times += 1
            until(lambda: _rests(run), "nothing can be written any more")
            disk.fill()
            time.sleep(LONG_SECONDS if k + 1 == times >= OFTEN else SECONDS * random.random())
            outcome.expect(run.worker(), "The worker did not wait for room.")
            disk.room()
        run.judge(outcome, reference)
        outcome.expect(run.row().attempt == 1, f"The run took {run.row().attempt} attempts.")
    return outcome


def _rests(run: Run) -> bool:
    """Whether nothing new comes for a while."""
    before = len(run.watching.seen)
    time.sleep(1.5)
    return len(run.watching.seen) == before


if __name__ == "__main__":
    settled()
    which, folder, times, reference = sys.argv[1:]
    found = {"checkpoints": _checkpoints, "store": _store}[which](
        Path(folder), int(times), pickle.loads(Path(reference).read_bytes())
    )
    print(json.dumps(asdict(found)))
