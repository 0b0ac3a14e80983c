"""CIFAR-10 in its official binary layout: found, checked and read as bytes, never unpickled.

Each file holds 10000 records of one label byte and 3072 pixel bytes, the red, green and blue planes of 32x32
(Krizhevsky 2009, https://www.cs.toronto.edu/~kriz/cifar.html).
"""

import hashlib
from functools import lru_cache
from pathlib import Path

import numpy as np

from samviz.data.images import Images
from samviz.spec import DATASETS

FOLDER = "cifar-10-batches-bin"
"""The folder inside the official archive."""
RECORDS = 10_000
RECORD_BYTES = 1 + 3 * 32 * 32
FILE_BYTES = RECORDS * RECORD_BYTES
LONGEST_LABEL = 60

SHA256 = {
    "data_batch_1.bin": "cee916563c9f80d84e3cc88e17fdc0941787f1244f00a67874d45b261883ada5",
    "data_batch_2.bin": "a591ca11fa1708a91ee40f54b3da4784ccd871ecf2137de63f51ada8b3fa57ed",
    "data_batch_3.bin": "bbe8596564c0f86427f876058170b84dac6670ddf06d79402899d93ceea26f67",
    "data_batch_4.bin": "014e562d6e23c72197cc727519169a60359f5eccd8945ad5a09d710285ff4e48",
    "data_batch_5.bin": "755304fc0b379caeae8c14f0dac912fbc7d6cd469eb67a1029a08a39453a9add",
    "test_batch.bin": "8e2eb146ae340b09e24670f29cabc6326dba54da8789dab6768acf480273f65b",
}
"""The official files, in the order of reading: five of train images, one of test images."""


def find(folders: list[Path]) -> Path | None:
    """The first place that holds any file of the set: FOLDER/cifar-10-batches-bin or FOLDER itself, else None."""
    places = [place for folder in folders for place in (folder / FOLDER, folder)]
    return next((place for place in places if any((place / name).is_file() for name in SHA256)), None)


def check_sizes(place: Path) -> None:
    """Raise ValueError that names the first file that is missing or of the wrong size."""
    for name in SHA256:
        path = place / name
        if not path.is_file():
            raise ValueError(f"{place} must hold the {len(SHA256)} files of CIFAR-10, but {name} is missing.")
        _check_size(path, path.stat().st_size)


def _check_size(path: Path, found: int) -> None:
    if found != FILE_BYTES:
        raise ValueError(f"{path} must have {FILE_BYTES} bytes, but it has {found}.")


def label(place: Path) -> str:
    """What to call this copy: its SOURCE.txt, else CIFAR-10 if all checksums are the official ones, else say so.

    Raises ValueError if SOURCE.txt is not one printable line of up to 60 characters.
    """
    name = DATASETS["cifar10"].label
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
    return name if is_official(place) else f"{name} (not the official files)"


def is_official(place: Path) -> bool:
    """Whether every file has its official checksum: about 0.2 s at the first look, remembered while files stay."""
    stats = {path: path.stat() for path in (place / name for name in SHA256)}
    return all(_sha256(path, stat.st_size, stat.st_mtime_ns) == SHA256[path.name] for path, stat in stats.items())


@lru_cache(maxsize=64)
def _sha256(path: Path, _size: int, _mtime_ns: int) -> str:
    """The checksum of a file as it was at that size and time: a changed file is another entry of the cache."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read(place: Path) -> Images:
    """All 60000 images; raises ValueError that names a file that is missing, of the wrong size or with a wrong label.

    Nothing is returned unless every file is sound.
    """
    check_sizes(place)
    source = label(place)
    classes = DATASETS["cifar10"].classes
    x = np.empty((len(SHA256) * RECORDS, 3, 32, 32), np.uint8)
    y = np.empty(len(x), np.int64)
    for i, name in enumerate(SHA256):
        data = np.fromfile(place / name, np.uint8)
        _check_size(place / name, data.size)
        records = data.reshape(RECORDS, RECORD_BYTES)
        wrong = np.flatnonzero(records[:, 0] >= len(classes))
        if wrong.size:
            raise ValueError(
                f"{place / name} must hold labels from 0 to {len(classes) - 1}, "
                f"but record {wrong[0]} (counted from 0) has {records[wrong[0], 0]}."
            )
        rows = slice(i * RECORDS, (i + 1) * RECORDS)
        y[rows] = records[:, 0]
        x[rows] = records[:, 1:].reshape(-1, 3, 32, 32)
    train = len(x) - RECORDS
    return Images(x[:train], y[:train], x[train:], y[train:], source, classes)
