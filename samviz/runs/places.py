"""Where the files of runs lie: logs in SAMVIZ_HOME, checkpoints there too or where SAMVIZ_CHECKPOINTS says.

A folder of checkpoints is a folder of this machine, or of a network drive, or anything that fsspec can reach.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Protocol

from sqlalchemy.engine import Engine

from samviz.runs.engine import StoreError, identity

SETTING = "SAMVIZ_CHECKPOINTS"
"""Environment variable: a folder, or an fsspec address, that all machines can reach; then runs can go on anywhere."""


def run_folder(home: Path, run: int) -> Path:
    """Where the run with this id keeps its log, and its checkpoints if nothing else is said."""
    return home / "runs" / str(run)


def log_file(home: Path, job: int, kind: str) -> Path:
    """Where the worker of a job prints to."""
    return run_folder(home, job) / "worker.log" if kind == "train" else home / "runs" / f"{kind}.log"


class Folder(Protocol):
    """A folder of files with plain names, in which a file is there whole or not at all."""

    def make(self) -> None:
        """See to it that files can be written here before they are put."""

    def names(self) -> list[str]:
        """The files that are there whole, sorted; none where the folder is not there."""

    def path(self, name: str) -> contextmanager[Path]:
        """A file as one of this machine, for as long as it is needed. Raises OSError where it cannot be read."""

    def head(self, name: str, size: int) -> bytes:
        """The first bytes of a file. Raises OSError where it cannot be read."""

    def put(self, partial: Path, name: str) -> None:
        """Put a finished file of this machine there under `name`, and take it away here."""

    def remove(self, name: str) -> None:
        """Delete a file; nothing where it is not there."""

    def clear(self) -> None:
        """Delete the folder with all that is in it."""

    def size(self) -> int:
        """Bytes of all files."""


class LocalFolder:
    """A folder of this machine's file system."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.work = folder
        """Where files are written before they are put: on the same file system, so that a rename does it."""

    def make(self) -> None:
        if not self.folder.is_dir():
            self.folder.mkdir(parents=True, exist_ok=True)
            for parent in list(self.folder.parents)[:3]:  # the entries of this folder, of the run's and of all runs'
                _sync(parent)

    def names(self) -> list[str]:
        return sorted(path.name for path in self.folder.glob("*.pt"))

    @contextmanager
    def path(self, name: str) -> Iterator[Path]:
        yield self.folder / name

    def head(self, name: str, size: int) -> bytes:
        with (self.folder / name).open("rb") as file:
            return file.read(size)

    def put(self, partial: Path, name: str) -> None:
        partial.replace(self.folder / name)
        _sync(self.folder)

    def remove(self, name: str) -> None:
        (self.folder / name).unlink(missing_ok=True)

    def clear(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)

    def size(self) -> int:
        return bytes_in(self.folder)


class RemoteFolder:
    """A folder behind an fsspec address, such as s3://bucket/samviz; `work` is one of this machine."""

    def __init__(self, address: str, work: Path) -> None:
        try:
            from fsspec.core import url_to_fs
        except ImportError:
            raise ValueError(f"{SETTING} needs fsspec: pip install -r requirements-cluster.txt.") from None
        self.files, self.root = url_to_fs(address)
        self.work = work

    def make(self) -> None:
        self.work.mkdir(parents=True, exist_ok=True)

    def names(self) -> list[str]:
        try:
            self.files.invalidate_cache()
            found = self.files.ls(self.root, detail=False)
        except FileNotFoundError:
            return []
        return sorted(name for path in found if (name := path.rsplit("/", 1)[-1]).endswith(".pt"))

    @contextmanager
    def path(self, name: str) -> Iterator[Path]:
        self.work.mkdir(parents=True, exist_ok=True)
        local = self.work / f"{os.getpid()}-{name}.fetched"
        try:
            self.files.get_file(f"{self.root}/{name}", str(local))
            yield local
        finally:
            local.unlink(missing_ok=True)

    def head(self, name: str, size: int) -> bytes:
        return self.files.cat_file(f"{self.root}/{name}", 0, size)

    def put(self, partial: Path, name: str) -> None:
        self.files.makedirs(self.root, exist_ok=True)
        # Under another name first: not every store of files shows one only when it is whole.
        there = f"{self.root}/{name}.partial"
        self.files.put_file(str(partial), there)
        self.files.mv(there, f"{self.root}/{name}")
        partial.unlink()

    def remove(self, name: str) -> None:
        with suppress(FileNotFoundError):
            self.files.rm_file(f"{self.root}/{name}")

    def clear(self) -> None:
        with suppress(FileNotFoundError):
            self.files.rm(self.root, recursive=True)

    def size(self) -> int:
        try:
            return int(self.files.du(self.root))
        except FileNotFoundError:
            return 0


def _sync(folder: Path) -> None:
    """See to it that a folder's entries are on the disk."""
    if os.name == "posix":  # elsewhere a folder cannot be opened, nor need it be
        opened = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)


def checkpoint_folder(engine: Engine, home: Path, run: int) -> LocalFolder | RemoteFolder:
    """Where a run's checkpoints lie."""
    own = run_folder(home, run) / "checkpoints"
    shared = shared_folder(engine)
    if shared is None:
        return LocalFolder(own)
    return LocalFolder(shared / str(run)) if isinstance(shared, Path) else RemoteFolder(f"{shared}/{run}", own)


def shared_folder(engine: Engine) -> Path | str | None:
    """Where this store's checkpoints lie outside its home: a folder, an fsspec address, None where they do not."""
    place = shared_place()
    if place is None:
        return None
    return place / identity(engine) if isinstance(place, Path) else f"{place}/{identity(engine)}"


def shared_place() -> Path | str | None:
    """SAMVIZ_CHECKPOINTS: a folder, or an fsspec address; None where it is not set.

    StoreError where it is neither, or a folder that depends on where a process was started: each would look elsewhere.
    """
    given = os.environ.get(SETTING, "").strip()
    if not given:
        return None
    if "://" in given:
        return given.rstrip("/")
    folder = Path(given)
    with suppress(RuntimeError):  # ~somebody, whom this machine does not know: no absolute folder, either
        folder = folder.expanduser()
    if not folder.is_absolute():
        raise StoreError(f"{SETTING} must be an absolute folder or an fsspec address, but it is {given!r}.")
    return folder


def delete_files(engine: Engine, home: Path, run: int) -> None:
    """Delete a run's checkpoints and its log."""
    checkpoint_folder(engine, home, run).clear()
    shutil.rmtree(run_folder(home, run), ignore_errors=True)


def bytes_in(folder: Path) -> int:
    """Bytes of all files under a folder, 0 where there is none."""
    total = 0
    for path, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):  # it may be gone already
                total += (Path(path) / name).stat().st_size
    return total
