"""What a supervisor does about running jobs: real processes in the workers' place, and a clock of the test's own."""

import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, update

from samviz.runs import Store, jobs, process
from samviz.runs.engine import AwayError, writing
from samviz.runs.executors import ExecutorError, LocalProcesses, Status
from samviz.runs.jobs import LEASE_SECONDS
from samviz.runs.schema import jobs as table
from samviz.runs.supervisor import GRACE_SECONDS, Since, Supervisor, main
from tests.runs.conftest import BOTH, tiny, wait

pytestmark = BOTH


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


class Clock:
    """A clock that goes on when it is told to."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def supervisor(store: Store, home: Path, clock: Clock) -> Supervisor:
    return Supervisor(store.engine, home, LocalProcesses(home), Since(clock))


def running(store: Store, child: subprocess.Popen, **values) -> tuple[str, jobs.Job]:
    """A run whose worker is `child`."""
    id = store.submit(tiny())
    job = jobs.claim(store.engine)
    jobs.enter(store.engine, job.id, job.attempt, process.handle(child.pid))
    with writing(store.engine) as connection:
        connection.execute(update(table).where(table.c.id == job.id).values(attempt=1, **values))
    return id, job


def tend_for(supervisor: Supervisor, clock: Clock, seconds: float) -> None:
    for _ in range(int(seconds) + 1):
        supervisor.tend()
        clock.seconds += 1
    supervisor.tend()


def test_what_is_seen_for_the_first_time_has_not_been_so_before(supervisor: Supervisor, clock: Clock) -> None:
    since = supervisor.since
    since.look()
    assert since.seconds("beat", None) == 0.0
    clock.seconds += 7
    since.look()
    assert (since.seconds("beat", None), since.seconds("other", None)) == (7.0, 0.0)


def test_a_worker_that_lives_and_beats_is_left_alone(
    store: Store, supervisor: Supervisor, clock: Clock, sleeper: subprocess.Popen
) -> None:
    id, job = running(store, sleeper)
    for _ in range(5):
        tend_for(supervisor, clock, LEASE_SECONDS / 2)
        jobs.beat(store.engine, job)
    assert (store.snapshot(id).state, sleeper.poll()) == ("running", None)


def test_a_silent_worker_is_killed_and_its_run_queued(
    store: Store, supervisor: Supervisor, clock: Clock, sleeper: subprocess.Popen
) -> None:
    dead = process.of_handle(process.handle(sleeper.pid))
    id, job = running(store, sleeper)
    tend_for(supervisor, clock, LEASE_SECONDS - 2)
    assert store.snapshot(id).state == "running"
    tend_for(supervisor, clock, 3)
    assert process.find(*dead) is None
    run = store.snapshot(id).runs[0]
    assert (run.state, run.reason) == (
        "queued",
        "The worker was silent for 30 s. It goes on from its last checkpoint.",
    )
    with pytest.raises(jobs.StaleError):
        jobs.beat(store.engine, job)


def test_nobody_is_lost_while_nobody_could_be_heard(
    store: Store, supervisor: Supervisor, clock: Clock, sleeper: subprocess.Popen
) -> None:
    """The machine slept, or the store was away."""
    id, _ = running(store, sleeper)
    tend_for(supervisor, clock, LEASE_SECONDS - 2)
    clock.seconds += 3600
    tend_for(supervisor, clock, LEASE_SECONDS - 2)
    assert (store.snapshot(id).state, sleeper.poll()) == ("running", None)


def test_a_silent_worker_that_was_to_pause_leaves_its_run_paused(
    store: Store, supervisor: Supervisor, clock: Clock, sleeper: subprocess.Popen
) -> None:
    dead = process.of_handle(process.handle(sleeper.pid))
    id, _ = running(store, sleeper)
    store.pause(id)
    tend_for(supervisor, clock, LEASE_SECONDS + 2)
    assert process.find(*dead) is None
    assert store.snapshot(id).runs[0].state == "paused"


def test_a_silent_worker_is_left_alone_while_nothing_can_be_written(
    store: Store, supervisor: Supervisor, clock: Clock, sleeper: subprocess.Popen
) -> None:
    """It waits like everybody else, for room on the disk or for a lock to open."""
    id, _ = running(store, sleeper)
    tend_for(supervisor, clock, LEASE_SECONDS - 2)
    sqlite = store.engine.dialect.name == "sqlite"

    def hurry(connection: Any, _: object) -> None:
        connection.execute("PRAGMA busy_timeout = 50" if sqlite else "SET lock_timeout = 50")
        connection.commit()

    event.listen(store.engine, "connect", hurry)
    store.engine.dispose()
    with writing(store.engine) as other:
        if not sqlite:  # where one who writes locks nobody else out
            other.exec_driver_sql("LOCK TABLE jobs IN EXCLUSIVE MODE")
        with pytest.raises(AwayError):
            tend_for(supervisor, clock, 3)
    assert (store.snapshot(id).state, sleeper.poll()) == ("running", None)
    tend_for(supervisor, clock, 3)
    assert store.snapshot(id).state == "queued"


@pytest.mark.parametrize("seconds", [-86400.0, 86400.0])
def test_a_clock_that_is_set_loses_no_worker(
    store: Store, supervisor: Supervisor, clock: Clock, sleeper: subprocess.Popen, seconds: float
) -> None:
    """What it left in the store looks expired, or as if it had come from tomorrow."""
    moment = time.time() + seconds
    id, job = running(store, sleeper, heartbeat=moment, lease_until=moment + LEASE_SECONDS)
    assert store.snapshot(id).state == "queued", "nobody has beaten by the clock that there is"
    tend_for(supervisor, clock, LEASE_SECONDS / 2)
    jobs.beat(store.engine, job)
    tend_for(supervisor, clock, LEASE_SECONDS / 2)
    assert (store.snapshot(id).state, store.snapshot(id).runs[0].attempt, sleeper.poll()) == ("running", 1, None)


def test_a_worker_on_another_machine_is_lost_when_it_is_silent_and_not_before(
    store: Store, supervisor: Supervisor, clock: Clock, sleeper: subprocess.Popen
) -> None:
    id, _ = running(store, sleeper, host="elsewhere", handle="999999:1.0")  # no process here has this pid
    tend_for(supervisor, clock, LEASE_SECONDS - 2)
    assert store.snapshot(id).state == "running"
    tend_for(supervisor, clock, 3)
    run = store.snapshot(id).runs[0]
    assert (run.state, sleeper.poll()) == ("queued", None)
    assert "The worker on elsewhere was silent for 30 s." in run.reason


def test_a_process_that_only_has_the_workers_pid_is_not_touched(
    store: Store, supervisor: Supervisor, sleeper: subprocess.Popen
) -> None:
    """After a reboot, say."""
    id, _ = running(store, sleeper, handle=f"{sleeper.pid}:1000000.0")
    supervisor.tend()
    assert (store.snapshot(id).state, sleeper.poll()) == ("queued", None)


@pytest.mark.parametrize("state", ["cancelled", "paused"])
def test_a_worker_that_ignores_a_wish_is_killed(
    store: Store, supervisor: Supervisor, clock: Clock, sleeper: subprocess.Popen, state: str
) -> None:
    dead = process.of_handle(process.handle(sleeper.pid))
    id, job = running(store, sleeper)
    (store.cancel if state == "cancelled" else store.pause)(id)
    supervisor.tend()
    ends = clock.seconds + GRACE_SECONDS[state]
    while clock.seconds < ends - 0.5:
        clock.seconds += 0.5
        jobs.beat(store.engine, job)
        supervisor.tend()
    assert store.snapshot(id).state == "running"
    clock.seconds = ends + 0.1
    supervisor.tend()
    assert (store.snapshot(id).state, process.find(*dead)) == (state, None)


def test_a_worker_that_ends_at_once_is_noticed(store: Store, supervisor: Supervisor) -> None:
    id = store.submit(tiny())
    job = jobs.claim(store.engine)
    with subprocess.Popen([sys.executable, "-c", "raise SystemExit(1)"]) as child:
        handle = process.handle(child.pid)
        child.wait(10)
    with jobs.fenced(store.engine, job, handle=handle):
        pass
    supervisor.tend()
    assert store.snapshot(id).state == "queued"


class Cluster:
    """An executor that says what it is told to."""

    name, host = "cluster", ""

    def __init__(self) -> None:
        self.room: int | str = 0
        self.state = Status.PENDING
        self.begun: list[str] = []
        self.ended: list[str] = []

    def slots(self, running: Mapping[str, int]) -> dict[str, int]:
        if isinstance(self.room, str):
            raise ExecutorError(self.room)
        return {"cluster": self.room}

    def submit(self, job: int, attempt: int, device: str, log: Path) -> str:
        self.begun.append(f"{job}-{attempt}")
        return self.begun[-1]

    def cancel(self, handle: str) -> None:
        self.ended.append(handle)

    def status(self, handle: str) -> Status:
        return self.state

    def logs(self, handle: str, log: Path) -> str:
        return ""

    def handles(self) -> list[str]:
        return [*self.begun, "of-nobody"]


def test_a_cluster_gets_what_it_has_room_for_and_is_not_hurried(store: Store, home: Path, clock: Clock) -> None:
    cluster = Cluster()
    supervisor = Supervisor(store.engine, home, cluster, Since(clock))
    id = store.submit(tiny(seeds=(0, 1, 2)))
    supervisor.start()
    assert cluster.begun == []
    cluster.room = "The cluster does not answer."
    supervisor.start()
    assert {run.reason for run in store.snapshot(id).runs} == {"The cluster does not answer."}
    cluster.room = 2
    supervisor.start()
    assert cluster.begun == ["1-1", "2-1"]
    tend_for(supervisor, clock, 4 * LEASE_SECONDS)  # they wait for a place, so nobody can beat
    assert [run.state for run in store.snapshot(id).runs] == ["running", "running", "queued"]
    cluster.state = Status.UNKNOWN  # the head is away, but the workers may well go on
    for k in (1, 2):
        jobs.enter(store.engine, k, 1, f"{k}-1")
    tend_for(supervisor, clock, LEASE_SECONDS - 5)
    assert [run.state for run in store.snapshot(id).runs] == ["running", "running", "queued"]
    cluster.state = Status.ENDED
    supervisor.tend()
    assert {run.state for run in store.snapshot(id).runs} == {"queued"}
    assert cluster.ended[-2:] == ["1-1", "2-1"]


def test_a_worker_of_no_job_is_ended_when_it_is_found_twice(
    store: Store, home: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("samviz.runs.supervisor.ORPHANS_SECONDS", 0.0)
    cluster = Cluster()
    supervisor = Supervisor(store.engine, home, cluster, Since(clock))
    supervisor.tend()
    assert cluster.ended == []
    supervisor.tend()
    assert cluster.ended == ["of-nobody"]


def test_a_local_worker_of_no_job_is_found_by_its_home(store: Store, home: Path) -> None:
    local = LocalProcesses(home)
    assert local.handles() == []
    code = "import time; time.sleep(600)"
    environment = {"SAMVIZ_HOME": str(home)}
    with subprocess.Popen([sys.executable, "-c", code, "samviz.runs.worker"], env=environment) as child:
        wait(lambda: local.handles() == [process.handle(child.pid)], 10)
        local.cancel(process.handle(child.pid))
        child.wait(10)
    assert local.handles() == []


def test_a_worker_that_cannot_be_started_costs_nothing_and_is_tried_again(
    store: Store, home: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster = Cluster()
    cluster.room = 1
    supervisor = Supervisor(store.engine, home, cluster, Since(clock))
    id = store.submit(tiny())
    submit = cluster.submit

    def away(*_: object) -> str:
        cluster.room = 0
        raise ExecutorError("The cluster does not answer.")

    monkeypatch.setattr(cluster, "submit", away)
    for _ in range(5):
        cluster.room = 1
        supervisor.start()
        run = store.snapshot(id).runs[0]
        assert (run.state, run.reason) == ("queued", "The cluster does not answer.")
    monkeypatch.setattr(cluster, "submit", submit)
    cluster.room = 1
    supervisor.start()
    assert cluster.begun == ["1-6"]


def test_what_waits_for_a_place_in_the_cluster_can_be_cancelled(store: Store, home: Path, clock: Clock) -> None:
    cluster = Cluster()
    cluster.room = 1
    supervisor = Supervisor(store.engine, home, cluster, Since(clock))
    id = store.submit(tiny())
    supervisor.start()
    store.cancel(id)
    supervisor.tend()
    clock.seconds += 1
    supervisor.tend()
    assert (store.snapshot(id).state, cluster.ended[-1]) == ("cancelled", "1-1")


@pytest.mark.parametrize(
    ("setting", "value", "said"),
    [("SAMVIZ_RUNS_AT_ONCE", "0", "whole number from 1 to 64"), ("SAMVIZ_EXECUTOR", "slurm", "local, or ray:")],
)
def test_those_who_wait_are_told_of_a_setting_that_is_wrong(
    store: Store, monkeypatch: pytest.MonkeyPatch, setting: str, value: str, said: str
) -> None:
    monkeypatch.setenv(setting, value)
    id = store.submit(tiny())
    assert main() == 1
    (run,) = store.header(id).runs
    assert run.state == "queued"
    assert setting in run.reason
    assert said in run.reason
