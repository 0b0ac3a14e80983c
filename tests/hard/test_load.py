"""The short form of the load test: a class of 30 drags for two seconds, and nobody gets an error or a wrong answer."""

from pathlib import Path

import pytest

from tests.asgi import run
from tests.hard.load import crowd
from tests.serve import running_app


@pytest.mark.browser
def test_thirty_people_drag_at_once(tmp_path: Path) -> None:
    with running_app(tmp_path / "home") as address:
        load = run(crowd(address, 30, 2.0))
    assert load.errors == []
    assert len(load.latencies) >= 30, "everybody is answered"
    assert load.size / len(load.latencies) > 500, "an answer holds paths"
