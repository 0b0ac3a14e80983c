"""The reader of CIFAR-10: right bytes in the right places, and one sentence for every damaged file."""

import hashlib
import os
import re
from pathlib import Path

import numpy as np
import pytest

from samviz.data import cifar, load, status
from samviz.home import data_folders


def cifar_status(*folders: Path):
    return status(list(folders))[1]


def test_reads_records_as_planes(fabricated):
    images = load("cifar10", [fabricated])
    assert images.train_x.shape == (50_000, 3, 32, 32)
    assert images.test_x.shape == (10_000, 3, 32, 32)
    assert (images.train_x.dtype, images.train_y.dtype) == (np.uint8, np.int64)
    for file in range(5):
        first = images.train_x[file * 10_000]
        assert [np.unique(plane).tolist() for plane in first] == [[file], [100 + file], [200 + file]]
        assert images.train_y[file * 10_000] == file
    assert [np.unique(plane).tolist() for plane in images.test_x[0]] == [[5], [105], [205]]
    assert images.train_y[1:12].tolist() == [1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 0]
    assert images.classes[3] == "cat"


def test_pixels_are_row_major(patch, fabricated):
    patch(fabricated / cifar.FOLDER / "data_batch_2.bin", 3 * cifar.RECORD_BYTES + 1 + 1024 + 7 * 32 + 5, 99)
    images = load("cifar10", [fabricated])
    assert images.train_x[10_003, 1, 7, 5] == 99
    assert images.train_x[10_003].sum() == 99


def test_folder_itself_or_inside_and_the_first_wins(fabricate, fabricated, tmp_path):
    inner = fabricated / cifar.FOLDER
    assert cifar.find([tmp_path / "nothing", inner]) == inner
    assert cifar.find([fabricated]) == inner
    other = tmp_path / "other" / cifar.FOLDER
    fabricate(other)
    assert cifar.find([other.parent, fabricated]) == other


def test_own_folder_comes_from_the_environment(fabricated, monkeypatch, tmp_path):
    monkeypatch.setenv("SAMVIZ_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("SAMVIZ_DATA", str(fabricated))
    assert data_folders() == [fabricated, tmp_path / "home" / "data"]
    assert len(load("cifar10").train_y) == 50_000
    assert status()[1].path == fabricated / cifar.FOLDER


@pytest.mark.parametrize("name", ["data_batch_1.bin", "test_batch.bin"])
@pytest.mark.parametrize("size", [0, cifar.FILE_BYTES - 1, cifar.FILE_BYTES + 1])
def test_wrong_size_is_refused(fabricated, name, size):
    path = fabricated / cifar.FOLDER / name
    os.truncate(path, size)
    sentence = re.escape(f"{path} must have 30730000 bytes, but it has {size}.")
    with pytest.raises(ValueError, match=f"^{sentence}$"):
        load("cifar10", [fabricated])
    found = cifar_status(fabricated)
    assert not found.ready
    assert str(size) in found.note


@pytest.mark.parametrize(("name", "record", "value"), [("data_batch_3.bin", 0, 10), ("test_batch.bin", 9999, 255)])
def test_impossible_label_is_refused(patch, fabricated, name, record, value):
    path = fabricated / cifar.FOLDER / name
    patch(path, record * cifar.RECORD_BYTES, value)
    sentence = f"{path} must hold labels from 0 to 9, but record {record} (counted from 0) has {value}."
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        load("cifar10", [fabricated])


def test_missing_file_is_refused_and_no_other_folder_taken(fabricate, fabricated, tmp_path):
    sound = tmp_path / "sound"
    fabricate(sound)
    (fabricated / cifar.FOLDER / "data_batch_4.bin").unlink()
    with pytest.raises(ValueError, match=r"data_batch_4\.bin is missing"):
        load("cifar10", [fabricated, sound])
    assert "data_batch_4.bin" in cifar_status(fabricated, sound).note


def test_nothing_there_says_what_to_do(tmp_path):
    with pytest.raises(ValueError, match=r"download it .* SAMVIZ_DATA .* built-in data"):
        load("cifar10", [tmp_path])
    found = cifar_status(tmp_path)
    assert (found.ready, found.path, found.size_bytes) == (False, None, 0)


def test_unknown_data_set_is_refused():
    with pytest.raises(ValueError, match="dataset must be one of builtin, cifar10, but it is 'mnist'"):
        load("mnist", [])


def test_other_bytes_are_labeled(fabricated):
    assert load("cifar10", [fabricated]).label == "CIFAR-10 (not the official files)"
    found = cifar_status(fabricated)
    assert found.ready
    assert (found.label, found.size_bytes) == ("CIFAR-10 (not the official files)", 6 * 30_730_000)


def test_official_checksums_are_labeled_and_a_changed_byte_is_seen(patch, fabricated, monkeypatch):
    place = fabricated / cifar.FOLDER
    sums = {name: hashlib.sha256((place / name).read_bytes()).hexdigest() for name in cifar.SHA256}
    monkeypatch.setattr(cifar, "SHA256", sums)
    assert load("cifar10", [fabricated]).label == "CIFAR-10"
    assert cifar_status(fabricated).label == "CIFAR-10"
    patch(place / "data_batch_5.bin", 5000, 1)
    assert cifar_status(fabricated).label == "CIFAR-10 (not the official files)"


def test_source_note_gives_the_label(fabricated):
    (fabricated / cifar.FOLDER / "SOURCE.txt").write_text("CIFAR-10 (JPEG copy)\n", encoding="utf-8")
    assert load("cifar10", [fabricated]).label == "CIFAR-10 (JPEG copy)"
    assert cifar_status(fabricated).label == "CIFAR-10 (JPEG copy)"


@pytest.mark.parametrize("text", ["", "\n", "two\nlines", "x" * 61, "bell\a", b"\xff\xfe"])
def test_odd_source_note_is_refused(fabricated, text):
    path = fabricated / cifar.FOLDER / "SOURCE.txt"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ValueError, match=r"SOURCE\.txt must hold one printable line of 1 to 60 characters"):
        load("cifar10", [fabricated])
    assert not cifar_status(fabricated).ready


def test_real_images_have_balanced_classes():
    """On the reader's own data where a folder is given, on drawn images elsewhere: counts of every class are equal."""
    folder = os.environ.get("SAMVIZ_DATA")
    images = load("cifar10", [Path(folder)]) if folder else load("builtin")
    assert len(set(np.bincount(images.train_y).tolist())) == 1
    assert 20 < images.train_x.std() < 100
