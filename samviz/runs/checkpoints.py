"""Checkpoints of one run: written whole or not at all, checked when they are read, the newest two kept.

A file is one line, `samviz checkpoint 1 SHA256 LENGTH`, and then what torch.save wrote. The line is there because torch
does not notice bytes that have changed.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext, suppress
from math import inf
from pathlib import Path
from pickle import UnpicklingError
from typing import Any, BinaryIO

from samviz.runs.places import LocalFolder, RemoteFolder

KEPT = 2
"""Checkpoints kept of a run that goes on: one to go on from, and one in case that one is damaged."""
_LINE = re.compile(rb"samviz checkpoint 1 ([0-9a-f]{64}) ([0-9]{16})\n")
_LENGTH = len(b"samviz checkpoint 1 ") + 64 + 1 + 16 + 1


class DamagedError(ValueError):
    """A file is no whole checkpoint: one sentence."""


class _Hashed:
    """A file that is hashed while it is written."""

    def __init__(self, file: BinaryIO) -> None:
        self.file, self.digest, self.length = file, hashlib.sha256(), 0
        self.error: OSError | None = None
        """Why the disk did not take it."""

    def write(self, data: bytes) -> int:
        self.digest.update(data)
        self.length += len(data)
        try:
            return self.file.write(data)
        except OSError as error:
            self.error = error
            raise

    def flush(self) -> None:
        self.file.flush()


def write(path: Path, step: int, epoch: int, state: Any) -> None:
    """Write a checkpoint and see to it that it is on the disk."""
    import torch

    with path.open("wb") as file:
        file.write(b"\0" * _LENGTH)
        content = _Hashed(file)
        try:
            torch.save({"epoch": epoch, "step": step, "state": state}, content)
        except RuntimeError:
            if content.error is None:
                raise
            raise content.error from None  # of a full disk torch itself only says that a position is unexpected
        file.seek(0)
        file.write(b"samviz checkpoint 1 %s %016d\n" % (content.digest.hexdigest().encode(), content.length))
        file.flush()
        os.fsync(file.fileno())


def check(file: BinaryIO, size: int) -> bytes:
    """The part of a checkpoint of `size` bytes that torch wrote; DamagedError if a byte is not as it was written."""
    line = _LINE.fullmatch(file.read(_LENGTH))
    if line is None:
        raise DamagedError("its first line is not that of a checkpoint")
    digest, length = line[1].decode(), int(line[2])
    if size != _LENGTH + length:
        raise DamagedError(f"it has {size} bytes in place of {_LENGTH + length}")
    content = file.read()
    if hashlib.sha256(content).hexdigest() != digest:
        raise DamagedError("its bytes have changed")
    return content


def read(path: Path) -> dict[str, Any]:
    """Epoch, step and state of a checkpoint; DamagedError where it is not whole, OSError where it is gone."""
    import torch

    with path.open("rb") as file:
        content = check(file, path.stat().st_size)
    return torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)


class Checkpoints:
    """The checkpoints of one run, named by their step."""

    def __init__(self, folder: LocalFolder | RemoteFolder) -> None:
        self.folder = folder

    def save(
        self, step: int, epoch: int, state: Any, attempt: int, fence: Callable[[], AbstractContextManager] = nullcontext
    ) -> None:
        """Put a checkpoint beside the last one, such that a power cut leaves one of the two whole, and drop older ones.

        It gets its name within `fence`, which lets nobody through who no longer has the run. Raises OSError, such as
        that of a full disk: then nothing has changed.
        """
        self.folder.make()
        partial = self.folder.work / f"{attempt}.partial"
        try:
            write(partial, step, epoch, state)
            with fence():
                self.folder.put(partial, f"{step:012d}.pt")
        except BaseException:
            partial.unlink(missing_ok=True)
            raise
        self.prune(KEPT)
        with suppress(OSError):  # another process has it open, on a system that minds: it goes next time
            self._clear_parts(before=attempt)

    def load(self, say: Callable[[str], object] = print) -> dict[str, Any] | None:
        """The newest checkpoint that is whole; None where there is none.

        Those after it are deleted, and `say` hears of them: the run goes on from before them, and may be elsewhere by
        then. What cannot be read now may be whole, and stays: then raises OSError, MemoryError or torch's RuntimeError.
        """
        self._clear_parts()
        for name in reversed(self.folder.names()):
            try:
                with self.folder.path(name) as path:
                    return read(path)
            except FileNotFoundError:  # a stale worker has pruned it since
                continue
            except (DamagedError, UnpicklingError, KeyError, TypeError) as error:
                say(f"The checkpoint {name} cannot be used ({error}): the one before it is taken.")
            self.folder.remove(name)
        return None

    def _clear_parts(self, before: float = inf) -> None:
        """Delete what attempts before that one were writing when they were killed, or told that they were stale."""
        for partial in self.folder.work.glob("*.partial"):
            name = partial.stem  # the attempt, but for an import that was killed
            if not name.isdigit() or int(name) < before:
                partial.unlink(missing_ok=True)

    def newest_hash(self) -> str | None:
        """What the newest one says of its bytes; None where there is none. It is read by `with_hash`."""
        for name in reversed(self.folder.names()):
            if (found := self._hash(name)) is not None:
                return found
        return None

    def with_hash(self, digest: str) -> dict[str, Any]:
        """Epoch, step and state of the checkpoint with this hash; ValueError in one sentence where it is not there."""
        for name in reversed(self.folder.names()):
            if self._hash(name) == digest:
                with self.folder.path(name) as path:
                    return read(path)
        raise ValueError("The checkpoint is no longer there, since its run has gone on: measure the newest one.")

    def _hash(self, name: str) -> str | None:
        try:
            line = _LINE.fullmatch(self.folder.head(name, _LENGTH))
        except OSError:  # it has been pruned since its name was read
            return None
        return line and line[1].decode()

    def forget(self) -> None:
        """Delete all checkpoints."""
        self.folder.clear()

    def prune(self, kept: int) -> None:
        """Delete all but the newest `kept`."""
        for name in self.folder.names()[:-kept]:
            self.folder.remove(name)
