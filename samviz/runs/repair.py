"""Looks a store over, and saves what can be read of a damaged one: `python -m samviz store check` and `... repair`."""

from __future__ import annotations

import shutil
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select

from samviz.runs import checkpoints, process
from samviz.runs.engine import FILE, StoreError, address, connect, denied, moment
from samviz.runs.executors import WORKER
from samviz.runs.places import checkpoint_folder, shared_place
from samviz.runs.schema import comparisons, jobs, measurements, metadata
from samviz.spec import Comparison, measurement, results

MOST_TOLD = 20
"""Faults of the file that SQLite is asked to tell."""


@dataclass(frozen=True, slots=True)
class Saved:
    """What came of one table."""

    table: str
    rows: int
    lost: int
    """Row numbers that could not be read, or whose rows belong to nothing that could; some may have been free."""


def check(home: Path) -> list[str]:
    """What is wrong with the store of `home`, one sentence each; nothing is changed.

    The file as SQLite sees it, whether each comparison and what was measured of it can be read, and whether each
    checkpoint is as it was written.
    """
    server = address()
    if server is None:
        path = home / FILE
        if not path.is_file():
            return [f"There is no store in {home}."]
        try:
            faults = _file_faults(path)
        except sqlite3.DatabaseError as error:
            faults = [str(denied(path, error) or f"{path}: {error}.")]
        if faults:
            return faults
    try:
        shared_place()
        engine = connect(home)
    except StoreError as error:
        return [str(error)]
    faults = []
    with moment(engine) as connection:
        found = {}
        for row in connection.execute(select(comparisons.c.id, comparisons.c.spec)):
            try:
                found[row.id] = Comparison.from_dict(row.spec)
            except ValueError as error:
                faults.append(f"Comparison {row.id} cannot be read: {error}")
        for row in connection.execute(select(measurements).order_by(measurements.c.id)):
            try:
                asked = measurement.from_dict(row.spec)
                if row.result is not None and row.comparison in found:
                    results.checked(asked, results.finite(row.result), found[row.comparison].epochs)
            except ValueError as error:
                faults.append(f"Measurement {row.id} cannot be read: {error}")
        runs = connection.scalars(select(jobs.c.id).where(jobs.c.kind == "train").order_by(jobs.c.id)).all()
    for run in runs:
        folder = checkpoint_folder(engine, home, run)
        for name in folder.names():
            with folder.path(name) as path, path.open("rb") as file:
                try:
                    checkpoints.check(file, path.stat().st_size)
                except checkpoints.DamagedError as error:
                    faults.append(f"The checkpoint {name} of run {run} cannot be used: {error}.")
    engine.dispose()
    return faults


