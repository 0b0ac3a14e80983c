"""What a supervisor does about one running job, with real processes in the worker's place."""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from sqlalchemy import update

from samviz.runs import Store, jobs, process, supervisor
from samviz.runs.schema import jobs as table
from samviz.runs.schema import writing
from tests.runs.conftest import tiny


@pytest.fixture(autouse=True)
def _no_other_supervisor(home: Path) -> Iterator[None]:
    with process.lock(process.supervisor_lock(home)) as held:
        assert held
        yield


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen]:
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]) as child:
        yield child
        child.kill()


def running(store: Store, child: subprocess.Popen, **values) -> tuple[str, jobs.Job]:
    """A run whose worker is `child`."""
    id = store.submit(tiny())
    job = jobs.claim(store.engine)
    with writing(store.engine) as connection:
        values = {"pid": child.pid, "pid_created": psutil.Process(child.pid).create_time()} | values
        connection.execute(update(table).where(table.c.id == job.id).values(**values))
    return id, job


def test_a_worker_that_lives_and_beats_is_left_alone(store: Store, sleeper: subprocess.Popen) -> None:
    id, _ = running(store, sleeper)
    supervisor.tend(store.engine, {})
    assert (store.snapshot(id).state, sleeper.poll()) == ("running", None)


def test_a_silent_worker_is_killed_and_its_run_queued(store: Store, sleeper: subprocess.Popen) -> None:
    dead = sleeper.pid, psutil.Process(sleeper.pid).create_time()
    id, job = running(store, sleeper, lease_until=time.time() - 1)
    supervisor.tend(store.engine, {})
    assert process.find(*dead) is None
    run = store.snapshot(id).runs[0]
    assert (run.state, run.reason) == (
        "queued",
        "The worker was silent for 30 s. It goes on from its last checkpoint.",
    )
    with pytest.raises(jobs.StaleError):
        jobs.beat(store.engine, job)


def test_a_process_that_only_has_the_workers_pid_is_not_touched(store: Store, sleeper: subprocess.Popen) -> None:
    """After a reboot, say."""
    id, _ = running(store, sleeper, pid_created=1_000_000.0)
    supervisor.tend(store.engine, {})
    assert (store.snapshot(id).state, sleeper.poll()) == ("queued", None)


def test_a_worker_that_ignores_a_cancel_is_killed(store: Store, sleeper: subprocess.Popen) -> None:
    dead = sleeper.pid, psutil.Process(sleeper.pid).create_time()
    id, _ = running(store, sleeper, cancel_requested=time.time())
    supervisor.tend(store.engine, {})
    assert store.snapshot(id).state == "running"
    with writing(store.engine) as connection:
        connection.execute(update(table).values(cancel_requested=time.time() - supervisor.GRACE_SECONDS - 0.1))
    supervisor.tend(store.engine, {})
    assert (store.snapshot(id).state, process.find(*dead)) == ("cancelled", None)


def test_a_worker_that_cannot_even_start_is_noticed(store: Store) -> None:
    id = store.submit(tiny())
    job = jobs.claim(store.engine)
    with subprocess.Popen([sys.executable, "-c", "raise SystemExit(1)"]) as child:
        child.wait(10)
    supervisor.tend(store.engine, {(job.id, job.attempt): child})
    assert store.snapshot(id).state == "queued"
