"""Sweeps on the Lab page, by Streamlit's own test harness: the form, its sentences, and the page of one sweep."""

import sys
from dataclasses import replace

import pytest
from streamlit.testing.v1 import AppTest

from samviz.runs import Store, SweepView, jobs
from samviz.spec import PRESETS, Comparison
from samviz.spec.sweep import Sweep
from samviz.ui import access
from tests import stored

BASE = replace(PRESETS["quick"].comparison, seeds=(0, 1))


def form(store: Store, comparison: Comparison | None = BASE, locked: bool = False) -> AppTest:
    def script(store, comparison, locked):
        from samviz.ui import sweeps

        sweeps.section(store, comparison, locked)

    return AppTest.from_function(script, default_timeout=60, args=(store, comparison, locked)).run()


def page(store: Store, id: str = "1") -> AppTest:
    def script(store, id):
        from samviz.ui import sweeps

        sweeps.show(store, id)

    app = AppTest.from_function(script, default_timeout=60, args=(store, id)).run()
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


def put(store: Store, sweep: Sweep, ends: dict[int, str] | None = None) -> str:
    """A sweep all of whose comparisons stand alike; its id."""
    id = store.submit_sweep(sweep)
    for _, member, header in store.sweep(id).members:
        stored.fill(store, int(member), header.comparison, ends=ends)
    return id


def test_without_values_there_is_no_sweep(store: Store) -> None:
    app = form(store)
    assert not app.exception
    assert app.button[0].disabled
    assert app.expander[0].label == "Sweep ρ, the learning rate and more"
    assert captions(app) == ["Trains the arms of the form above at each of these values, instead of once."]
    assert form(store, comparison=None).button[0].disabled


def test_a_grid_says_what_it_comes_to_and_starts(store: Store) -> None:
    app = fill(form(store), "0.05, 0.1,0.2", "0.05, 0.1")
    assert captions(app) == ["= 8 comparisons, 16 runs"]
    app.button[0].click().run()
    sweep = store.sweep("1").sweep
    assert sweep == Sweep(name="Quick comparison", base=BASE, rho=(0.05, 0.1, 0.2), lr=(0.05, 0.1))
    assert app.query_params["sweep"] == "1"


def test_further_fields_are_swept_and_shown(store: Store) -> None:
    app = form(store)
    app.text_input(key="lab-sweep-dropout").set_value("0, 0.5")
    app.text_input(key="lab-sweep-batch_size").set_value("32,64").run()
    assert captions(app) == ["= 4 comparisons, 8 runs"]
    app.button[0].click().run()
    assert not app.exception
    sweep = store.sweep("1").sweep
    assert (sweep.rho, sweep.batch_size, sweep.dropout) == ((), (32, 64), (0, 0.5))
    for _, member, header in store.sweep("1").members:
        stored.fill(store, int(member), header.comparison)
    table = page(store).dataframe[0].value
    assert set(zip(table["batch_size"], table["dropout"], strict=True)) == {(32, 0), (32, 0.5), (64, 0), (64, 0.5)}


def test_a_single_one_is_said_in_the_singular(store: Store) -> None:
    app = fill(form(store, replace(BASE, seeds=(0,))), "", "0.3")
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
def test_a_wrong_value_is_one_sentence_and_nothing_starts(store: Store, rho: str, lr: str, sentence: str) -> None:
    app = fill(form(store), rho, lr)
    assert [error.value for error in app.error] == [sentence]
    assert app.button[0].disabled


def test_a_search_takes_ranges_and_trials(store: Store) -> None:
    app = form(store)
    app.radio(key="lab-sweep-search").set_value("optuna").run()
    fill(app, "0.01, 1", "")
    assert captions(app) == ["= at most 61 comparisons, 122 runs"]
    app.number_input(key="lab-sweep-trials").set_value(5).run()
    app.button[0].click().run()
    sweep = store.sweep("1").sweep
    assert (sweep.search, sweep.rho, sweep.lr, sweep.trials) == ("optuna", (0.01, 1), (), 5)
    fill(app, "0.01, 0.1, 1", "")
    assert "rho must be the lowest and the highest value of a search" in app.error[0].value


