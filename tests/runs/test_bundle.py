"""Comparisons as zip files: there and back, for other programs, and archives that were made to do harm."""

import csv
import hashlib
import io
import json
import re
import stat
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from samviz.runs import Snapshot, bundle, exchange, unbundle
from samviz.spec import Comparison
from tests import synthetic
from tests.runs import test_exchange_measured as known
from tests.runs.test_exchange import ODD, assert_same, odd

NOTE = "Zeile 1: γ\n=2+2 <script>alert(1)</script>\u200d\n"
STATE = b"not a pickle, and nobody looks" * 50_000
FIGURES = {"index.html": b"<!doctype html>", "results.csv": b"a,b\n"}


def header(state: bytes) -> bytes:
    return b"samviz checkpoint 1 %s %016d\n" % (hashlib.sha256(state).hexdigest().encode(), len(state))


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    """A checkpoint as a worker leaves it."""
    path = tmp_path / "checkpoint.pt"
    path.write_bytes(header(STATE) + STATE)
    return path


def written(snapshot: Snapshot, **more) -> bytes:
    target = io.BytesIO()
    bundle.write(snapshot, target, **more)
    return target.getvalue()


def small() -> Snapshot:
    """Two seeds, two arms, three epochs."""
    spec = known.SPEC
    return synthetic.snapshot(
        comparison=spec,
        runs=(synthetic.run(0), synthetic.run(3)),
        metrics=synthetic.metrics(spec, layers=1),
        histograms=synthetic.histograms(spec, gammas=10),
        note="a note",
    )


# There and back


def test_what_is_written_is_what_is_read(checkpoint: Path, tmp_path: Path) -> None:
    before = replace(odd(), note=NOTE)
    path = tmp_path / "there.zip"
    with path.open("wb") as file:
        bundle.write(before, file, figures=FIGURES, checkpoints={0: checkpoint})
    for source in (path, io.BytesIO(path.read_bytes())):
        after = unbundle.read(source)
        assert (after.snapshot.id, after.snapshot.revision) == ("", "")
        assert_same(after.snapshot, before)
        assert after.snapshot.note == NOTE
        assert list(after.checkpoints) == [0]
        after.checkpoints[0](tmp_path / "copy.pt")
        assert (tmp_path / "copy.pt").read_bytes() == checkpoint.read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["checkpoint.pt", "copy.pt", "there.zip"]
    again, first = unbundle.read(path).snapshot, after.snapshot
    pd.testing.assert_frame_equal(again.metrics, first.metrics, check_exact=True)
    assert written(first) == written(again)


def test_the_example_and_what_has_not_begun_come_back(tmp_path: Path) -> None:
    text = (Path(__file__).parents[2] / "assets" / "example.json").read_text("utf-8")
    example = exchange.from_json(text, id="example", revision="1", bundled=True)
    waiting = synthetic.snapshot(2, 3, "queued", metrics=example.metrics[:0], histograms=example.histograms[:0])
    for before in (example, waiting):
        assert_same(unbundle.read(io.BytesIO(written(before))).snapshot, before)


def test_the_same_comparison_makes_the_same_bytes() -> None:
    assert written(small(), figures=FIGURES) == written(small(), figures=dict(reversed(FIGURES.items())))


def test_it_can_be_packed_again_by_another_program(checkpoint: Path) -> None:
    first = zipfile.ZipFile(io.BytesIO(written(small(), figures=FIGURES, checkpoints={3: checkpoint})))
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name in ("figures/", "checkpoints/"):
            archive.mkdir(name)
        for name in first.namelist():
            archive.writestr(name, first.read(name))
    after = unbundle.read(target)
    assert_same(after.snapshot, small())
    assert list(after.checkpoints) == [3]


def test_what_was_measured_comes_along_and_older_bundles_have_no_such_file() -> None:
    before = known.views()
    whole = io.BytesIO(written(small(), measurements=before))
    after = unbundle.read(whole)
    assert [known.told(view) for view in reversed(after.measurements)] == [known.told(view) for view in before]
    assert json.loads(zipfile.ZipFile(whole).read("measurements.json"))[0]["created"] == before[-1].created
    assert json.loads(zipfile.ZipFile(io.BytesIO(SMALL)).read("measurements.json")) == []
    older = unbundle.read(spoiled(lambda archive: None, without="measurements.json"))
    assert older.snapshot.note == small().note
    assert older.measurements == ()


