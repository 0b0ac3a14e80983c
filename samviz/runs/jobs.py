"""The life of a job in the store: queued, claimed, beating, written to by one attempt only, paused, ended."""

import platform
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Row, bindparam, case, delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection, Engine

from samviz.runs.engine import alone, now, writing
from samviz.runs.schema import comparisons, histograms, jobs, metrics, sweeps
from samviz.runs.views import UNFINISHED
from samviz.spec import Histogram, Scalar

LEASE_SECONDS = 30.0
"""A running job whose worker has not beaten for so long has lost it, even if a process still hangs there."""
MOST_LOSSES = 3
"""Workers that may be lost without a new checkpoint in between, before a job fails."""
RUNS = ("train", "measure")
"""The kinds of jobs that take a device for themselves."""
STOPPED = ("paused", "cancelled", "failed")
"""The states from which a run can go on."""


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
    """train, measure, calibrate, download or sweep."""
    seed: int | None
    spec: Any
    """What to do, as JSON: a comparison, the name of a data set, the number of a sweep or of a measurement."""
    data_folder: str | None
    device: str
    """What it was given to work on: cpu, cuda:0, or a cluster's ray."""
    resumed: int
    """The last attempt that took up the run, 0 where none has: then no checkpoint can be its own."""


_JOB = [jobs.c[name] for name in Job.__slots__]


@dataclass(frozen=True, kw_only=True, slots=True)
class Seats:
    """Where jobs can be started: which kinds, by whom, and how many runs at once on which device."""

    executor: str = "local"
    host: str = field(default_factory=platform.node)
    """The machine that looks after the workers; "" where any machine can, as on a cluster."""
    slots: Mapping[str, int] = field(default_factory=lambda: {"cpu": 1})
    """Device -> runs that it may have at once."""
    kinds: tuple[str, ...] = (*RUNS, "calibrate", "download", "sweep")


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
    person: str = "",
) -> int:
    """Queue a job; returns its id."""
    moment = now(connection)
    values = {
        "comparison": comparison, "kind": kind, "seed": seed, "spec": spec, "data_folder": data_folder,
        "person": person, "state": "queued", "reason": "", "changed": moment, "created": moment, "attempt": 0,
        "entered": 0, "resumed": 0, "losses": 0, "progress": 0.0, "machine": {}, "error": "", "executor": "",
        "host": "", "device": "", "wanted": "",
    }  # fmt: skip
    return connection.execute(jobs.insert().values(**values)).inserted_primary_key[0]


def add_step(connection: Connection, job: int, comparison: int | None) -> None:
    """Queue a step of the sweep that a run which has ended belongs to, if there is something for it to do."""
    asked = select(sweeps.c.id, sweeps.c.spec).join(comparisons, comparisons.c.sweep == sweeps.c.id)
    sweep = connection.execute(asked.where(comparisons.c.id == comparison)).one_or_none()
    if sweep is None:
        return
    if sweep.spec["search"] == "grid":  # whose points are all there already: only seeds of lost ones need not run
        lost = select(metrics.c.row).where(metrics.c.run == job, metrics.c.name == "diverged").limit(1)
        if connection.execute(lost).first() is None:
            return
    queued = (jobs.c.kind == "sweep") & (jobs.c.state == "queued")
    if sweep.id not in connection.scalars(select(jobs.c.spec).where(queued)).all():
        add(connection, "sweep", sweep.id)


def unfinished(engine: Engine) -> bool:
    """Whether any job waits or runs."""
    with engine.connect() as connection:
        return connection.execute(select(jobs.c.id).where(jobs.c.state.in_(UNFINISHED)).limit(1)).first() is not None


def running(engine: Engine) -> list[Row]:
    """The rows of the jobs that run, or that nobody has yet noticed to be lost."""
    with engine.connect() as connection:
        return list(connection.execute(select(jobs).where(jobs.c.state == "running")))


def waiting(engine: Engine) -> set[str]:
    """The kinds of the jobs that are queued."""
    with engine.connect() as connection:
        return set(connection.scalars(select(jobs.c.kind).where(jobs.c.state == "queued").distinct()))


def on_devices(engine: Engine, executor: str, host: str) -> dict[str, int]:
    """Device of an executor -> runs that it has now."""
    with engine.connect() as connection:
        return _busy(connection, executor, host)


