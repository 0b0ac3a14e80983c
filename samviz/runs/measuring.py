"""What is measured of stored checkpoints: asked for, found again where it was measured before, and told."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import Row, delete, insert, select, update
from sqlalchemy.engine import Connection, Engine

from samviz.runs import jobs, reading
from samviz.runs.checkpoints import Checkpoints
from samviz.runs.engine import moment, now, writing
from samviz.runs.places import checkpoint_folder
from samviz.runs.schema import jobs as jobs_table
from samviz.runs.schema import measurements as table
from samviz.runs.views import UNFINISHED, MeasurementView
from samviz.spec import Comparison, check, measurement, results
from samviz.spec.measurement import Measurement

BUNDLED = Path(__file__).parents[2] / "assets" / "measured.json"
"""What was measured of the comparison that ships with samviz: a list of seed, measurement and result."""
LOST = "Its job could not be read when the store was repaired."


@dataclass(frozen=True, kw_only=True, slots=True)
class Task:
    """A measurement, as the worker needs it."""

    comparison: int
    run: int
    """The job whose checkpoint is looked at."""
    run_spec: Any
    """What that job trains, as JSON."""
    seed: int
    weights: str
    """Hash of the checkpoint."""
    measurement: Measurement


def ask(engine: Engine, home: Path, number: int, seed: int, asked: Measurement, person: str) -> int:
    """Queue a measurement of the newest checkpoint of a run, or find it where it is the same; returns its id.

    The same is the same question about the same bytes. One that was cancelled or failed is queued again. Raises
    ValueError where there is no such seed or arm, and where the run has no checkpoint.
    """
    with moment(engine) as connection:
        comparison, run = _run(connection, number, seed)
    known = {arm.key: arm for arm in comparison.arms}
    for key in asked.needs:
        check.choice("arm", key, known)
    weights = Checkpoints(checkpoint_folder(engine, home, run.id)).newest_hash()
    if weights is None:
        raise ValueError(f"Seed {seed} of comparison {number} has no checkpoint yet: one is saved after each epoch.")
    spec = measurement.to_dict(asked)
    with writing(engine) as connection:
        same = (table.c.comparison == number) & (table.c.seed == seed) & (table.c.weights == weights)
        for row in connection.execute(select(table).where(same)):
            if row.spec == spec:
                if row.result is None and _state(connection, row) not in UNFINISHED:
                    job = jobs.add(connection, "measure", row.id, data_folder=run.data_folder, person=person)
                    connection.execute(update(table).where(table.c.id == row.id).values(job=job))
                return row.id
        values = {"comparison": number, "seed": seed, "weights": weights, "spec": spec, "created": now(connection)}
        made, _ = _add(connection, values, data_folder=run.data_folder, person=person)
    return made


def take_in(connection: Connection, number: int, made: MeasurementView, person: str) -> None:
    """Keep what was measured elsewhere of a comparison that has this number here, with a job that has ended."""
    values = {"comparison": number, "seed": made.seed, "weights": made.weights, "created": made.created}
    values |= {"spec": measurement.to_dict(made.measurement), "result": made.result}
    _, job = _add(connection, values, person=person)
    ended = {"state": "finished", "progress": 1.0, "attempt": 1}
    connection.execute(update(jobs_table).where(jobs_table.c.id == job).values(**ended))


def _add(connection: Connection, values: dict[str, Any], **of_job: Any) -> tuple[int, int]:
    """A row of the table and the job that is queued for it: the numbers of both."""
    made = connection.execute(insert(table).values(**values, job=0)).inserted_primary_key[0]
    job = jobs.add(connection, "measure", made, **of_job)
    connection.execute(update(table).where(table.c.id == made).values(job=job))
    return made, job


def _run(connection: Connection, number: int, seed: int) -> tuple[Comparison, Row]:
    header = reading.comparison(connection, number)
    mine = select(jobs_table).where(jobs_table.c.comparison == number)
    runs = {row.seed: row for row in connection.execute(mine)}
    return header, runs[check.choice("seed", seed, runs)]


def _state(connection: Connection, row: Row) -> str | None:
    return connection.scalar(select(jobs_table.c.state).where(jobs_table.c.id == row.job))


def task(engine: Engine, id: int) -> Task:
    """The measurement of a claimed job; ValueError where its comparison was deleted in the meantime."""
    with moment(engine) as connection:
        row = connection.execute(select(table).where(table.c.id == id)).one_or_none()
        if row is None:
            raise ValueError("The comparison was deleted before it could be measured.")
        _, run = _run(connection, row.comparison, row.seed)
    return Task(
        comparison=row.comparison,
        run=run.id,
        run_spec=run.spec,
        seed=row.seed,
        weights=row.weights,
        measurement=measurement.from_dict(row.spec),
    )


def tell(engine: Engine, job: jobs.Job, result: dict[str, Any]) -> None:
    """Keep what a measurement came to, under the job's fencing token: None for each number that is not finite."""
    with jobs.fenced(engine, job) as connection:
        connection.execute(update(table).where(table.c.id == job.spec).values(result=results.finite(result)))


