"""`python -m tests.hard.faults [TIMES [FAULT ...]]`: break runs on purpose, 50 times where chance plays a part.

Each fault is really done: to processes, files, disks and clocks. A table tells what came of it; the exit status is not
0 if anything was lost, doubled or other than in an unbroken run.
"""

import platform
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from pathlib import Path

from samviz.training.hardware import processor
from tests.hard import (
    faults_clock,
    faults_disk,
    faults_killed,
    faults_memory,
    faults_power,
    faults_rivals,
    faults_store,
)
from tests.hard.faults_bench import Outcome, settled

TIMES = 50
AT_ONCE = 3
"""Faults that are tried at the same time, each in a home of its own."""
LONG = 10
"""From so many times on, what takes long is done in full."""
LONGER_THAN_A_WRITER_WAITS = 50.0

FAULTS: dict[str, Callable[[Path, int], Outcome]] = {
    "full-checkpoints": faults_disk.checkpoints,
    "damaged": faults_power.damaged,
    "worker": faults_killed.workers,
    "supervisors": faults_rivals.supervisors,
    "all": faults_killed.everything,
    "full-store": faults_disk.store,
    "clock": faults_clock.clocks,
    "stale": faults_rivals.workers,
    "locked": lambda folder, times: faults_store.locked(
        folder, [2.0] * min(times, LONG) + [LONGER_THAN_A_WRITER_WAITS] * (times >= LONG)
    ),
    "supervisor": faults_killed.supervisors,
    "app": faults_killed.apps,
    "all-but-app": lambda folder, times: faults_killed.but_the_app(folder, max(1, times // 5)),
    "submitter": faults_killed.submitters,
    "spoiled": lambda folder, times: faults_power.spoiled(folder, *((None, 97) if times >= LONG else (997, 4999))),
    "damaged-running": lambda folder, times: faults_store.damaged_under_way(folder, max(1, times // LONG)),
    "damaged-store": lambda folder, times: faults_store.damaged(folder, 10 * times),
    "first-step": lambda folder, times: faults_rivals.before_its_first_step(folder),
    "memory": lambda folder, times: faults_memory.one_arm(folder),
    "memory-all": lambda folder, times: faults_memory.all_arms(folder),
    "order": lambda folder, times: faults_power.order(folder),
}
"""Name -> what does it so many times in a folder, and says what came of it. What takes longest comes first, so that all
threads are busy to the end."""


def begin(folder: Path, times: int, names: list[str]) -> tuple[ThreadPoolExecutor, dict[str, Future[Outcome]]]:
    """Do these faults, one after the other on each of `AT_ONCE` threads."""
    pool = ThreadPoolExecutor(AT_ONCE)
    return pool, {name: pool.submit(FAULTS[name], folder / name, times) for name in names}


def line(outcome: Outcome) -> str:
    """A row of the table."""
    equal = {True: "yes", False: "NO", None: "-"}[outcome.equal]
    counts = f"{outcome.acknowledged} | {outcome.lost} | {outcome.doubled}"
    return f"| {outcome.fault} | {outcome.times} | {counts} | {equal} | {outcome.seconds:.0f} |"


def main(times: int = TIMES, *names: str) -> int:
    settled()
    print(f"{processor()}, {AT_ONCE} faults at once, Python {platform.python_version()}\n")
    print("| fault | times | rows acknowledged | rows lost | rows doubled | equal to unbroken | seconds |")
    print("|---|---|---|---|---|---|---|", flush=True)
    wrong: list[str] = []
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        pool, found = begin(Path(folder).resolve(), times, list(names or FAULTS))
        with pool:
            for future in as_completed(found.values()):
                outcome = future.result()
                print(line(outcome), flush=True)
                wrong += [f"{outcome.fault}: {sentence}" for sentence in violations(outcome)]
    print(
        "\n" + "\n".join(wrong or ["Nothing was lost, nothing was doubled, and every end was that of an unbroken run."])
    )
    return 1 if wrong else 0


def violations(outcome: Outcome) -> list[str]:
    """Everything that must not be, in sentences; none where all is well."""
    counted = {"rows were lost": outcome.lost, "rows were doubled": outcome.doubled}
    return [f"{count} {what}." for what, count in counted.items() if count] + outcome.wrong


if __name__ == "__main__":
    sys.exit(main(*(int(x) if i == 0 else x for i, x in enumerate(sys.argv[1:]))))