# For other programs


def test_the_tables_are_read_by_pandas_and_say_the_same() -> None:
    before = odd()
    archive = zipfile.ZipFile(io.BytesIO(written(before)))
    parquet = pd.read_parquet(io.BytesIO(archive.read("metrics.parquet")))
    pd.testing.assert_frame_equal(parquet, before.metrics, check_exact=True)
    table = pd.read_csv(io.BytesIO(archive.read("metrics.csv")))
    harmless = before.metrics.assign(name=before.metrics["name"].replace({"=odd δ": "'=odd δ"}))
    pd.testing.assert_frame_equal(table, harmless, check_exact=True)
    histograms = pd.read_parquet(io.BytesIO(archive.read("histograms.parquet")))
    assert histograms["counts"].map(tuple).tolist() == before.histograms["counts"].tolist()
    assert histograms.drop(columns="counts").equals(before.histograms.drop(columns="counts"))
    recipe = archive.read("recipe.json").decode()
    assert Comparison.from_json(recipe) == before.comparison
    assert json.loads(archive.read("versions.json"))["runs"] == {
        "7": {"device": "cpu"},
        "0": {"device": "cpu"},
        "3": {},
    }
    assert "=1+1 γ 訓練" in archive.read("README.txt").decode()


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n"])
def test_no_text_of_a_table_is_a_formula_and_numbers_stay_numbers(start: str) -> None:
    before = small()
    name = f'{start}HYPERLINK("http://x/?"&A1,"y")'
    metrics = before.metrics.assign(name=name, value=-1.5)
    archive = zipfile.ZipFile(io.BytesIO(written(replace(before, metrics=metrics))))
    rows = list(csv.reader(io.StringIO(archive.read("metrics.csv").decode(), newline="")))
    assert rows[0] == ["seed", "arm", "epoch", "step", "name", "value"]
    assert {row[4] for row in rows[1:]} == {f"'{name}"}
    assert {row[5] for row in rows[1:]} == {"-1.5"}
    parquet = pd.read_parquet(io.BytesIO(archive.read("metrics.parquet")))
    assert set(parquet["name"]) == {name}


def test_numbers_that_are_none_are_told_as_such() -> None:
    table = zipfile.ZipFile(io.BytesIO(written(odd()))).read("metrics.csv").decode()
    values = [line.rpartition(",")[2] for line in table.splitlines() if "odd" in line]
    np.testing.assert_array_equal([float(value) for value in values], ODD)
    assert values[:3] == ["inf", "-inf", "nan"]


# What is not written


@pytest.mark.parametrize("name", ["../x", "a/b", "", ".hidden", "a\\b", "/x", "x\0", "ä"])
def test_a_figure_cannot_be_named_like_that(name: str) -> None:
    with pytest.raises(ValueError, match="name must be letters"):
        written(small(), figures={name: b""})


def test_what_could_not_be_read_back_is_not_written() -> None:
    with pytest.raises(ValueError, match=r"^note\.txt must have at most 16384 bytes to be read back"):
        written(replace(small(), note="ä" * 9000))
    with pytest.raises(ValueError, match="A bundle takes at most 256 files, but these are 309"):
        written(small(), figures={f"{k}.html": b"" for k in range(300)})
    view = known.views()[0]
    with pytest.raises(ValueError, match=r"^Measurement 9 could not be read back, so delete it first: seed of a"):
        written(small(), measurements=[replace(view, seed=1)])


def test_what_has_too_many_parts_to_be_read_back_is_not_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundle, "MOST_QUOTES", 100)
    with pytest.raises(ValueError, match=r"^recipe\.json must have at most 100 quotation marks to be read, but it has"):
        written(small())


