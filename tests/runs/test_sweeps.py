"""Sweeps in the store: grids and searches, worked off by real workers, pruned, cancelled, taken up after a kill."""

import time
from dataclasses import replace
from threading import Thread

import pytest

from samviz.runs import Store, jobs, process, sweeping
from samviz.runs.search import Outcome, propose
from samviz.spec import Arm, Comparison, Recipe, Scalar, Sweep
from tests.runs.conftest import BOTH, kill, processes, tiny, wait

BASE = replace(tiny(epochs=1, seeds=(0, 1)), arms=(Arm(), Arm(variant="sam", rho=0.1)))


@pytest.fixture
def idle(home):
    """Nobody works on what is submitted."""
    with process.lock(process.supervisor_lock(home)) as held:
        assert held
        yield


def finish(store: Store, accuracy: float = 50.0, diverged: bool = False) -> str:
    """Do the next run as a worker would, with made-up numbers; the arm's key."""
    job = jobs.claim(store.engine, jobs.Seats(kinds=("train",)))
    arms = Comparison.from_dict(job.spec).arms
    with jobs.fenced(store.engine, job) as connection:
        for arm in arms:
            name, value = ("diverged", 8) if diverged else ("test_accuracy", accuracy + job.seed)
            jobs.write(connection, job, [Scalar(arm.key, 1, 8, name, value)])
    jobs.end(store.engine, job, "finished")
    return arms[0].key


def step(store: Store, most: int = 1) -> None:
    """Do the queued step of a sweep."""
    job = jobs.claim(store.engine, jobs.Seats(kinds=("sweep",)))
    store.step_sweep(job.spec, most)
    jobs.end(store.engine, job, "finished")


@BOTH
def test_a_grid_is_stored_as_its_comparisons_and_judged_by_their_ends(store: Store, idle) -> None:
    sweep = Sweep(name="Radii", base=BASE, rho=(0.1, 0.2))
    id = store.submit_sweep(sweep, person="ann")
    view = store.sweep(id)
    assert (view.sweep, view.state, view.person) == (sweep, "queued", "ann")
    assert [point for point, _, _ in view.members] == list(sweep.points())
    assert [header.comparison for _, _, header in view.members] == [sweep.comparison(p) for p in sweep.points()]
    assert all(header.sweep == id for _, _, header in view.members)
    assert [line for line in store.comparisons() if not line.bundled] == [], "its parts are not listed"
    for accuracy in (50.0, 52.0, 60.0, 60.0, 70.0, 70.0):
        assert store.sweep(id).state == "queued"
        finish(store, accuracy)
    assert store.sweep(id).state == "finished"
    frame = store.sweep_metrics(id)
    assert list(frame) == ["comparison", "seed", "arm", "name", "epoch", "value"]
    assert frame["value"].tolist() == [50, 53, 60, 61, 70, 71]
    assert set(frame["comparison"]) == {member for _, member, _ in view.members}
    (line,) = store.sweeps()
    assert (line.id, line.name, line.state, line.progress) == (id, "Radii", "finished", 1.0)
    with pytest.raises(KeyError, match="There is no sweep"):
        store.sweep("99")


@BOTH
def test_the_best_epoch_is_told_beside_the_last(store: Store, idle) -> None:
    id = store.submit_sweep(Sweep(name="Rates", base=replace(BASE, seeds=(0,)), lr=(0.1,)))
    job = jobs.claim(store.engine)
    with jobs.fenced(store.engine, job) as connection:
        facts = [Scalar("sgd", epoch, 8 * epoch, "test_accuracy", value) for epoch, value in enumerate((1, 9, 5, 7))]
        jobs.write(connection, job, [*facts, Scalar("sgd", 3, 24, "train_loss", 3.0)])
    frame = store.sweep_metrics(id)
    assert frame[["epoch", "value"]].to_numpy().tolist() == [[1, 9], [3, 7]]


@BOTH
def test_a_grid_over_the_recipe_keeps_its_points_and_tells_what_a_gap_is_made_of(store: Store, idle) -> None:
    base = replace(BASE, seeds=(0,), arms=(Arm(),))
    id = store.submit_sweep(Sweep(name="Dropout", base=base, batch_size=(16, 32), dropout=(0.0, 0.5)))
    view = store.sweep(id)
    assert [point for point, _, _ in view.members] == list(view.sweep.points())
    assert [(h.comparison.recipe.batch_size, h.comparison.recipe.dropout) for _, _, h in view.members] == [
        (16, 0.0), (16, 0.5), (32, 0.0), (32, 0.5),
    ]  # fmt: skip
    job = jobs.claim(store.engine)
    ends = {"test_loss": 1.5, "train_accuracy": 90.0, "train_loss": 0.5}
    with jobs.fenced(store.engine, job) as connection:
        jobs.write(connection, job, [Scalar("sgd", 1, 8, name, value) for name, value in ends.items()])
    frame = store.sweep_metrics(id)
    assert dict(zip(frame["name"], frame["value"], strict=True)) == {"test_loss": 1.5, "train_accuracy": 90.0}


