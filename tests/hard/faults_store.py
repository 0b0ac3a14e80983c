"""A store that is locked by somebody else, or damaged: said in a sentence, not made worse, and no worker is started
over and over again.
"""

import random
import re
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

from samviz.runs import Store, StoreError, process
from samviz.runs.engine import FILE
from tests import stored, synthetic
from tests.hard.faults_bench import PATIENCE, Bench, Outcome, bench, long_race, race, tried, unbroken, until
from tests.serve import ROOT

PAGE = 4096
HASTY = """
import sys
from pathlib import Path
from samviz.runs import Store, engine
engine.BUSY_SECONDS = 0.5
try:
    Store(Path(sys.argv[1])).annotate("1", "Written while it is locked.")
except engine.StoreError as error:
    print(error)
"""
"""Somebody who waits no longer than half a second for the store."""


def locked(folder: Path, holds: list[float]) -> Outcome:
    """Another program holds the store's write lock for so many seconds each time, in the middle of a run: who wants to
    write is told so, and the run goes on when it is free.
    """
    comparison = long_race(len(holds))
    with tried("store locked by another program") as outcome, bench(folder) as place:
        reference = unbroken(comparison)
        run, saved = place.run(comparison), -1
        for seconds in holds:
            until(lambda saved=saved: run.goes_well(saved), "the run goes on")
            with closing(sqlite3.connect(place.home / FILE, timeout=PATIENCE, isolation_level=None)) as other:
                other.execute("BEGIN EXCLUSIVE")
                begun = time.monotonic()
                hasty = [sys.executable, "-c", HASTY, str(place.home)]
                said = subprocess.run(hasty, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE).stdout
                outcome.expect("is locked by another program" in said, f"Who wants to write is told: {said!r}")
                time.sleep(max(0.0, seconds - (time.monotonic() - begun)))
            outcome.times += 1
            saved = run.saved()
        run.judge(outcome, reference)
        outcome.expect(run.row().attempt <= len(holds) + 1, f"The run took {run.row().attempt} attempts.")
    return outcome


def damaged(folder: Path, times: int) -> Outcome:
    """Pages of a store with a waiting run are overwritten while nothing runs: whoever opens and reads it gets a
    sentence or what is right, and changes no byte; its supervisor ends with a sentence.
    """
    with tried("store damaged while nothing runs") as outcome, bench(folder) as place:
        with place.alone():
            stored.put(place.store, synthetic.comparison(2, 20), steps=2)
            place.run(race(2)).watching.stop()
        right = place.store.snapshot("1")
        place.store.close()
        path = place.home / FILE
        whole = path.read_bytes()
        for k in range(times):
            spoiled = spoil(whole, pages=len(whole) // PAGE if k == 0 else random.choice([1, 2, 5]))
            path.write_bytes(spoiled)
            outcome.times += 1
            try:
                with closing(Store(place.home)) as store:
                    store.comparisons()
                    found = store.snapshot("1")
                outcome.expect(found.metrics.equals(right.metrics), "Other numbers were read.")
            except StoreError as error:
                outcome.expect("samviz store repair" in str(error), f"The way out is missing: {error}")
            outcome.expect(path.read_bytes() == spoiled, "Reading a damaged store has changed it.")
        path.write_bytes(spoil(whole, len(whole) // PAGE))
        said = supervised(place, outcome)
        outcome.expect(path.read_bytes() == spoil(whole, len(whole) // PAGE), "The supervisor has changed it.")
        outcome.expect(re.search("cannot be used .*samviz store repair", said), f"The supervisor said: {said}")
        path.write_bytes(whole)
    return outcome


def supervised(place: Bench, outcome: Outcome) -> str:
    """What a supervisor says before it ends."""
    log = place.home / "runs" / "supervisor.log"
    log.unlink(missing_ok=True)
    place.supervisor()
    until(lambda: log.exists() and log.read_text(), "the supervisor says something")
    until(lambda: not place.supervisors(), "the supervisor ends")
    said = log.read_text()
    outcome.expect("Traceback" not in said, f"The supervisor broke off: {said[-500:]}")
    return said


def damaged_under_way(folder: Path, times: int) -> Outcome:
    """Pages are overwritten while a run writes: it ends, failed or finished, or rests without a process, after three
    workers at most; nothing is started over and over again.
    """
    with tried("store damaged while a run writes") as outcome:
        for k in range(times):
            with bench(folder / str(k)) as place:
                run = place.run(race(200))
                until(lambda run=run: run.goes_well(8), "the run goes on")
                path = place.home / FILE
                with closing(sqlite3.connect(path, timeout=PATIENCE)) as other:  # else what is written heals it
                    other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                with path.open("r+b") as file:
                    for _ in range(8):
                        file.seek(PAGE * random.randrange(1, max(2, path.stat().st_size // PAGE)))
                        file.write(random.randbytes(PAGE))
                outcome.times += 1
                until(lambda place=place: quiet(place), "everything has ended")
                run.watching.stop()
                began = len(re.findall("^Attempt ", run_log(place), re.MULTILINE))
                outcome.expect(began <= 3, f"{began} workers were started.")
                place.store.close()
                (place.home / FILE).unlink()  # what is left of it must not hinder the end
    return outcome


def run_log(place: Bench) -> str:
    return (place.home / "runs" / "1" / "worker.log").read_text("utf-8", "replace")


def quiet(place: Bench) -> bool:
    """Whether no process is left, for longer than it takes to start one."""
    for _ in range(20):
        if process.pids("samviz.runs.worker", place.home) or place.supervisors():
            return False
        time.sleep(0.2)
    return True


def spoil(whole: bytes, pages: int) -> bytes:
    """So many pages of a file overwritten; all of them but the first where it is all."""
    content, count = bytearray(whole), len(whole) // PAGE
    if pages == count:
        return bytes(content[:PAGE]) + b"\xff" * (len(whole) - PAGE)
    for page in random.sample(range(count), pages):
        content[page * PAGE : (page + 1) * PAGE] = random.choice([bytes(PAGE), b"\xff" * PAGE, random.randbytes(PAGE)])
    return bytes(content)
