"""Rows of the store as views."""

from __future__ import annotations

import json
import sqlite3
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Row, func, select
from sqlalchemy.engine import Connection

from samviz.runs.exchange import frame
from samviz.runs.schema import comparisons, jobs, unusable
from samviz.runs.views import HISTOGRAM_COLUMNS, METRIC_COLUMNS, JobView, RunView, Snapshot, Summary
from samviz.spec import DATASETS, NETWORKS, Comparison


class UnknownError(KeyError):
    """There is no comparison, or job, with this id."""


LOG_BYTES = 4000
LOST = "The worker is lost; the run goes on from its last checkpoint as soon as a supervisor takes it up."
_METRICS = """
SELECT "row", seed, arm, epoch, step, name, value FROM metrics JOIN jobs ON jobs.id = run
WHERE "row" > ? AND comparison = ? ORDER BY "row"
"""
_HISTOGRAMS = """
SELECT "row", seed, arm, epoch, name, low, high, counts FROM histograms JOIN jobs ON jobs.id = run
WHERE "row" > ? AND comparison = ? ORDER BY "row"
"""


@dataclass(frozen=True)
class Reading:
    """A snapshot, and what the next one needs to read no more than the rows that came after it."""

    snapshot: Snapshot
    resumed: list[int]
    """Of each run, the last attempt that dropped rows; when this changes, everything is read again."""
    last_metric: int
    last_histogram: int


def number(id: str) -> int:
    """The row behind an id; KeyError where it can be none."""
    if not (id.isascii() and id.isdecimal() and len(id) < 16):
        raise UnknownError(f"There is no comparison {id!r}.")
    return int(id)


def revision(connection: Connection, number: int) -> str:
    """A text that changes with every change, and when a worker is lost; KeyError where there is no such comparison."""
    lost = (jobs.c.comparison == number) & (jobs.c.state == "running") & (jobs.c.lease_until < time.time())
    question = select(comparisons.c.created, comparisons.c.revision, select(func.count()).where(lost).scalar_subquery())
    row = connection.execute(question.where(comparisons.c.id == number)).one_or_none()
    if row is None:
        raise UnknownError(f"There is no comparison {number}.")
    created, count, lost_count = row
    # The time keeps the numbers of a store that was moved away from meeting those of its successor.
    return f"{number}-{int(created * 1000):x}-{count}" + ("-lost" if lost_count else "")


def summaries(connection: Connection) -> list[Summary]:
    """All comparisons of the store, the newest first."""
    columns = [jobs.c[name] for name in ("comparison", "state", "lease_until", "progress")]
    runs: dict[int, list[Row]] = {}
    for run in connection.execute(select(*columns).where(jobs.c.comparison.is_not(None))):
        runs.setdefault(run.comparison, []).append(run)
    return [
        _summary(
            str(row.id),
            Comparison.from_dict(row.spec),
            row.created,
            [_state(run) for run in runs.get(row.id, [])],
            [run.progress for run in runs.get(row.id, [])],
        )
        for row in connection.execute(select(comparisons).order_by(comparisons.c.id.desc()))
    ]


def summary(snapshot: Snapshot) -> Summary:
    """The line of the list for a comparison that was read whole."""
    states, progress = [run.state for run in snapshot.runs], [run.progress for run in snapshot.runs]
    return _summary(snapshot.id, snapshot.comparison, snapshot.created, states, progress, bundled=snapshot.bundled)