def _busy(connection: Connection, executor: str, host: str) -> dict[str, int]:
    mine = (jobs.c.executor == executor) & (jobs.c.host == host) & jobs.c.kind.in_(RUNS)
    counts = select(jobs.c.device, func.count()).where(mine, jobs.c.state == "running").group_by(jobs.c.device)
    return dict(connection.execute(counts).all())


def explain_waiting(engine: Engine, kinds: Iterable[str], why: str) -> None:
    """Tell of the queued jobs of these kinds why they wait, if it is not told yet."""
    theirs = (jobs.c.state == "queued") & jobs.c.kind.in_(list(kinds)) & (jobs.c.reason != why)
    with writing(engine) as connection:
        told = connection.scalars(update(jobs).where(theirs).values(reason=why).returning(jobs.c.comparison)).all()
        for comparison in sorted(set(told) - {None}):
            touch(connection, comparison)


def claim(engine: Engine, seats: Seats | None = None) -> Job | None:
    """Take the job whose turn it is and that there is room for; of many claims at once each job goes to one.

    People take turns: first comes who has the fewest runs going, of these who waits the longest since a run of theirs
    was started, and of one person's runs the one that was asked for first. A device takes so many runs at once as its
    slots say, one as a rule, since arms that are raced by the clock must not share it. A job that is no run waits for
    none: of each of the other kinds one goes on at a time on a machine.
    """
    seats = seats or Seats()
    with alone(engine) as connection:
        device = _free(connection, seats)
        if not set(RUNS).isdisjoint(seats.kinds) and device is not None:
            taken = _take(connection, seats, device, RUNS)
            if taken is not None:
                return taken
        others = [kind for kind in seats.kinds if kind not in RUNS]
        here = (jobs.c.state == "running") & (jobs.c.executor == seats.executor) & (jobs.c.host == seats.host)
        busy = set(connection.scalars(select(jobs.c.kind).where(here)))
        # On a cluster they take the room of a run, and would wait there for it.
        room = seats.executor == "local" or device is not None
        free = [kind for kind in others if kind not in busy and room]
        return _take(connection, seats, next(iter(seats.slots), "cpu"), free) if free else None


def _free(connection: Connection, seats: Seats) -> str | None:
    """The device with a free slot that has the fewest runs."""
    busy = _busy(connection, seats.executor, seats.host)
    free = [device for device, slots in seats.slots.items() if busy.get(device, 0) < slots]
    return min(free, key=lambda device: busy.get(device, 0), default=None)


def _take(connection: Connection, seats: Seats, device: str, kinds: Iterable[str]) -> Job | None:
    of_kind = jobs.c.kind.in_(kinds)
    going = func.sum(case((jobs.c.state == "running", 1), else_=0)).label("going")
    latest = func.coalesce(func.max(jobs.c.claimed), 0).label("latest")
    theirs = select(jobs.c.person, going, latest).where(of_kind).group_by(jobs.c.person).subquery()
    order = select(jobs.c.id).join(theirs, theirs.c.person == jobs.c.person).where(jobs.c.state == "queued", of_kind)
    first = order.order_by(theirs.c.going, theirs.c.latest, jobs.c.id).limit(1).scalar_subquery()
    moment = now(connection)
    values = {
        "state": "running", "reason": "", "changed": moment, "attempt": jobs.c.attempt + 1,
        "lease_until": moment + LEASE_SECONDS, "heartbeat": moment, "executor": seats.executor, "host": seats.host,
        "device": device, "handle": None, "claimed": moment, "started": func.coalesce(jobs.c.started, moment),
    }  # fmt: skip
    row = connection.execute(update(jobs).where(jobs.c.id == first).values(**values).returning(*_JOB)).one_or_none()
    if row is None:
        return None
    touch(connection, row.comparison)
    return Job(**row._mapping)


