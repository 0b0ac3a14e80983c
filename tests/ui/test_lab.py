"""The Lab page's logic, by Streamlit's own test harness over a real store; no worker is started."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from samviz.runs import Store, exchange, open_store
from samviz.spec import PRESETS, Arm, Comparison, Recipe
from samviz.ui import access, lab_form, lab_jobs
from tests import stored, synthetic

ROUTER = Path(__file__).parents[2] / "samviz" / "ui" / "router.py"
HERE = {"Host": "localhost:8501"}


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """A store of its own whose jobs nobody takes up, seen by a person at this computer."""
    monkeypatch.setenv("SAMVIZ_HOME", str(tmp_path))
    monkeypatch.delenv("SAMVIZ_DATA", raising=False)
    monkeypatch.setattr(Store, "resume", lambda self: None)
    monkeypatch.setattr(access, "connection", lambda: (None, HERE))
    return open_store(tmp_path)


def lab(id: str | None = None) -> AppTest:
    """The Lab page in a new session."""
    app = AppTest.from_file(ROUTER, default_timeout=120).run()
    app.switch_page("../../pages/lab.py")
    if id is not None:
        app.query_params["id"] = id
    app.run()
    assert not app.exception
    return app


def button(app: AppTest, label: str):
    (found,) = [button for button in app.button if button.label == label]
    return found


def by_key(elements: object, key: str):
    (found,) = [element for element in elements if element.key == key]
    return found


def draft(app: AppTest) -> Comparison:
    """What the form holds, as the button would start it."""
    rows = app.session_state["lab-arms"]
    assert [by_key(app.selectbox, f"lab-arm-{row}-method").value for row in rows]
    recipe = {name: app.session_state[f"lab-recipe-{name}"] for name in lab_form.FIELDS}
    arms = []
    for row in rows:
        values = {name: app.session_state[f"lab-arm-{row}-{name}"] for name in ("scope", "rho", "eta")}
        method = app.session_state[f"lab-arm-{row}-method"]
        arms.append(Arm() if method == "sgd" else Arm(variant=method, **values))
    return Comparison(
        name=app.session_state["lab-name"],
        recipe=Recipe(dataset=app.session_state["lab-dataset"], **recipe),
        arms=tuple(arms),
        seeds=lab_form.parse_seeds(app.session_state["lab-seeds"]),
    )


def test_the_form_opens_on_the_quick_preset_and_says_what_to_expect(store: Store) -> None:
    app = lab()
    assert draft(app) == PRESETS["quick"].comparison
    assert any(PRESETS["quick"].note in caption.value for caption in app.caption)
    assert not button(app, "Start").disabled


@pytest.mark.parametrize("key", PRESETS)
def test_a_preset_fills_the_form(store: Store, key: str) -> None:
    app = lab()
    app.button_group(key="lab-preset").set_value(key).run()
    assert draft(app) == PRESETS[key].comparison
    assert any(PRESETS[key].note in caption.value for caption in app.caption)


def test_start_stores_the_comparison_and_shows_it(store: Store) -> None:
    app = lab()
    by_key(app.text_input, "lab-name").set_value("Mine").run()
    by_key(app.text_input, "lab-seeds").set_value("3, 5").run()
    button(app, "Start").click().run()
    (summary,) = [summary for summary in store.comparisons() if not summary.bundled]
    assert (summary.name, summary.seeds, summary.state) == ("Mine", (3, 5), "queued")
    assert app.query_params["id"] == summary.id
    assert app.title[0].value == "Mine"
    button(app, "Cancel").click().run()
    assert store.snapshot(summary.id).state == "cancelled"


def test_arms_can_be_added_changed_and_removed(store: Store) -> None:
    app = lab()
    button(app, "Add an arm").click().run()
    row = app.session_state["lab-arms"][-1]
    by_key(app.selectbox, f"lab-arm-{row}-method").set_value("fisher").run()
    by_key(app.selectbox, f"lab-arm-{row}-scope").set_value("norm_only").run()
    assert draft(app).arms[-1] == Arm(variant="fisher", scope="norm_only", rho=0.5)
    by_key(app.number_input, f"lab-arm-{row}-rho").set_value(0.25).run()
    by_key(app.number_input, f"lab-arm-{row}-eta").set_value(2.0).run()
    assert draft(app).arms[-1] == Arm(variant="fisher", scope="norm_only", rho=0.25, eta=2.0)
    by_key(app.button, "lab-arm-0-remove").click().run()
    assert draft(app).arms[0].variant == "sam"
    assert len(draft(app).arms) == 4


def test_the_draft_survives_a_visit_to_another_page(store: Store) -> None:
    app = lab()
    by_key(app.text_input, "lab-name").set_value("Kept").run()
    by_key(app.number_input, "lab-recipe-epochs").set_value(7).run()
    by_key(app.number_input, "lab-arm-1-rho").set_value(0.3).run()
    before = draft(app)
    app.switch_page("../../pages/home.py").run()
    app.switch_page("../../pages/lab.py").run()
    assert draft(app) == before
    assert before.name == "Kept"


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda app: by_key(app.number_input, "lab-arm-1-rho").set_value(-1.0), "rho must be a number from 0 to 100"),
        (lambda app: by_key(app.number_input, "lab-recipe-epochs").set_value(10**9), "epochs must be a whole number"),
        (lambda app: by_key(app.number_input, "lab-recipe-epochs").set_value(None), "epochs must be a whole number"),
        (lambda app: by_key(app.text_input, "lab-seeds").set_value("0, x"), "seeds must be whole numbers"),
        (lambda app: by_key(app.text_input, "lab-seeds").set_value("1, 1"), "seeds must differ"),
        (lambda app: by_key(app.text_input, "lab-name").set_value(" "), "name must be a line"),
        (lambda app: by_key(app.selectbox, "lab-arm-1-method").set_value("sgd"), "arms must differ"),
    ],
)
def test_a_wrong_value_is_one_sentence_and_nothing_starts(store: Store, change: Callable, sentence: str) -> None:
    app = lab()
    change(app).run()
    assert not app.exception
    (error,) = app.error
    assert sentence in error.value
    assert button(app, "Start").disabled
    assert button(app, "Estimate the time").disabled


def test_a_recipe_can_be_pasted_and_a_bad_one_is_one_sentence(store: Store) -> None:
    app = lab()
    spec = Comparison(name="Pasted", recipe=Recipe(epochs=3, train_size=200), arms=(Arm(),), seeds=(4,))
    app.text_area(key="lab-paste").set_value(spec.to_json()).run()
    button(app, "Use this recipe").click().run()
    assert draft(app) == spec
    for text, sentence in (
        ("{", "must be a JSON text"),
        (json.dumps(spec.to_dict() | {"seeds": [-1]}), "seed must be a whole number"),
        (json.dumps({"name": "x"}), "must have the field recipe"),
    ):
        app.text_area(key="lab-paste").set_value(text).run()
        button(app, "Use this recipe").click().run()
        assert not app.exception
        (error,) = app.error
        assert sentence in error.value
        assert draft(app) == spec


def test_missing_data_offer_a_download_and_the_built_in_ones(store: Store) -> None:
    app = lab()
    app.button_group(key="lab-preset").set_value("lecture").run()
    assert "SAMVIZ_DATA" in app.warning[0].value
    button(app, "Start").click().run()
    assert "CIFAR-10 is not in" in app.error[0].value
    assert [summary for summary in store.comparisons() if not summary.bundled] == []
    button(app, "Download CIFAR-10").click().run()
    job = store.job(app.session_state["lab-download-job"])
    assert (job.kind, job.state) == ("download", "queued")
    button(app, "Take the built-in data").click().run()
    assert draft(app).recipe.dataset == "builtin"
    assert not app.warning
    assert not app.error


def test_an_estimate_belongs_to_the_settings_that_were_timed(store: Store) -> None:
    app = lab()
    button(app, "Estimate the time").click().run()
    job, timed = app.session_state["lab-estimate-job"]
    assert timed == PRESETS["quick"].comparison
    assert store.job(job).kind == "calibrate"
    assert any("Timing" in info.value for info in app.info)
    by_key(app.number_input, "lab-recipe-epochs").set_value(3).run()
    assert not app.info


def test_the_list_duplicates_and_asks_before_it_deletes(store: Store) -> None:
    id = stored.put(store, synthetic.comparison(2, 3, name="Stored *one*"))
    app = lab()
    by_key(app.button, f"lab-duplicate-{id}").click().run()
    assert draft(app) == synthetic.comparison(2, 3, name="Stored *one*")
    by_key(app.button, f"lab-delete-{id}").click().run()
    assert by_key(app.button, "lab-delete-confirmed").label == "Delete"
    assert store.snapshot(id).state == "finished"


def test_a_stored_comparison_opens_by_its_address(store: Store) -> None:
    id = stored.put(store, synthetic.comparison(2, 3, name="Stored"))
    app = lab(id)
    assert app.title[0].value == "Stored"
    assert not [button for button in app.button if button.label == "Cancel"]
    by_key(app.button, f"lab-duplicate-{id}").click().run()
    assert "id" not in app.query_params
    assert draft(app).name == "Stored"


@pytest.mark.parametrize("id", ["99", "x", "../etc", "1e3", "-1", "<b>"])
def test_an_unknown_address_is_one_sentence(store: Store, id: str) -> None:
    app = lab(id)
    (error,) = app.error
    assert "There is no comparison" in error.value


@pytest.mark.parametrize("headers", [{"Host": "samviz.example"}, HERE | {"X-Forwarded-For": "127.0.0.1"}])
def test_others_may_look_but_not_act(store: Store, monkeypatch: pytest.MonkeyPatch, headers: dict) -> None:
    id = stored.put(store, synthetic.comparison(2, 3, name="Stored"))
    monkeypatch.setattr(access, "connection", lambda: (None, headers))
    app = lab()
    assert access.ADVICE in app.info[0].value
    for label in ("Start", "Estimate the time"):
        assert button(app, label).disabled
    assert by_key(app.button, f"lab-delete-{id}").disabled
    # Whoever forges the click of a disabled button meets the same refusal within the action.
    called = []
    monkeypatch.setattr(access.st, "error", called.append)
    assert access.act(lambda: store.delete(id)) is None
    assert access.ADVICE in called[0]
    assert store.snapshot(id).state == "finished"


def test_the_example_is_shown_as_one_where_nothing_else_is(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundled = tmp_path / "example.json"
    bundled.write_text(exchange.to_json(synthetic.snapshot(3, 4)), "utf-8")
    monkeypatch.setattr("samviz.runs.store.EXAMPLE", bundled)
    app = lab()
    assert any("example that ships with samviz" in header.value for header in app.subheader)
    assert any("example, ships with samviz" in text.value for text in app.markdown)
    stored.put(store, synthetic.comparison(1, 2))
    assert not any("example that ships with samviz" in header.value for header in lab().subheader)
    example = lab("example")
    assert any("Example, ships with samviz" in caption.value for caption in example.caption)
    assert not [b for b in example.button if b.label in ("Cancel", "Delete")]


def test_a_store_that_cannot_be_opened_is_one_sentence(store: Store, tmp_path: Path, monkeypatch) -> None:
    home = tmp_path / "broken"
    home.mkdir()
    (home / "samviz.sqlite3").write_bytes(b"this is no database at all" * 100)
    monkeypatch.setenv("SAMVIZ_HOME", str(home))
    (error,) = lab().error
    assert "cannot be used" in error.value or "is not samviz's store" in error.value


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.2, "1 seconds"),
        (42.4, "42 seconds"),
        (200, "3 minutes"),
        (7000, "1.9 hours"),
        (86400 * 5, "5 days"),
    ],
)
def test_a_length_of_time_in_words(seconds: float, words: str) -> None:
    assert lab_jobs.duration(seconds) == words.replace("1 seconds", "1 second")
