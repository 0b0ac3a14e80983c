"""Read a bundle that may come from anybody: into memory and checked whole, before anything is stored.

Nothing is extracted by a name that the archive gives: members are read by the names that a bundle has, so none can lead
out of a folder. A checkpoint is copied as bytes; only a worker opens it, with weights_only=True.
"""

from __future__ import annotations

import os
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from stat import S_IFDIR, S_IFMT, S_IFREG
from typing import BinaryIO

from samviz.runs import exchange, exchange_measured
from samviz.runs.bundle import (
    CHECKPOINT,
    COMPARISON,
    FIGURE,
    MEASUREMENTS,
    MOST,
    MOST_CHECKPOINT,
    MOST_MEMBERS,
    NOTE,
    TABLES,
    checked,
    limit_parts,
)
from samviz.runs.views import MeasurementView, Snapshot

_DAMAGE = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, RuntimeError, OverflowError)
"""What Python's zipfile raises for a file that it cannot read."""
_ENCRYPTED = 0x1
_FOLDERS = ("figures/", "checkpoints/")
"""Other programs, which may have packed the files again, add entries for folders."""


@dataclass(frozen=True, kw_only=True)
class Bundle:
    """What an archive holds."""

    snapshot: Snapshot
    """The comparison, its note included; id and revision are empty, since both are a store's to give."""
    measurements: tuple[MeasurementView, ...]
    """What was measured of it, the oldest first; ids and jobs are a store's to give, too."""
    checkpoints: Mapping[int, Callable[[Path], None]]
    """Seed -> `copy` from the archive to a path; the archive must be open or in its place still."""


def read(source: BinaryIO | Path) -> Bundle:
    """Read a bundle and write nothing; checkpoints are looked into when they are copied.

    Raises ValueError in one sentence where it is none, is damaged, or holds anything that no bundle holds.
    """
    with _opened(source) as archive:
        members = _members(archive)
        for name in (COMPARISON, NOTE):
            if name not in members:
                raise ValueError(f"This is not a comparison exported by samviz: it has no {name}.")
        note = _text(archive, members[NOTE]).replace("\0", "\ufffd")
        snapshot = exchange.from_json(_text(archive, members[COMPARISON]), id="", revision="")
        # Bundles of earlier versions do not have it.
        told = _text(archive, members[MEASUREMENTS]) if MEASUREMENTS in members else "[]"
        measurements = exchange_measured.from_json(told, snapshot.comparison)
    seeds = {int(found[1]) for name in members if (found := CHECKPOINT.fullmatch(name))}
    if strangers := seeds.difference(snapshot.comparison.seeds):
        raise ValueError(f"The archive has checkpoints of seeds that the comparison has not: {sorted(strangers)}.")
    copies = {seed: partial(copy, source, seed) for seed in sorted(seeds)}
    return Bundle(snapshot=replace(snapshot, note=note), measurements=measurements, checkpoints=copies)


def copy(source: BinaryIO | Path, seed: int, target: Path) -> None:
    """Copy a seed's checkpoint out of a bundle that `read` has accepted, all of it or nothing; header and all.

    Raises ValueError where the checkpoint is damaged, and OSError where `target` cannot be written.
    """
    partial_copy = target.with_name(f"{target.name}.partial")
    try:
        with _opened(source) as archive, partial_copy.open("wb") as file:
            for chunk in _checkpoint(archive, seed):
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
        partial_copy.replace(target)
    finally:
        partial_copy.unlink(missing_ok=True)


@contextmanager
def _understood(*more: type[Exception]) -> Iterator[None]:
    """One kind of error for a file that cannot be read, whatever is wrong with it."""
    try:
        yield
    except (*_DAMAGE, *more) as error:
        raise ValueError(f"The archive cannot be read: {str(error).rstrip('.') or type(error).__name__}.") from None


def _opened(source: BinaryIO | Path) -> zipfile.ZipFile:
    with _understood(ValueError):  # also of the file object, which may be told to go before its start
        return zipfile.ZipFile(source)


def _members(archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """The files by name; ValueError where one has a name or a form that no file of a bundle has."""
    infos = archive.infolist()
    if len(infos) > MOST_MEMBERS:
        raise ValueError(f"An exported comparison has at most {MOST_MEMBERS} files, but the archive has {len(infos)}.")
    members: dict[str, zipfile.ZipInfo] = {}
    for info in infos:
        name = info.orig_filename  # as it is: `filename` ends at a NUL, and has other slashes on Windows
        shown, folder = repr(name[:100]), name in _FOLDERS
        if not (folder or name in MOST or name in TABLES or FIGURE.fullmatch(name) or CHECKPOINT.fullmatch(name)):
            raise ValueError(f"The archive holds {shown}, which is no file of an exported comparison.")
        if name in members:
            raise ValueError(f"The archive holds {shown} twice.")
        if info.flag_bits & _ENCRYPTED:
            raise ValueError(f"The archive is encrypted: {shown} cannot be read.")
        if S_IFMT(info.external_attr >> 16) not in (0, S_IFDIR if folder else S_IFREG):
            raise ValueError(f"The archive holds {shown} as a link or the like, not as a file.")
        # What a checkpoint takes on the disk is what it takes in the archive, and not a thousand times that.
        methods = (zipfile.ZIP_STORED,) if CHECKPOINT.fullmatch(name) else (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
        if info.compress_type not in methods:
            raise ValueError(f"The archive holds {shown} compressed in another way than samviz does it.")
        # No more than this is ever unpacked: zipfile stops there, and then the checksum is wrong.
        if info.file_size > (most := MOST.get(name, MOST_CHECKPOINT)):
            raise ValueError(f"The archive holds {shown} with {info.file_size} bytes, but it may have {most}.")
        members[name] = info
    return members


def _text(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> str:
    with _understood(ValueError):
        content = archive.read(info)
    limit_parts(info.filename, content)
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        raise ValueError(f"{info.filename} must be a text in UTF-8, but it is not.") from None


def _checkpoint(archive: zipfile.ZipFile, seed: int) -> Iterator[bytes]:
    """The bytes of a checkpoint; what goes wrong where they are written is none of this."""
    with _understood(ValueError, KeyError):
        file = archive.open(f"checkpoints/{seed}.pt")
    with file, _understood():
        yield from checked(file, f"of seed {seed}")
