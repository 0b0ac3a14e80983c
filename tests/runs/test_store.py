"""The store as app and terminal see it, without any work being done."""

import time
from dataclasses import fields
from pathlib import Path

import pytest
from sqlalchemy import insert, select

from samviz.runs import HISTOGRAM_COLUMNS, METRIC_COLUMNS, Header, Store, exchange, jobs, looking, open_store, process
from samviz.runs.engine import writing
from samviz.runs.schema import jobs as jobs_table
from samviz.spec import PRESETS, Sweep
from tests import synthetic
from tests.runs.conftest import BOTH, tiny

pytestmark = BOTH


@pytest.fixture(autouse=True)
def _no_supervisor(home: Path):
    """Hold the supervisors' lock, so that nobody works on what is submitted."""
    with process.lock(process.supervisor_lock(home)) as held:
        assert held
        yield


def test_an_empty_store_has_nothing_but_the_example(store: Store) -> None:
    assert [line.id for line in store.comparisons() if not line.bundled] == []


def test_a_comparison_comes_back_as_it_went_in(store: Store) -> None:
    comparison = tiny(seeds=(4, 2))
    id = store.submit(comparison)
    snapshot = store.snapshot(id)
    assert snapshot.comparison == comparison
    assert [run.seed for run in snapshot.runs] == [4, 2]
    assert (snapshot.state, snapshot.data_label, snapshot.bundled) == ("queued", "Built-in shapes", False)
    assert list(snapshot.metrics) == METRIC_COLUMNS
    assert list(snapshot.histograms) == HISTOGRAM_COLUMNS
    line = store.comparisons()[0]
    assert (line.id, line.name, line.arms, line.seeds) == (id, "Tiny", ("SGD", "SAM-ON"), (4, 2))


def test_a_header_is_a_snapshot_without_its_numbers(store: Store) -> None:
    for id in (store.submit(tiny(seeds=(4, 2))), "example"):
        header, snapshot = store.header(id), store.snapshot(id)
        assert {f.name: getattr(header, f.name) for f in fields(Header)} == {
            f.name: getattr(snapshot, f.name) for f in fields(Header)
        }
    with pytest.raises(KeyError):
        store.header("99")


def test_two_processes_share_one_store(store: Store, home: Path) -> None:
    id = store.submit(tiny())
    other = Store(home)
    assert other.snapshot(id).comparison == store.snapshot(id).comparison
    other.close()
    assert open_store(home) is store


def test_the_newest_comes_first_and_a_number_is_never_given_twice(store: Store) -> None:
    first, second = store.submit(tiny()), store.submit(tiny())
    assert [line.id for line in store.comparisons()][:2] == [second, first]
    store.cancel(second)
    store.delete(second)
    assert int(store.submit(tiny())) > int(second)


@pytest.mark.parametrize("id", ["99", "", "-1", "x", "1; DROP TABLE jobs", "١", "9" * 40])
def test_an_unknown_id_is_a_key_error(store: Store, id: str) -> None:
    for act in (store.snapshot, store.revision, store.cancel, store.delete, store.export):
        with pytest.raises(KeyError, match="There is no comparison"):
            act(id)


def test_cancelling_what_waits_ends_it_at_once(store: Store) -> None:
    id = store.submit(tiny(seeds=(0, 1)))
    store.cancel(id)
    assert [run.state for run in store.snapshot(id).runs] == ["cancelled", "cancelled"]
    assert jobs.claim(store.engine) is None


def test_only_what_has_ended_can_be_deleted(store: Store) -> None:
    id = store.submit(tiny())
    with pytest.raises(ValueError, match="cancel it before"):
        store.delete(id)
    job = jobs.claim(store.engine)
    with jobs.fenced(store.engine, job) as connection:
        jobs.write(connection, job, [])
    jobs.end(store.engine, job, "finished")
    store.folder(job.id).mkdir(parents=True)
    store.delete(id)
    assert not store.folder(job.id).exists()
    with pytest.raises(KeyError):
        store.snapshot(id)


def test_who_has_signed_in_meets_the_limits_and_the_owner_only_that_of_the_disk(store: Store, home: Path) -> None:
    home.mkdir(exist_ok=True)
    (home / "limits.toml").write_text("most_epochs = 2\nmost_queued = 3")
    with pytest.raises(ValueError, match="allows at most 2 epochs, but this comparison has 3"):
        store.submit(tiny(epochs=3), person="ann")
    store.submit(tiny(epochs=3))
    store.submit(tiny(epochs=2, seeds=(0, 1)), person="ann")
    store.submit(tiny(epochs=2, seeds=(0, 1)), person="bob")
    for start in (
        lambda: store.submit(tiny(epochs=1, seeds=(0, 1)), person="ann"),
        lambda: store.submit_sweep(Sweep(name="S", base=tiny(epochs=1), lr=(0.1, 0.2)), person="ann"),
    ):
        with pytest.raises(ValueError, match="at most 3 unfinished runs a person, but you have"):
            start()
    (home / "limits.toml").write_text("most_batch_size = 32")
    with pytest.raises(ValueError, match="at most 32 images a step, but this comparison has 64"):
        store.submit_sweep(Sweep(name="S", base=tiny(epochs=1), batch_size=(16, 64)), person="ann")
    (home / "limits.toml").write_text("most_bytes = 1")
    store.folder(1).mkdir(parents=True)
    (store.folder(1) / "worker.log").write_text("one")
    for origin, person in (("app", "ann"), ("app", ""), ("terminal", "")):
        with pytest.raises(ValueError, match="on disk, and most_bytes allows"):
            store.submit(tiny(), origin, person)
    assert len(store.comparisons()) == 4


