"""The one way to the store's tables: SQLite in WAL mode on a local disk, or PostgreSQL where machines share it."""

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psutil
from sqlalchemy import create_engine, event, func, inspect, select, text
from sqlalchemy.engine import URL, Connection, Engine, ExceptionContext, make_url
from sqlalchemy.exc import ArgumentError

from samviz.runs import process
from samviz.runs.migrations import FIRST, migrate
from samviz.runs.schema import REVISION, about

FILE = "samviz.sqlite3"
FILE_LOCK = "samviz.lock"
"""Held by whoever makes what is below."""
OWNER = "store"
"""File of a home that says which store the home keeps the files of: FILE, or the identity of one on a server."""
SETTING = "SAMVIZ_STORE"
"""Environment variable: a PostgreSQL address, for a store that several machines share."""
APPLICATION = 0x73616D76
"""PRAGMA application_id, "samv": tells a store from any other SQLite file. In PostgreSQL, the number of our locks."""
MIGRATED = 2
"""PRAGMA user_version: by it a samviz from before the migrations sees that the tables are too new for it."""
BUSY_SECONDS = 45
"""How long a writer waits for another one: longer than a lease, at whose end a frozen worker that writes is killed."""
CONNECT_SECONDS = 10

NETWORK_FILE_SYSTEMS = (
    "nfs", "cifs", "smb", "afpfs", "webdav", "davfs", "fuse.sshfs", "ceph", "fuse.ceph", "glusterfs", "fuse.glusterfs",
    "lustre", "gpfs", "beegfs", "afs", "ncpfs", "fuse.s3fs", "fuse.rclone",
)  # fmt: skip
"""Starts of the names of file systems on which SQLite's WAL, which shares memory between processes, cannot work."""


class StoreError(ValueError):
    """The store cannot be used: one sentence that says why and what to do. Nothing was changed."""


class AwayError(StoreError):
    """The store cannot be used now, but may be later: it is locked, out of room, or its server is away."""


def address() -> str | None:
    """SAMVIZ_STORE, or None where the store is a file of SAMVIZ_HOME; StoreError where it is no such address."""
    given = os.environ.get(SETTING, "").strip()
    if not given:
        return None
    try:
        url = make_url(given)
    except (ArgumentError, ValueError):  # the latter where the port is no number
        url = None
    if url is None or url.drivername != "postgresql+psycopg" or not url.database:
        kind = "an address without a database" if url is not None else "no address"
        raise StoreError(
            f"{SETTING} must be the address of a PostgreSQL database, postgresql+psycopg://USER@HOST/DATABASE, "
            f"but it is {kind if url is None or not url.database else f'of the kind {url.drivername}'}."
        )
    return given


def connect(home: Path) -> Engine:
    """Open the store, and make its tables where there are none: that of SAMVIZ_STORE, else the file in `home`.

    Raises StoreError where the folder cannot hold one or keeps the files of another one, where the server does not
    answer, and where what is there is damaged, another program's, or of a newer samviz.
    """
    server = address()
    engine = _postgresql(server) if server else _sqlite(home)
    event.listen(engine, "handle_error", _explain)
    try:
        _prepare(engine)
        if server:
            _claim(home, identity(engine))
    except BaseException as error:
        engine.dispose()
        if isinstance(error, sqlite3.Error):
            raise unusable(engine, error) from None
        raise
    return engine


def _sqlite(home: Path) -> Engine:
    path = home / FILE
    try:
        home.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"The folder {home} cannot hold samviz's store: {error.strerror}. Set SAMVIZ_HOME.") from None
    if kind := network_file_system(home.resolve(), psutil.disk_partitions(all=True)):
        raise StoreError(f"samviz's store needs a local disk, but {home} is on {kind}: set SAMVIZ_HOME to a local one.")
    _claim(home, FILE)
    # Not as text: in an address, "?" and "%" of the folder's name would have a meaning.
    engine = create_engine(URL.create("sqlite", database=str(path)), connect_args={"timeout": BUSY_SECONDS})

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

    return engine


