"""Bundles into a store and out of it again, on both kinds of store."""

import hashlib
import io
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from samviz.runs import Store, bundle, unbundle
from samviz.runs.checkpoints import Checkpoints
from samviz.runs.places import checkpoint_folder
from tests import synthetic
from tests.runs.conftest import BOTH, ended, tiny
from tests.runs.test_bundle import spoiled
from tests.runs.test_exchange import in_order, odd
from tests.runs.test_processes import facts


@BOTH
def test_there_and_back(store: Store, tmp_path: Path) -> None:
    before = replace(odd(), note="n γ")
    state = b"x" * 100
    line = b"samviz checkpoint 1 %s %016d\n" % (hashlib.sha256(state).hexdigest().encode(), len(state))
    (tmp_path / "c.pt").write_bytes(line + state)
    there = io.BytesIO()
    bundle.write(before, there, checkpoints={0: tmp_path / "c.pt"})
    id = store.take_in(unbundle.read(there))
    after = store.snapshot(id)
    for name in ("comparison", "note", "data_label", "created"):
        assert getattr(after, name) == getattr(before, name)
    assert [run.state for run in after.runs] == ["finished", "paused", "paused"]
    pd.testing.assert_frame_equal(in_order(after.histograms), in_order(before.histograms))
    pd.testing.assert_frame_equal(in_order(after.metrics), in_order(before.metrics), check_exact=True)
    back = io.BytesIO()
    with store.checkpoints(id) as found:
        assert {seed: path.read_bytes() for seed, path in found.items()} == {0: line + state}
        bundle.write(after, back, checkpoints=found)
    assert store.take_in(unbundle.read(back)) == str(int(id) + 1)


def test_a_damaged_checkpoint_leaves_nothing_behind(store: Store) -> None:
    with pytest.raises(ValueError, match="does not begin"):
        store.take_in(unbundle.read(spoiled(lambda archive: archive.writestr("checkpoints/0.pt", b"evil"))))
    assert [line for line in store.comparisons() if not line.bundled] == []
    assert not list(store.home.glob("import-*"))


def test_code_that_comes_from_elsewhere_is_not_run(store: Store) -> None:
    spec = synthetic.comparison(1, 2)
    spec = replace(spec, recipe=replace(spec.recipe, network="os:abort"))
    there = io.BytesIO()
    runs = (synthetic.run(0, "paused", 0.5),)
    bundle.write(synthetic.snapshot(1, 2, "paused", comparison=spec, runs=runs), there)
    id = store.take_in(unbundle.read(there))
    with pytest.raises(ValueError, match="network must be one of"):
        store.go_on(id)
    assert store.header(id).state == "paused"


def test_an_imported_run_is_trained_on_as_if_it_had_never_moved(store: Store, tmp_path: Path) -> None:
    id = store.submit(tiny(epochs=2))
    ended(store, id)
    there = io.BytesIO()
    with store.checkpoints(id) as found:
        bundle.write(store.snapshot(id), there, checkpoints=found)
    here = store.take_in(unbundle.read(there))
    for one in (id, here):
        store.extend(one, 3)
    first, second = ended(store, id), ended(store, here)
    pd.testing.assert_frame_equal(facts(first), facts(second), check_exact=True)
    saved = [Checkpoints(checkpoint_folder(store.engine, store.home, s.runs[0].id)).load() for s in (first, second)]
    assert saved[0]["step"] == saved[1]["step"]
