"""What changes a stored comparison, in a caller's transaction: add it, give it more epochs, rename, note, remove it."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, delete, insert, select, update
from sqlalchemy.engine import Connection

from samviz.runs import jobs, reading
from samviz.runs.engine import now
from samviz.runs.schema import comparisons, measurements
from samviz.runs.schema import jobs as jobs_table
from samviz.runs.views import UNFINISHED
from samviz.spec import Comparison, check
from samviz.spec.networks import own_network
from samviz.spec.recipe import MOST_EPOCHS

LONGEST_NOTE = 4000
"""Characters."""


def add(connection: Connection, comparison: Comparison, origin: str, person: str, **more: Any) -> int:
    """Store a comparison and queue one run a seed; its number. `more` is its place in a sweep."""
    spec = comparison.to_dict()
    row = {"created": now(connection), "origin": origin, "spec": spec, "revision": 1, "person": person, "note": ""}
    number = connection.execute(insert(comparisons).values(**row, **more)).inserted_primary_key[0]
    own = origin == "terminal" and own_network(comparison.recipe.network)
    task = spec | {"code_folder": str(Path.cwd())} if own else spec
    for seed in comparison.seeds:
        jobs.add(connection, "train", task, comparison=number, seed=seed, data_folder=data_folder(), person=person)
    return number


def extend(connection: Connection, number: int, epochs: int, person: str) -> Comparison:
    """Queue the finished runs of a comparison again, up to `epochs` epochs; returns what it is now.

    Raises ValueError where it is not finished, where that is not more than it has, where an arm trains for more epochs
    than others, and where a sweep needs it as it is.
    """
    mine = jobs_table.c.comparison == number
    states = set(connection.scalars(select(jobs_table.c.state).where(mine)))
    _refuse_part(connection, number)
    if states != {"finished"}:
        raise ValueError(f"Comparison {number} is not finished: only then can it be given more epochs.")
    old = reading.comparison(connection, number)
    check.integer("epochs", epochs, old.recipe.epochs + 1, MOST_EPOCHS)
    longer = replace(old.recipe, epochs=epochs, extended=(*old.recipe.extended, old.recipe.epochs))
    new = replace(old, recipe=longer)
    spec = _put(connection, number, new)
    for job, task in connection.execute(select(jobs_table.c.id, jobs_table.c.spec).where(mine)).all():
        code = {"code_folder": task["code_folder"]} if "code_folder" in task else {}
        progress = old.recipe.epochs / epochs
        values = update(jobs_table).where(jobs_table.c.id == job).values(spec=spec | code, progress=progress)
        connection.execute(values)
    jobs.again(connection, mine, ("finished",), person)
    return new


def rename(connection: Connection, number: int, name: str) -> None:
    """Give a comparison another name; ValueError where it cannot be one."""
    _put(connection, number, replace(reading.comparison(connection, number), name=name))


def annotate(connection: Connection, number: int, note: str) -> None:
    """Write a note to a comparison, in place of the one that is there; ValueError where it is too long."""
    if not isinstance(note, str) or len(note) > LONGEST_NOTE:
        raise check.wrong("note", f"a text of at most {LONGEST_NOTE} characters", note)
    connection.execute(update(comparisons).where(comparisons.c.id == number).values(note=note))


def remove(connection: Connection, number: int) -> list[int]:
    """Delete the rows of a comparison; returns its runs, whose files are still there.

    Raises ValueError while it is not finished, and where a sweep needs it as it is.
    """
    mine = select(jobs_table.c.id, jobs_table.c.state).where(jobs_table.c.comparison == number)
    runs = connection.execute(mine).all()
    _refuse_part(connection, number)
    if any(run.state in UNFINISHED for run in runs):
        raise ValueError(f"Comparison {number} is not finished: cancel it before it can be deleted.")
    stop_measuring(connection, measurements.c.comparison == number)
    connection.execute(delete(comparisons).where(comparisons.c.id == number))
    return [run.id for run in runs]


def stop_measuring(connection: Connection, which: ColumnElement[bool]) -> None:
    """End the measurements of this condition, whose rows are about to go: nobody could see or cancel them later."""
    jobs.stop(connection, jobs_table.c.id.in_(select(measurements.c.job).where(which)), "cancelled")


def data_folder() -> str | None:
    """This process's SAMVIZ_DATA for a job, since whoever starts its worker may have another one."""
    folder = os.environ.get("SAMVIZ_DATA")
    return str(Path(folder).expanduser().absolute()) if folder else None


def _put(connection: Connection, number: int, comparison: Comparison) -> dict[str, Any]:
    """Keep a comparison in place of the one that is there; returns it as it is kept."""
    spec = comparison.to_dict()
    connection.execute(update(comparisons).where(comparisons.c.id == number).values(spec=spec))
    return spec


def _refuse_part(connection: Connection, number: int) -> None:
    sweep = connection.scalar(select(comparisons.c.sweep).where(comparisons.c.id == number))
    if sweep is not None:
        raise ValueError(f"Comparison {number} is part of sweep {sweep}, which needs it as it is.")
