"""A damaged store: told what is wrong with it, and saved as far as it can be read, with the damaged one kept."""

import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from samviz.runs import Store, StoreError, process
from samviz.runs.checkpoints import Checkpoints
from samviz.runs.engine import FILE, identity
from samviz.runs.places import checkpoint_folder
from samviz.runs.repair import check, repair
from samviz.runs.schema import metadata
from tests import measured, stored
from tests.runs.conftest import tiny

COUNT = 6


@pytest.fixture
def home(home: Path) -> Path:
    """A store of several comparisons with many rows, whose file is closed."""
    store = Store(home)
    for k in range(COUNT):
        stored.put(store, replace(tiny(epochs=8, seeds=(0, 1)), name=f"Number {k}"), steps=20)
    folder = Checkpoints(checkpoint_folder(store.engine, home, 1))
    for step in (8, 16):
        folder.save(step, step // 8, {"w": step}, 1)
    close(store)
    return home


def close(store: Store) -> None:
    store.close()
    with closing(sqlite3.connect(store.home / FILE)) as raw:
        raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")


@pytest.fixture
def measured_home(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same with a measurement of each kind; nobody takes up jobs."""
    monkeypatch.setattr(Store, "resume", lambda self: None)
    store = Store(home)
    for asked in measured.questions(*(arm.key for arm in tiny().arms)):
        measured.tell(store, "1", 0, asked)
    close(store)
    return home


def content(home: Path) -> dict[str, set[tuple]]:
    with closing(sqlite3.connect(home / FILE)) as raw:
        return {table: set(raw.execute(f"SELECT * FROM {table}")) for table in metadata.tables}


def damage(home: Path, table: str) -> None:
    """Overwrite some leaves of a table in the middle."""
    with closing(sqlite3.connect(home / FILE)) as raw:
        size = raw.execute("PRAGMA page_size").fetchone()[0]
        root = raw.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (table,)).fetchone()[0]
        try:
            pages = raw.execute("SELECT pageno FROM dbstat WHERE name = ? AND pagetype = 'leaf'", (table,)).fetchall()
            victims = [number for (number,) in pages[len(pages) // 2 :][:3]]
        except sqlite3.OperationalError:  # an SQLite without dbstat
            victims = [root]
    with (home / FILE).open("r+b") as file:
        for page in victims:
            file.seek((page - 1) * size)
            file.write(b"\xa5" * size)


def test_a_sound_store_has_no_faults(measured_home: Path) -> None:
    assert check(measured_home) == []


def test_a_damaged_table_is_told_and_all_else_is_saved(measured_home: Path) -> None:
    home = measured_home
    whole = content(home)
    damage(home, "metrics")
    before = (home / FILE).read_bytes()
    faults = check(home)
    assert faults
    assert all(str(home / FILE) in fault for fault in faults)
    assert (home / FILE).read_bytes() == before, "a check changes nothing"
    kept, saved = repair(home)
    assert kept.read_bytes() == before
    assert check(home) == []
    after = content(home)
    for table, rows in whole.items():
        assert after[table] <= rows
        if table != "metrics":
            assert after[table] == rows
    lost = len(whole["metrics"]) - len(after["metrics"])
    (metrics,) = [table for table in saved if table.table == "metrics"]
    assert metrics.rows == len(after["metrics"])
    assert metrics.lost >= lost
    assert 0 < lost < len(whole["metrics"]) / 2
    store = Store(home)
    snapshot = store.snapshot("1")
    assert snapshot.comparison.name == "Number 0"
    assert [view.measurement.kind for view in store.measurements("1")] == ["slice", "sharpness", "rescaling"]
    assert int(store.submit(tiny())) == COUNT + 1
    store.cancel(str(COUNT + 1))
    store.close()


def test_rows_of_what_is_lost_go_with_it_and_the_store_keeps_its_name(home: Path) -> None:
    name = identity(Store(home).engine)
    damage(home, "jobs")
    with pytest.raises(StoreError, match="store repair"):
        Store(home).snapshot("4")
    repair(home)
    assert check(home) == []
    after = content(home)
    jobs = {row[0] for row in after["jobs"]}
    assert jobs < set(range(1, 2 * COUNT + 1))
    assert {row[1] for row in after["metrics"]} <= jobs
    assert identity(Store(home).engine) == name


def test_a_measurement_whose_job_is_lost_keeps_its_result(measured_home: Path) -> None:
    home = measured_home
    before = Store(home).measurements("1")
    waits = Store(home).measure("1", 0, replace(before[0].measurement, points=4))
    with closing(sqlite3.connect(home / FILE)) as raw:
        raw.execute("DELETE FROM jobs WHERE kind = 'measure'")
        raw.commit()
    repair(home)
    assert check(home) == []
    store = Store(home)
    lost, *after = store.measurements("1")
    assert (lost.id, lost.state, lost.job) == (waits, "failed", None)
    assert after == [replace(view, job=None) for view in before]
    assert store.measure("1", 0, before[0].measurement) == before[0].id
    assert store.measure("1", 0, lost.measurement) == waits
    assert store.measurements("1")[0].state == "queued"


def test_no_number_is_given_again_after_a_repair(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Store, "resume", lambda self: None)
    store = Store(home)
    last = max(run.id for run in store.header(str(COUNT)).runs)
    store.delete(str(COUNT))
    close(store)
    repair(home)
    store = Store(home)
    id = store.submit(tiny())
    assert (id, store.header(id).runs[0].id) == (str(COUNT + 1), last + 1)
    store.close()


def test_a_store_that_may_not_be_read_is_not_called_damaged(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path) -> list[str]:
        error = sqlite3.OperationalError("unable to open database file")
        error.sqlite_errorcode = sqlite3.SQLITE_CANTOPEN
        raise error

    monkeypatch.setattr("samviz.runs.repair._file_faults", refuse)
    (fault,) = check(home)
    assert "see that you have the right to read and write it" in fault


def test_a_measurement_and_a_checkpoint_that_have_changed_are_told(measured_home: Path) -> None:
    home = measured_home
    with closing(sqlite3.connect(home / FILE)) as raw:
        raw.execute("""UPDATE measurements SET result = '{"x": 1}' WHERE id = 1""")
        raw.execute("""UPDATE measurements SET spec = '{"kind": "lie"}' WHERE id = 2""")
        raw.commit()
    (path,) = (home / "runs" / "1" / "checkpoints").glob("*16.pt")
    content = bytearray(path.read_bytes())
    content[300] ^= 1
    path.write_bytes(content)
    assert check(home) == [
        "Measurement 1 cannot be read: m must be a whole number from 1 to 32, but it is None.",
        "Measurement 2 cannot be read: kind must be one of sharpness, rescaling, slice, but it is 'lie'.",
        f"The checkpoint {path.name} of run 1 cannot be used: its bytes have changed.",
    ]


def test_nothing_is_repaired_that_is_in_use_or_not_there_or_lost_altogether(home: Path, tmp_path: Path) -> None:
    with process.lock(process.supervisor_lock(home)), pytest.raises(StoreError, match="Runs are going on"):
        repair(home)
    command = [sys.executable, "-c", "import time; time.sleep(600)", "samviz.runs.worker"]
    with subprocess.Popen(command, env={"SAMVIZ_HOME": str(home)}) as worker:
        with pytest.raises(StoreError, match="Runs are going on"):
            repair(home)
        worker.kill()
    assert check(tmp_path / "none") == [f"There is no store in {tmp_path / 'none'}."]
    with pytest.raises(StoreError, match="There is no store"):
        repair(tmp_path / "none")
    (home / FILE).write_bytes(b"\xa5" * 100_000)
    with pytest.raises(StoreError, match="No row of"):
        repair(home)
    assert (home / FILE).read_bytes() == b"\xa5" * 100_000
    assert not (home / "repair").exists()