@contextmanager
def fenced(engine: Engine, job: Job, **values: Any) -> Iterator[Connection]:
    """One transaction of the attempt that has the job; sets `values` in its row. Any other gets a StaleError."""
    mine = (jobs.c.id == job.id) & (jobs.c.attempt == job.attempt) & (jobs.c.state == "running")
    with writing(engine) as connection:
        moment = now(connection)
        values = {"heartbeat": moment, "lease_until": moment + LEASE_SECONDS} | values
        if "state" in values:
            values["changed"] = moment
            if values["state"] not in UNFINISHED:
                values["finished"] = moment
        if connection.execute(update(jobs).where(mine).values(**values)).rowcount == 0:
            raise StaleError(f"Attempt {job.attempt} no longer has job {job.id}.")
        yield connection


def enter(engine: Engine, job_id: int, attempt: int, handle: str) -> Job:
    """The worker's first word: this process now works on that attempt. Raises StaleError if it may not."""
    mine = (jobs.c.id == job_id) & (jobs.c.attempt == attempt) & (jobs.c.state == "running")
    with writing(engine) as connection:
        moment = now(connection)
        values = {
            "entered": attempt, "handle": handle, "heartbeat": moment, "lease_until": moment + LEASE_SECONDS
        }  # fmt: skip
        statement = update(jobs).where(mine, jobs.c.entered < attempt).values(**values).returning(*_JOB)
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
        touch(connection, job.comparison)
        for table in (metrics, histograms):
            connection.execute(delete(table).where(table.c.run == job.id, table.c.step > after))


def beat(engine: Engine, job: Job) -> None:
    """Renew the lease."""
    with fenced(engine, job):
        pass


def wanted(engine: Engine, job: Job) -> str:
    """The state in which somebody asked the job to stop, cancelled or paused, and "" if nobody did.

    Raises StaleError where this attempt no longer has it.
    """
    question = select(jobs.c.wanted, jobs.c.attempt, jobs.c.state).where(jobs.c.id == job.id)
    with engine.connect() as connection:
        row = connection.execute(question).one_or_none()
    if row is None or (row.attempt, row.state) != (job.attempt, "running"):
        raise StaleError(f"Attempt {job.attempt} no longer has job {job.id}.")
    return row.wanted


def arms_with(engine: Engine, job: Job, name: str) -> set[str]:
    """The arms of a run of which a row of this name was told."""
    with engine.connect() as connection:
        return set(connection.scalars(select(metrics.c.arm).where(metrics.c.run == job.id, metrics.c.name == name)))


_FACT = ["run", "arm", "step", "name"]


def _upserts(table: Any) -> dict[str, Any]:
    """Database -> the statement that writes a row of `table`, or writes it over."""
    found = {}
    for name, dialect in (("sqlite", sqlite), ("postgresql", postgresql)):
        statement = dialect.insert(table).values({c.name: bindparam(c.name) for c in table.columns if c.name != "row"})
        values = {c.name: statement.excluded[c.name] for c in table.columns if c.name not in ("row", *_FACT)}
        found[name] = statement.on_conflict_do_update(index_elements=_FACT, set_=values)
    return found


_PUT_METRIC, _PUT_HISTOGRAM = _upserts(metrics), _upserts(histograms)


def write(connection: Connection, job: Job, facts: Iterable[Scalar | Histogram]) -> None:
    """Put facts into the store within a `fenced` transaction; the same fact twice is one row."""
    # First, since it keeps others from writing rows of this comparison until the end of the transaction: so a reader
    # never finds a row whose number is less than that of one which it has seen before.
    touch(connection, job.comparison)
    scalars, counts = [], []
    for fact in facts:
        row = {"run": job.id, "arm": fact.arm, "step": fact.step, "name": fact.name, "epoch": fact.epoch}
        if isinstance(fact, Scalar):
            scalars.append(row | {"value": float(fact.value)})
        else:
            counts.append(row | {"low": fact.low, "high": fact.high, "counts": list(fact.counts)})
    database = connection.dialect.name
    if scalars:
        connection.execute(_PUT_METRIC[database], scalars)
    if counts:
        connection.execute(_PUT_HISTOGRAM[database], counts)


def end(engine: Engine, job: Job, state: str, *, reason: str = "", error: str = "", **values: Any) -> None:
    """Bring the job to its end: finished, cancelled or failed."""
    values = {"state": state, "reason": reason, "error": error, "lease_until": None} | values
    with fenced(engine, job, **values) as connection:
        touch(connection, job.comparison)
        add_step(connection, job.id, job.comparison)