def _file_faults(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as raw:
        found = [text for (text,) in raw.execute(f"PRAGMA integrity_check({MOST_TOLD})")]
        faults = [f"{path}: {text}." for text in found if text != "ok"]
        if not faults:
            broken = raw.execute("PRAGMA foreign_key_check").fetchmany(MOST_TOLD)
            faults = [f"{path}: a row of {row[0]} belongs to a row of {row[2]} that is gone." for row in broken]
    return faults


def repair(home: Path) -> tuple[Path, list[Saved]]:
    """Put a store of all rows that can be read in the place of a damaged one, which is kept beside it.

    An app that has the damaged one open goes on with that one until it is started again.

    Returns where the damaged one is now, and what came of each table. Raises StoreError, and changes nothing, where
    somebody works with the store, where it is not a file, and where none of its tables can be read.
    """
    path = home / FILE
    if address() is not None:
        raise StoreError("Only a store in a file can be repaired here: PostgreSQL has tools of its own for that.")
    if not path.is_file():
        raise StoreError(f"There is no store in {home}.")
    with process.lock(process.supervisor_lock(home), 0) as mine:
        if not mine or process.pids(WORKER, home):
            raise StoreError("Runs are going on in this store: cancel them, or wait, and close the app first.")
        work = home / "repair"
        shutil.rmtree(work, ignore_errors=True)
        try:
            connect(work).dispose()
            saved = _copy(path, work / FILE)
            if not any(table.rows for table in saved):
                raise StoreError(f"No row of {path} can be read: move it away to start with an empty store.")
            kept = path.with_name(f"{FILE}.damaged-{time.strftime('%Y%m%d-%H%M%S')}")
            # The log first: with the old file gone, it must never be taken for that of the new one.
            for end in ("-wal", "-shm", ""):
                if (old := path.with_name(FILE + end)).exists():
                    old.rename(kept.with_name(kept.name + end))
            (work / FILE).rename(path)
        finally:
            shutil.rmtree(work, ignore_errors=True)
    return kept, saved


def _copy(old: Path, new: Path) -> list[Saved]:
    """Copy all rows that can be read, parents before children, so that no row is left without what it belongs to."""
    found = []
    with closing(sqlite3.connect(old)) as source, closing(sqlite3.connect(new, isolation_level=None)) as target:
        source.execute("PRAGMA query_only = ON")
        target.execute("PRAGMA foreign_keys = ON")
        target.execute("BEGIN")
        for table in metadata.sorted_tables:
            target.execute(f"DELETE FROM {table.name}")  # the new store's own name, where the old one can be read
            found.append(_copy_table(source, target, table.name))
        _copy_counters(source, target)
        if not target.execute("SELECT count(*) FROM about").fetchone()[0]:
            target.execute("INSERT INTO about VALUES ('store', lower(hex(randomblob(4))))")
        target.execute("COMMIT")
        target.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return found


def _copy_table(source: sqlite3.Connection, target: sqlite3.Connection, table: str) -> Saved:
    try:
        columns = [name for _, name, *_ in source.execute(f"PRAGMA table_info({table})")]
        last = source.execute(f"SELECT max(rowid) FROM {table}").fetchone()[0]
    except sqlite3.DatabaseError:
        columns, last = [], None
        try:  # where the newest rows are what is damaged, the last number given is still known
            columns = [name for _, name, *_ in source.execute(f"PRAGMA table_info({table})")]
            last = source.execute("SELECT seq FROM sqlite_sequence WHERE name = ?", (table,)).fetchone()[0]
        except (sqlite3.DatabaseError, TypeError):
            return Saved(table, 0, 0)
    if not columns or last is None:
        return Saved(table, 0, 0)
    names = ", ".join(f'"{name}"' for name in columns)
    put = f"INSERT INTO {table} ({names}) VALUES ({', '.join('?' * len(columns))})"
    rows = lost = 0
    for batch in _readable(source, f"SELECT {names} FROM {table} WHERE rowid", 0, last):
        if batch is None:
            lost += 1
            continue
        for row in batch:
            try:
                target.execute(put, row)
                rows += 1
            except sqlite3.IntegrityError:
                lost += 1
    return Saved(table, rows, lost)


def _copy_counters(source: sqlite3.Connection, target: sqlite3.Connection) -> None:
    """Copy the last number given in each table, so that none of a deleted row is given again."""
    try:
        counters = source.execute("SELECT name, seq FROM sqlite_sequence").fetchall()
    except sqlite3.DatabaseError:  # then the highest that is left counts
        return
    for table, last in counters:
        target.execute("DELETE FROM sqlite_sequence WHERE name = ?", (table,))
        target.execute("INSERT INTO sqlite_sequence VALUES (?, ?)", (table, last))


def _readable(source: sqlite3.Connection, query: str, low: int, high: int) -> Iterator[list[tuple] | None]:
    """The rows of a range, in parts; None for each number at which nothing can be read."""
    # A single one on its own, since after a range SQLite looks at the next row, which may be a damaged one.
    part, ends = (" BETWEEN ? AND ?", (low, high)) if low < high else (" = ?", (low,))
    try:
        yield source.execute(query + part, ends).fetchall()
    except sqlite3.DatabaseError:
        if low == high:
            yield None
            return
        middle = (low + high) // 2
        yield from _readable(source, query, low, middle)
        yield from _readable(source, query, middle + 1, high)