def test_a_search_is_offered_only_where_optuna_is_there(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(form(store).radio) == 1
    monkeypatch.setitem(sys.modules, "optuna", None)
    app = form(store)
    assert len(app.radio) == 0
    assert captions(fill(app, "0.1", "")) == ["= 2 comparisons, 4 runs"]


def test_who_may_only_watch_starts_and_cancels_nothing(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    assert fill(form(store, locked=True), "0.1", "").button[0].disabled
    app = fill(form(store), "0.1", "")
    put(store, Sweep(name="Radii", base=BASE, rho=(0.1,)), ends=dict.fromkeys(BASE.seeds, "queued"))
    shown = page(store)
    monkeypatch.setattr(access, "connection", lambda: ("192.0.2.7", {"Host": "192.0.2.1:8501"}))
    app.button[0].click().run()
    assert "This browser is on another computer" in app.error[0].value
    shown.button[0].click().run()
    assert [(line.id, line.state) for line in store.sweeps()] == [("1", "queued")]
    assert page(store).button[0].disabled


def test_the_page_shows_where_a_sweep_stands_and_its_table(store: Store) -> None:
    sweep = Sweep(name="Radii", base=BASE, rho=(0.1, 0.2))
    id = store.submit_sweep(sweep)
    for k, (_, member, header) in enumerate(store.sweep(id).members):
        stored.fill(store, int(member), header.comparison, ends={1: "running"} if k == 2 else None)
    app = page(store)
    assert app.title[0].value == "Radii"
    assert ":blue-badge[running] 2 of 3 comparisons and 5 of 6 runs have ended" in [m.value for m in app.markdown]
    table = app.dataframe[0].value
    assert table["label"].tolist() == [
        "SGD ★", "SAM-all ★", "SAM-all", "SAM-ON ★", "SAM-ON", "SAM no-norm ★", "SAM no-norm",
    ]  # fmt: skip
    assert table["link"].tolist()[:3] == ["?id=1", "?id=2", "?id=3"]
    own = store.snapshot("2").metrics
    last = own[(own["name"] == "test_accuracy") & (own["epoch"] == BASE.epochs) & own["arm"].str.startswith("sam:all")]
    assert table["mean"][1] == pytest.approx(last["value"].mean())
    assert table["sd"][1] == pytest.approx(last["value"].std())
    assert len(app.get("plotly_chart")) == 1
    assert any("Chosen with the test set, which flatters" in text.value for text in app.markdown)
    app.button[0].click().run()
    (run,) = [run for run in jobs.running(store.engine) if run.comparison == 3]
    assert run.wanted == "cancelled"


def test_a_sweep_that_has_ended_is_not_asked_for_again(store: Store) -> None:
    put(store, Sweep(name="Radii", base=BASE, rho=(0.1,)))
    app = page(store)
    assert not app.exception
    assert len(app.button) == 0
    assert ":green-badge[finished] 2 of 2 comparisons and 4 of 4 runs have ended" in [m.value for m in app.markdown]


def test_a_sweep_that_ends_meanwhile_is_drawn_once_more(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    id = put(store, Sweep(name="Radii", base=BASE, rho=(0.1,)))
    looks: list[str] = []

    def passing(self: Store, id: str) -> SweepView:
        looks.append(id)
        return replace(ended, state="running" if len(looks) == 1 else "finished")

    ended = store.sweep(id)
    monkeypatch.setattr(Store, "sweep", passing)
    assert len(page(store).button) == 0
    assert len(looks) == 4, "once running, once found to have ended, and the page drawn again"


def test_before_anything_is_measured_the_table_alone_is_there(store: Store) -> None:
    store.submit_sweep(Sweep(name="Radii", base=BASE, rho=(0.1,)))
    app = page(store)
    assert len(app.get("plotly_chart")) == 0
    assert set(app.dataframe[0].value["state"]) == {"queued"}
    assert "- No point has finished all its seeds yet." in [m.value for m in app.markdown]


def test_an_unknown_sweep_is_one_sentence(store: Store) -> None:
    assert page(store, "9").error[0].value == "There is no sweep '9': it may have been deleted."
