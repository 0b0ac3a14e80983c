"""The reader of CIFAR-10 and CIFAR-100: right bytes in the right places, and one sentence for every damaged file."""

import hashlib
import os
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from samviz.data import ARCHIVES, DatasetStatus, cifar, load, status
from samviz.data.cifar import LAYOUTS
from samviz.home import data_folders
from samviz.spec import DATASETS


def stated(key: str, *folders: Path) -> DatasetStatus:
    """What `status` says of one data set."""
    (found,) = [found for found in status(list(folders)) if found.key == key]
    return found


def refuses(key: str, folders: list[Path], sentence: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        load(key, folders)


def write_published(place: Path, sizes: dict[str, int], records: dict[tuple[str, int], bytes], length: int) -> None:
    """Files of so many bytes, zero but for some records of `length` bytes, given by file and number."""
    place.mkdir(parents=True)
    for name, size in sizes.items():
        with (place / name).open("wb") as file:
            file.truncate(size)
            for number in [number for of, number in records if of == name]:
                file.seek(number * length)
                file.write(records[name, number])


def image(red: int, green: int, blue: int, odd: int) -> bytes:
    """Planes of one color each, red first, with another red in row 7 and column 5."""
    planes = np.repeat(np.array([red, green, blue], np.uint8), 1024)
    planes[7 * 32 + 5] = odd
    return planes.tobytes()


def is_image(x: np.ndarray, red: int, green: int, blue: int, odd: int) -> bool:
    expected = np.empty((3, 32, 32), np.uint8)
    expected[:] = np.array([red, green, blue])[:, None, None]
    expected[0, 7, 5] = odd
    return np.array_equal(x, expected)


def test_cifar100_as_it_is_published(tmp_path):
    """https://www.cs.toronto.edu/~kriz/cifar.html: <1 x coarse label><1 x fine label><3072 x pixel>, 50000 + 10000."""
    sizes = {"train.bin": 153_700_000, "test.bin": 30_740_000}
    records = {
        ("train.bin", 0): bytes([11, 19]) + image(1, 2, 3, 4),
        ("train.bin", 31_234): bytes([19, 99]) + image(5, 6, 7, 8),
        ("train.bin", 49_999): bytes([0, 51]) + image(9, 10, 11, 12),
        ("test.bin", 0): bytes([10, 49]) + image(13, 14, 15, 16),
        ("test.bin", 9_999): bytes([1, 1]) + image(255, 18, 19, 20),
    }
    write_published(tmp_path / "cifar-100-binary", sizes, records, 3074)
    images = load("cifar100", [tmp_path])
    assert images.train_x.shape == (50_000, 3, 32, 32)
    assert images.test_x.shape == (10_000, 3, 32, 32)
    assert (images.train_x.dtype, images.train_y.dtype) == (np.uint8, np.int64)
    labels = {int(i): int(images.train_y[i]) for i in np.flatnonzero(images.train_y)}
    assert labels == {0: 19, 31_234: 99, 49_999: 51}, "the fine labels"
    assert [images.classes[label] for label in labels.values()] == ["cattle", "worm", "mushroom"]
    assert {int(i): int(images.test_y[i]) for i in np.flatnonzero(images.test_y)} == {0: 49, 9_999: 1}
    assert is_image(images.train_x[0], 1, 2, 3, 4)
    assert is_image(images.train_x[31_234], 5, 6, 7, 8)
    assert is_image(images.train_x[49_999], 9, 10, 11, 12)
    assert is_image(images.test_x[0], 13, 14, 15, 16)
    assert is_image(images.test_x[9_999], 255, 18, 19, 20)
    assert not images.train_x[[1, 31_233, 49_998]].any()
    assert images.label == "CIFAR-100 (not the official files)"
    assert len(images.validation_x) == len(images.validation_y) == 0


def test_cifar10_as_it_is_published(tmp_path):
    """https://www.cs.toronto.edu/~kriz/cifar.html: <1 x label><3072 x pixel>, 10000 in each of six files."""
    sizes = dict.fromkeys([*(f"data_batch_{k}.bin" for k in range(1, 6)), "test_batch.bin"], 30_730_000)
    records = {
        ("data_batch_1.bin", 0): bytes([6]) + image(1, 2, 3, 4),
        ("data_batch_3.bin", 17): bytes([9]) + image(5, 6, 7, 8),
        ("data_batch_5.bin", 9_999): bytes([3]) + image(9, 10, 11, 12),
        ("test_batch.bin", 9_999): bytes([7]) + image(255, 18, 19, 20),
    }
    write_published(tmp_path / "cifar-10-batches-bin", sizes, records, 3073)
    images = load("cifar10", [tmp_path])
    assert images.train_x.shape == (50_000, 3, 32, 32)
    assert images.test_x.shape == (10_000, 3, 32, 32)
    labels = {int(i): int(images.train_y[i]) for i in np.flatnonzero(images.train_y)}
    assert labels == {0: 6, 20_017: 9, 49_999: 3}
    assert {int(i): int(images.test_y[i]) for i in np.flatnonzero(images.test_y)} == {9_999: 7}
    assert is_image(images.train_x[0], 1, 2, 3, 4)
    assert is_image(images.train_x[20_017], 5, 6, 7, 8)
    assert is_image(images.train_x[49_999], 9, 10, 11, 12)
    assert is_image(images.test_x[9_999], 255, 18, 19, 20)
    assert images.classes[3] == "cat"
    assert stated("cifar10", tmp_path).size_bytes == 6 * 30_730_000


def test_the_fine_labels_are_the_official_hundred():
    """They are in alphabetical order, as in fine_label_names.txt; some places as anybody's list of them has it."""
    classes = DATASETS["cifar100"].classes
    assert len(set(classes)) == 100
    assert list(classes) == sorted(classes)
    known = {0: "apple", 1: "aquarium_fish", 19: "cattle", 41: "lawn_mower", 49: "mountain", 83: "sweet_pepper"}
    assert {i: classes[i] for i in known} == known
    assert classes[-1] == "worm"


def test_layouts_archives_and_data_sets_fit_together(key):
    layout = LAYOUTS[key]
    assert LAYOUTS.keys() == ARCHIVES.keys() == DATASETS.keys() - {"builtin"}
    assert layout.dataset is DATASETS[key]
    assert list(layout.labels.values())[-1] == len(layout.dataset.classes)
    sums = [*layout.sha256.values(), ARCHIVES[key].sha256]
    assert all(re.fullmatch("[0-9a-f]{64}", one) for one in sums)
    assert len(set(sums)) == len(sums)
    images = sum(layout.file_bytes(name) for name in layout.sha256) / layout.record_bytes
    assert images == layout.dataset.train_size + layout.dataset.test_size


def test_every_byte_of_every_record(key, layout, tmp_path):
    rng = np.random.default_rng(0)
    written = []
    for name in layout.sha256:
        records = rng.integers(0, 256, (layout.file_bytes(name) // layout.record_bytes, layout.record_bytes), np.uint8)
        for column, values in enumerate(layout.labels.values()):
            records[:, column] = rng.integers(0, values, len(records))
        records.tofile(tmp_path / name)
        written.append(records)
    images = load(key, [tmp_path])
    written = np.concatenate(written)
    pixels = np.concatenate([images.train_x, images.test_x]).reshape(len(written), -1)
    assert np.array_equal(pixels, written[:, -3072:])
    assert np.array_equal(np.concatenate([images.train_y, images.test_y]), written[:, -3073])


def test_folder_itself_or_inside_and_the_first_wins(fabricate, layout, place, tmp_path):
    assert cifar.find(layout, [tmp_path / "nothing", place]) == place
    assert cifar.find(layout, [place.parent]) == place
    other = fabricate(tmp_path / "other" / layout.folder, layout)
    assert cifar.find(layout, [other.parent, place.parent]) == other


def test_own_folder_comes_from_the_environment(key, layout, place, monkeypatch, tmp_path):
    monkeypatch.setenv("SAMVIZ_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("SAMVIZ_DATA", str(place.parent))
    assert data_folders() == [place.parent, tmp_path / "home" / "data"]
    assert len(load(key).train_y) == layout.dataset.train_size
    assert [found.key for found in status() if found.path == place] == [key]


def test_one_folder_can_hold_both(fabricate, monkeypatch, tmp_path):
    for key, layout in LAYOUTS.items():
        small = replace(layout, dataset=replace(layout.dataset, train_size=500, test_size=100))
        monkeypatch.setitem(cifar.LAYOUTS, key, small)
        fabricate(tmp_path / layout.folder, small)
    for key, layout in LAYOUTS.items():
        assert stated(key, tmp_path).path == tmp_path / layout.folder
        assert load(key, [tmp_path]).classes == DATASETS[key].classes


@pytest.mark.parametrize("which", [0, -1])
@pytest.mark.parametrize("change", [None, -1, 1])
def test_wrong_size_is_refused(key, layout, place, which, change):
    path = place / list(layout.sha256)[which]
    expected = path.stat().st_size
    found = 0 if change is None else expected + change
    os.truncate(path, found)
    sentence = f"{path} must have {expected} bytes, but it has {found}."
    refuses(key, [place.parent], sentence)
    assert not stated(key, place.parent).ready
    assert stated(key, place.parent).note == sentence


@pytest.mark.parametrize(
    ("key", "name", "record", "column", "value", "words"),
    [
        ("cifar10", "data_batch_3.bin", 0, 0, 10, "labels from 0 to 9"),
        ("cifar10", "test_batch.bin", 199, 0, 255, "labels from 0 to 9"),
        ("cifar100", "train.bin", 0, 0, 20, "coarse labels from 0 to 19"),
        ("cifar100", "train.bin", 999, 1, 100, "fine labels from 0 to 99"),
        ("cifar100", "test.bin", 199, 0, 255, "coarse labels from 0 to 19"),
        ("cifar100", "test.bin", 7, 1, 255, "fine labels from 0 to 99"),
    ],
)
def test_impossible_label_is_refused(patch, layout, place, key, name, record, column, value, words):
    patch(place / name, record * layout.record_bytes + column, value)
    sentence = f"{place / name} must hold {words}, but record {record} (counted from 0) has {value}."
    refuses(key, [place.parent], sentence)


def test_missing_file_is_refused_and_no_other_folder_taken(fabricate, key, layout, place, tmp_path):
    sound = fabricate(tmp_path / "sound", layout)
    missing = list(layout.sha256)[-2]
    (place / missing).unlink()
    folders = [place.parent, sound]
    files = f"the {len(layout.sha256)} files of {DATASETS[key].label}"
    sentence = f"{place} must hold {files}, but {missing} is missing."
    refuses(key, folders, sentence)
    assert stated(key, *folders).note == sentence


@pytest.mark.parametrize(("key", "size"), [("cifar10", 170), ("cifar100", 169)])
def test_nothing_there_says_what_to_do(key, size, tmp_path):
    sentence = (
        f"{DATASETS[key].label} is not in {tmp_path}: download it ({size} MB), set SAMVIZ_DATA to a folder that holds "
        f"{LAYOUTS[key].folder}, or take the built-in data."
    )
    refuses(key, [tmp_path], sentence)
    found = stated(key, tmp_path)
    assert (found.ready, found.path, found.size_bytes, found.note) == (False, None, 0, sentence)


def test_unknown_data_set_is_refused():
    refuses("mnist", [], "dataset must be one of builtin, cifar10, cifar100, but it is 'mnist'.")


def test_other_bytes_are_labeled(key, layout, place):
    label = f"{DATASETS[key].label} (not the official files)"
    assert load(key, [place.parent]).label == label
    found = stated(key, place.parent)
    assert found.ready
    assert (found.label, found.size_bytes) == (label, sum(map(layout.file_bytes, layout.sha256)))


def test_official_checksums_are_labeled_and_a_changed_byte_is_seen(patch, key, layout, place, monkeypatch):
    sums = {name: hashlib.sha256((place / name).read_bytes()).hexdigest() for name in layout.sha256}
    monkeypatch.setitem(cifar.LAYOUTS, key, replace(layout, sha256=sums))
    name = DATASETS[key].label
    assert load(key, [place.parent]).label == name
    assert stated(key, place.parent).label == name
    patch(place / list(sums)[-1], 5000, 1)
    assert stated(key, place.parent).label == f"{name} (not the official files)"


def test_source_note_gives_the_label(key, place):
    name = f"{DATASETS[key].label} (JPEG copy)"
    (place / "SOURCE.txt").write_text(f"{name}\n", encoding="utf-8")
    assert load(key, [place.parent]).label == name
    assert stated(key, place.parent).label == name


@pytest.mark.parametrize("text", ["", "\n", "two\nlines", "x" * 61, "bell\a", b"\xff\xfe"])
def test_odd_source_note_is_refused(key, place, text):
    path = place / "SOURCE.txt"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    refuses(key, [place.parent], f"{path} must hold one printable line of 1 to 60 characters: the data's name.")
    assert not stated(key, place.parent).ready


def test_real_images_have_balanced_classes():
    """On the reader's own data where a folder is given, on drawn images elsewhere: counts of every class are equal."""
    folder = os.environ.get("SAMVIZ_DATA")
    images = load("cifar10", [Path(folder)]) if folder else load("builtin")
    assert len(set(np.bincount(images.train_y).tolist())) == 1
    assert 20 < images.train_x.std() < 100
