"""Comparisons with made-up numbers in a real store, written as a worker writes them but without a process."""

import time
from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd
from sqlalchemy import insert, select, update
from sqlalchemy.engine import Connection

from samviz.runs import Store, jobs
from samviz.runs.engine import writing
from samviz.runs.schema import comparisons
from samviz.runs.schema import jobs as jobs_table
from samviz.spec import Comparison, Histogram, Scalar
from tests import synthetic


def put(store: Store, comparison: Comparison, *, ends: Mapping[int, str] | None = None, **ran: Any) -> str:
    """Store a comparison as if it had run; returns its id.

    ends: seed -> state, queued, running (for a minute, without a worker) or one of the ends; finished by default.
    ran: what the runs wrote, see `_write`.
    """
    with writing(store.engine) as connection:
        row = {"created": 1_700_000_000.0, "origin": "app", "spec": comparison.to_dict(), "revision": 1}
        row |= {"person": "", "note": ""}
        number = connection.execute(insert(comparisons).values(**row)).inserted_primary_key[0]
        for seed in comparison.seeds:
            jobs.add(connection, "train", comparison.to_dict(), comparison=number, seed=seed)
        # In the same transaction: a supervisor may be there that would start what it sees queued.
        claimed = _claim(connection, number, comparison, ends or {})
    _write(store, comparison, claimed, ends or {}, **ran)
    return str(number)


def fill(
    store: Store, number: int, comparison: Comparison, *, ends: Mapping[int, str] | None = None, **ran: Any
) -> None:
    """Let the queued runs of a comparison run as `put` does, in a home without a supervisor."""
    with writing(store.engine) as connection:
        claimed = _claim(connection, number, comparison, ends or {})
    _write(store, comparison, claimed, ends or {}, **ran)


def _claim(connection: Connection, number: int, comparison: Comparison, ends: Mapping[int, str]) -> list[jobs.Job]:
    """Take the runs that are not to stay queued, whatever else waits; `jobs.claim` takes the next of all."""
    seeds = [seed for seed in comparison.seeds if ends.get(seed) != "queued"]
    mine = (jobs_table.c.comparison == number) & jobs_table.c.seed.in_(seeds)
    moment = time.time()
    begun = {"state": "running", "attempt": 1, "started": moment - 75, "heartbeat": moment, "lease_until": moment + 60}
    connection.execute(update(jobs_table).where(mine).values(**begun))
    return [jobs.of_row(row) for row in connection.execute(select(jobs_table).where(mine).order_by(jobs_table.c.id))]


def _write(
    store: Store,
    comparison: Comparison,
    claimed: list[jobs.Job],
    ends: Mapping[int, str],
    *,
    reached: dict[int, int] | None = None,
    error: str = "",
    log: str = "",
    steps: int = 0,
    layers: int = synthetic.LAYERS,
    diverged: Mapping[tuple[int, str], int] | None = None,
) -> None:
    """Write what claimed runs would have written up to the epochs `reached` (seed -> epoch), and end them.

    steps: how many extra rows of batch loss and learning rate each epoch has.
    layers, diverged: see `synthetic.metrics`.
    """
    metrics = synthetic.metrics(comparison, reached, layers=layers, diverged=diverged)
    histograms = synthetic.histograms(comparison, reached)
    for job in claimed:
        state = ends.get(job.seed, "finished")
        jobs.resume(store.engine, job, -1, {"device": "cpu", "torch": "2.13.0"}, "Built-in shapes")
        folder = store.folder(job.id)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "worker.log").write_text(log, "utf-8")
        mine = metrics[metrics["seed"] == job.seed]
        facts: list[Scalar | Histogram] = []
        per_epoch = comparison.recipe.steps_per_epoch
        for arm in comparison.arms:
            for step in range(steps * int(mine["epoch"].max() if len(mine) else 0)):
                epoch, at = divmod(step, steps)
                for name in ("batch_loss", "lr"):
                    facts.append(Scalar(arm.key, epoch + 1, epoch * per_epoch + at + 1, name, 1.0))
        facts += _scalars(mine)
        facts += _histograms(histograms[histograms["seed"] == job.seed], per_epoch)
        done = 1.0 if reached is None else max(reached.get(job.seed, 0), 0) / comparison.epochs
        with jobs.fenced(store.engine, job, progress=done) as connection:
            jobs.write(connection, job, facts)
        if state != "running":
            jobs.end(store.engine, job, state, error=error if state == "failed" else "")


def add_epoch(
    store: Store, id: str, seed: int, epoch: int, metrics: pd.DataFrame, histograms: pd.DataFrame, per_epoch: int
) -> None:
    """Write one more epoch of a stored run, in one transaction."""
    with writing(store.engine) as connection:
        job = _job(connection, id, seed)
        at = [(frame["seed"] == seed) & (frame["epoch"] == epoch) for frame in (metrics, histograms)]
        jobs.write(connection, job, [*_scalars(metrics[at[0]]), *_histograms(histograms[at[1]], per_epoch)])


def end(store: Store, id: str, seed: int) -> None:
    """Bring a run that has been stored as running to its end."""
    with store.engine.connect() as connection:
        job = _job(connection, id, seed)
    jobs.end(store.engine, job, "cancelled")


def _job(connection: Connection, id: str, seed: int) -> jobs.Job:
    mine = (jobs_table.c.comparison == int(id)) & (jobs_table.c.seed == seed)
    return jobs.of_row(connection.execute(select(jobs_table).where(mine)).one())


def _scalars(metrics: pd.DataFrame) -> Iterator[Scalar]:
    return (Scalar(m.arm, m.epoch, m.step, m.name, m.value) for m in metrics.itertuples())


def _histograms(histograms: pd.DataFrame, per_epoch: int) -> Iterator[Histogram]:
    return (
        Histogram(h.arm, h.epoch, h.epoch * per_epoch, h.name, h.low, h.high, h.counts) for h in histograms.itertuples()
    )