def views(engine: Engine, number: int) -> list[MeasurementView]:
    """All measurements of a comparison, the newest first; KeyError where there is no such comparison."""
    with moment(engine) as connection:
        reading.revision(connection, number)
        return _views(connection, [number])


def views_of(engine: Engine, ids: Iterable[str]) -> dict[str, list[MeasurementView]]:
    """All measurements of each of these comparisons, the newest first, at one moment and by one question.

    A comparison that was deleted has none. KeyError where an id can be none.
    """
    numbers = {id: reading.number(id) for id in ids}
    found: dict[str, list[MeasurementView]] = {str(number): [] for number in numbers.values()}
    with moment(engine) as connection:
        for view in _views(connection, numbers.values()):
            found[view.comparison].append(view)
    return {id: found[str(number)] for id, number in numbers.items()}


def _views(connection: Connection, numbers: Collection[int]) -> list[MeasurementView]:
    mine = table.c.comparison.in_(numbers)
    theirs = select(jobs_table).where(jobs_table.c.id.in_(select(table.c.job).where(mine)))
    work = {row.id: row for row in connection.execute(theirs)}
    time = now(connection)
    rows = connection.execute(select(table).where(mine).order_by(table.c.id.desc()))
    return [_view(row, work.get(row.job), time) for row in rows]


def newest(engine: Engine) -> str | None:
    """The comparison that was measured last; None where none was."""
    with moment(engine) as connection:
        number = connection.scalar(select(table.c.comparison).order_by(table.c.id.desc()).limit(1))
    return None if number is None else str(number)


def _view(row: Row, job: Row | None, time: float) -> MeasurementView:
    """A measurement as its job stands; without one where the store was repaired and only the job was lost."""
    if row.result is not None:
        state, reason, progress = "finished", "", 1.0
    elif job is None:
        state, reason, progress = "failed", LOST, 0.0
    else:
        state, reason, progress = reading.state(job, time), job.reason, job.progress
    return MeasurementView(
        id=str(row.id),
        comparison=str(row.comparison),
        seed=row.seed,
        measurement=measurement.from_dict(row.spec),
        created=row.created,
        job=job and job.id,
        state=state,
        reason=reason,
        progress=progress,
        result=row.result,
        weights=row.weights,
    )


def bundled(comparison: str) -> list[MeasurementView]:
    """What ships with samviz, of its bundled comparison."""
    return [
        MeasurementView(
            id=f"{comparison}-{k}",
            comparison=comparison,
            seed=entry["seed"],
            measurement=measurement.from_dict(entry["measurement"]),
            created=entry["created"],
            job=None,
            state="finished",
            reason="",
            progress=1.0,
            result=entry["result"],
        )
        for k, entry in enumerate(_bundled())
    ]


@cache
def _bundled() -> list[dict[str, Any]]:
    return json.loads(BUNDLED.read_text("utf-8"))


def forget(engine: Engine, id: int) -> None:
    """Delete a measurement; ValueError while it is not finished."""
    with writing(engine) as connection:
        row = connection.execute(select(table).where(table.c.id == id)).one_or_none()
        if row is None:
            raise reading.UnknownError(f"There is no measurement {id}.")
        if _state(connection, row) in UNFINISHED:
            raise ValueError(f"Measurement {id} is not finished: cancel it before it can be deleted.")
        connection.execute(delete(table).where(table.c.id == id))
