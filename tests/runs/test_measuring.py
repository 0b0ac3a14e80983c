"""Measurements in the store: asked for once, found again by the bytes they are about, gone with their comparison."""

from math import inf, nan
from pathlib import Path

import pytest
from sqlalchemy import event, select, update

from samviz.runs import Store, UnknownError, jobs, measuring
from samviz.runs.checkpoints import Checkpoints
from samviz.runs.engine import writing
from samviz.runs.places import checkpoint_folder
from samviz.runs.schema import jobs as jobs_table
from samviz.runs.schema import measurements
from samviz.spec.measure import Measure
from samviz.spec.measurement import SharpnessOf
from tests import stored
from tests.runs.conftest import BOTH, tiny

ONE = Measure(variant="sam", rho=0.1, search="one_step")


@pytest.fixture
def id(store: Store, monkeypatch: pytest.MonkeyPatch) -> str:
    """A finished comparison of two seeds with a checkpoint each; nobody takes up jobs."""
    monkeypatch.setattr(Store, "resume", lambda self: None)
    id = stored.put(store, tiny(1, (0, 1)))
    for run in store.header(id).runs:
        save(store, run.id, run.seed)
    return id


def save(store: Store, run: int, number: int, step: int = 8) -> None:
    Checkpoints(checkpoint_folder(store.engine, store.home, run)).save(step, 1, {"number": number}, 1)


def asked(*measures: Measure) -> SharpnessOf:
    return SharpnessOf(arms=("sgd",), measures=measures or (ONE,), images=64, m=32)


def claimed(store: Store) -> jobs.Job:
    job = jobs.claim(store.engine)
    assert job is not None
    assert job.kind == "measure"
    return jobs.enter(store.engine, job.id, job.attempt, "1:1.0")


@BOTH
def test_the_same_question_about_the_same_bytes_is_asked_once(store: Store, id: str) -> None:
    assert store.measured_last() == "example"
    first = store.measure(id, 0, asked())
    assert store.measured_last() == id
    assert store.measure(id, 0, asked()) == first, "it waits already"
    assert store.measure(id, 1, asked()) != first, "another run"
    assert store.measure(id, 0, asked(ONE, Measure())) != first, "another question"
    job = claimed(store)
    task = measuring.task(store.engine, job.spec)
    assert (task.seed, task.measurement) == (0, asked())
    folder = checkpoint_folder(store.engine, store.home, task.run)
    assert Checkpoints(folder).with_hash(task.weights)["state"] == {"number": 0}
    measuring.tell(store.engine, job, {"arms": {}})
    jobs.end(store.engine, job, "finished")
    assert store.measure(id, 0, asked()) == first, "it is known"
    newest, *_, oldest = store.measurements(id)
    assert (oldest.id, oldest.state, oldest.result) == (first, "finished", {"arms": {}})
    assert newest.state == "queued"
    save(store, task.run, 7, step=16)
    assert store.measure(id, 0, asked()) != first, "the run has gone on"


@BOTH
def test_one_that_was_cancelled_is_queued_again(store: Store, id: str) -> None:
    first = store.measure(id, 0, asked())
    (view,) = store.measurements(id)
    store.cancel_job(view.job)
    assert [view.state for view in store.measurements(id)] == ["cancelled"]
    assert store.measure(id, 0, asked()) == first
    assert [view.state for view in store.measurements(id)] == ["queued"]


@BOTH
def test_it_goes_with_its_comparison_and_can_be_forgotten(store: Store, id: str) -> None:
    first = store.measure(id, 0, asked())
    with pytest.raises(ValueError, match="is not finished: cancel it before it can be deleted"):
        store.delete_measurement(first)
    store.cancel_job(store.measurements(id)[0].job)
    store.delete_measurement(first)
    assert store.measurements(id) == []
    store.measure(id, 1, asked())
    job = claimed(store)
    store.delete(id)
    assert jobs.wanted(store.engine, job) == "cancelled", "its device would be taken until it is done"
    with store.engine.connect() as connection:
        assert connection.execute(select(measurements)).all() == []
    with pytest.raises(ValueError, match="was deleted before it could be measured"):
        measuring.task(store.engine, job.spec)
    with pytest.raises(UnknownError):
        store.measurements(id)


@BOTH
def test_a_run_and_a_measurement_do_not_share_a_device(store: Store, id: str) -> None:
    store.measure(id, 0, asked())
    store.submit(tiny(1), "terminal")
    first = jobs.claim(store.engine)
    assert first is not None
    assert jobs.claim(store.engine) is None, "the device is taken"
    jobs.end(store.engine, first, "finished")
    second = jobs.claim(store.engine)
    assert second is not None
    assert {first.kind, second.kind} == {"train", "measure"}


@BOTH
def test_many_comparisons_are_looked_up_by_one_question(store: Store, id: str) -> None:
    other, idle = (stored.put(store, tiny(1)) for _ in range(2))
    save(store, store.header(other).runs[0].id, 0)
    store.measure(id, 0, asked())
    store.measure(other, 0, asked())
    store.measure(id, 1, asked())
    store.cancel_job(store.measurements(other)[0].job)
    many = [other, idle, id, "example", "99"]
    found = store.measurements_of(many)
    assert found == {one: store.measurements(one) for one in many[:-1]} | {"99": []}
    assert [view.seed for view in found[id]] == [1, 0], "the newest first"
    assert found[other][0].state == "cancelled"
    assert questions(store, many) == questions(store, [id])
    with pytest.raises(UnknownError):
        store.measurements_of([id, "x"])


def questions(store: Store, ids: list[str]) -> int:
    """What the database is asked, in statements."""
    asked: list[str] = []

    def keep(connection, cursor, statement, *_) -> None:
        asked.append(statement)

    event.listen(store.engine, "before_cursor_execute", keep)
    store.measurements_of(ids)
    event.remove(store.engine, "before_cursor_execute", keep)
    assert asked
    return len(asked)


def test_what_cannot_be_measured_is_one_sentence(store: Store, id: str, home: Path) -> None:
    with pytest.raises(ValueError, match="seed must be one of 0, 1, but it is 2"):
        store.measure(id, 2, asked())
    with pytest.raises(ValueError, match=r"arm must be one of sgd, .*, but it is 'lion'"):
        store.measure(id, 0, SharpnessOf(arms=("lion",), measures=(ONE,)))
    with pytest.raises(ValueError, match="bundled example ships with samviz"):
        store.measure("example", 0, asked())
    (home / "runs" / str(store.header(id).runs[0].id) / "checkpoints" / f"{8:012d}.pt").unlink()
    with pytest.raises(ValueError, match="Seed 0 of comparison 1 has no checkpoint yet"):
        store.measure(id, 0, asked())
    assert store.measurements(id) == []


@BOTH
def test_numbers_that_are_not_finite_are_none(store: Store, id: str) -> None:
    store.measure(id, 0, asked())
    job = claimed(store)
    measuring.tell(store.engine, job, {"lengths": [nan, inf, 1.0], "cuts": ({"reach": -inf},)})
    assert store.measurements(id)[0].result == {"lengths": [None, None, 1.0], "cuts": [{"reach": None}]}


def test_a_stale_worker_cannot_tell(store: Store, id: str) -> None:
    store.measure(id, 0, asked())
    job = claimed(store)
    with writing(store.engine) as connection:
        connection.execute(update(jobs_table).where(jobs_table.c.id == job.id).values(attempt=2))
    with pytest.raises(jobs.StaleError):
        measuring.tell(store.engine, job, {"arms": {}})
    assert store.measurements(id)[0].result is None
