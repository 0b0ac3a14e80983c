"""Jobs in the store: claimed once, written to by one attempt, taken up after a loss, ended once."""

import math
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import select, update

from samviz.runs import Store, jobs, process
from samviz.runs.engine import writing
from samviz.runs.jobs import LEASE_SECONDS, StaleError
from samviz.runs.schema import jobs as table
from samviz.spec import Histogram, Scalar
from tests.runs.conftest import BOTH, tiny

pytestmark = BOTH


@pytest.fixture(autouse=True)
def _no_supervisor(home: Path):
    """Hold the supervisors' lock, so that only the test works on the jobs."""
    with process.lock(process.supervisor_lock(home)) as held:
        assert held
        yield


def fact(step: int, value: float = 0.5, name: str = "batch_loss", arm: str = "sgd") -> Scalar:
    return Scalar(arm, step // 8, step, name, value)


def put(store: Store, job: jobs.Job, *facts: Scalar | Histogram) -> None:
    with jobs.fenced(store.engine, job) as connection:
        jobs.write(connection, job, facts)


def lose(store: Store, job: jobs.Job) -> None:
    """Let the lease of a running job run out."""
    with writing(store.engine) as connection:
        connection.execute(update(table).where(table.c.id == job.id).values(lease_until=time.time() - 1))


def losses(store: Store, job: jobs.Job) -> int:
    with store.engine.connect() as connection:
        return connection.scalar(select(table.c.losses).where(table.c.id == job.id))


def test_runs_are_claimed_one_at_a_time_in_order(store: Store) -> None:
    store.submit(tiny(seeds=(7, 3, 5)))
    seeds = []
    while job := jobs.claim(store.engine):
        assert jobs.claim(store.engine) is None
        seeds.append(job.seed)
        jobs.end(store.engine, job, "finished")
    assert seeds == [7, 3, 5]


def test_of_many_claims_at_once_one_gets_the_job(store: Store) -> None:
    store.submit(tiny(seeds=(0, 1)))
    with ThreadPoolExecutor(8) as pool:
        claims = list(pool.map(lambda _: jobs.claim(store.engine), range(16)))
    assert [claim.seed for claim in claims if claim] == [0]


def test_a_calibration_does_not_wait_for_a_run(store: Store) -> None:
    store.submit(tiny())
    job = store.calibrate(tiny())
    assert store.calibrate(tiny()) == job, "the same question is asked once"
    assert [jobs.claim(store.engine).kind for _ in range(2)] == ["train", "calibrate"]


def test_a_stale_worker_cannot_write_beat_or_end(store: Store) -> None:
    id = store.submit(tiny())
    stale = jobs.claim(store.engine)
    put(store, stale, fact(1))
    jobs.requeue(store.engine, stale, 0, "Lost.")
    fresh = jobs.claim(store.engine)
    assert fresh.attempt == stale.attempt + 1
    for act in (
        lambda: put(store, stale, fact(2)),
        lambda: jobs.beat(store.engine, stale),
        lambda: jobs.wanted(store.engine, stale),
        lambda: jobs.resume(store.engine, stale, -1, {}, ""),
        lambda: jobs.end(store.engine, stale, "finished"),
        lambda: jobs.enter(store.engine, stale.id, stale.attempt, "handle"),
    ):
        with pytest.raises(StaleError):
            act()
    put(store, fresh, fact(3))
    assert store.snapshot(id).metrics["step"].tolist() == [1, 3]
    assert store.snapshot(id).state == "running"


def test_a_second_process_cannot_enter_the_same_attempt(store: Store) -> None:
    store.submit(tiny())
    job = jobs.claim(store.engine)
    assert jobs.enter(store.engine, job.id, job.attempt, "one") == job
    with pytest.raises(StaleError):
        jobs.enter(store.engine, job.id, job.attempt, "other")


def test_taking_up_drops_the_rows_after_the_checkpoint(store: Store) -> None:
    id = store.submit(tiny())
    job = jobs.claim(store.engine)
    counts = [Histogram("sgd", step // 8, step, "gamma", -1, 3, (step, 1)) for step in (0, 8, 16)]
    put(store, job, *(fact(step) for step in (0, 8, 9, 16)), *counts)
    assert len(store.snapshot(id).metrics) == 4
    jobs.requeue(store.engine, job, 0, "Lost.")
    job = jobs.claim(store.engine)
    jobs.resume(store.engine, job, 8, {"device": "CPU"}, "Shapes")
    snapshot = store.snapshot(id)
    assert snapshot.metrics["step"].tolist() == [0, 8]
    assert snapshot.histograms["counts"].tolist() == [(0, 1), (8, 1)]
    assert (snapshot.data_label, snapshot.runs[0].machine) == ("Shapes", {"device": "CPU"})
    put(store, job, fact(9))
    assert store.snapshot(id).metrics["step"].tolist() == [0, 8, 9]


def test_the_same_fact_twice_is_one_row(store: Store) -> None:
    id = store.submit(tiny())
    job = jobs.claim(store.engine)
    put(store, job, fact(1, 0.1), fact(2, math.nan), fact(3, math.inf))
    put(store, job, fact(1, 0.2))
    values = store.snapshot(id).metrics.set_index("step")["value"]
    assert values[1] == 0.2
    assert math.isnan(values[2])
    assert values[3] == math.inf


def test_a_batch_is_written_whole_or_not_at_all(store: Store) -> None:
    id = store.submit(tiny())
    job = jobs.claim(store.engine)

    def facts():
        yield fact(1)
        raise RuntimeError

    def half() -> None:
        with jobs.fenced(store.engine, job, progress=0.5) as connection:
            jobs.write(connection, job, [fact(2)])
            jobs.write(connection, job, facts())

    with pytest.raises(RuntimeError):
        half()
    assert store.snapshot(id).metrics.empty
    assert store.snapshot(id).runs[0].progress == 0


def test_the_third_loss_without_a_checkpoint_fails_the_run(store: Store) -> None:
    id = store.submit(tiny())
    for k in range(2):
        job = jobs.claim(store.engine)
        jobs.requeue(store.engine, job, losses(store, job), "The worker was killed.")
        run = store.snapshot(id).runs[0]
        assert (run.state, run.attempt) == ("queued", k + 1)
        assert "goes on from its last checkpoint" in run.reason
    job = jobs.claim(store.engine)
    with jobs.fenced(store.engine, job, losses=0):
        pass  # a checkpoint
    jobs.requeue(store.engine, job, losses(store, job), "The worker was killed.")
    assert store.snapshot(id).state == "queued"
    for _ in range(2):
        job = jobs.claim(store.engine)
        jobs.requeue(store.engine, job, losses(store, job), "The worker was killed.")
    run = store.snapshot(id).runs[0]
    assert (run.state, run.attempt) == ("failed", 5)
    assert run.reason == "The worker was killed. This was the third time."


def test_nothing_is_said_to_run_whose_lease_has_run_out(store: Store) -> None:
    id = store.submit(tiny())
    job = jobs.claim(store.engine)
    before = store.snapshot(id)
    assert (before.state, store.comparisons()[0].state) == ("running", "running")
    lose(store, job)
    after = store.snapshot(id)
    assert (after.state, after.runs[0].state, store.comparisons()[0].state) == ("queued", "queued", "queued")
    assert "worker is lost" in after.runs[0].reason
    assert after.revision != before.revision
    jobs.beat(store.engine, job)
    assert store.snapshot(id).state == "running"
    assert LEASE_SECONDS > 10, "a busy machine must not lose its workers"


def test_every_change_is_a_new_revision_and_a_beat_is_none(store: Store) -> None:
    id = store.submit(tiny(seeds=(0, 1)))
    seen = [store.revision(id)]

    def changed(act) -> None:
        act()
        assert store.revision(id) not in seen
        seen.append(store.revision(id))

    taken: list[jobs.Job] = []
    changed(lambda: taken.append(jobs.claim(store.engine)))
    (job,) = taken
    changed(lambda: jobs.resume(store.engine, job, -1, {}, ""))
    changed(lambda: put(store, job, fact(1)))
    jobs.beat(store.engine, job)
    assert store.revision(id) == seen[-1]
    assert store.snapshot(id) is store.snapshot(id)
    changed(lambda: jobs.requeue(store.engine, job, 0, ""))
    changed(lambda: store.cancel(id))


def test_a_run_that_is_put_back_while_it_is_cancelled_does_not_go_on(store: Store) -> None:
    id = store.submit(tiny())
    job = jobs.claim(store.engine)
    with ThreadPoolExecutor(1) as pool:
        with jobs.fenced(store.engine, job, state="queued"):
            cancelled = pool.submit(store.cancel, id)
            time.sleep(0.3)  # it sees the run as running, and waits for this transaction
        cancelled.result()
    assert store.header(id).state == "cancelled"


@pytest.mark.parametrize("wish", ["paused", "cancelled"])
def test_a_lost_run_that_should_stop_is_not_queued_again(store: Store, wish: str) -> None:
    for give_back in (
        lambda job: jobs.requeue(store.engine, job, 0, "Lost."),
        lambda job: jobs.put_back(store.engine, job, "No room."),
    ):
        id = store.submit(tiny())
        job = jobs.claim(store.engine)
        (store.pause if wish == "paused" else store.cancel)(id)
        give_back(job)
        assert store.header(id).state == wish


def test_a_pause_is_taken_back_whatever_the_limits_say(store: Store, home: Path) -> None:
    id = store.submit(tiny())
    job = jobs.claim(store.engine)
    store.pause(id)
    (home / "limits.toml").write_text("most_epochs = 1")
    store.go_on(id, "ann")
    assert jobs.wanted(store.engine, job) == ""


def test_a_pause_can_be_taken_back_before_the_run_rests(store: Store) -> None:
    id = store.submit(tiny(seeds=(0, 1)))
    job = jobs.claim(store.engine)
    store.pause(id)
    store.go_on(id)
    assert jobs.wanted(store.engine, job) == ""
    assert [run.state for run in store.header(id).runs] == ["running", "queued"]
    jobs.end_as_wanted(store.engine, job, "Rests.")  # its worker had saved already
    assert [run.state for run in store.header(id).runs] == ["queued", "queued"]
    with pytest.raises(ValueError, match="has no run that rests"):
        store.go_on(id)
