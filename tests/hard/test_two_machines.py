"""Two machines that share a PostgreSQL store and a folder for checkpoints, without Ray: one dies, the other goes on."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
import pytest

from samviz.runs import Store, jobs, process
from tests.hard.faults_bench import race
from tests.runs.conftest import database, ended, home, kill, postgres, store, wait
from tests.runs.test_processes import facts
from tests.serve import ROOT

__all__ = ["database", "home", "postgres", "store"]

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


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_a_machine_that_dies_leaves_its_run_to_the_other(
    store: Store, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SAMVIZ_CHECKPOINTS", str(tmp_path / "shared"))
    homes = {name: tmp_path.resolve() / name for name in ("first", "second")}
    spec = race(30, (0, 1))
    with process.lock(process.supervisor_lock(home)) as alone:  # this machine takes no runs
        assert alone
        id, unbroken = store.submit(spec), store.submit(spec)  # at once: a supervisor goes when nothing is left
        with machine("second", homes["second"]):
            with machine("first", homes["first"]):
                wait(lambda: {job.host for job in jobs.running(store.engine)} == set(homes))
                seed = next(job.seed for job in jobs.running(store.engine) if job.host == "first")
                wait(lambda: (of(seed, store.snapshot(id).metrics)["epoch"] > 1).any())
            acknowledged = store.snapshot(id).metrics
            found = ended(store, id)
            whole = ended(store, unbroken)
    assert found.state == "finished"
    assert {run.seed: (run.host, run.attempt) for run in found.runs} == {seed: ("second", 2), 1 - seed: ("second", 1)}
    pd.testing.assert_frame_equal(facts(found), facts(whole), check_exact=True)
    assert len(acknowledged.merge(found.metrics)) == len(acknowledged)
    log = (homes["second"] / "runs").rglob("worker.log")
    assert any("Attempt 2" in path.read_text() and "after step" in path.read_text() for path in log)
