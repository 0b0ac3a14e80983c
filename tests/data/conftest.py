"""Fabricated CIFAR-10 files of the official layout and size, for all tests of the data."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from samviz.data import cifar


@pytest.fixture
def fabricate() -> Callable[[Path], Path]:
    """fabricate(place) writes the six files: ten images of labels 0 to 9, the first one telling its file, then zeros.

    The zeros are holes, so that 184 MB cost no disk and little time.
    """

    def write(place: Path) -> Path:
        place.mkdir(parents=True)
        for i, name in enumerate(cifar.SHA256):
            records = np.zeros((10, cifar.RECORD_BYTES), np.uint8)
            records[:, 0] = np.arange(10)
            records[0] = [i, *np.repeat([i, 100 + i, 200 + i], 1024)]
            with (place / name).open("wb") as file:
                file.write(records.tobytes())
                file.truncate(cifar.FILE_BYTES)
        return place

    return write


@pytest.fixture
def fabricated(fabricate, tmp_path: Path) -> Path:
    """A folder of one's own that holds cifar-10-batches-bin."""
    return fabricate(tmp_path / "own" / cifar.FOLDER).parent


@pytest.fixture
def patch() -> Callable[[Path, int, int], None]:
    """patch(path, offset, value) overwrites one byte."""

    def write(path: Path, offset: int, value: int) -> None:
        with path.open("r+b") as file:
            file.seek(offset)
            file.write(bytes([value]))

    return write
