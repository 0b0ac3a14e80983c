"""`python -m samviz.runs.supervisor`: starts queued jobs, notices dead workers, and goes when nothing is left.

One runs at a time. It owns nothing: all it knows is in the store, so a new one takes over where a killed one stood,
and workers never notice.
"""

import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

from sqlalchemy.engine import Engine

from samviz.home import home
from samviz.runs import jobs, process
from samviz.runs.schema import StoreError, connect

TICK_SECONDS = 0.25
GRACE_SECONDS = 1.5
"""A worker ends by itself at once when it is cancelled; one that has not by now is frozen, and is killed."""


def supervise(engine: Engine, folder: Path) -> None:
    """Tend the jobs until none waits or runs."""
    children: dict[tuple[int, int], subprocess.Popen] = {}
    last = time.time()
    while jobs.unfinished(engine):
        # After a sleep of the whole machine the leases look expired, though the workers have just woken up too.
        if time.time() - last < jobs.LEASE_SECONDS / 2:
            tend(engine, children)
        last = time.time()
        while job := jobs.claim(engine):
            log = folder / "runs" / (f"{job.id}/worker.log" if job.kind == "train" else f"{job.kind}.log")
            if job.attempt == 1:
                log.unlink(missing_ok=True)  # of a store that was moved away
            arguments = ("samviz.runs.worker", str(job.id), str(job.attempt))
            children[job.id, job.attempt] = process.detach(*arguments, home=folder, log=log)
        time.sleep(TICK_SECONDS)


def tend(engine: Engine, children: dict[tuple[int, int], subprocess.Popen]) -> None:
    """Look after every running job once."""
    now = time.time()
    for row in jobs.running(engine):
        job = jobs.of_row(row)
        child = children.get((row.id, row.attempt))
        if row.pid is None:
            gone = child is not None and child.poll() is not None
        else:
            gone = process.find(row.pid, row.pid_created) is None
        # A worker that has not said a word yet has nothing to bring in order.
        grace = GRACE_SECONDS if row.pid is not None else 0.0
        overdue = row.cancel_requested is not None and now - row.cancel_requested > grace
        silent = row.lease_until < now
        if not (gone or overdue or silent):
            continue
        if row.pid is not None:
            process.kill(row.pid, row.pid_created)
        elif child is not None:
            child.kill()
        if row.cancel_requested is not None:
            with suppress(jobs.StaleError):  # the worker came first
                jobs.end(engine, job, "cancelled")
        elif gone:
            jobs.requeue(engine, job, row.losses, "The worker ended without a word (killed, or out of memory).")
        else:
            jobs.requeue(engine, job, row.losses, f"The worker was silent for {jobs.LEASE_SECONDS:.0f} s.")


def main() -> int:
    folder = home()
    try:
        engine = connect(folder)
        while jobs.unfinished(engine):
            with process.lock(process.supervisor_lock(folder)) as mine:
                if not mine:
                    break
                supervise(engine, folder)
    except StoreError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
