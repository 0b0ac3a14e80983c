"""The life of a job in the store: queued, claimed, beating, written to by one attempt only, and ended."""

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, bindparam, delete, func, select, update
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.engine import Connection, Engine

from samviz.runs import process
from samviz.runs.schema import comparisons, histograms, jobs, metrics, writing
from samviz.runs.views import UNFINISHED
from samviz.spec import Histogram, Scalar

LEASE_SECONDS = 30.0
"""A running job whose worker has not beaten for so long has lost it, even if a process still hangs there."""
MOST_LOSSES = 3
"""Workers that may be lost without a new checkpoint in between, before a job fails."""


class StaleError(Exception):
    """Another attempt has the job now, or it has ended: this one may write nothing any more."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """A claimed job, as its worker needs it."""

    id: int
    attempt: int
    """The fencing token: the store takes writes of this attempt only, as long as the job runs."""
    comparison: int | None
    kind: str
    """train, calibrate or download."""
    seed: int | None
    spec: Any
    """What to do, as JSON: a comparison, or the name of a data set."""
    data_folder: str | None


_JOB = [jobs.c[name] for name in Job.__slots__]


def touch(connection: Connection, comparison: int | None) -> None:
    """Give the comparison a new revision, in the transaction that changes something of it."""
    if comparison is not None:
        row = comparisons.c.id == comparison
        connection.execute(update(comparisons).where(row).values(revision=comparisons.c.revision + 1))


def add(
    connection: Connection,
    kind: str,
    spec: Any,
    *,
    comparison: int | None = None,
    seed: int | None = None,
    data_folder: str | None = None,
) -> int:
    """Queue a job; returns its id."""
    values = {
        "comparison": comparison, "kind": kind, "seed": seed, "spec": spec, "data_folder": data_folder,
        "state": "queued", "reason": "", "attempt": 0, "resumed": 0, "losses": 0, "progress": 0.0, "machine": {},
        "error": "", "created": time.time(),
    }  # fmt: skip
    return connection.execute(insert(jobs).values(**values)).inserted_primary_key[0]


def unfinished(engine: Engine) -> bool:
    """Whether any job waits or runs."""
    with engine.connect() as connection:
        return bool(connection.scalar(select(func.count()).where(jobs.c.state.in_(UNFINISHED))))


def running(engine: Engine) -> list[Row]:
    """The rows of the jobs that run, or that nobody has yet noticed to be lost."""
    with engine.connect() as connection:
        return list(connection.execute(select(jobs).where(jobs.c.state == "running")))


def claim(engine: Engine) -> Job | None:
    """Take the first queued job whose kind is free, in one statement: of two claims at once only one gets it.

    One job of a kind runs at a time, for arms that are raced by the clock must not share a device with other runs;
    a calibration or a download does not wait for a run of hours.
    """
    now = time.time()
    waiting, busy = jobs.alias("waiting"), jobs.alias("busy")
    taken = select(busy.c.id).where(busy.c.kind == waiting.c.kind, busy.c.state == "running").exists()
    first = select(waiting.c.id).where(waiting.c.state == "queued", ~taken).order_by(waiting.c.id).limit(1)
    statement = (
        update(jobs)
        .where(jobs.c.id == first.scalar_subquery())
        .values(
            state="running",
            reason="",
            attempt=jobs.c.attempt + 1,
            lease_until=now + LEASE_SECONDS,
            heartbeat=now,
            pid=None,
            pid_created=None,
            started=func.coalesce(jobs.c.started, now),
        )
        .returning(*_JOB)
    )
    with writing(engine) as connection:
        row = connection.execute(statement).one_or_none()
        if row is None:
            return None
        touch(connection, row.comparison)
        return Job(**row._mapping)


@contextmanager
def fenced(engine: Engine, job: Job, **values: Any) -> Iterator[Connection]:
    """One transaction of the attempt that has the job; sets `values` in its row. Any other gets a StaleError."""
    now = time.time()
    mine = (jobs.c.id == job.id) & (jobs.c.attempt == job.attempt) & (jobs.c.state == "running")
    values = {"heartbeat": now, "lease_until": now + LEASE_SECONDS} | values
    with writing(engine) as connection:
        if connection.execute(update(jobs).where(mine).values(**values)).rowcount == 0:
            raise StaleError(f"Attempt {job.attempt} no longer has job {job.id}.")
        yield connection


def enter(engine: Engine, job_id: int, attempt: int) -> Job:
    """The worker's first word: this process now works on that attempt. Raises StaleError if it may not."""
    pid, created = process.me()
    statement = (
        update(jobs)
        .where(jobs.c.id == job_id, jobs.c.attempt == attempt, jobs.c.state == "running", jobs.c.pid.is_(None))
        .values(pid=pid, pid_created=created, heartbeat=time.time(), lease_until=time.time() + LEASE_SECONDS)
        .returning(*_JOB)
    )
    with writing(engine) as connection:
        row = connection.execute(statement).one_or_none()
    if row is None:
        raise StaleError(f"Attempt {attempt} no longer has job {job_id}.")
    return Job(**row._mapping)


