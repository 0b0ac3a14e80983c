"""Opening the store: made where there is none, refused with a sentence where it cannot be used."""

import json
import shutil
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, event, inspect, select

from samviz.runs import Store, StoreError, migrations, open_store
from samviz.runs.engine import (
    APPLICATION,
    FILE,
    MIGRATED,
    OWNER,
    AwayError,
    _claim,
    alone,
    connect,
    identity,
    network_file_system,
    writing,
)
from samviz.runs.migrations import FIRST
from samviz.runs.schema import REVISION, jobs, metadata
from tests.postgres import Postgres
from tests.runs.conftest import BOTH, tiny

MIGRATIONS = Path(migrations.__file__).parent


def mount(point: str, kind: str, options: str = "rw") -> SimpleNamespace:
    """A line of the system's list of mounts."""
    return SimpleNamespace(mountpoint=point, fstype=kind, opts=options)


def test_a_store_is_made_in_wal_mode_with_its_version(tmp_path: Path) -> None:
    connect(tmp_path / "new" / "home").dispose()
    raw = sqlite3.connect(tmp_path / "new" / "home" / FILE)
    assert raw.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert raw.execute("PRAGMA user_version").fetchone() == (MIGRATED,)
    raw.close()


def test_many_first_opens_at_once_make_one_store(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        engines = list(pool.map(connect, [tmp_path] * 8))
    for engine in engines:
        with engine.connect() as connection:
            assert connection.execute(select(jobs)).all() == []
        engine.dispose()


@BOTH
def test_the_migrations_make_the_tables_that_the_code_knows(store: Store) -> None:
    with store.engine.connect() as connection:
        found = compare_metadata(MigrationContext.configure(connection), metadata)
        if store.engine.dialect.name == "sqlite":  # of which SQLAlchemy cannot read all that a reference says
            found = [step for step in found if not step[0].endswith("_fk")]
            (sweep,) = [
                key
                for key in connection.exec_driver_sql("PRAGMA foreign_key_list(comparisons)")
                if key.table == "sweeps"
            ]
            assert (sweep[3], sweep[4], sweep.on_delete) == ("sweep", "id", "CASCADE")
        assert found == []
        names = set(inspect(connection).get_table_names())
    assert names == {*metadata.tables, "alembic_version"}


def old_store(raw: Path) -> None:
    """A store as the first version of samviz left it: its tables and a finished run, without a word on migrations."""
    engine = create_engine(f"sqlite:///{raw}")
    with engine.begin() as connection:
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        config.attributes["connection"] = connection
        command.upgrade(config, FIRST)
        connection.exec_driver_sql("DROP TABLE alembic_version")
        spec = json.dumps(tiny().to_dict())
        connection.exec_driver_sql("INSERT INTO comparisons VALUES (1, 100.5, 'app', ?, 7)", (spec,))
        connection.exec_driver_sql(
            "INSERT INTO jobs (id, comparison, kind, seed, spec, state, reason, attempt, resumed, losses, progress,"
            " machine, error, created, started, finished) VALUES (1, 1, 'train', 0, ?, 'finished', '', 1, 1, 0, 1.0,"
            " '{\"device\": \"CPU\"}', '', 100.5, 101.5, 102.5)",
            (spec,),
        )
        connection.exec_driver_sql(
            "INSERT INTO metrics (run, arm, step, name, epoch, value) VALUES (1, 'sgd', 8, 'test_accuracy', 1, 50.5)"
        )
        connection.exec_driver_sql(f"PRAGMA application_id = {APPLICATION}")
        connection.exec_driver_sql("PRAGMA user_version = 1")
    engine.dispose()


def test_a_store_of_the_first_version_is_brought_up_to_date_without_loss(tmp_path: Path) -> None:
    old_store(tmp_path / FILE)
    with ThreadPoolExecutor(4) as pool:  # app, supervisor and terminal may all be the first
        stores = list(pool.map(lambda _: Store(tmp_path), range(4)))
    for store in stores:
        snapshot = store.snapshot("1")
        assert snapshot.comparison == tiny()
        (run,) = snapshot.runs
        assert (run.state, run.since, run.machine, snapshot.note) == ("finished", 102.5, {"device": "CPU"}, "")
        assert snapshot.metrics["value"].tolist() == [50.5]
        store.close()
    assert len({identity(store.engine) for store in stores}) == 1
    stores[0].delete("1")
    assert [line for line in stores[0].comparisons() if not line.bundled] == []


def test_a_migration_that_fails_leaves_the_store_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old_store(tmp_path / FILE)
    with closing(sqlite3.connect(tmp_path / FILE)) as raw:
        before = list(raw.iterdump())

    def power_cut(*_: object) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr("secrets.token_hex", power_cut)  # in the middle of the second step
    with pytest.raises(KeyboardInterrupt):
        connect(tmp_path)
    with closing(sqlite3.connect(tmp_path / FILE)) as raw:
        assert list(raw.iterdump()) == before
    monkeypatch.undo()
    assert Store(tmp_path).snapshot("1").metrics["value"].tolist() == [50.5]


def test_each_store_has_a_name_of_its_own(tmp_path: Path) -> None:
    one, other = connect(tmp_path / "one"), connect(tmp_path / "other")
    assert identity(one) == identity(connect(tmp_path / "one")) != identity(other)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ("mysql://me@here/samviz", "must be the address of a PostgreSQL database"),
        ("postgresql+psycopg://me@here", "an address without a database"),
        ("samviz", "but it is no address"),
        ("postgresql+psycopg://me@here:port/samviz", "but it is no address"),
    ],
)
def test_another_kind_of_address_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: str, sentence: str
) -> None:
    monkeypatch.setenv("SAMVIZ_STORE", given)
    with pytest.raises(StoreError, match=sentence):
        connect(tmp_path)


