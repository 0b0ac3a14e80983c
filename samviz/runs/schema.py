"""The tables of the store, and the one way to open them: SQLite in WAL mode on a local disk."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psutil
from sqlalchemy import (
    JSON,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    UniqueConstraint,
    create_engine,
    event,
)
from sqlalchemy.engine import Connection, Engine, ExceptionContext

from samviz.runs import process

FILE = "samviz.sqlite3"
SCHEMA = 1
"""Version of the tables, kept in the file as PRAGMA user_version."""
APPLICATION = 0x73616D76
"""PRAGMA application_id, "samv": tells a store from any other SQLite file."""
BUSY_SECONDS = 45
"""How long a writer waits for another one: longer than a lease, at whose end a frozen worker that writes is killed."""

NETWORK_FILE_SYSTEMS = (
    "nfs", "cifs", "smb", "afpfs", "webdav", "davfs", "fuse.sshfs", "ceph", "fuse.ceph", "glusterfs", "fuse.glusterfs",
    "lustre", "gpfs", "beegfs", "afs", "ncpfs", "fuse.s3fs", "fuse.rclone",
)  # fmt: skip
"""Starts of the names of file systems on which SQLite's WAL, which shares memory between processes, cannot work."""

metadata = MetaData()

comparisons = Table(
    "comparisons",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("created", Float, nullable=False),
    Column("origin", String, nullable=False),
    Column("spec", JSON, nullable=False),
    Column("revision", Integer, nullable=False),
    sqlite_autoincrement=True,  # an id is never given twice, so an address never shows another comparison later
)

jobs = Table(
    "jobs",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("comparison", ForeignKey("comparisons.id", ondelete="CASCADE")),
    Column("kind", String, nullable=False),  # train, calibrate or download
    Column("seed", Integer),  # of a train job
    Column("spec", JSON, nullable=False),  # what to do, as JSON
    Column("data_folder", String),  # SAMVIZ_DATA of the process that asked
    Column("state", String, nullable=False),
    Column("reason", String, nullable=False),
    Column("attempt", Integer, nullable=False),  # times claimed: the fencing token of every write
    Column("resumed", Integer, nullable=False),  # the last attempt that took up the run and dropped rows
    Column("losses", Integer, nullable=False),  # workers lost since the last checkpoint
    Column("lease_until", Float),  # seconds since 1970: later than that, a running job has lost its worker
    Column("heartbeat", Float),
    Column("pid", Integer),
    Column("pid_created", Float),  # with the pid it names one process, even after the pid is given again
    Column("cancel_requested", Float),
    Column("progress", Float, nullable=False),
    Column("machine", JSON, nullable=False),
    Column("data_label", String),
    Column("result", JSON),
    Column("error", String, nullable=False),
    Column("created", Float, nullable=False),
    Column("started", Float),
    Column("finished", Float),
    Index("jobs_of_comparison", "comparison"),
    Index("jobs_by_state", "state"),
    sqlite_autoincrement=True,
)

