"""SIGKILL at random moments: of workers, of supervisors, of whoever submits, of the app, and of all of them at once."""

import random
import subprocess
import sys
import time
import urllib.request
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path

import psutil

from tests.hard.faults_bench import Bench, Outcome, Run, bench, due, long_race, race, tried, unbroken, until
from tests.serve import ROOT, running_app


def end(process: psutil.Process | None) -> None:
    """SIGKILL."""
    with suppress(psutil.NoSuchProcess, AttributeError):
        process.kill()
        process.wait(5)


def workers(folder: Path, times: int) -> Outcome:
    """Every second one is killed while it trains or saves, the others while they start or take up the run."""
    comparison = long_race(times)
    with tried("worker killed") as outcome, bench(folder) as place:
        reference = unbroken(comparison)
        run, saved = place.run(comparison), -1
        begun = time.monotonic()
        until(lambda: run.row().resumed == 1, "the first worker begins")
        start = time.monotonic() - begun
        for k in range(times):
            if k % 2 == 0:
                aim = max(saved, due(k))
                until(lambda aim=aim: run.goes_well(aim), f"a checkpoint comes before kill {k + 1}")
                time.sleep(0.3 * random.random())
            else:
                until(run.worker, f"a worker is started before kill {k + 1}")
                moment = time.monotonic() + start * random.random()
                until(lambda moment=moment: time.monotonic() > moment or _taken_up(run), "the moment comes")
            saved, attempt = run.saved(), run.row().attempt
            end(until(run.worker, f"there is a worker for kill {k + 1}"))
            outcome.times += 1
            until(lambda attempt=attempt: run.row().attempt > attempt, f"kill {k + 1} is noticed")
        run.judge(outcome, reference)
        outcome.expect(run.row().attempt == times + 1, f"{times} kills made {run.row().attempt} attempts.")
    return outcome


def _taken_up(run: Run) -> bool:
    """Whether the last attempt goes on where the one before it ended."""
    row = run.row()
    return row.resumed == row.attempt


def supervisors(folder: Path, times: int) -> Outcome:
    """While they start runs, tend them and look for the next: short runs follow one another. Now and then it is left to
    the worker to find out.
    """
    comparison = race(6)
    with tried("supervisor killed") as outcome, bench(folder) as place:
        reference = unbroken(comparison)
        while outcome.times < times:
            runs = [place.run(comparison) for _ in range(2)]
            while outcome.times < times and runs[-1].row().state != "finished":
                time.sleep(1.5 * random.random())
                for process in place.supervisors():
                    end(process)
                    outcome.times += 1
                if outcome.times % 5 == 0:
                    until(partial(_tended, place, runs), "a worker starts a supervisor")
                place.store.resume()
            for run in runs:
                run.judge(outcome, reference)
                outcome.expect(run.row().attempt == 1, f"Its worker was not adopted: {run.row().attempt} attempts.")
    return outcome


def _tended(place: Bench, runs: list[Run]) -> bool:
    """Whether there is a supervisor again, or nobody who could start one."""
    return bool(place.supervisors()) or not any(run.worker() for run in runs)


def submitters(folder: Path, times: int) -> Outcome:
    """Processes that ask for one comparison after the other: each is there whole or not at all, and none is lost of
    which the process got to hear.
    """
    with tried("submitting process killed") as outcome, bench(folder) as place, place.alone():
        told: list[str] = []
        for _ in range(times):
            with ExitStack() as stack:
                child = stack.enter_context(_submitter(place))
                told.append(child.stdout.readline().strip())
                time.sleep(0.1 * random.random())
                child.kill()
                told += child.stdout.read().split()
            outcome.times += 1
        with place.store.engine.connect() as connection:
            query = "SELECT c.id, count(j.id) FROM comparisons c LEFT JOIN jobs j ON j.comparison = c.id GROUP BY c.id"
            found = dict(connection.exec_driver_sql(query).all())
        outcome.expect(set(found.values()) == {3}, f"Comparisons of three runs have {sorted(set(found.values()))}.")
        outcome.acknowledged = len(told)
        outcome.lost = len(set(map(int, told)) - set(found))
        outcome.doubled = len(told) - len(set(told))
    return outcome


def _submitter(place: Bench) -> psutil.Popen:
    code = (
        "import os, sys; from itertools import count; from pathlib import Path; from samviz.runs import Store;"
        "from tests.hard.faults_bench import race; store = Store(Path(sys.argv[1]))\n"
        "for k in count(): print(store.submit(race(2, (0, 1, 2)), person=f'{os.getpid()}-{k}'), flush=True)"
    )
    return psutil.Popen([sys.executable, "-c", code, str(place.home)], cwd=ROOT, stdout=subprocess.PIPE, text=True)


def apps(folder: Path, times: int) -> Outcome:
    """A real `streamlit run app.py` that somebody looks at: neither run nor supervisor is touched by its end."""
    comparison = long_race(times)
    with tried("app killed") as outcome, bench(folder) as place:
        reference = unbroken(comparison)
        while outcome.times < times:
            run = place.run(comparison)
            while outcome.times < times and run.row().state != "finished":
                with running_app(place.home) as address:
                    watch(address, run)
                    time.sleep(0.3 * random.random())
                    end(app(place.home))
                outcome.times += 1
            run.judge(outcome, reference)
            outcome.expect(run.row().attempt == 1, f"The run took {run.row().attempt} attempts.")
    return outcome


def everything(folder: Path, times: int) -> Outcome:
    """Worker, supervisor and app at once, in any order; then somebody opens the app again."""
    comparison = long_race(times)
    with tried("worker, supervisor and app killed") as outcome, bench(folder) as place:
        reference = unbroken(comparison)
        with place.alone():
            run, saved = place.run(comparison), -1
        for k in range(times):
            with running_app(place.home):
                aim = max(saved, due(k))
                until(lambda aim=aim: run.goes_well(aim), f"a checkpoint comes before kill {k + 1}")
                time.sleep(0.3 * random.random())
                saved = run.saved()
                victims = [run.worker(), *place.supervisors(), app(place.home)]
                random.shuffle(victims)
                for victim in victims:
                    end(victim)
            outcome.times += 1
        place.store.resume()
        run.judge(outcome, reference)
    return outcome


def but_the_app(folder: Path, times: int) -> Outcome:
    """Worker and supervisor at once, while the app stays open: nobody has to open it again."""
    comparison = long_race(times)
    with tried("worker and supervisor killed") as outcome, bench(folder) as place, running_app(place.home):
        reference = unbroken(comparison)
        run, saved = place.run(comparison), -1
        for k in range(times):
            aim = max(saved, due(k))
            until(lambda aim=aim: run.goes_well(aim), f"a checkpoint comes before kill {k + 1}")
            time.sleep(0.3 * random.random())
            saved = run.saved()
            for victim in (*place.supervisors(), run.worker(), *place.supervisors()):
                end(victim)
            outcome.times += 1
        run.judge(outcome, reference)
    return outcome


def app(home: Path) -> psutil.Process:
    """The app of this home."""
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if "streamlit" in process.cmdline() and process.environ().get("SAMVIZ_HOME") == str(home):
                return process
    raise AssertionError("The app does not run.")


def watch(address: str, run: Run) -> None:
    """Look at a run in the app."""
    with urllib.request.urlopen(f"{address}/api/comparisons/{run.id}/live", timeout=60) as answer:
        assert answer.status == 200