def end_as_wanted(engine: Engine, job: Job, rests: str = "") -> None:
    """Bring the job where somebody wants it, to its end or to a rest, with that reason.

    Where they have taken it back, it waits to go on.
    """
    _give_up(engine, job, "queued", "", rests=rests)


def requeue(engine: Engine, job: Job, losses: int, why: str) -> None:
    """Put a job whose worker is lost back into the queue, or fail it after the third loss without a checkpoint."""
    with suppress(StaleError):  # it came to its own end in the meantime
        if losses + 1 < MOST_LOSSES:
            _give_up(engine, job, "queued", f"{why} It goes on from its last checkpoint.", losses=losses + 1)
        else:
            _give_up(engine, job, "failed", f"{why} This was the third time.", losses=losses + 1)


def _give_up(engine: Engine, job: Job, otherwise: str, reason: str, *, rests: str = "", **values: Any) -> None:
    """Take a running job from its worker: into the state that somebody wants of it, or `otherwise`, queued or failed.

    Whoever wants it to stop meanwhile waits for this transaction, and finds the job where it is then.
    """
    with fenced(engine, job, lease_until=None, **values) as connection:
        row = jobs.c.id == job.id
        state = connection.scalar(select(jobs.c.wanted).where(row)) or otherwise
        reason = {otherwise: reason, "paused": rests}.get(state, "")
        moment = now(connection)
        more = {"handle": None} if state == "queued" else {"finished": moment}
        connection.execute(update(jobs).where(row).values(state=state, reason=reason, changed=moment, **more))
        touch(connection, job.comparison)
        if state != "queued":
            add_step(connection, job.id, job.comparison)


def explain(engine: Engine, job: Job, reason: str) -> None:
    """Say something about a job that goes on as it is, also where it should rest."""
    with fenced(engine, job, reason=reason) as connection:
        keep_on(connection, jobs.c.id == job.id)
        touch(connection, job.comparison)


def put_back(engine: Engine, job: Job, why: str) -> None:
    """Put a job back into the queue whose worker could not be started: nothing is lost by that."""
    with suppress(StaleError):  # the worker has started all the same, and has come to its end
        _give_up(engine, job, "queued", why)


def stop(connection: Connection, which: ColumnElement[bool], state: str, reason: str = "") -> None:
    """Bring the waiting jobs of this condition into `state`, cancelled or paused, and ask the running ones to end so.

    Those that rest can still be cancelled.
    """
    # One that is put back into the queue between the two statements below would be found by neither.
    connection.execute(select(jobs.c.id).where(which).order_by(jobs.c.id).with_for_update())
    moment = now(connection)
    waiting = jobs.c.state == "queued" if state == "paused" else jobs.c.state.in_(("queued", "paused"))
    ended = {"state": state, "changed": moment, "finished": moment, "reason": reason}
    stopped = update(jobs).where(which, waiting).values(**ended).returning(jobs.c.id, jobs.c.comparison)
    for job, comparison in connection.execute(stopped).all():
        add_step(connection, job, comparison)
    asked = {"wanted": state, "cancel_requested": func.coalesce(jobs.c.cancel_requested, moment)}
    connection.execute(update(jobs).where(which, jobs.c.state == "running").values(**asked))


def again(connection: Connection, which: ColumnElement[bool], states: tuple[str, ...], person: str) -> int:
    """Queue the jobs of this condition that are in one of `states`, to go on from their checkpoints; how many.

    Their turn is that of the person who wants it.
    """
    moment = now(connection)
    values = {
        "state": "queued", "changed": moment, "finished": None, "reason": "", "error": "", "losses": 0,
        "cancel_requested": None, "wanted": "", "person": person,
    }  # fmt: skip
    return connection.execute(update(jobs).where(which, jobs.c.state.in_(states)).values(**values)).rowcount


def keep_on(connection: Connection, which: ColumnElement[bool]) -> int:
    """Take back that running jobs of this condition shall rest; how many."""
    resting = (jobs.c.state == "running") & (jobs.c.wanted == "paused")
    return connection.execute(update(jobs).where(which, resting).values(wanted="", cancel_requested=None)).rowcount


def of_row(row: Row) -> Job:
    """The job of a row of `running`."""
    return Job(**{name: row._mapping[name] for name in Job.__slots__})
