"""What a worker tells the store while it works, and what the store wants of the worker in the meantime."""

import os
import sqlite3
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from sqlalchemy.engine import Engine

from samviz.runs import jobs, process
from samviz.runs.engine import AwayError, StoreError
from samviz.spec import Histogram, Scalar

POLL_SECONDS = 0.1
FLUSH_SECONDS = 0.5
"""The longest that a fact waits for others before they are written together."""
BEAT_SECONDS = 5.0
AWAY_SECONDS = 600.0
"""How long it waits for a store that is locked, full or away, before it gives up and leaves the run to another one."""

T = TypeVar("T")


def patiently(action: Callable[[], T]) -> T:
    """Do something with the store; while it is away, wait and try again."""
    deadline = time.monotonic() + AWAY_SECONDS
    while True:
        try:
            return action()
        except AwayError as error:
            if time.monotonic() > deadline:
                raise
            print(f"{error} It is tried again.", file=sys.stderr)
            time.sleep(1.0)


class Recorder:
    """Facts on their way into the store, in batches; used by the main thread and by the watcher."""

    def __init__(self, engine: Engine, job: jobs.Job) -> None:
        self.engine, self.job = engine, job
        self.renewed = time.monotonic()
        """When the lease was last renewed."""
        self._lock = threading.Lock()
        self._facts: list[Scalar | Histogram] = []
        self._progress: float | None = None
        self._flushed = 0.0

    def add(self, *facts: Scalar | Histogram, progress: float) -> None:
        with self._lock:
            self._facts += facts
            self._progress = progress
        self.flush_if_due()

    def flush_if_due(self) -> None:
        if time.monotonic() - self._flushed >= FLUSH_SECONDS:
            self.flush()

    def flush(self) -> None:
        """Write what waits, in one transaction."""
        with self._lock:
            if self._progress is None:
                return
            patiently(self._write)
            self._facts, self._progress = [], None
            self._flushed = self.renewed = time.monotonic()

    def _write(self) -> None:
        with jobs.fenced(self.engine, self.job, progress=self._progress) as connection:
            jobs.write(connection, self.job, self._facts)

    def beat_if_due(self) -> None:
        if time.monotonic() - self.renewed >= BEAT_SECONDS:
            jobs.beat(self.engine, self.job)
            self.renewed = time.monotonic()


class Watcher(threading.Thread):
    """Renews the lease, writes what waits, and ends the process when it is cancelled or has lost its job."""

    def __init__(self, recorder: Recorder, folder: Path) -> None:
        super().__init__(daemon=True)
        self.recorder, self.folder = recorder, folder
        self.done = threading.Event()
        self.pausing = threading.Event()
        """Whether the run shall save where it is and rest."""

    def run(self) -> None:
        beats = 0.0
        while not self.done.wait(POLL_SECONDS):
            try:
                match jobs.wanted(self.recorder.engine, self.recorder.job):
                    case "cancelled":
                        self._leave()
                        return
                    case "paused":
                        self.pausing.set()
                    case _:  # it may have been taken back
                        self.pausing.clear()
                self.recorder.flush_if_due()
                self.recorder.beat_if_due()
                if time.monotonic() - beats > BEAT_SECONDS:
                    see_to_the_next(self.folder)
                    beats = time.monotonic()
            except jobs.StaleError as error:
                if not self.done.is_set():
                    print(error, file=sys.stderr)
                    os._exit(1)
            except (StoreError, OSError, sqlite3.Error) as error:
                print(error, file=sys.stderr)  # the main thread waits for it, and the lease decides
                self.done.wait(1.0)

    def _leave(self) -> None:
        """End the process wherever its main thread is: the next step may be seconds away.

        Both the end and the renaming of a checkpoint hold the store's one write lock, so this waits for the rename.
        """
        try:
            self.recorder.flush()
            jobs.end(self.recorder.engine, self.recorder.job, "cancelled")
        finally:
            os._exit(0)


def see_to_the_next(folder: Path) -> None:
    """A worker outlives its supervisor, and sees to it that somebody starts the next run: here, not on a cluster."""
    if process.HANDLE not in os.environ:
        process.ensure_supervisor(folder)