def _postgresql(server: str) -> Engine:
    try:
        import psycopg  # noqa: F401
    except ImportError:
        raise StoreError(f"{SETTING} needs psycopg: pip install -r requirements-cluster.txt.") from None
    return create_engine(server, pool_pre_ping=True, connect_args={"connect_timeout": CONNECT_SECONDS})


def _claim(home: Path, mine: str) -> None:
    """Make the home the one of this store; StoreError where it keeps the files of another one.

    Each store counts its runs from 1, so the files of two in one home would take the place of each other.
    """
    mark = home / OWNER
    try:
        if not mark.exists():
            with process.lock(home / FILE_LOCK, BUSY_SECONDS):
                if not mark.exists():
                    _write(mark, FILE if (home / FILE).exists() else mine)
        theirs = mark.read_text("utf-8").strip()
    except (OSError, sqlite3.Error) as error:
        if mine == FILE:  # the file itself marks the home, and says better what cannot be done with it
            return
        said = getattr(error, "strerror", None) or error
        raise StoreError(f"The folder {home} cannot keep the files of runs ({said}): set SAMVIZ_HOME.") from None
    if theirs == mine:
        return
    if mine == FILE:
        raise StoreError(
            f"The folder {home} keeps the files of a store on a server: set {SETTING} to that one's address, or "
            "SAMVIZ_HOME to another folder."
        )
    raise StoreError(
        f"The folder {home} keeps the files of another store: set SAMVIZ_HOME to a folder of its own for the one in "
        f"{SETTING}."
    )


def _write(path: Path, text: str) -> None:
    """Write a small file that is there whole or not at all, even after a power cut."""
    partial = path.with_suffix(".partial")
    with partial.open("w", encoding="utf-8") as file:
        file.write(f"{text}\n")
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)


def _explain(context: ExceptionContext) -> StoreError | None:
    """What the driver says, as a sentence, where it speaks of the store and not of what is done with it."""
    error = context.original_exception
    if context.dialect.name == "sqlite":
        broken = isinstance(error, sqlite3.DatabaseError) and not isinstance(error, sqlite3.IntegrityError)
    else:
        import psycopg

        broken = isinstance(error, (psycopg.OperationalError, psycopg.InterfaceError)) or _not_allowed(error)
    return unusable(context.engine, error) if broken and context.engine is not None else None


def unusable(engine: Engine, error: BaseException) -> StoreError:
    """What the database says, as a sentence with a way out."""
    if engine.dialect.name != "sqlite":
        where = engine.url.render_as_string(hide_password=True)
        said = " ".join(str(error).split())
        if _not_allowed(error):
            return StoreError(
                f"samviz's store {where} does not let its user do that ({said}): give that role the right to make "
                "tables in the database, to read and to write."
            )
        return AwayError(f"samviz's store {where} cannot be used ({said}): see that the server runs and lets you in.")
    path, primary = engine.url.database, _code(error)
    if refused := denied(path, error):
        return refused
    if primary in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return AwayError(f"samviz's store {path} is locked by another program: close what has it open, and try again.")
    if primary == sqlite3.SQLITE_FULL:
        return AwayError(f"samviz's store {path} cannot grow ({error}): make room on its disk, and try again.")
    if primary == sqlite3.SQLITE_IOERR:
        return AwayError(f"samviz's store {path} cannot be read or written ({error}): see that its disk has room.")
    return StoreError(
        f"samviz's store {path} cannot be used ({error}): run `python -m samviz store check`, which says more, and "
        "`python -m samviz store repair`, which saves what can be read."
    )


def denied(path: object, error: BaseException) -> StoreError | None:
    """The sentence for a file that this user may not open, or may only read; None where it is another error."""
    if _code(error) not in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM):
        return None
    return StoreError(
        f"samviz's store {path} may not be opened or written ({error}): see that you have the right to read and write "
        "it and its folder, or set SAMVIZ_HOME to a folder of your own."
    )


def _code(error: BaseException) -> int | None:
    """SQLite's primary code of an error, None where it has none."""
    code = getattr(error, "sqlite_errorcode", None)
    return None if code is None else code & 0xFF


def _not_allowed(error: BaseException) -> bool:
    """Whether PostgreSQL knows the user, and does not let him do that."""
    import psycopg

    return isinstance(error, psycopg.errors.InsufficientPrivilege)


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """One transaction that writes: all of it or nothing."""
    with engine.connect() as connection:
        connection = connection.execution_options(writes=True)
        with connection.begin():
            yield connection


