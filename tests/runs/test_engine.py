"""Opening the store: made where there is none, refused with a sentence where it cannot be used."""

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import pytest
from sqlalchemy import select

from samviz.runs import StoreError, open_store
from samviz.runs.schema import FILE, SCHEMA, connect, jobs, network_file_system


def mount(point: str, kind: str, options: str = "rw") -> SimpleNamespace:
    """A line of the system's list of mounts."""
    return SimpleNamespace(mountpoint=point, fstype=kind, opts=options)


def test_a_store_is_made_in_wal_mode_with_its_version(tmp_path: Path) -> None:
    connect(tmp_path / "new" / "home").dispose()
    raw = sqlite3.connect(tmp_path / "new" / "home" / FILE)
    assert raw.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert raw.execute("PRAGMA user_version").fetchone() == (SCHEMA,)
    raw.close()


def test_many_first_opens_at_once_make_one_store(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        engines = list(pool.map(connect, [tmp_path] * 8))
    for engine in engines:
        with engine.connect() as connection:
            assert connection.execute(select(jobs)).all() == []
        engine.dispose()


def test_a_file_that_is_no_database_is_refused_and_kept(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"not a database at all" * 100)
    with pytest.raises(StoreError, match=r"samviz\.sqlite3 cannot be used \(file is not a database\)"):
        open_store(tmp_path)
    assert (tmp_path / FILE).read_bytes() == b"not a database at all" * 100


def test_a_store_damaged_within_is_refused_when_it_is_read(tmp_path: Path) -> None:
    connect(tmp_path).dispose()
    path = tmp_path / FILE
    damaged = bytearray(path.read_bytes())
    damaged[4096:] = b"\xff" * (len(damaged) - 4096)  # all pages but the first
    path.write_bytes(damaged)
    with pytest.raises(StoreError, match="cannot be used"):
        open_store(tmp_path).comparisons()
    assert path.read_bytes() == damaged


def test_another_programs_database_is_refused(tmp_path: Path) -> None:
    raw = sqlite3.connect(tmp_path / FILE)
    raw.execute("CREATE TABLE somebody (name TEXT)")
    raw.close()
    before = (tmp_path / FILE).read_bytes()
    with pytest.raises(StoreError, match="is not samviz's store"):
        connect(tmp_path)
    assert (tmp_path / FILE).read_bytes() == before


def test_the_store_of_a_newer_samviz_is_refused(tmp_path: Path) -> None:
    connect(tmp_path).dispose()
    raw = sqlite3.connect(tmp_path / FILE)
    raw.execute(f"PRAGMA user_version = {SCHEMA + 1}")
    raw.close()
    with pytest.raises(StoreError, match=r"written by a newer samviz \(tables 2, this one knows 1\): update samviz"):
        connect(tmp_path)


def test_a_home_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("")
    with pytest.raises(StoreError, match="cannot hold samviz's store"):
        connect(tmp_path / "home")


@pytest.mark.parametrize(
    ("mounts", "kind"),
    [
        ([mount("/", "ext4")], None),
        ([mount("/", "ext4"), mount("/home", "nfs4")], "nfs4"),
        ([mount("/", "nfs"), mount("/home", "ext4")], None),
        ([mount("/", "ext4"), mount("/home/me", "cifs"), mount("/homes", "nfs")], "cifs"),
        ([mount("/", "ext4"), mount("/home", "fuse.sshfs"), mount("/home", "xfs")], None),
        ([mount("/", "ext4"), mount("/home", "NTFS", "rw,remote")], "NTFS"),
        ([], None),
    ],
)
def test_a_network_file_system_is_told_from_a_local_one(mounts: list, kind: str | None) -> None:
    assert network_file_system(Path("/home/me/samviz"), mounts) == kind
