from pathlib import Path

import pytest

from samviz.runs import Store, open_store
from samviz.ui import access
from tests.opened import HERE


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """A store of its own whose jobs nobody takes up, seen by a person at this computer."""
    monkeypatch.setenv("SAMVIZ_HOME", str(tmp_path))
    monkeypatch.delenv("SAMVIZ_DATA", raising=False)
    monkeypatch.setattr(Store, "resume", lambda self: None)
    monkeypatch.setattr(access, "connection", lambda: (None, HERE))
    return open_store(tmp_path)