def read(connection: Connection, number: int, folder: Path, before: Reading | None) -> Reading:
    """One comparison, in one transaction; logs lie under `folder`. KeyError where there is no such comparison.

    `before` is an earlier reading of the same comparison, from which all rows are taken that it has.
    """
    import pandas as pd

    etag = revision(connection, number)
    row = connection.execute(select(comparisons).where(comparisons.c.id == number)).one()
    rows = connection.execute(select(jobs).where(jobs.c.comparison == number).order_by(jobs.c.id)).all()
    resumed = [run.resumed for run in rows]
    if before is None or before.resumed != resumed:
        metric, histogram, old = 0, 0, None
    else:
        metric, histogram, old = before.last_metric, before.last_histogram, before.snapshot
    new_metrics = _rows(connection, _METRICS, metric, number)
    new_histograms = _rows(connection, _HISTOGRAMS, histogram, number)
    metrics = frame(METRIC_COLUMNS, [row[1:] for row in new_metrics])
    counts = frame(HISTOGRAM_COLUMNS, [(*row[1:-1], tuple(json.loads(row[-1]))) for row in new_histograms])
    if old is not None:
        metrics = pd.concat([old.metrics, metrics], ignore_index=True)
        counts = pd.concat([old.histograms, counts], ignore_index=True)
    comparison = Comparison.from_dict(row.spec)
    runs = tuple(_run(run, folder) for run in rows)
    labels = [run.data_label for run in rows if run.data_label]
    snapshot = Snapshot(
        id=str(number),
        comparison=comparison,
        state=_overall([run.state for run in runs]),
        created=row.created,
        runs=runs,
        data_label=labels[0] if labels else DATASETS[comparison.recipe.dataset].label,
        revision=etag,
        metrics=metrics,
        histograms=counts,
    )
    last_metric = new_metrics[-1][0] if new_metrics else metric
    last_histogram = new_histograms[-1][0] if new_histograms else histogram
    return Reading(snapshot, resumed, last_metric, last_histogram)


def job(connection: Connection, number: int) -> JobView:
    """One job; KeyError where there is none."""
    row = connection.execute(select(jobs).where(jobs.c.id == number)).one_or_none()
    if row is None:
        raise UnknownError(f"There is no job {number}.")
    return JobView(
        id=row.id,
        kind=row.kind,
        state=_state(row),
        reason=_reason(row),
        progress=row.progress,
        result=row.result,
        error=row.reason if row.state == "failed" else "",
    )


def _rows(connection: Connection, query: str, after: int, number: int) -> list[tuple]:
    """Plain tuples from the driver: a third of the time that thousands of SQLAlchemy's rows take."""
    try:
        return connection.connection.driver_connection.execute(query, (after, number)).fetchall()
    except sqlite3.DatabaseError as error:
        raise unusable(connection.engine.url.database, error) from None


def _run(row: Row, folder: Path) -> RunView:
    return RunView(
        id=row.id,
        seed=row.seed,
        state=_state(row),
        reason=_reason(row),
        progress=row.progress,
        attempt=row.attempt,
        started=row.started,
        finished=row.finished,
        machine=row.machine,
        error=row.error,
        log_tail=_tail(folder / str(row.id) / "worker.log"),
    )


def _lost(row: Row) -> bool:
    return row.state == "running" and row.lease_until < time.time()


def _state(row: Row) -> str:
    """Nothing is said to run whose lease has run out."""
    return "queued" if _lost(row) else row.state


def _reason(row: Row) -> str:
    return LOST if _lost(row) else row.reason


def _overall(states: list[str]) -> str:
    order = ("running", "queued", "failed", "cancelled", "finished")
    return next(state for state in order if state in states)


def _summary(
    id: str, comparison: Comparison, created: float, states: list[str], progress: list[float], **more: Any
) -> Summary:
    return Summary(
        id=id,
        name=comparison.name,
        created=created,
        state=_overall(states),
        progress=sum(progress) / len(progress),
        arms=tuple(comparison.labels.values()),
        seeds=comparison.seeds,
        dataset=DATASETS[comparison.recipe.dataset].label,
        network=NETWORKS[comparison.recipe.network].label,
        **more,
    )


def _tail(log: Path) -> str:
    """The last lines of a log, "" where there is none."""
    try:
        with log.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - LOG_BYTES))
            text = file.read().decode("utf-8", errors="replace")
    except OSError:
        return ""
    return text if size <= LOG_BYTES else text[text.find("\n") + 1 :]
