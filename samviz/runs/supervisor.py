"""`python -m samviz.runs.supervisor`: starts queued jobs, notices dead workers, and goes when nothing is left.

One runs at a time for a home. It owns nothing: all it knows is in the store, so a new one takes over where a killed one
stood, and workers never notice.
"""

import sys
import time
from collections.abc import Callable, Hashable, Mapping
from contextlib import suppress
from pathlib import Path

from sqlalchemy import Row
from sqlalchemy.engine import Engine

from samviz.home import home
from samviz.runs import jobs, process
from samviz.runs.engine import AwayError, StoreError, connect
from samviz.runs.executors import Executor, ExecutorError, LocalProcesses, Status, chosen
from samviz.runs.places import log_file

TICK_SECONDS = 0.25
GRACE_SECONDS = {"cancelled": 1.5, "paused": 90.0}
"""A worker ends by itself at once when it is cancelled, and when it is paused as soon as it has saved where it is; one
that has not by now is frozen, and is killed."""
ORPHANS_SECONDS = 30.0
AWAY_SECONDS = 600.0
"""How long it waits for a store that is away."""
ON_DEVICES = (*jobs.RUNS, "calibrate")
"""The kinds of jobs that go where the runs go; the others stay on this machine."""


class Since:
    """How long things have been as they are, by this process's own clock, which nobody sets."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._seen: dict[Hashable, tuple[object, float]] = {}
        self._looked = clock()

    def look(self) -> None:
        """Say that everything is looked at now. After a long pause nothing is known of the time between: then the
        machine slept, or the store was away, and workers could not be heard.
        """
        if self._clock() - self._looked > jobs.LEASE_SECONDS / 2:
            self._seen.clear()
        self._looked = self._clock()

    def seconds(self, key: Hashable, value: object) -> float:
        """Seconds for which `key` has had this value, as far as was seen."""
        seen = self._seen.get(key)
        if seen is None or seen[0] != value:
            seen = self._seen[key] = value, self._looked
        return self._looked - seen[1]


class Supervisor:
    """Tends the jobs of one store with the executors of one home."""

    def __init__(self, engine: Engine, folder: Path, executor: Executor, since: Since | None = None) -> None:
        self.engine, self.folder = engine, folder
        local = executor if isinstance(executor, LocalProcesses) else LocalProcesses(folder)
        self.executors: Mapping[str, Executor] = {local.name: local, executor.name: executor}
        self.seats = {executor: ON_DEVICES} if executor is not local else {}
        self.seats[local] = ("download", "sweep") + (ON_DEVICES if executor is local else ())
        self.since = since or Since()
        self._orphans: set[str] = set()
        self._searched = -ORPHANS_SECONDS

    def run(self) -> None:
        """Tend the jobs until none waits or runs."""
        while jobs.unfinished(self.engine):
            self.tend()
            self.start()
            time.sleep(TICK_SECONDS)

    def start(self) -> None:
        """Start what waits and has room."""
        waiting = jobs.waiting(self.engine)
        for executor, kinds in self.seats.items():
            if waiting.isdisjoint(kinds):
                continue
            try:
                slots = executor.slots(jobs.on_devices(self.engine, executor.name, executor.host))
            except ExecutorError as error:
                jobs.explain_waiting(self.engine, kinds, str(error))
                continue
            seats = jobs.Seats(executor=executor.name, host=executor.host, slots=slots, kinds=kinds)
            while (job := jobs.claim(self.engine, seats)) and self._submit(executor, job):
                pass

    def _submit(self, executor: Executor, job: jobs.Job) -> bool:
        """Start a worker; whether it makes sense to start another one now."""
        log = log_file(self.folder, job.id, job.kind)
        if job.attempt == 1:
            log.unlink(missing_ok=True)  # of a store that was moved away
        try:
            handle = executor.submit(job.id, job.attempt, job.device, log)
        except ExecutorError as error:
            jobs.put_back(self.engine, job, str(error))
            return False
        with suppress(jobs.StaleError), jobs.fenced(self.engine, job, handle=handle):
            pass
        return True

    def tend(self) -> None:
        """Look after every running job once."""
        self.since.look()
        rows = jobs.running(self.engine)
        for row in rows:
            executor = self.executors.get(row.executor)
            if executor is not None and executor.host == row.host:
                self._tend(row, executor)
            elif self._silent(row):
                self._lost(row, f"The worker on {row.host or row.executor} was silent")
        self._cancel_orphans({row.handle for row in rows})

    def _tend(self, row: Row, executor: Executor) -> None:
        status = Status.UNKNOWN if row.handle is None else executor.status(row.handle)
        if status is Status.PENDING and row.wanted == "":
            if self._silent(row, jobs.LEASE_SECONDS / 3):  # it cannot beat yet
                with suppress(jobs.StaleError):
                    jobs.beat(self.engine, jobs.of_row(row))
            return
        # A worker that has not said a word yet has nothing to bring in order.
        grace = GRACE_SECONDS[row.wanted] if row.wanted and row.entered == row.attempt else 0.0
        overdue = row.wanted != "" and self.since.seconds(("wanted", row.id, row.attempt), row.wanted) > grace
        gone, silent = status is Status.ENDED, self._silent(row)
        if not (gone or overdue or silent):
            return
        # It is written first, and fails where nothing can be written: there, no worker can be heard, either.
        if row.wanted != "":
            with suppress(jobs.StaleError):  # the worker came first
                jobs.end_as_wanted(self.engine, jobs.of_row(row))
        elif gone:
            jobs.requeue(
                self.engine, jobs.of_row(row), row.losses, "The worker ended without a word (killed, or out of memory)."
            )
        else:
            self._lost(row, "The worker was silent")
        if row.handle is not None:
            executor.cancel(row.handle)

    def _silent(self, row: Row, seconds: float = jobs.LEASE_SECONDS) -> bool:
        return self.since.seconds(("beat", row.id, row.attempt), row.heartbeat) > seconds

    def _lost(self, row: Row, what: str) -> None:
        jobs.requeue(self.engine, jobs.of_row(row), row.losses, f"{what} for {jobs.LEASE_SECONDS:.0f} s.")

    def _cancel_orphans(self, known: set[str | None]) -> None:
        """End workers of no running job: those found twice, since one just started may not be in the store yet."""
        if time.monotonic() - self._searched < ORPHANS_SECONDS:
            return
        self._searched = time.monotonic()
        found = set()
        for executor in self.executors.values():
            for handle in set(executor.handles()) - known:
                found.add(handle)
                if handle in self._orphans:
                    print(f"The worker {handle} has no job in the store: it is ended.", file=sys.stderr)
                    executor.cancel(handle)
        self._orphans = found


def main() -> int:
    folder = home()
    away, engine = 0.0, None
    while True:
        try:
            engine = connect(folder)
            executor = chosen(folder, engine)
            while jobs.unfinished(engine):
                with process.lock(process.supervisor_lock(folder)) as mine:
                    if not mine:
                        return 0
                    away = 0.0
                    Supervisor(engine, folder, executor).run()
            return 0
        except AwayError as error:
            print(error, file=sys.stderr)
            if away >= AWAY_SECONDS:
                return 1
            away += 1.0
            time.sleep(1.0)
        except (StoreError, ValueError, ExecutorError) as error:
            print(error, file=sys.stderr)
            if engine is not None and not isinstance(error, StoreError):  # a setting: those who wait can see it
                jobs.explain_waiting(engine, jobs.Seats().kinds, str(error))
                engine.dispose()
            return 1


if __name__ == "__main__":
    process.print_what_fits()
    sys.exit(main())