def resume(engine: Engine, job: Job, after: int, machine: dict[str, str], data_label: str) -> None:
    """Take the job up after the step `after` of its checkpoint (-1: from the start), and drop all rows beyond it.

    The checkpoint file says where to go on, since it alone can; so the rows go when it has been read, in the same
    transaction that confirms the claim.
    """
    with fenced(engine, job, resumed=job.attempt, machine=machine, data_label=data_label) as connection:
        for table in (metrics, histograms):
            connection.execute(delete(table).where(table.c.run == job.id, table.c.step > after))
        touch(connection, job.comparison)


def beat(engine: Engine, job: Job) -> None:
    """Renew the lease."""
    with fenced(engine, job):
        pass


def cancelling(engine: Engine, job: Job) -> bool:
    """Whether somebody asked to cancel the job; raises StaleError where this attempt no longer has it."""
    question = select(jobs.c.cancel_requested, jobs.c.attempt, jobs.c.state).where(jobs.c.id == job.id)
    with engine.connect() as connection:
        row = connection.execute(question).one_or_none()
    if row is None or (row.attempt, row.state) != (job.attempt, "running"):
        raise StaleError(f"Attempt {job.attempt} no longer has job {job.id}.")
    return row.cancel_requested is not None


_FACT = ["run", "arm", "step", "name"]


def _upsert(table: Any) -> Any:
    statement = insert(table).values({c.name: bindparam(c.name) for c in table.columns if c.name != "row"})
    values = {c.name: statement.excluded[c.name] for c in table.columns if c.name not in ("row", *_FACT)}
    return statement.on_conflict_do_update(index_elements=_FACT, set_=values)


_PUT_METRIC, _PUT_HISTOGRAM = _upsert(metrics), _upsert(histograms)


def write(connection: Connection, job: Job, facts: Iterable[Scalar | Histogram]) -> None:
    """Put facts into the store within a `fenced` transaction; the same fact twice is one row."""
    scalars, counts = [], []
    for fact in facts:
        row = {"run": job.id, "arm": fact.arm, "step": fact.step, "name": fact.name, "epoch": fact.epoch}
        if isinstance(fact, Scalar):
            scalars.append(row | {"value": float(fact.value)})
        else:
            counts.append(row | {"low": fact.low, "high": fact.high, "counts": list(fact.counts)})
    if scalars:
        connection.execute(_PUT_METRIC, scalars)
    if counts:
        connection.execute(_PUT_HISTOGRAM, counts)
    touch(connection, job.comparison)


def end(engine: Engine, job: Job, state: str, *, reason: str = "", error: str = "", **values: Any) -> None:
    """Bring the job to its end: finished, cancelled or failed."""
    values = {"state": state, "reason": reason, "error": error, "finished": time.time(), "lease_until": None} | values
    with fenced(engine, job, **values) as connection:
        touch(connection, job.comparison)


def requeue(engine: Engine, job: Job, losses: int, why: str) -> None:
    """Put a job whose worker is lost back into the queue, or fail it after the third loss without a checkpoint."""
    if losses + 1 < MOST_LOSSES:
        values = {"state": "queued", "reason": f"{why} It goes on from its last checkpoint."}
    else:
        values = {"state": "failed", "reason": f"{why} This was the third time.", "finished": time.time()}
    try:
        with fenced(
            engine, job, losses=losses + 1, lease_until=None, pid=None, pid_created=None, **values
        ) as connection:
            touch(connection, job.comparison)
    except StaleError:
        pass  # it came to its own end in the meantime


def cancel(connection: Connection, jobs_wanted: Any) -> None:
    """End the queued jobs of this condition at once, and ask the running ones to stop."""
    now = time.time()
    ended = {"state": "cancelled", "cancel_requested": now, "finished": now, "reason": ""}
    connection.execute(update(jobs).where(jobs_wanted, jobs.c.state == "queued").values(**ended))
    asked = {"cancel_requested": func.coalesce(jobs.c.cancel_requested, now)}
    connection.execute(update(jobs).where(jobs_wanted, jobs.c.state == "running").values(**asked))


def of_row(row: Row) -> Job:
    """The job of a row of `running`."""
    return Job(**{name: row._mapping[name] for name in Job.__slots__})