def test_a_checkpoint_can_be_too_large(tmp_path: Path) -> None:
    with (tmp_path / "large.pt").open("wb") as file:
        file.truncate(2**34 + 1)  # of holes
    with pytest.raises(ValueError, match=r"^checkpoints/0\.pt must have at most 17179869184 bytes to be read back"):
        written(small(), checkpoints={0: tmp_path / "large.pt"})


@pytest.mark.parametrize(
    "content",
    [
        b"",
        STATE,
        header(STATE),
        header(STATE) + STATE[:-1],
        header(STATE) + STATE + b"x",
        header(STATE) + STATE[::-1],
        header(STATE).replace(b" 0", b" 1") + STATE,
    ],
    ids=["empty", "no header", "no content", "too short", "too long", "changed", "another length"],
)
def test_a_damaged_checkpoint_is_neither_exported_nor_imported(
    content: bytes, checkpoint: Path, tmp_path: Path
) -> None:
    checkpoint.write_bytes(content)
    with pytest.raises(ValueError, match=r"^The checkpoint of seed 0 (is damaged|does not begin like one)"):
        written(small(), checkpoints={0: checkpoint})
    archive = spoiled(lambda archive: archive.writestr("checkpoints/0.pt", content))
    target = tmp_path / "there" / "checkpoint.pt"
    target.parent.mkdir()
    target.write_bytes(b"the one before")
    with pytest.raises(ValueError, match=r"^The checkpoint of seed 0 (is damaged|does not begin like one)"):
        unbundle.read(archive).checkpoints[0](target)
    assert [path.read_bytes() for path in target.parent.iterdir()] == [b"the one before"]


def test_a_checkpoint_for_which_there_is_no_room_leaves_nothing(checkpoint: Path, tmp_path: Path) -> None:
    source = io.BytesIO(written(small(), checkpoints={0: checkpoint}))
    with pytest.raises(FileNotFoundError):
        unbundle.read(source).checkpoints[0](tmp_path / "nowhere" / "checkpoint.pt")
    assert not (tmp_path / "nowhere").exists()


def test_nothing_is_unpickled(checkpoint: Path, tmp_path: Path) -> None:
    """A pickle that makes a file when it is loaded, as a checkpoint with a right checksum: it is copied, no more."""
    made = tmp_path / "made"
    evil = f"cos\nsystem\n(S'touch {made}'\ntR.".encode()
    checkpoint.write_bytes(header(evil) + evil)
    unbundle.read(io.BytesIO(written(small(), checkpoints={0: checkpoint}))).checkpoints[0](tmp_path / "copy.pt")
    assert (tmp_path / "copy.pt").read_bytes() == checkpoint.read_bytes()
    assert not made.exists()


# Archives that were made to do harm


def spoiled(change: Callable[[zipfile.ZipFile], object], without: str = "") -> io.BytesIO:
    """A bundle without a file, to which something is added."""
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(SMALL)) as source, zipfile.ZipFile(target, "w") as archive:
        for info in source.infolist():
            if info.filename != without:
                archive.writestr(info, source.read(info))
        change(archive)
    return target


SMALL = written(small())
MEASURED = [known.told(view) for view in known.views()]
SLIPS = [
    "../evil", "figures/../../evil", "/etc/cron.d/evil", "C:\\evil", "..\\evil", "figures\\..\\evil", "./note.txt",
    "figures//evil", "figures/.evil", "figures/a/b", "figures/x\n", "figures/" + "x" * 101, "checkpoints/../0.pt",
    "checkpoints/00.pt", "checkpoints/-1.pt", "checkpoints/0.pt/", "checkpoints/\u0661.pt",
    "checkpoints/99999999999.pt", "~/evil", "evil", "note.txt ", "NOTE.TXT", "note.txt/", "note.txt\0.exe", "", "CON",
    "__MACOSX/._x",
]  # fmt: skip
"""Names that lead elsewhere, or are none of a bundle."""


@pytest.mark.parametrize("name", SLIPS, ids=ascii)
def test_a_name_that_leads_elsewhere_is_refused(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    info = zipfile.ZipInfo("figures/placeholder")
    info.filename = info.orig_filename = name
    with pytest.raises(ValueError, match=r"^The archive holds '.*', which is no file of an exported comparison\.$"):
        unbundle.read(spoiled(lambda archive: archive.writestr(info, "x")))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR, stat.S_IFDIR])