metrics = Table(
    "metrics",
    metadata,
    Column("row", Integer, primary_key=True),  # grows: what a reader has not seen lies beyond what it has
    Column("run", ForeignKey("jobs.id", ondelete="CASCADE"), nullable=False),
    Column("arm", String, nullable=False),
    Column("step", Integer, nullable=False),
    Column("name", String, nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("value", Float),  # SQLite keeps a NaN as NULL
    UniqueConstraint("run", "arm", "step", "name"),
    sqlite_autoincrement=True,
)

histograms = Table(
    "histograms",
    metadata,
    Column("row", Integer, primary_key=True),  # grows: what a reader has not seen lies beyond what it has
    Column("run", ForeignKey("jobs.id", ondelete="CASCADE"), nullable=False),
    Column("arm", String, nullable=False),
    Column("step", Integer, nullable=False),
    Column("name", String, nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("low", Float, nullable=False),
    Column("high", Float, nullable=False),
    Column("counts", JSON, nullable=False),
    UniqueConstraint("run", "arm", "step", "name"),
    sqlite_autoincrement=True,
)


class StoreError(ValueError):
    """The store cannot be used: one sentence that says why and what to do. Nothing was changed."""


def network_file_system(path: Path, mounts: list) -> str | None:
    """The kind of network file system that holds `path`, or None on a local one; `mounts` as psutil lists them."""
    path = path.absolute()
    if str(path).startswith("\\\\"):
        return "network share"
    holders = [mount for mount in mounts if path.is_relative_to(mount.mountpoint)]
    if not holders:
        return None
    # The longest mount point holds it; of two on the same point the later one hides the earlier.
    holder = max(enumerate(holders), key=lambda pair: (len(pair[1].mountpoint), pair[0]))[1]
    remote = holder.fstype.lower().startswith(NETWORK_FILE_SYSTEMS) or "remote" in holder.opts.split(",")
    return (holder.fstype or "network drive") if remote else None


def connect(home: Path) -> Engine:
    """Open the store of `home`, and make it where there is none.

    Raises StoreError where the folder cannot hold one, or where the file is damaged, foreign or of a newer samviz.
    """
    path = home / FILE
    try:
        home.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"The folder {home} cannot hold samviz's store: {error.strerror}. Set SAMVIZ_HOME.") from None
    if kind := network_file_system(home.resolve(), psutil.disk_partitions(all=True)):
        raise StoreError(f"samviz's store needs a local disk, but {home} is on {kind}: set SAMVIZ_HOME to a local one.")
    engine = create_engine(f"sqlite:///{path}", connect_args={"timeout": BUSY_SECONDS})

    @event.listens_for(engine, "connect")
    def configure(connection: sqlite3.Connection, _: object) -> None:
        connection.isolation_level = None  # transactions are begun below, not by the driver's guesses
        # FULL, because a checkpoint that outlives a power cut must find the rows that were written before it.
        connection.executescript("PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # A writer takes the lock at once: it waits its turn here, and never fails half-way through.
        writes = connection.get_execution_options().get("writes")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    @event.listens_for(engine, "handle_error")
    def explain(context: ExceptionContext) -> StoreError | None:
        error = context.original_exception
        broken = isinstance(error, sqlite3.DatabaseError) and not isinstance(error, sqlite3.IntegrityError)
        return unusable(path, error) if broken else None

    try:
        _prepare(engine, path)
    except sqlite3.Error as error:
        raise unusable(path, error) from None
    return engine


def unusable(path: Path | str, error: BaseException) -> StoreError:
    """What SQLite found, as a sentence with a way out."""
    return StoreError(
        f"samviz's store {path} cannot be used ({error}): make room or repair it, "
        "or move it away to start with an empty one."
    )


def _prepare(engine: Engine, path: Path) -> None:
    """Make the tables in an empty file; refuse a file that is not ours. A concurrent first start waits its turn."""
    if _made(path):
        return
    with process.lock(path.with_suffix(".lock"), BUSY_SECONDS):
        if _made(path):  # by the one whose turn was before
            return
        with closing(sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)) as raw:
            if raw.execute("PRAGMA journal_mode = WAL").fetchone()[0] != "wal":
                raise StoreError(f"The folder of {path} cannot hold samviz's store: set SAMVIZ_HOME to a local disk.")
        with writing(engine) as connection:
            metadata.create_all(connection)
            connection.exec_driver_sql(f"PRAGMA application_id = {APPLICATION}")
            connection.exec_driver_sql(f"PRAGMA user_version = {SCHEMA}")


def _made(path: Path) -> bool:
    """Whether the file holds our tables; raises StoreError where it holds something else."""
    with closing(sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)) as raw:
        raw.execute("BEGIN")  # one moment for all three: somebody may be making the tables
        version = raw.execute("PRAGMA user_version").fetchone()[0]
        application = raw.execute("PRAGMA application_id").fetchone()[0]
        tables = raw.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    if application != APPLICATION and tables:
        raise StoreError(f"{path} is not samviz's store, but another program's: set SAMVIZ_HOME to another folder.")
    if version > SCHEMA:
        raise StoreError(
            f"samviz's store {path} was written by a newer samviz (tables {version}, this one knows {SCHEMA}): "
            "update samviz, or set SAMVIZ_HOME to another folder."
        )
    return version == SCHEMA


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """One transaction that writes: all of it or nothing."""
    with engine.connect() as connection:
        connection = connection.execution_options(writes=True)
        with connection.begin():
            yield connection