@BOTH
def test_a_point_that_diverged_needs_no_further_seeds(store: Store, idle) -> None:
    id = store.submit_sweep(Sweep(name="Rates", base=replace(BASE, seeds=(0, 1, 2)), lr=(0.1, 100.0)))
    for _ in range(3):
        finish(store)
    assert "sweep" not in jobs.waiting(store.engine), "nothing to prune"
    finish(store, diverged=True)
    step(store)
    states = [[run.state for run in header.runs] for _, _, header in store.sweep(id).members]
    assert states == [["finished"] * 3, ["finished", "cancelled", "cancelled"]]
    assert "diverged with another seed" in store.sweep(id).members[1][2].runs[1].reason
    assert jobs.waiting(store.engine) <= {"sweep"}


@BOTH
def test_a_search_asks_anew_after_each_end_and_ends_with_its_budget(store: Store, idle) -> None:
    sweep = Sweep(name="Search", base=replace(BASE, seeds=(0,)), rho=(0.01, 1.0), search="optuna", trials=3)
    id = store.submit_sweep(sweep)
    assert store.sweep(id).state == "running"
    known: list[Outcome] = []
    for k in range(4):  # SGD alone has no radius: one trial
        step(store)
        (point,) = propose(sweep, known, 1)
        members = store.sweep(id).members
        assert (len(members), members[-1][0]) == (k + 1, point), "what the store tells is all that a search knows"
        finish(store, 50.0 + k)
        known.append(Outcome(point=point, state="finished", value=50.0 + k))
    step(store)
    assert (store.sweep(id).state, len(store.sweep(id).members)) == ("finished", 4)
    assert jobs.waiting(store.engine) == set()


@BOTH
def test_a_cancelled_search_asks_no_more(store: Store, idle) -> None:
    id = store.submit_sweep(Sweep(name="Search", base=BASE, rho=(0.01, 1.0), search="optuna", trials=5))
    step(store, most=2)
    assert len(store.sweep(id).members) == 2
    store.cancel_sweep(id)
    while "sweep" in jobs.waiting(store.engine):
        step(store, most=2)
    assert (store.sweep(id).state, len(store.sweep(id).members)) == ("cancelled", 2)
    store.delete_sweep(id)
    assert store.sweeps() == []
    assert jobs.waiting(store.engine) == set()


def test_what_is_part_of_a_sweep_stays_as_it_is(store: Store, idle) -> None:
    id = store.submit_sweep(Sweep(name="Rates", base=replace(BASE, seeds=(0,)), lr=(0.1,)))
    finish(store)
    member = store.sweep(id).members[0][1]
    for act in (lambda: store.extend(member, 5), lambda: store.delete(member)):
        with pytest.raises(ValueError, match=f"is part of sweep {id}"):
            act()
    assert store.snapshot(member).state == "finished"


def test_a_search_is_worked_off_though_all_are_killed_in_the_middle(store: Store, home) -> None:
    recipe = Recipe(train_size=64, test_size=20, epochs=1, batch_size=32)
    base = Comparison(name="Small", recipe=recipe, arms=(Arm(variant="sam", rho=0.1),), seeds=(0,))
    id = store.submit_sweep(Sweep(name="Search", base=base, rho=(0.01, 1.0), search="optuna", trials=3))
    wait(lambda: len(store.sweep(id).members) == 2)
    kill(home, "supervisor", "worker")
    store.resume()
    wait(lambda: store.sweep(id).state == "finished")
    view = store.sweep(id)
    assert len({point.rho for point, _, _ in view.members}) == 3
    assert {run.state for _, _, header in view.members for run in header.runs} == {"finished"}
    wait(lambda: not processes(home, "supervisor"))


def test_a_sweep_that_cannot_start_leaves_nothing(store: Store, idle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("samviz.runs.search.find_spec", lambda name: None)
    with pytest.raises(ValueError, match="Optuna is not installed"):
        store.submit_sweep(Sweep(name="Search", base=BASE, rho=(0.01, 1.0), search="optuna", trials=3))
    with pytest.raises(ValueError, match="CIFAR-10 is not in"):
        store.submit_sweep(Sweep(name="S", base=replace(BASE, recipe=Recipe(dataset="cifar10")), rho=(0.1,)))
    assert store.sweeps() == []


@BOTH
def test_a_sweep_that_has_ended_cannot_be_cancelled_any_more(store: Store, idle) -> None:
    id = store.submit_sweep(Sweep(name="Radii", base=replace(BASE, seeds=(0,)), rho=(0.1,)))
    while store.sweep(id).state != "finished":
        finish(store)
    store.cancel_sweep(id)
    assert store.sweep(id).state == "finished"


@BOTH
def test_what_a_step_adds_while_its_sweep_is_cancelled_is_cancelled_too(
    store: Store, idle, monkeypatch: pytest.MonkeyPatch
) -> None:
    id = store.submit_sweep(Sweep(name="Search", base=BASE, search="optuna", trials=2, rho=(0.1, 0.2)))
    cancel = Thread(target=store.cancel_sweep, args=(id,))
    found = sweeping.step

    def slow(connection, number: int, most: int) -> list:
        points = found(connection, number, most)  # it has seen that nobody wants the sweep to end
        cancel.start()
        time.sleep(0.5)
        return points

    monkeypatch.setattr(sweeping, "step", slow)
    store.step_sweep(int(id), 1)
    cancel.join()
    assert [header.state for _, _, header in store.sweep(id).members] == ["cancelled"]
