"""A run whose numbers go to a PostgreSQL server that is killed in the middle: the worker waits, and nothing is lost."""

import time

import pandas as pd
import pytest

from samviz.runs import Store
from tests.postgres import Postgres
from tests.runs.conftest import database, ended, home, postgres, processes, store, tiny, wait
from tests.runs.test_processes import facts

__all__ = ["database", "home", "postgres", "store"]

TIMES = 3
"""Kills of the server."""


def run(store: Store, epochs: int) -> pd.DataFrame:
    return facts(ended(store, store.submit(tiny(epochs=epochs))))


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_a_server_killed_in_the_middle_costs_nothing(store: Store, home, postgres: Postgres) -> None:
    whole = run(store, 6)
    id = store.submit(tiny(epochs=6))
    acknowledged = []
    for k in range(TIMES):
        wait(lambda k=k: (store.snapshot(id).metrics["epoch"] > k).any())
        acknowledged.append(store.snapshot(id).metrics)
        postgres.kill()
        time.sleep(1.0)
        assert processes(home, "worker"), "it waits"
        postgres.start()
    snapshot = ended(store, id)
    assert (snapshot.state, snapshot.runs[0].attempt) == ("finished", 1)
    pd.testing.assert_frame_equal(facts(snapshot), whole, check_exact=True)
    for rows in acknowledged:
        assert len(rows.merge(snapshot.metrics)) == len(rows)
    wait(lambda: not processes(home, "supervisor"))
