"""Fabricated files of both CIFAR data sets in their official layout, for all tests of the data."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from samviz.data import cifar
from samviz.data.cifar import LAYOUTS, Layout

Fabricate = Callable[[Path, Layout], Path]
Patch = Callable[[Path, int, int], None]


@pytest.fixture(params=list(LAYOUTS))
def key(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def layout(key: str, monkeypatch: pytest.MonkeyPatch) -> Layout:
    """The layout of a data set of the same classes, files and records, but with few of them, so that tests are fast."""
    layout = LAYOUTS[key]
    small = replace(layout, dataset=replace(layout.dataset, train_size=1000, test_size=200))
    monkeypatch.setitem(cifar.LAYOUTS, key, small)
    return small


@pytest.fixture
def fabricate() -> Fabricate:
    """fabricate(place, layout) writes the files: one image of each class, then zeros. A file's first image tells it.

    The zeros are holes, so that files of the official size cost no disk and little time.
    """

    def write(place: Path, layout: Layout) -> Path:
        place.mkdir(parents=True)
        for i, name in enumerate(layout.sha256):
            labels = np.arange(len(layout.dataset.classes))
            records = np.zeros((len(labels), layout.record_bytes), np.uint8)
            for column, values in enumerate(layout.labels.values()):
                records[:, column] = labels * values // len(labels)
            records[0, len(layout.labels) :] = np.repeat([i, 100 + i, 200 + i], 1024)
            with (place / name).open("wb") as file:
                file.write(records.tobytes())
                file.truncate(layout.file_bytes(name))
        return place

    return write


@pytest.fixture
def place(fabricate: Fabricate, layout: Layout, tmp_path: Path) -> Path:
    """The official folder, fabricated in a folder of one's own."""
    return fabricate(tmp_path / "own" / layout.folder, layout)


@pytest.fixture
def patch() -> Patch:
    """patch(path, offset, value) overwrites one byte."""

    def write(path: Path, offset: int, value: int) -> None:
        with path.open("r+b") as file:
            file.seek(offset)
            file.write(bytes([value]))

    return write
