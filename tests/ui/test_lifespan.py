"""What the app does when it starts: how many connections it can hold."""

import subprocess
import sys
from collections.abc import Iterator

import pytest

from samviz.ui import lifespan

resource = pytest.importorskip("resource")
FILES = resource.RLIMIT_NOFILE


@pytest.fixture(autouse=True)
def _limit() -> Iterator[None]:
    before = resource.getrlimit(FILES)
    yield
    resource.setrlimit(FILES, before)


@pytest.mark.parametrize("most", [1100, 2**40])
def test_as_many_connections_are_held_as_the_system_allows_and_no_absurd_number(
    monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    monkeypatch.setattr(lifespan, "MOST_FILES", most)
    _, hard = resource.getrlimit(FILES)
    allowed = most if hard == resource.RLIM_INFINITY else min(most, hard)
    resource.setrlimit(FILES, (1024, hard))
    lifespan.open_many()
    assert resource.getrlimit(FILES) == (allowed, hard)
    # A process that is started then closes what it must not inherit, however many that may be.
    told = "import resource; print(resource.getrlimit(resource.RLIMIT_NOFILE)[0])"
    started = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True, timeout=30)
    assert int(started.stdout) == allowed


def test_a_limit_that_is_higher_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    before = resource.getrlimit(FILES)
    monkeypatch.setattr(lifespan, "MOST_FILES", 64)
    lifespan.open_many()
    assert resource.getrlimit(FILES) == before


def test_a_system_without_the_limit_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lifespan, "resource", None)
    lifespan.open_many()