@pytest.mark.parametrize("name", ["figures/x", "note.txt", "figures/"])
def test_a_link_is_refused(kind: int, name: str) -> None:
    info = zipfile.ZipInfo(name)
    info.external_attr = (kind | 0o777) << 16
    archive = spoiled(lambda archive: archive.writestr(info, "/etc/passwd"), without=name)
    if (kind, name) == (stat.S_IFDIR, "figures/"):
        assert unbundle.read(archive).checkpoints == {}
    else:
        with pytest.raises(ValueError, match="as a link or the like, not as a file"):
            unbundle.read(archive)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_the_same_name_twice_is_refused() -> None:
    with pytest.raises(ValueError, match=re.escape("The archive holds 'comparison.json' twice.")):
        unbundle.read(spoiled(lambda archive: archive.writestr("comparison.json", "{}")))


def test_too_many_files_are_refused() -> None:
    with pytest.raises(ValueError, match="at most 256 files, but the archive has 309"):
        unbundle.read(spoiled(lambda archive: [archive.writestr(f"figures/{k}", "") for k in range(300)]))


def test_an_encrypted_archive_is_refused() -> None:
    data = SMALL.replace(b"PK\x01\x02\x14\x03\x14\x00\x00\x00", b"PK\x01\x02\x14\x03\x14\x00\x01\x00")
    assert data != SMALL
    with pytest.raises(ValueError, match="The archive is encrypted"):
        unbundle.read(io.BytesIO(data))


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_ways_to_compress_are_refused(method: int) -> None:
    with pytest.raises(ValueError, match="compressed in another way than samviz does it"):
        unbundle.read(spoiled(lambda archive: archive.writestr("figures/x", "x", method)))


def test_a_bomb_does_not_go_off() -> None:
    def packed(archive: zipfile.ZipFile) -> None:
        archive.compression = zipfile.ZIP_DEFLATED
        archive.compresslevel = 1
        with archive.open("comparison.json", "w") as file:
            for _ in range(129):
                file.write(b" " * 2**20)

    bomb = spoiled(packed, without="comparison.json").getvalue()
    assert len(bomb) < 2**20
    with pytest.raises(ValueError, match=r"'comparison\.json' with 135266304 bytes, but it may have 134217728"):
        unbundle.read(io.BytesIO(bomb))
    # The same with a lie about its size.
    lie = bomb.replace((129 * 2**20).to_bytes(4, "little"), (2000).to_bytes(4, "little"))
    with pytest.raises(ValueError, match=r"^The archive cannot be read: Bad CRC-32"):
        unbundle.read(io.BytesIO(lie))
    # A checkpoint would go to the disk, and may be as large as it takes room in the archive.
    with pytest.raises(ValueError, match=r"'checkpoints/0\.pt' compressed in another way"):
        unbundle.read(spoiled(lambda archive: archive.writestr("checkpoints/0.pt", b"", zipfile.ZIP_DEFLATED)))


