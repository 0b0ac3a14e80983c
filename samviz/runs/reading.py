"""Rows of the store as views."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from sqlalchemy import Row, func, or_, select, text
from sqlalchemy.engine import Connection

from samviz.runs import process
from samviz.runs.engine import now, unusable
from samviz.runs.exchange import frame
from samviz.runs.jobs import LEASE_SECONDS
from samviz.runs.schema import comparisons, jobs
from samviz.runs.views import (
    HISTOGRAM_COLUMNS,
    METRIC_COLUMNS,
    Header,
    JobView,
    News,
    Place,
    RunView,
    Snapshot,
    Summary,
)
from samviz.spec import DATASETS, Comparison
from samviz.spec.networks import network_label


class UnknownError(KeyError):
    """There is no comparison, or job, with this id."""


LOST = "The worker is lost; the run goes on from its last checkpoint as soon as a supervisor takes it up."
_METRICS = """
SELECT "row", seed, arm, epoch, step, name, value FROM metrics {join} jobs ON jobs.id = run
WHERE "row" > {mark} AND comparison = {mark} ORDER BY "row"
"""
_HISTOGRAMS = """
SELECT "row", seed, arm, epoch, name, low, high, CAST(counts AS TEXT) FROM histograms {join} jobs ON jobs.id = run
WHERE "row" > {mark} AND comparison = {mark} ORDER BY "row"
"""


_RESULTS = text("""
SELECT jobs.seed, m.arm, m.epoch, m.step, m.name, m.value FROM metrics m JOIN jobs ON jobs.id = m.run
WHERE jobs.comparison = :comparison AND m.name IN ('test_accuracy', 'test_loss', 'gamma_mean', 'seconds')
""")


def number(id: str) -> int:
    """The row behind an id; KeyError where it can be none."""
    if not (id.isascii() and id.isdecimal() and len(id) < 16):
        raise UnknownError(f"There is no comparison {id!r}.")
    return int(id)


def revision(connection: Connection, number: int) -> str:
    """A text that changes with every change, and when a worker is lost; KeyError where there is no such comparison."""
    moment = now(connection)
    expired = or_(jobs.c.lease_until < moment, jobs.c.lease_until > moment + 2 * LEASE_SECONDS)
    lost = (jobs.c.comparison == number) & (jobs.c.state == "running") & expired
    question = select(comparisons.c.created, comparisons.c.revision, select(func.count()).where(lost).scalar_subquery())
    row = connection.execute(question.where(comparisons.c.id == number)).one_or_none()
    if row is None:
        raise UnknownError(f"There is no comparison {number}.")
    created, count, lost_count = row
    # The time keeps the numbers of a store that was moved away from meeting those of its successor.
    return f"{number}-{int(created * 1000):x}-{count}" + ("-lost" if lost_count else "")


def summaries(connection: Connection) -> list[Summary]:
    """All comparisons of the store that are no part of a sweep, the newest first."""
    columns = [jobs.c[name] for name in ("comparison", "state", "lease_until", "progress")]
    runs: dict[int, list[Row]] = {}
    moment = now(connection)
    listed = comparisons.c.sweep.is_(None)
    theirs = select(*columns).join(comparisons, jobs.c.comparison == comparisons.c.id).where(listed)
    for run in connection.execute(theirs):
        runs.setdefault(run.comparison, []).append(run)
    return [
        _summary(
            str(row.id),
            Comparison.from_dict(row.spec),
            row.created,
            [state(run, moment) for run in runs.get(row.id, [])],
            [run.progress for run in runs.get(row.id, [])],
        )
        for row in connection.execute(select(comparisons).where(listed).order_by(comparisons.c.id.desc()))
    ]


def summary(snapshot: Snapshot) -> Summary:
    """The line of the list for a comparison that was read whole."""
    states, progress = [run.state for run in snapshot.runs], [run.progress for run in snapshot.runs]
    return _summary(snapshot.id, snapshot.comparison, snapshot.created, states, progress, bundled=snapshot.bundled)


def header(connection: Connection, number: int, folder: Path) -> Header:
    """One comparison without its numbers; logs lie under `folder`. KeyError where there is no such comparison."""
    return _header(connection, number, folder, _runs(connection, number))


def comparison(connection: Connection, number: int) -> Comparison:
    """What a comparison is; KeyError where there is none."""
    spec = connection.scalar(select(comparisons.c.spec).where(comparisons.c.id == number))
    if spec is None:
        raise UnknownError(f"There is no comparison {number}.")
    return Comparison.from_dict(spec)


def _runs(connection: Connection, number: int) -> Sequence[Row]:
    return connection.execute(select(jobs).where(jobs.c.comparison == number).order_by(jobs.c.id)).all()


def _header(connection: Connection, number: int, folder: Path, rows: Sequence[Row]) -> Header:
    etag = revision(connection, number)
    row = connection.execute(select(comparisons).where(comparisons.c.id == number)).one()
    comparison = Comparison.from_dict(row.spec)
    moment = now(connection)
    runs = tuple(_run(run, folder, moment) for run in rows)
    labels = [run.data_label for run in rows if run.data_label]
    return Header(
        id=str(number),
        comparison=comparison,
        state=overall([run.state for run in runs]),
        created=row.created,
        runs=runs,
        data_label=labels[0] if labels else DATASETS[comparison.recipe.dataset].label,
        revision=etag,
        person=row.person,
        note=row.note,
        sweep=None if row.sweep is None else str(row.sweep),
    )


def news(connection: Connection, number: int, folder: Path, since: Place | None) -> News:
    """One comparison, in one transaction; logs lie under `folder`. KeyError where there is no such comparison.

    Only the rows after the place `since`, unless rows before it were dropped: then all of them.
    """
    rows = _runs(connection, number)
    header = _header(connection, number, folder, rows)
    resumed, epochs = tuple(run.resumed for run in rows), header.comparison.epochs
    anew = since is None or (since.resumed, since.epochs) != (resumed, epochs)
    after = Place(resumed=resumed, epochs=epochs, metric=0, histogram=0) if anew else since
    metrics = _rows(connection, _METRICS, after.metric, number)
    histograms = _rows(connection, _HISTOGRAMS, after.histogram, number)
    return News(
        header=header,
        metrics=[row[1:] for row in metrics],
        histograms=[(*row[1:-1], tuple(json.loads(row[-1]))) for row in histograms],
        anew=anew,
        place=Place(
            resumed=resumed,
            epochs=epochs,
            metric=metrics[-1][0] if metrics else after.metric,
            histogram=histograms[-1][0] if histograms else after.histogram,
        ),
    )


def results(connection: Connection, number: int, folder: Path) -> tuple[Header, list[tuple]]:
    """A comparison and the few measures that tell where it ended; KeyError where there is none."""
    found = connection.execute(_RESULTS, {"comparison": number})
    return header(connection, number, folder), [tuple(row) for row in found]


def joined(old: Snapshot | None, news: News) -> Snapshot:
    """The snapshot that an earlier one becomes with the news since."""
    import pandas as pd

    metrics, histograms = frame(METRIC_COLUMNS, news.metrics), frame(HISTOGRAM_COLUMNS, news.histograms)
    if old is not None and not news.anew:
        metrics = pd.concat([old.metrics, metrics], ignore_index=True)
        histograms = pd.concat([old.histograms, histograms], ignore_index=True)
    header = {field.name: getattr(news.header, field.name) for field in fields(Header)}
    return Snapshot(**header, metrics=metrics, histograms=histograms)


def job(connection: Connection, number: int) -> JobView:
    """One job; KeyError where there is none."""
    row = connection.execute(select(jobs).where(jobs.c.id == number)).one_or_none()
    if row is None:
        raise UnknownError(f"There is no job {number}.")
    return JobView(
        id=row.id,
        kind=row.kind,
        state=state(row, now(connection)),
        reason=row.reason,
        progress=row.progress,
        result=row.result,
        error=row.reason if row.state == "failed" else "",
    )


def _rows(connection: Connection, query: str, after: int, number: int) -> list[tuple]:
    """Plain tuples from the driver: a third of the time that thousands of SQLAlchemy's rows take.

    SQLite looks the runs up first, and goes through all of their rows. For the last few rows of a long run it has to
    begin with these, which is what CROSS JOIN means there: 0.4 ms in place of 20 among 300000 rows.
    """
    if connection.dialect.name == "sqlite":
        query = query.format(join="CROSS JOIN" if after else "JOIN", mark="?")
    else:
        query = query.format(join="JOIN", mark="%s")
    try:
        return connection.connection.driver_connection.execute(query, (after, number)).fetchall()
    except connection.dialect.loaded_dbapi.DatabaseError as error:
        raise unusable(connection.engine, error) from None


def _run(row: Row, folder: Path, moment: float) -> RunView:
    return RunView(
        id=row.id,
        seed=row.seed,
        state=state(row, moment),
        reason=LOST if _lost(row, moment) else row.reason,
        since=row.changed,
        progress=row.progress,
        attempt=row.attempt,
        started=row.started,
        finished=row.finished,
        host=row.host,
        machine=row.machine,
        error=row.error,
        log_tail=process.tail(folder / str(row.id) / "worker.log"),
    )


def _lost(row: Row, moment: float) -> bool:
    """Whether the lease has run out, or ends later than any can: the clock was set back, and no beat came since."""
    return row.state == "running" and not moment <= row.lease_until <= moment + 2 * LEASE_SECONDS


def state(row: Row, moment: float) -> str:
    """The state of a run at a moment: nothing is said to run whose lease has run out."""
    return "queued" if _lost(row, moment) else row.state


def overall(states: list[str]) -> str:
    """The state of a comparison whose runs are in these."""
    order = ("running", "queued", "paused", "failed", "cancelled", "finished")
    return next(state for state in order if state in states)


def _summary(
    id: str, comparison: Comparison, created: float, states: list[str], progress: list[float], **more: Any
) -> Summary:
    return Summary(
        id=id,
        name=comparison.name,
        created=created,
        state=overall(states),
        progress=sum(progress) / len(progress),
        arms=tuple(comparison.labels.values()),
        seeds=comparison.seeds,
        dataset=DATASETS[comparison.recipe.dataset].label,
        network=network_label(comparison.recipe.network),
        classes=None if comparison.recipe.classes is None else len(comparison.recipe.classes),
        **more,
    )
