"""`python -m tests.hard.cluster [TIMES]`: a comparison on a Ray cluster of two machines with a PostgreSQL store.

Each time the database, the head and one of the machines are killed in the middle and started again; the end must be
what one machine alone comes to, with every number that anybody has seen.
"""

import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pandas as pd

from samviz.runs import Store
from samviz.spec import Comparison
from tests.hard.faults_bench import settled
from tests.hard.ray_cluster import CLIENT, Cluster, cluster
from tests.postgres import Postgres, running
from tests.runs.conftest import ended, kill, tiny, wait
from tests.runs.test_processes import facts

SECONDS = 400
"""How long the end may take."""


def comparison(epochs: int, seeds: tuple[int, ...]) -> Comparison:
    """Long enough to be killed in the middle; how it is computed depends on no measurement of a busy machine."""
    return replace(tiny(epochs=epochs, seeds=seeds, precision="fp32"), name="On a cluster")


@contextmanager
def clustered(folder: Path) -> Iterator[tuple[Store, Cluster, Postgres]]:
    """A store in PostgreSQL, and two machines that reach it and share a folder of checkpoints."""
    shared = {"OMP_NUM_THREADS": "1", "SAMVIZ_HOME": str(folder / "machine"), "SAMVIZ_RUN_CPUS": "1"}
    with running() as postgres:
        shared["SAMVIZ_STORE"] = postgres.database()
        with cluster(**shared) as machines:
            machines.start_head(cpus=0)
            for host in (3, 4):
                machines.start_machine(host)
            here = {"SAMVIZ_EXECUTOR": f"ray:{machines.address}", "SAMVIZ_CHECKPOINTS": str(folder / "checkpoints")}
            here |= CLIENT | {"SAMVIZ_STORE": shared["SAMVIZ_STORE"], "SAMVIZ_HOME": str(folder / "home")}
            before = dict(os.environ)
            os.environ.update(here)
            store = Store(folder / "home")
            try:
                yield store, machines, postgres
            finally:
                store.close()
                kill(folder / "home", "supervisor")
                os.environ.clear()
                os.environ.update(before)


def alone(folder: Path, wanted: Comparison) -> pd.DataFrame:
    """What one machine comes to."""
    os.environ["SAMVIZ_HOME"] = str(folder)
    store = Store(folder)
    try:
        return facts(ended(store, store.submit(wanted), SECONDS))
    finally:
        store.close()
        kill(folder, "supervisor", "worker")
        os.environ.pop("SAMVIZ_HOME")


def workers(machines: Cluster) -> dict[int, int]:
    """Machine -> how many workers of samviz it has."""
    found = {}
    for host in (3, 4):
        lines = [one.cmdline() for one in machines.processes(host)]
        found[host] = sum("samviz.runs.worker" in line for line in lines)
    return found


def main(times: int = 2) -> None:
    settled()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as place:
        folder = Path(place).resolve()
        wanted = comparison(40, (0, 1, 2))
        whole = alone(folder / "alone", wanted)
        with clustered(folder) as (store, machines, postgres):
            for k in range(times):
                begun = time.monotonic()
                id = store.submit(wanted)
                wait(lambda id=id: (store.snapshot(id).metrics["epoch"] > 2).any(), SECONDS)
                seen = [store.snapshot(id).metrics]
                postgres.kill()
                time.sleep(2)
                postgres.start()
                wait(lambda id=id, seen=seen: len(store.snapshot(id).metrics) > len(seen[0]), SECONDS)
                seen.append(store.snapshot(id).metrics)
                machines.kill(3)
                machines.kill(2)
                time.sleep(6)  # the other machine gives up: Ray's own time for that, shortened here
                machines.kill(4)
                machines.start_head(cpus=0)
                for host in (3, 4):
                    machines.start_machine(host)
                snapshot = ended(store, id, SECONDS)
                assert snapshot.state == "finished", snapshot.runs
                pd.testing.assert_frame_equal(facts(snapshot), whole, check_exact=True)
                lost = sum(len(rows) - len(rows.merge(snapshot.metrics)) for rows in seen)
                seconds = sum((rows["name"] == "seconds").sum() for rows in seen)
                assert lost <= seconds, "only the clock's rows may come again with another value"
                attempts = [run.attempt for run in snapshot.runs]
                took = time.monotonic() - begun
                print(f"{k + 1}: equal to one machine alone, attempts {attempts}, {took:.0f} s", flush=True)
    print(f"database, head and machine killed {times} times: no number lost, none changed")


if __name__ == "__main__":
    main(*(int(x) for x in sys.argv[1:2]))
