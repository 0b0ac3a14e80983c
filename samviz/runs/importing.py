"""Comparisons that were read from a bundle, on their way into the store: all of one, or nothing."""

from __future__ import annotations

import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import insert, update
from sqlalchemy.engine import Connection, Engine

from samviz.runs import jobs, measuring
from samviz.runs.engine import writing
from samviz.runs.places import checkpoint_folder, delete_files, run_folder
from samviz.runs.schema import comparisons, histograms, metrics
from samviz.runs.schema import jobs as jobs_table
from samviz.runs.unbundle import Bundle
from samviz.runs.views import UNFINISHED, RunView, Snapshot

RESTS = "It was not finished when it was exported."


def take_in(engine: Engine, home: Path, bundle: Bundle, person: str) -> int:
    """Store a comparison; its number. Raises ValueError where a checkpoint is damaged, and then has stored nothing."""
    snapshot, added = bundle.snapshot, []
    spec = snapshot.comparison.to_dict()
    home.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=home, prefix="import-") as folder:
        copies = {seed: Path(folder) / f"{seed}.pt" for seed in bundle.checkpoints}
        for seed, copy in bundle.checkpoints.items():
            copy(copies[seed])  # checks it
        try:
            with writing(engine) as connection:
                row = {"created": snapshot.created, "origin": "import", "spec": spec, "revision": 1}
                row |= {"person": person, "note": snapshot.note}
                number = connection.execute(insert(comparisons).values(**row)).inserted_primary_key[0]
                for run in snapshot.runs:
                    job = jobs.add(connection, "train", spec, comparison=number, seed=run.seed, person=person)
                    added.append(job)
                    _take_in_run(connection, home, job, run, snapshot)
                    if run.seed in copies:
                        target = checkpoint_folder(engine, home, job)
                        target.make()
                        partial = target.work / "import.partial"
                        shutil.move(copies[run.seed], partial)  # `work` may be on another file system
                        target.put(partial, f"{0:012d}.pt")
                for measured in bundle.measurements:
                    measuring.take_in(connection, number, measured, person)
        except BaseException:
            for job in added:
                delete_files(engine, home, job)
            raise
    return number


def _take_in_run(connection: Connection, home: Path, job: int, run: RunView, snapshot: Snapshot) -> None:
    rests = run.state in UNFINISHED
    values = {
        "state": "paused" if rests else run.state,
        "reason": RESTS if rests else run.reason,
        "attempt": max(run.attempt, 1),
        "resumed": max(run.attempt, 1),  # or the next attempt would take no checkpoint
        "data_label": snapshot.data_label,
    }
    values |= {name: getattr(run, name) for name in ("progress", "machine", "error", "started", "finished")}
    connection.execute(update(jobs_table).where(jobs_table.c.id == job).values(**values))
    numbers = snapshot.metrics[snapshot.metrics["seed"] == run.seed].drop(columns="seed")
    counts = snapshot.histograms[snapshot.histograms["seed"] == run.seed].drop(columns="seed")
    # A histogram is of the end of its epoch.
    steps = counts["epoch"] * snapshot.comparison.recipe.steps_per_epoch
    counts = counts.assign(step=steps, counts=counts["counts"].map(list))
    for table, rows in ((metrics, numbers), (histograms, counts)):
        if len(rows):
            connection.execute(insert(table), rows.assign(run=job).to_dict("records"))
    if run.log_tail:
        log = run_folder(home, job) / "worker.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_text(run.log_tail, "utf-8")
