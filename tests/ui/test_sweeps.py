"""Sweeps on the Lab page, by Streamlit's own test harness: the form, its sentences, and the page of one sweep."""

import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from samviz.runs import Store, open_store
from samviz.spec import PRESETS, Comparison
from samviz.spec.sweep import Sweep
from samviz.ui import access
from tests import stored

BASE = replace(PRESETS["quick"].comparison, seeds=(0, 1))


class Sweeps:
    """The store's sweeps as the page sees them, over the comparisons of a real store."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.asked: list[Sweep] = []
        self.members: list[tuple] = []
        self.state = "running"
        self.cancelled: list[str] = []

    def submit_sweep(self, sweep: Sweep, origin: str = "app") -> str:
        self.asked.append(sweep)
        return str(len(self.asked))

    def sweep(self, id: str) -> SimpleNamespace:
        if id != "1":
            raise KeyError(f"There is no sweep {id!r}.")
        members = tuple((point, id, self.store.header(id)) for point, id in self.members)
        return SimpleNamespace(id=id, sweep=self.asked[0], created=0.0, state=self.state, members=members)

    def sweep_metrics(self, id: str) -> pd.DataFrame:
        frames = [self.store.snapshot(id).metrics.assign(comparison=id) for _, id in self.members]
        metrics = pd.concat(frames)
        return metrics[metrics["name"].isin(["test_accuracy", "validation_accuracy", "diverged"])]

    def cancel_sweep(self, id: str) -> None:
        self.cancelled.append(id)


@pytest.fixture
def sweeps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Sweeps:
    """Sweeps over a store whose jobs nobody takes up, seen by a person at this computer."""
    monkeypatch.setenv("SAMVIZ_HOME", str(tmp_path))
    monkeypatch.setattr(Store, "resume", lambda self: None)
    monkeypatch.setattr(access, "connection", lambda: (None, {"Host": "localhost:8501"}))
    return Sweeps(open_store(tmp_path))


def form(sweeps: Sweeps, comparison: Comparison | None = BASE, locked: bool = False) -> AppTest:
    def script(store, comparison, locked):
        from samviz.ui import sweeps

        sweeps.section(store, comparison, locked)

    return AppTest.from_function(script, default_timeout=60, args=(sweeps, comparison, locked)).run()


def page(sweeps: Sweeps, id: str = "1") -> AppTest:
    def script(store, id):
        from samviz.ui import sweeps

        sweeps.show(store, id)

    app = AppTest.from_function(script, default_timeout=60, args=(sweeps, id)).run()
    assert not app.exception
    return app


def fill(app: AppTest, rho: str, lr: str) -> AppTest:
    app.text_input(key="lab-sweep-rho").set_value(rho)
    app.text_input(key="lab-sweep-lr").set_value(lr)
    app.run()
    assert not app.exception
    return app


def captions(app: AppTest) -> list[str]:
    return [caption.value for caption in app.caption]


def put(sweeps: Sweeps, sweep: Sweep, ends: dict[int, str] | None = None, **more) -> None:
    """A sweep all of whose comparisons stand alike."""
    sweeps.asked = [sweep]
    for point in sweep.points():
        sweeps.members.append((point, stored.put(sweeps.store, sweep.comparison(point), ends=ends, **more)))


def test_without_values_there_is_no_sweep(sweeps: Sweeps) -> None:
    app = form(sweeps)
    assert not app.exception
    assert app.button[0].disabled
    assert app.expander[0].label == "Sweep ρ and the learning rate"
    assert captions(app) == ["Trains the arms of the form above at each of these values, instead of once."]
    assert form(sweeps, comparison=None).button[0].disabled


def test_a_grid_says_what_it_comes_to_and_starts(sweeps: Sweeps) -> None:
    app = fill(form(sweeps), "0.05, 0.1,0.2", "0.05, 0.1")
    assert captions(app) == ["= 8 comparisons, 16 runs"]
    app.button[0].click().run()
    (sweep,) = sweeps.asked
    assert sweep == Sweep(name="Quick comparison", base=BASE, rho=(0.05, 0.1, 0.2), lr=(0.05, 0.1))
    assert app.query_params["sweep"] == "1"


def test_a_single_one_is_said_in_the_singular(sweeps: Sweeps) -> None:
    app = fill(form(sweeps, replace(BASE, seeds=(0,))), "", "0.3")
    assert captions(app) == ["= 1 comparison, 1 run"]


@pytest.mark.parametrize(
    ("rho", "lr", "sentence"),
    [
        ("0.1; 0.2", "", "rho must be numbers with commas between them, but it is '0.1; 0.2'."),
        ("0", "", "rho must be a number above 0 and up to 100, but it is 0.0."),
        ("0.1", "1000", "lr must be a number from 0 to 100, but it is 1000.0."),
        ("0.1, 0.1", "", "rho must have values that differ from each other, but they are [0.1, 0.1]."),
    ],
)
def test_a_wrong_value_is_one_sentence_and_nothing_starts(sweeps: Sweeps, rho: str, lr: str, sentence: str) -> None:
    app = fill(form(sweeps), rho, lr)
    assert [error.value for error in app.error] == [sentence]
    assert app.button[0].disabled


def test_a_search_takes_ranges_and_trials(sweeps: Sweeps) -> None:
    app = form(sweeps)
    app.radio(key="lab-sweep-search").set_value("optuna").run()
    fill(app, "0.01, 1", "")
    assert captions(app) == ["= at most 61 comparisons, 122 runs"]
    app.number_input(key="lab-sweep-trials").set_value(5).run()
    app.button[0].click().run()
    (sweep,) = sweeps.asked
    assert (sweep.search, sweep.rho, sweep.lr, sweep.trials) == ("optuna", (0.01, 1), (), 5)
    fill(app, "0.01, 0.1, 1", "")
    assert "rho must be the lowest and the highest value of a search" in app.error[0].value


def test_a_search_is_offered_only_where_optuna_is_there(sweeps: Sweeps, monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(form(sweeps).radio) == 1
    monkeypatch.setitem(sys.modules, "optuna", None)
    app = form(sweeps)
    assert len(app.radio) == 0
    assert captions(fill(app, "0.1", "")) == ["= 2 comparisons, 4 runs"]


def test_who_may_only_watch_starts_and_cancels_nothing(sweeps: Sweeps, monkeypatch: pytest.MonkeyPatch) -> None:
    assert fill(form(sweeps, locked=True), "0.1", "").button[0].disabled
    app = fill(form(sweeps), "0.1", "")
    put(sweeps, Sweep(name="Radii", base=BASE, rho=(0.1,)))
    shown = page(sweeps)
    sweeps.asked.clear()
    monkeypatch.setattr(access, "connection", lambda: ("192.0.2.7", {"Host": "192.0.2.1:8501"}))
    app.button[0].click().run()
    assert "This browser is on another computer" in app.error[0].value
    assert sweeps.asked == []
    put(sweeps, Sweep(name="Radii", base=BASE, rho=(0.1,)))
    shown.button[0].click().run()
    assert sweeps.cancelled == []
    assert page(sweeps).button[0].disabled


def test_the_page_shows_where_a_sweep_stands_and_its_table(sweeps: Sweeps) -> None:
    sweep = Sweep(name="Radii", base=BASE, rho=(0.1, 0.2))
    put(sweeps, sweep)
    waiting = stored.put(sweeps.store, sweep.comparison(sweep.points()[2]), ends={0: "finished", 1: "queued"})
    sweeps.members[2] = sweeps.members[2][0], waiting
    app = page(sweeps)
    assert app.title[0].value == "Radii"
    assert ":blue-badge[running] 2 of 3 comparisons and 5 of 6 runs have ended" in [m.value for m in app.markdown]
    table = app.dataframe[0].value
    assert table["label"].tolist() == [
        "SGD ★", "SAM-all ★", "SAM-all", "SAM-ON ★", "SAM-ON", "SAM no-norm ★", "SAM no-norm",
    ]  # fmt: skip
    assert table["n"].tolist() == [2, 2, 1, 2, 1, 2, 1]
    assert table["link"].tolist()[:3] == ["?id=1", "?id=2", f"?id={waiting}"]
    own = sweeps.store.snapshot("2").metrics
    last = own[(own["name"] == "test_accuracy") & (own["epoch"] == BASE.epochs) & own["arm"].str.startswith("sam:all")]
    assert table["mean"][1] == pytest.approx(last["value"].mean())
    assert table["sd"][1] == pytest.approx(last["value"].std())
    assert len(app.get("plotly_chart")) == 1
    assert any("Chosen with the test set, which flatters" in text.value for text in app.markdown)
    app.button[0].click().run()
    assert sweeps.cancelled == ["1"]


def test_a_sweep_that_has_ended_is_not_asked_for_again(sweeps: Sweeps) -> None:
    put(sweeps, Sweep(name="Radii", base=BASE, rho=(0.1,)))
    app = page(sweeps)
    sweeps.state = "finished"
    app.run()
    assert not app.exception
    assert len(app.button) == 0
    assert ":green-badge[finished] 2 of 2 comparisons and 4 of 4 runs have ended" in [m.value for m in app.markdown]


def test_a_sweep_that_ends_meanwhile_is_drawn_once_more(sweeps: Sweeps, monkeypatch: pytest.MonkeyPatch) -> None:
    put(sweeps, Sweep(name="Radii", base=BASE, rho=(0.1,)))
    look, states = sweeps.sweep, ["running", *["finished"] * 3]

    def passing(id: str) -> SimpleNamespace:
        sweeps.state = states.pop(0)
        return look(id)

    monkeypatch.setattr(sweeps, "sweep", passing)
    assert len(page(sweeps).button) == 0
    assert states == []


def test_before_anything_is_measured_the_table_alone_is_there(sweeps: Sweeps) -> None:
    put(sweeps, Sweep(name="Radii", base=BASE, rho=(0.1,)), ends={0: "queued", 1: "queued"})
    app = page(sweeps)
    assert len(app.get("plotly_chart")) == 0
    assert set(app.dataframe[0].value["state"]) == {"queued"}
    assert "- No point has finished all its seeds yet." in [m.value for m in app.markdown]


def test_an_unknown_sweep_is_one_sentence(sweeps: Sweeps) -> None:
    assert page(sweeps, "9").error[0].value == "There is no sweep '9': it may have been deleted."
