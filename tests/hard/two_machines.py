"""`python -m tests.hard.two_machines`: two machines share a PostgreSQL store and a folder for checkpoints, without Ray.

One of them dies. The other one goes on with its run, and the end is that of a run of which nobody died.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd

from samviz.runs import Store, jobs, process
from tests.hard.faults_bench import race, settled
from tests.postgres import running
from tests.runs.conftest import ended, kill, wait
from tests.runs.test_processes import facts
from tests.serve import ROOT

OF_THEIR_OWN = ["unshare", "--uts"] + ([] if os.getuid() == 0 else ["--user", "--map-root-user"])
"""Linux gives what is started so a name of its own in the network."""


@contextmanager
def machine(name: str, home: Path) -> Iterator[None]:
    """What an app does on a machine of this name while there is work: start a supervisor. It dies in the end."""
    home.mkdir()
    named = [*OF_THEIR_OWN, "sh", "-c", 'hostname "$0" && exec "$@"', name]
    command = [*named, sys.executable, "-m", "samviz.runs.supervisor"]
    environment = os.environ | {"SAMVIZ_HOME": str(home), "PYTHONPATH": str(ROOT)}
    with (home / "supervisor.log").open("wb") as log:
        supervisor = subprocess.Popen(command, env=environment, stdout=log, stderr=log, cwd=home)
    try:
        yield
    finally:
        kill(home, "supervisor", "worker")
        supervisor.wait()


def of(seed: int, metrics: pd.DataFrame) -> pd.DataFrame:
    """The rows of this seed."""
    return metrics[metrics["seed"] == seed].reset_index(drop=True)


def shared(store: Store, folder: Path) -> None:
    """Two comparisons in the queue, two machines that take from it, and the first one dies."""
    begun = time.monotonic()
    spec = race(30, (0, 1))
    id, unbroken = store.submit(spec), store.submit(spec)  # both now: a supervisor goes when nothing is left
    with machine("second", folder / "second"):
        with machine("first", folder / "first"):
            wait(lambda: {job.host for job in jobs.running(store.engine)} == {"first", "second"})
            seed = next(job.seed for job in jobs.running(store.engine) if job.host == "first")
            wait(lambda: (of(seed, store.snapshot(id).metrics)["epoch"] > 1).any())
        seen = facts(store.snapshot(id))  # without the clock's rows, which come again with other values
        found, whole = ended(store, id), ended(store, unbroken)
    assert found.state == "finished", found.runs
    assert {run.seed: (run.host, run.attempt) for run in found.runs} == {seed: ("second", 2), 1 - seed: ("second", 1)}
    pd.testing.assert_frame_equal(facts(found), facts(whole), check_exact=True)
    assert len(seen.merge(facts(found))) == len(seen), "rows that were there are gone"
    logs = [path.read_text() for path in (folder / "second" / "runs").rglob("worker.log")]
    assert any("Attempt 2" in log and "after step" in log for log in logs), "it did not go on from the checkpoint"
    print(f"The first machine died, the second went on: no number changed, {time.monotonic() - begun:.0f} s")


def main() -> None:
    settled()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as place, running() as postgres:
        folder = Path(place).resolve()
        os.environ |= {"SAMVIZ_STORE": postgres.database(), "SAMVIZ_CHECKPOINTS": str(folder / "checkpoints")}
        store = Store(folder / "home")
        with process.lock(process.supervisor_lock(folder / "home")) as alone:  # this machine takes no runs
            assert alone
            shared(store, folder)
        store.close()


if __name__ == "__main__":
    main()
