"""What a folder of checkpoints holds after attempts that ended while they wrote."""

from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from samviz.runs.checkpoints import Checkpoints
from samviz.runs.places import LocalFolder


def test_a_part_that_a_stale_worker_left_goes_with_the_next_checkpoint(tmp_path: Path) -> None:
    for attempt in (1, 3):
        (tmp_path / f"{attempt}.partial").write_bytes(b"half a checkpoint")
    Checkpoints(LocalFolder(tmp_path)).save(8, 1, {"w": 1}, attempt=2)
    left = sorted(path.name for path in tmp_path.iterdir())
    assert left == ["000000000008.pt", "3.partial"], "that of a later attempt is being written now"


class Unread(LocalFolder):
    """A folder that can be looked at, but not read now, as that of a drive whose network is away."""

    def path(self, name: str) -> AbstractContextManager[Path]:
        raise OSError(5, "Input/output error")


def test_a_checkpoint_that_cannot_be_read_now_is_kept_for_later(tmp_path: Path) -> None:
    for step in (8, 16):
        Checkpoints(LocalFolder(tmp_path)).save(step, 1, {"w": step}, attempt=1)
    with pytest.raises(OSError, match="Input/output error"):
        Checkpoints(Unread(tmp_path)).load()
    assert Checkpoints(LocalFolder(tmp_path)).load()["step"] == 16
