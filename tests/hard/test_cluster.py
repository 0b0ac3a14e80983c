"""The short form of the cluster test: the seeds of a comparison run on two machines at the same time, and end alike."""

from pathlib import Path

import pandas as pd
import pytest

from tests.hard.cluster import alone, clustered, workers
from tests.hard.faults_bench import race
from tests.runs.conftest import ended, wait
from tests.runs.test_processes import facts

EPOCHS = 60
"""So many that the first seed still runs when the second one has found its way to the other machine."""


def test_the_seeds_of_a_comparison_spread_over_the_machines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.delenv("SAMVIZ_HOME", raising=False)
    folder, wanted = tmp_path.resolve(), race(EPOCHS, (0, 1))
    whole = alone(folder / "alone", wanted)
    with clustered(folder) as (store, machines, _):
        id = store.submit(wanted)
        wait(lambda: workers(machines) == {3: 1, 4: 1})
        snapshot = ended(store, id)
        assert [(run.state, run.attempt) for run in snapshot.runs] == [("finished", 1)] * 2, snapshot.runs
        pd.testing.assert_frame_equal(facts(snapshot), whole, check_exact=True)
        names = {path.name for path in (folder / "checkpoints").rglob("*.pt")}
        assert names == {f"{wanted.steps:012d}.pt"}, "the checkpoints are where all machines reach them"