def test_the_limits_hold_for_what_goes_on_as_well(store: Store, home: Path) -> None:
    home.mkdir(exist_ok=True)
    (home / "limits.toml").write_text("most_epochs = 2\nmost_queued = 3\nmost_batch_size = 32")
    done = store.submit(tiny(epochs=1), person="ann")
    jobs.end(store.engine, jobs.claim(store.engine), "finished")
    with pytest.raises(ValueError, match="allows at most 2 epochs, but this comparison has 3"):
        store.extend(done, 3, "ann")
    assert (store.header(done).state, store.header(done).comparison.recipe.epochs) == ("finished", 1)
    rests = []
    for _ in range(2):
        rests.append(store.submit(tiny(epochs=1, seeds=(0, 1)), person="ann"))
        store.cancel(rests[-1])
    store.go_on(rests[0], "ann")
    with pytest.raises(ValueError, match="you have 2 and this adds 2"):
        store.go_on(rests[1], "ann")
    assert store.header(rests[1]).state == "cancelled"
    store.go_on(rests[1], "bob")  # it is his turn that they take
    store.calibrate(tiny(epochs=1), "ann")
    with pytest.raises(ValueError, match="you have 3 and this adds 1"):
        store.calibrate(tiny(epochs=2), "ann")
    with pytest.raises(ValueError, match="at most 32 images a step"):
        store.calibrate(tiny(epochs=1, batch_size=64), "cy")
    store.extend(done, 5)  # the machine's owner


def test_of_many_that_wait_the_next_is_found_at_once(store: Store) -> None:
    """The largest sweep: 4000 runs. Comparing each with each took 13 s, in which nobody else could write."""
    store.submit(tiny(), person="ann")
    with writing(store.engine) as connection:
        (row,) = connection.execute(select(jobs_table)).mappings().all()
        many = [{**row, "id": row["id"] + k, "person": f"p{k % 7}"} for k in range(1, 4000)]
        connection.execute(insert(jobs_table), many)
    begun = time.monotonic()
    assert jobs.claim(store.engine) is not None
    assert time.monotonic() - begun < 2


def test_people_take_turns(store: Store) -> None:
    """Ann asks for many before Bob asks for two: Bob does not wait for all of hers."""
    for _ in range(3):
        store.submit(tiny(seeds=(0,)), person="ann")
    for _ in range(2):
        store.submit(tiny(seeds=(1,)), person="bob")
    order = []
    while job := jobs.claim(store.engine):
        order.append(job.seed)
        jobs.end(store.engine, job, "finished")
    assert order == [0, 1, 0, 1, 0]


def test_a_device_takes_as_many_runs_as_it_may_and_an_empty_one_first(store: Store) -> None:
    for person in ("ann", "ann", "ann", "ann", "bob"):
        store.submit(tiny(seeds=(0,)), person=person)
    seats = jobs.Seats(slots={"cuda:0": 2, "cuda:1": 1})
    claimed = []
    while job := jobs.claim(store.engine, seats):
        claimed.append((job.id, job.device))
    assert claimed == [(1, "cuda:0"), (5, "cuda:1"), (2, "cuda:0")]
    assert jobs.on_devices(store.engine, "local", seats.host) == {"cuda:0": 2, "cuda:1": 1}


def test_missing_images_are_refused_before_anything_starts(store: Store, home: Path) -> None:
    with pytest.raises(ValueError, match="CIFAR-10 is not in"):
        store.submit(PRESETS["lecture"].comparison)
    assert [line.id for line in store.comparisons() if not line.bundled] == []
    with pytest.raises(ValueError, match="dataset must be one of"):
        store.download("imagenet")


def test_the_bundled_example_comes_last_and_cannot_be_changed(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    example = synthetic.snapshot(epochs=3)
    monkeypatch.setattr(looking, "EXAMPLE", tmp_path / "example.json")
    (tmp_path / "example.json").write_text(exchange.to_json(example), "utf-8")
    store.submit(tiny())
    lines = store.comparisons()
    assert [line.bundled for line in lines] == [False, True]
    snapshot = store.snapshot("example")
    assert (lines[-1].id, snapshot.bundled, snapshot.comparison) == ("example", True, example.comparison)
    assert store.snapshot("example") is snapshot
    for act in (store.cancel, store.delete):
        with pytest.raises(ValueError, match="bundled example"):
            act("example")
