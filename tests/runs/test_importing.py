"""Bundles into a store and out of it again, on both kinds of store."""

import hashlib
import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from sqlalchemy import select

from samviz.cli import main
from samviz.runs import Store, bundle, exchange_measured, jobs, process, unbundle
from samviz.runs.checkpoints import Checkpoints
from samviz.runs.places import checkpoint_folder
from samviz.runs.schema import measurements
from samviz.spec import Scalar
from samviz.spec.measurement import Measure, SharpnessOf
from tests import measured, synthetic
from tests.runs import test_exchange_measured as known
from tests.runs.conftest import BOTH, ended, tiny
from tests.runs.test_bundle import small, spoiled
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


@BOTH
def test_what_was_measured_is_found_again_and_goes_with_its_comparison(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Store, "resume", lambda self: None)
    there = measured.put(store, spec := tiny(epochs=3, seeds=(0, 3)))
    questions = measured.questions(*(arm.key for arm in spec.arms))
    for seed in spec.seeds:
        for asked in questions:
            measured.tell(store, there, seed, asked)
    cancelled = SharpnessOf(arms=("sgd",), measures=(measured.SPHERE,))
    store.measure(there, 0, cancelled)
    store.cancel_job(store.measurements(there)[0].job)
    before = [view for view in store.measurements(there) if view.state == "finished"]
    file = exported(store, there)
    store.delete(there)

    here = store.take_in(unbundle.read(file), person="Ada")
    after = store.measurements(here)
    assert [known.told(view) for view in after] == [known.told(view) for view in before]
    assert len({view.weights for view in after}) == 2
    assert store.measured_last() == here
    ids = {(view.seed, view.measurement): view.id for view in after}
    for seed in spec.seeds:
        for asked in questions:
            assert store.measure(here, seed, asked) == ids[seed, asked], "it is known"
    assert not jobs.unfinished(store.engine)
    assert store.measure(here, 0, cancelled) not in ids.values()
    assert jobs.claim(store.engine).spec == int(store.measurements(here)[0].id), "it was not measured before"

    again = exported(store, here)
    for one in (file, again):
        assert len(unbundle.read(one).measurements) == 6
    store.delete_measurement(after[0].id)
    assert [view.id for view in store.measurements(here)][1:] == [view.id for view in after[1:]]
    store.delete(here)
    with store.engine.connect() as connection:
        assert connection.execute(select(measurements)).all() == []


def test_the_terminal_takes_along_what_was_measured(store: Store, tmp_path: Path) -> None:
    there = io.BytesIO()
    bundle.write(small(), there, measurements=known.views())
    first = store.take_in(unbundle.read(there))
    file = str(tmp_path / "x.zip")
    assert main(["export", first, file]) == 0
    assert main(["import", file]) == 0
    before, after = store.measurements(first), store.measurements(str(int(first) + 1))
    assert len(before) == 4
    assert [known.told(view) for view in after] == [known.told(view) for view in before]


def exported(store: Store, id: str) -> io.BytesIO:
    """A comparison with its checkpoints and what was measured."""
    file = io.BytesIO()
    with store.checkpoints(id) as found:
        bundle.write(store.snapshot(id), file, measurements=store.measurements(id), checkpoints=found)
    return file


def test_a_measurement_that_cannot_be_stores_nothing_at_all(store: Store) -> None:
    file = spoiled(
        lambda archive: archive.writestr("measurements.json", known.TEXT.replace('"epoch":3', '"epoch":4', 1)),
        without="measurements.json",
    )
    with pytest.raises(ValueError, match="epoch must be a whole number from 0 to 3, but it is 4"):
        store.take_in(unbundle.read(file))
    assert [line for line in store.comparisons() if not line.bundled] == []
    whole = unbundle.read(spoiled(lambda archive: None))
    with pytest.raises(AttributeError):  # half-way through: all of it or nothing
        store.take_in(replace(whole, measurements=(*unbundled(), None)))
    assert [line for line in store.comparisons() if not line.bundled] == []
    with store.engine.connect() as connection:
        assert connection.execute(select(measurements)).all() == []


def unbundled() -> tuple:
    """What was measured, as it is read."""
    return exchange_measured.from_json(known.TEXT, known.SPEC)


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
    question = SharpnessOf(arms=(spec.arms[0].key,), measures=(Measure(),))
    for act in (lambda: store.go_on(id), lambda: store.extend(id, 3), lambda: store.measure(id, 0, question)):
        with pytest.raises(ValueError, match="network must be one of"):
            act()
    assert store.header(id).state == "paused"
    assert store.measurements(id) == []


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


def test_an_export_of_what_goes_on_has_the_numbers_up_to_its_checkpoints(
    store: Store, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with process.lock(process.supervisor_lock(home)) as held:
        assert held
        id = store.submit(tiny())
    job, found = jobs.claim(store.engine), Store.checkpoints

    @contextmanager
    def later(self: Store, id: str) -> Iterator[dict[int, Path]]:
        """The run tells of a step, and then saves it, between the export's question for one and for the other."""
        with jobs.fenced(store.engine, job) as connection:
            jobs.write(connection, job, [Scalar("sgd", 1, 8, "batch_loss", 0.5)])
        with found(self, id) as kept:
            yield kept

    monkeypatch.setattr(Store, "checkpoints", later)
    assert main(["export", id, str(tmp_path / "one.zip"), "--checkpoints"]) == 0
    assert unbundle.read(tmp_path / "one.zip").snapshot.metrics["step"].tolist() == [8]
