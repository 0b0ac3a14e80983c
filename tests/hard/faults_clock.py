"""Clocks that are set while a run goes on, by a day forward and back: worker and supervisor see another time of day.

Debian's libfaketime tells it to them, whatever they ask. It leaves out /proc/stat, where Linux says when the system was
started by the clock as it is set now, so that is put in front of theirs in mounts of their own.
"""

import os
import random
import subprocess
import sys
import threading
import time
from pathlib import Path

from tests.hard.faults_bench import Bench, Outcome, Run, bench, due, long_race, tried, unbroken, until
from tests.hard.faults_killed import end
from tests.serve import ROOT

LIBRARY = Path(f"/usr/lib/{os.uname().machine}-linux-gnu/faketime/libfaketime.so.1")
DAY = 86400
SITE = """import select, time

# libfaketime 0.9.10 makes an error of the sleep to a moment that Python has had since 3.11.
time.sleep = lambda seconds: select.select([], [], [], seconds)
"""


class Clock:
    """The time of day of the processes that are started with it."""

    def __init__(self, folder: Path) -> None:
        assert LIBRARY.is_file(), "Clocks can be set where libfaketime is: apt-get install faketime."
        folder.mkdir(parents=True)
        self._time, self._stat, site = folder / "time", folder / "stat", folder / "site"
        site.mkdir()
        (site / "sitecustomize.py").write_text(SITE)
        self._lines = Path("/proc/stat").read_text().splitlines()
        self.offset = 0
        self.set(0)
        self.environment = {
            "LD_PRELOAD": str(LIBRARY),
            "FAKETIME_TIMESTAMP_FILE": str(self._time),
            "FAKETIME_CACHE_DURATION": "1",  # the file of the time is read each second
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "NO_FAKE_STAT": "1",
            "PYTHONPATH": f"{site}{os.pathsep}{ROOT}",
        }

    def set(self, offset: int) -> None:
        """Let it be so many seconds later than it is, from now on."""
        self.offset = offset
        lines = [f"btime {int(line.split()[1]) + offset}" if line.startswith("btime") else line for line in self._lines]
        # In place and in one go: a mount follows the file, and nobody may see half of it.
        with self._stat.open("r+b" if self._stat.exists() else "w+b", buffering=0) as file:
            file.write(("\n".join(lines) + "\n").encode())
        partial = self._time.with_suffix(".partial")
        partial.write_text(f"{offset:+d}\n")
        partial.replace(self._time)

    def supervisor(self, place: Bench) -> None:
        """Start a supervisor that lives by this clock, and its workers with it."""
        # libfaketime leaves files in /dev/shm when it is killed.
        mounts = f"mount -t tmpfs tmpfs /dev/shm && mount --bind '{self._stat}' /proc/stat"
        code = f"{mounts} && exec env {' '.join(f'{k}={v!r}' for k, v in self.environment.items())} "
        command = [*own_mounts(), "sh", "-c", f"{code} {sys.executable} -m samviz.runs.supervisor"]
        log = place.home / "runs" / "supervisor.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        environment = os.environ | {"SAMVIZ_HOME": str(place.home), "PYTHONUNBUFFERED": "1"}
        with log.open("ab") as output:
            child = subprocess.Popen(command, cwd=place.home, env=environment, stdout=output, stderr=output)
        threading.Thread(target=child.wait, daemon=True).start()


def own_mounts() -> list[str]:
    """What to put before a command so that it can mount without anybody else seeing it."""
    return ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--map-root-user", "--mount"]


def clocks(folder: Path, times: int) -> Outcome:
    """Set again and again, the run does not notice; set back at last, and the worker killed: that is noticed."""
    # Two seconds go by until a worker tells the time that was set, and up to 32 epochs; the first two are spare ones.
    comparison = long_race(4 * times - 6)
    with tried("clock set by a day") as outcome, bench(folder) as place:
        reference = unbroken(comparison)
        clock = Clock(folder / "clock")
        with place.alone():
            run = place.run(comparison)
        clock.supervisor(place)
        for k in range(times):
            aim = due(k)
            until(lambda aim=aim: run.goes_well(aim), f"a checkpoint comes before the clock is set for time {k + 1}")
            time.sleep(0.3 * random.random())
            clock.set(-DAY if k == times - 1 else random.choice(sorted({-DAY, 0, DAY} - {clock.offset})))
            outcome.times += 1
            until(lambda: _lives_by(run, clock), "the worker lives by the clock that was set")
        saved = run.saved()
        until(lambda: run.goes_well(saved), "the run goes on after the clock was set for the last time")
        row = run.row()
        outcome.expect(row.attempt == 1, f"The run took {row.attempt} attempts, although nobody died: {row.reason}")
        end(run.worker())
        until(lambda: run.row().attempt > row.attempt, "the dead worker is noticed", 30)
        run.judge(outcome, reference)
    return outcome


def _lives_by(run: Run, clock: Clock) -> bool:
    """Whether the worker has told the time that the clock shows."""
    return abs(run.row().heartbeat - (time.time() + clock.offset)) < 60
