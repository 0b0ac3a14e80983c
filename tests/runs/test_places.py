"""Where checkpoints lie: in the home, or where SAMVIZ_CHECKPOINTS says, and what room they take there."""

from pathlib import Path

import pytest

from samviz.cli import main
from samviz.runs import Store, StoreError
from samviz.runs.engine import identity
from samviz.runs.limits import FILE as LIMITS
from samviz.runs.places import SETTING, LocalFolder, checkpoint_folder, shared_folder
from samviz.runs.repair import check
from tests.runs.conftest import tiny


@pytest.mark.parametrize("given", ["checkpoints", "./checkpoints", "~nosuchuser/checkpoints"])
def test_a_folder_that_depends_on_where_one_is_is_refused(
    store: Store, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], given: str
) -> None:
    monkeypatch.setenv(SETTING, given)
    sentence = f"SAMVIZ_CHECKPOINTS must be an absolute folder or an fsspec address, but it is '{given}'."
    for look in (lambda: Store(store.home), lambda: checkpoint_folder(store.engine, store.home, 1)):
        with pytest.raises(StoreError) as refusal:  # the app's, and the worker's
            look()
        assert str(refusal.value) == sentence
    assert check(store.home) == [sentence]
    assert (main(["store", "check"]), capsys.readouterr().out) == (1, f"{sentence}\n")


def test_each_store_has_a_part_of_the_shared_place(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/users/me")
    name = identity(store.engine)
    for given, place in (("/shared/", f"/shared/{name}"), ("~/shared", f"/users/me/shared/{name}")):
        monkeypatch.setenv(SETTING, given)
        folder = checkpoint_folder(store.engine, store.home, 7)
        assert isinstance(folder, LocalFolder)
        assert folder.folder == Path(place) / "7"
    monkeypatch.setenv(SETTING, "s3://bucket/samviz/")
    assert shared_folder(store.engine) == f"s3://bucket/samviz/{name}"
    monkeypatch.delenv(SETTING)
    assert shared_folder(store.engine) is None


def test_checkpoints_in_a_folder_elsewhere_count(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Store, "resume", lambda self: None)
    monkeypatch.setenv(SETTING, str(tmp_path / "shared"))
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "of another store").write_bytes(b"x" * 2_000_000)
    folder = checkpoint_folder(store.engine, store.home, 1)
    folder.make()
    (folder.folder / "000000000008.pt").write_bytes(b"x" * 1_000_000)
    assert store.usage().parts["checkpoints in SAMVIZ_CHECKPOINTS"] == 1_000_000
    (store.home / LIMITS).write_text("most_bytes = 1_000_000", "utf-8")
    with pytest.raises(ValueError, match="most_bytes"):
        store.submit(tiny())