def test_a_server_that_is_away_or_has_other_tables_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, postgres: Postgres
) -> None:
    monkeypatch.setenv("SAMVIZ_STORE", postgres.url("nothing").replace("samviz@", "samviz:secret@"))
    with pytest.raises(AwayError, match="see that the server runs") as refusal:
        connect(tmp_path)
    assert "secret" not in str(refusal.value)
    address = postgres.database()
    engine = create_engine(address)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE somebody (name TEXT)")
    engine.dispose()
    monkeypatch.setenv("SAMVIZ_STORE", address)
    with pytest.raises(StoreError, match="another program's tables"):
        connect(tmp_path)


def test_a_user_who_may_not_make_tables_is_told_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, postgres: Postgres
) -> None:
    address = postgres.database()
    engine = create_engine(address)
    with engine.begin() as connection:
        connection.exec_driver_sql("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
        connection.exec_driver_sql("CREATE ROLE guest LOGIN")
    engine.dispose()
    monkeypatch.setenv("SAMVIZ_STORE", address.replace("samviz@", "guest@"))
    with pytest.raises(StoreError, match="give that role the right to make tables") as refusal:
        connect(tmp_path)
    assert not isinstance(refusal.value, AwayError), "it is not waited for"


def test_a_home_keeps_the_files_of_one_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, postgres: Postgres
) -> None:
    one, other = postgres.database(), postgres.database()
    with_file, of_server = tmp_path / "with_file", tmp_path / "of_server"

    def opened(home: Path, address: str) -> None:
        monkeypatch.setenv("SAMVIZ_STORE", address)
        connect(home).dispose()

    def refused(home: Path, address: str, sentence: str) -> None:
        with pytest.raises(StoreError, match=sentence):
            opened(home, address)

    opened(with_file, "")
    opened(of_server, one)
    another = "set SAMVIZ_HOME to a folder of its own for the one in SAMVIZ_STORE"
    refused(with_file, one, another)
    refused(of_server, other, another)
    refused(of_server, "", "keeps the files of a store on a server: set SAMVIZ_STORE")
    assert not (of_server / FILE).exists()
    opened(of_server, one)
    opened(tmp_path / "of another machine", one)
    (with_file / OWNER).unlink()  # as in a home from before this was kept
    refused(with_file, one, another)
    (with_file / FILE).unlink()
    opened(with_file, "")


def test_of_the_stores_that_come_to_a_home_at_once_one_has_it(tmp_path: Path) -> None:
    def claim(home: Path, store: str) -> str | None:
        try:
            _claim(home, store)
        except StoreError:
            return None
        return store

    for k in range(5):
        with ThreadPoolExecutor(8) as pool:
            found = list(pool.map(claim, [tmp_path / str(k)] * 8, ["one", "other"] * 4))
        (winner,) = {store for store in found if store is not None}
        assert found.count(winner) == 4


@BOTH
def test_what_must_be_alone_is(store: Store) -> None:
    inside: list[int] = []

    def enter(_: int) -> None:
        with alone(store.engine):
            inside.append(1)
            assert len(inside) == 1
            time.sleep(0.01)
            inside.pop()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(enter, range(16)))


def test_a_locked_store_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("samviz.runs.engine.BUSY_SECONDS", 0.1)
    engine = connect(tmp_path)
    with closing(sqlite3.connect(tmp_path / FILE, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(AwayError, match="is locked by another program"), writing(engine):
            pass
    with writing(engine):
        pass


def test_a_store_that_may_only_be_read_can_be_read_and_says_so(tmp_path: Path) -> None:
    engine = connect(tmp_path)
    engine.dispose()  # what is open already hears nothing of that
    event.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA query_only = ON"))
    with engine.connect() as connection:
        assert connection.execute(select(jobs)).all() == []
    with pytest.raises(StoreError, match="see that you have the right to read and write") as refusal, writing(engine):
        pass
    assert "repair" not in str(refusal.value)
    (tmp_path / "other" / FILE).mkdir(parents=True)  # cannot be opened, even by a user who may do everything
    with pytest.raises(StoreError, match="see that you have the right to read and write"):
        connect(tmp_path / "other")


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
    with pytest.raises(StoreError, match="store repair"):
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
    with raw:
        raw.execute("UPDATE alembic_version SET version_num = '9999'")
    raw.close()
    with pytest.raises(StoreError, match=rf"written by a newer samviz \(tables 9999, this one knows {REVISION}\): upd"):
        connect(tmp_path)


@BOTH
def test_a_home_that_is_a_file_is_refused(database: str, tmp_path: Path) -> None:
    (tmp_path / "home").write_text("")
    what = "hold samviz's store" if database == "sqlite" else "keep the files of runs"
    with pytest.raises(StoreError, match=f"cannot {what}"):
        connect(tmp_path / "home")


def test_a_home_may_have_any_name(tmp_path: Path) -> None:
    home = tmp_path / "what?now=50%20#x"
    connect(home).dispose()
    assert (home / FILE).stat().st_size > 0
    assert [path.name for path in tmp_path.iterdir()] == [home.name]


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


def test_a_new_store_takes_nothing_from_the_one_that_was_moved_away(home: Path) -> None:
    first = Store(home)
    old = first.revision(first.submit(tiny()))
    first.close()
    shutil.move(home / "samviz.sqlite3", home / "moved")
    second = Store(home)
    assert second.revision(second.submit(tiny())) != old
    second.close()