@pytest.mark.parametrize("name", ["comparison.json", "measurements.json"])
@pytest.mark.parametrize(
    ("part", "count", "words"),
    [
        ("{},", 2_499_999, r"at most 2500000 \{ and \[ to be read, but it has 2500001\.$"),
        ("[],", 2_499_999, r"at most 2500000 \{ and \[ to be read, but it has 2500001\.$"),
        ('"",', 2**22, r"at most 8388608 quotation marks to be read, but it has 8388610\.$"),
    ],
)
def test_a_small_file_of_many_small_parts_is_refused_before_it_is_read(
    name: str, part: str, count: int, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unpacked(text: str, *_: object, **__: object) -> object:
        assert len(text) < 2**20, "this would take gigabytes"
        return json.JSONDecoder().decode(text)

    many = spoiled(
        lambda archive: archive.writestr(name, f"[{part * count}{part[:2]}]", zipfile.ZIP_DEFLATED, 1), without=name
    )
    assert len(many.getvalue()) < 2**20
    monkeypatch.setattr(json, "loads", unpacked)
    with pytest.raises(ValueError, match=rf"^{re.escape(name)} must have {words}"):
        unbundle.read(many)


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        (
            "comparison.json",
            "{}",
            r"^This is not the text of an exported comparison: the text must have the field format",
        ),
        (
            "measurements.json",
            "{}",
            r"^This is not the text of what was measured of the comparison: measurements must be a list of 0 to 5000",
        ),
        ("measurements.json", b"\xff[]", r"^measurements\.json must be a text in UTF-8, but it is not\.$"),
        (
            "measurements.json",
            b"[" + b" " * 2**26,
            r"^The archive holds 'measurements\.json' with 67108865 bytes, but it may have 67108864\.$",
        ),
        ("comparison.json", b"\xff{}", r"^comparison\.json must be a text in UTF-8, but it is not\.$"),
        ("note.txt", b"\xff", r"^note\.txt must be a text in UTF-8, but it is not\.$"),
        ("note.txt", b"x" * 16385, r"^The archive holds 'note\.txt' with 16385 bytes, but it may have 16384\.$"),
        ("checkpoints/1.pt", b"", r"^The archive has checkpoints of seeds that the comparison has not: \[1\]\.$"),
    ],
)
def test_wrong_content_is_refused(name: str, content: str | bytes, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        unbundle.read(spoiled(lambda archive: archive.writestr(name, content), without=name))


def test_what_is_no_bundle_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        ValueError, match=r"^This is not a comparison exported by samviz: it has no comparison\.json\.$"
    ):
        unbundle.read(spoiled(lambda archive: None, without="comparison.json"))
    (tmp_path / "text").write_text("PK")
    for source in (tmp_path / "text", tmp_path / "nowhere", tmp_path, io.BytesIO()):
        with pytest.raises(ValueError, match=r"^The archive cannot be read: [^\n]*\.$"):
            unbundle.read(source)


def test_a_note_has_no_nul() -> None:
    archive = spoiled(lambda archive: archive.writestr("note.txt", "a\0b"), without="note.txt")
    assert unbundle.read(archive).snapshot.note == "a\ufffdb"


def bundled(folder: Path) -> bytes:
    """A bundle with everything in it."""
    (folder / "0.pt").write_bytes(header(b"state" * 40) + b"state" * 40)
    return written(small(), measurements=known.views(), figures=FIGURES, checkpoints={0: folder / "0.pt"})


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return bundled(tmp_path_factory.mktemp("bundle"))


@settings(
    deadline=None, derandomize=True, max_examples=120, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    changes=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), max_size=4),
    near_end=st.booleans(),
    cut=st.none() | st.tuples(st.floats(0, 1), st.floats(0, 1)),
)
def test_a_garbled_archive_is_the_same_comparison_or_refused(
    whole: bytes, tmp_path: Path, changes: list[tuple[float, int]], near_end: bool, cut: tuple[float, float] | None
) -> None:
    """Some bytes are changed, often among the names at the end; then perhaps a part of it is cut out."""
    garbled = bytearray(whole)
    first = len(whole) - 1500 if near_end else 0
    for share, byte in changes:
        garbled[first + int(share * (len(whole) - first))] = byte
    if cut is not None:
        begin, end = sorted(int(share * len(whole)) for share in cut)
        del garbled[begin:end]
    target, refusal = tmp_path / "copy.pt", None
    try:
        found = unbundle.read(io.BytesIO(bytes(garbled)))
        assert exchange.to_json(found.snapshot) == exchange.to_json(unbundle.read(io.BytesIO(whole)).snapshot)
        assert found.snapshot.note == "a note"
        assert [known.told(view) for view in reversed(found.measurements)] == MEASURED
        for copy in found.checkpoints.values():
            copy(target)
            assert target.read_bytes() == header(b"state" * 40) + b"state" * 40
            target.unlink()
    except ValueError as error:
        refusal = error
    assert type(refusal) in (type(None), ValueError)
    assert refusal is None or str(refusal).endswith(".")
    assert not list(tmp_path.iterdir())
