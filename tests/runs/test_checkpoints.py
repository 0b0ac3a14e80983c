"""What a folder of checkpoints holds after attempts that ended while they wrote."""

from pathlib import Path

from samviz.runs.checkpoints import Checkpoints
from samviz.runs.places import LocalFolder


def test_a_part_that_a_stale_worker_left_goes_with_the_next_checkpoint(tmp_path: Path) -> None:
    for attempt in (1, 3):
        (tmp_path / f"{attempt}.partial").write_bytes(b"half a checkpoint")
    Checkpoints(LocalFolder(tmp_path)).save(8, 1, {"w": 1}, attempt=2)
    left = sorted(path.name for path in tmp_path.iterdir())
    assert left == ["000000000008.pt", "3.partial"], "that of a later attempt is being written now"
