"""A store of one's own, real processes on it, and nothing left running afterwards."""

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from samviz.runs import Snapshot, Store, open_store
from samviz.spec import Arm, Comparison, Recipe
from tests.postgres import Postgres, running

ENDED = ("finished", "cancelled", "failed")


def tiny(epochs: int = 3, seeds: tuple[int, ...] = (0,), **settings) -> Comparison:
    """Two arms, eight steps an epoch: seconds on one core."""
    recipe = Recipe(**{"train_size": 256, "test_size": 100, "epochs": epochs, "batch_size": 32} | settings)
    return Comparison(
        name="Tiny", recipe=recipe, arms=(Arm(), Arm(variant="sam", scope="norm_only", rho=0.5)), seeds=seeds
    )


def processes(home: Path, module: str) -> list[psutil.Process]:
    """The live processes of this home that run samviz.runs.MODULE."""
    found = []
    for process in psutil.process_iter():
        try:
            here = f"samviz.runs.{module}" in process.cmdline() and process.environ().get("SAMVIZ_HOME") == str(home)
            if here and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except psutil.Error:
            continue
    return found


def kill(home: Path, *modules: str) -> None:
    """SIGKILL to all processes of this home that run samviz.runs.MODULE."""
    for module in modules:
        for process in processes(home, module):
            with suppress(psutil.NoSuchProcess):
                process.kill()
                process.wait(5)


def wait(condition: Callable[[], object], seconds: float = 120) -> object:
    """The first true value of `condition`; fails after `seconds`."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if value := condition():
            return value
        time.sleep(0.1)
    raise AssertionError(f"{condition} was not true within {seconds} s")


def ended(store: Store, id: str, seconds: float = 180) -> Snapshot:
    """The snapshot once all runs have ended."""
    wait(lambda: store.header(id).state in ENDED, seconds)
    return store.snapshot(id)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    folder = tmp_path.resolve() / "home"
    monkeypatch.setenv("SAMVIZ_HOME", str(folder))
    monkeypatch.delenv("SAMVIZ_DATA", raising=False)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    yield folder
    kill(folder, "supervisor", "worker")  # the supervisor first: it would start workers again


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL server."""
    with running() as server:
        yield server


@pytest.fixture
def database(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Which kind of store the test has: sqlite, or what it is parametrized with (see BOTH)."""
    kind = getattr(request, "param", "sqlite")
    if kind == "postgresql":
        monkeypatch.setenv("SAMVIZ_STORE", request.getfixturevalue("postgres").database())
    else:
        monkeypatch.delenv("SAMVIZ_STORE", raising=False)
    return kind


BOTH = pytest.mark.parametrize("database", ["sqlite", "postgresql"], indirect=True)
"""Runs a test once on each kind of store."""


@pytest.fixture
def store(home: Path, database: str) -> Iterator[Store]:
    store = open_store(home)
    yield store
    store.close()
