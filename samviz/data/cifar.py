"""CIFAR-10 and CIFAR-100 in their official binary layout: found, checked and read as bytes, never unpickled.

A file holds records of one label byte (CIFAR-100: two, the coarse label and the fine one) and 3072 pixel bytes, the
red, green and blue planes of 32x32 (Krizhevsky 2009, https://www.cs.toronto.edu/~kriz/cifar.html).
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from samviz.data.images import Images
from samviz.spec.datasets import DATASETS, Dataset

PIXEL_BYTES = 3 * 32 * 32
LONGEST_LABEL = 60


@dataclass(frozen=True, kw_only=True, slots=True)
class Layout:
    """How one of the data sets lies on disk, and how to tell its official files."""

    dataset: Dataset
    """Its name, classes and sizes."""
    folder: str
    """The folder inside the official archive."""
    labels: Mapping[str, int]
    """The label bytes of a record: what each is called, and how many values it has. The last one is the class."""
    sha256: Mapping[str, str]
    """The official checksum of each file, in the order of reading: train images, equally many in each file, then one
    file of test images."""
    texts: tuple[str, ...]
    """What else of the archive is kept beside these files, for people: names of the classes."""

    @property
    def record_bytes(self) -> int:
        return len(self.labels) + PIXEL_BYTES

    def file_bytes(self, name: str) -> int:
        """The size of a file of this name."""
        *train, test = self.sha256
        images = self.dataset.test_size if name == test else self.dataset.train_size // len(train)
        return images * self.record_bytes


# The checksums of the files are those that torchvision-ruby (lib/torchvision/datasets/cifar10.rb and cifar100.rb)
# compares with what it has unpacked.
LAYOUTS = {
    "cifar10": Layout(
        dataset=DATASETS["cifar10"],
        folder="cifar-10-batches-bin",
        labels={"labels": 10},
        sha256={
            "data_batch_1.bin": "cee916563c9f80d84e3cc88e17fdc0941787f1244f00a67874d45b261883ada5",
            "data_batch_2.bin": "a591ca11fa1708a91ee40f54b3da4784ccd871ecf2137de63f51ada8b3fa57ed",
            "data_batch_3.bin": "bbe8596564c0f86427f876058170b84dac6670ddf06d79402899d93ceea26f67",
            "data_batch_4.bin": "014e562d6e23c72197cc727519169a60359f5eccd8945ad5a09d710285ff4e48",
            "data_batch_5.bin": "755304fc0b379caeae8c14f0dac912fbc7d6cd469eb67a1029a08a39453a9add",
            "test_batch.bin": "8e2eb146ae340b09e24670f29cabc6326dba54da8789dab6768acf480273f65b",
        },
        texts=("batches.meta.txt", "readme.html"),
    ),
    "cifar100": Layout(
        dataset=DATASETS["cifar100"],
        folder="cifar-100-binary",
        labels={"coarse labels": 20, "fine labels": 100},
        sha256={
            "train.bin": "f31298fc616915fa142368359df1c4ca2ae984d6915ca468b998a5ec6aeebf29",
            "test.bin": "d8b1e6b7b3bee4020055f0699b111f60b1af1e262aeb93a0b659061746f8224a",
        },
        texts=("fine_label_names.txt", "coarse_label_names.txt"),
    ),
}
"""By key of `DATASETS`."""


def find(layout: Layout, folders: list[Path]) -> Path | None:
    """The first place that holds any file of the set: the layout's folder in one of these, or one itself, else None."""
    places = [place for folder in folders for place in (folder / layout.folder, folder)]
    return next((place for place in places if any((place / name).is_file() for name in layout.sha256)), None)


def check_sizes(layout: Layout, place: Path) -> None:
    """Raise ValueError that names the first file that is missing or of the wrong size."""
    for name in layout.sha256:
        path = place / name
        if not path.is_file():
            files = f"the {len(layout.sha256)} files of {layout.dataset.label}"
            raise ValueError(f"{place} must hold {files}, but {name} is missing.")
        _check_size(layout, path, path.stat().st_size)


def _check_size(layout: Layout, path: Path, found: int) -> None:
    expected = layout.file_bytes(path.name)
    if found != expected:
        raise ValueError(f"{path} must have {expected} bytes, but it has {found}.")


def label(layout: Layout, place: Path) -> str:
    """What to call this copy: its SOURCE.txt, else the set's name if all checksums are official, else say so.

    Raises ValueError if SOURCE.txt is not one printable line of up to 60 characters.
    """
    note = place / "SOURCE.txt"
    if note.exists():
        try:
            lines = note.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError):
            lines = []
        source = lines[0].strip() if len(lines) == 1 else ""
        if not 1 <= len(source) <= LONGEST_LABEL or not source.isprintable():
            raise ValueError(
                f"{note} must hold one printable line of 1 to {LONGEST_LABEL} characters: the data's name."
            )
        return source
    name = layout.dataset.label
    return name if is_official(layout, place) else f"{name} (not the official files)"


def is_official(layout: Layout, place: Path) -> bool:
    """Whether every file has its official checksum: about 0.2 s at the first look, remembered while files stay."""
    stats = {name: (place / name).stat() for name in layout.sha256}
    return all(
        _sha256(place / name, stat.st_size, stat.st_mtime_ns) == layout.sha256[name] for name, stat in stats.items()
    )


@lru_cache(maxsize=64)
def _sha256(path: Path, _size: int, _mtime_ns: int) -> str:
    """The checksum of a file as it was at that size and time: a changed file is another entry of the cache."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read(layout: Layout, place: Path) -> Images:
    """All images; raises ValueError that names a file that is missing, of the wrong size or with a wrong label.

    Nothing is returned unless every file is sound.
    """
    check_sizes(layout, place)
    source = label(layout, place)
    train = layout.dataset.train_size
    x = np.empty((train + layout.dataset.test_size, 3, 32, 32), np.uint8)
    y = np.empty(len(x), np.int64)
    done = 0
    for name in layout.sha256:
        records = _records(layout, place / name)
        rows = slice(done, done + len(records))
        y[rows] = records[:, len(layout.labels) - 1]
        x[rows] = records[:, len(layout.labels) :].reshape(-1, 3, 32, 32)
        done = rows.stop
    return Images(x[:train], y[:train], x[train:], y[train:], source, layout.dataset.classes)


def _records(layout: Layout, path: Path) -> np.ndarray:
    """(N, record bytes) uint8, whose label bytes are all possible ones."""
    data = np.fromfile(path, np.uint8)
    _check_size(layout, path, data.size)
    records = data.reshape(-1, layout.record_bytes)
    for column, (labels, values) in enumerate(layout.labels.items()):
        wrong = np.flatnonzero(records[:, column] >= values)
        if wrong.size:
            raise ValueError(
                f"{path} must hold {labels} from 0 to {values - 1}, "
                f"but record {wrong[0]} (counted from 0) has {records[wrong[0], column]}."
            )
    return records