@contextmanager
def alone(engine: Engine) -> Iterator[Connection]:
    """A transaction that writes while no other one of this kind does, on any machine; in SQLite all are such."""
    with writing(engine) as connection:
        if engine.dialect.name != "sqlite":
            connection.execute(select(func.pg_advisory_xact_lock(APPLICATION)))
        yield connection


@contextmanager
def moment(engine: Engine) -> Iterator[Connection]:
    """A connection that reads the store as it is at one moment, whatever is written meanwhile."""
    with engine.connect() as connection:
        if engine.dialect.name != "sqlite":  # where the first read of a transaction settles it
            connection = connection.execution_options(isolation_level="REPEATABLE READ")
        yield connection


def now(connection: Connection) -> float:
    """Seconds since 1970 on the clock by which leases are kept: that of the server, where machines share it."""
    if connection.dialect.name == "sqlite":
        return time.time()
    return float(connection.scalar(select(func.extract("epoch", func.clock_timestamp()))))


def identity(engine: Engine) -> str:
    """The text that tells this store from all others."""
    with engine.connect() as connection:
        return connection.scalar(select(about.c.value).where(about.c.key == "store"))


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


def _prepare(engine: Engine) -> None:
    """Make the tables, or bring them up to date; refuse what is not ours. A concurrent first start waits its turn."""
    if engine.dialect.name != "sqlite":
        with engine.connect() as connection:
            found = _revision(connection, engine.url.render_as_string(hide_password=True))
        if found != REVISION:
            with alone(engine) as connection:
                migrate(connection)
        return
    path = Path(engine.url.database)
    if _file_revision(path) == REVISION:
        return
    with process.lock(path.with_name(FILE_LOCK), BUSY_SECONDS):
        found = _file_revision(path)
        if found == REVISION:  # made by the one whose turn was before
            return
        with closing(sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)) as raw:
            if raw.execute("PRAGMA journal_mode = WAL").fetchone()[0] != "wal":
                raise StoreError(f"The folder of {path} cannot hold samviz's store: set SAMVIZ_HOME to a local disk.")
        with writing(engine) as connection:
            migrate(connection, stamp=found)
            connection.exec_driver_sql(f"PRAGMA application_id = {APPLICATION}")
            connection.exec_driver_sql(f"PRAGMA user_version = {MIGRATED}")


def _file_revision(path: Path) -> str | None:
    """The revision of a file's tables, None where it has none; raises StoreError where it holds something else."""
    with closing(sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)) as raw:
        raw.execute("BEGIN")  # one moment for all three: somebody may be making the tables
        version = raw.execute("PRAGMA user_version").fetchone()[0]
        application = raw.execute("PRAGMA application_id").fetchone()[0]
        tables = {name for (name,) in raw.execute("SELECT name FROM sqlite_master")}
        revision = raw.execute("SELECT version_num FROM alembic_version").fetchone() if version >= MIGRATED else None
    if application != APPLICATION and tables:
        raise StoreError(f"{path} is not samviz's store, but another program's: set SAMVIZ_HOME to another folder.")
    if not tables:
        return None
    found = FIRST if revision is None else revision[0]
    _refuse_newer(found, path)
    return found


def _revision(connection: Connection, where: str) -> str | None:
    """The revision of a database's tables, None where it has none."""
    if not inspect(connection).has_table("alembic_version"):
        if theirs := inspect(connection).get_table_names():
            raise StoreError(
                f"{where} is not samviz's store, but holds another program's tables ({', '.join(sorted(theirs)[:3])}): "
                f"give samviz a database of its own in {SETTING}."
            )
        return None
    found = connection.scalar(text("SELECT version_num FROM alembic_version"))
    if found is not None:
        _refuse_newer(found, where)
    return found


def _refuse_newer(found: str, where: object) -> None:
    if found > REVISION:
        raise StoreError(
            f"samviz's store {where} was written by a newer samviz (tables {found}, this one knows {REVISION}): "
            f"update samviz, or set SAMVIZ_HOME or {SETTING} to another place."
        )
