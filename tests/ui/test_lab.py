"""The Lab page's logic, by Streamlit's own test harness over a real store; no worker is started."""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace

import pytest

from samviz.runs import Store, exchange
from samviz.spec import Comparison, Recipe, Sweep
from samviz.ui import access, lab_actions, lab_exchange, lab_jobs, lab_list
from samviz.ui.plain import plain
from tests import stored, synthetic
from tests.opened import HERE, button, by_key, draft, page


def test_start_stores_the_comparison_and_shows_it(store: Store) -> None:
    app = page("lab")
    by_key(app.text_input, "lab-name").set_value("Mine").run()
    by_key(app.text_input, "lab-seeds").set_value("3, 5").run()
    button(app, "Start").click().run()
    (summary,) = [summary for summary in store.comparisons() if not summary.bundled]
    assert (summary.name, summary.seeds, summary.state) == ("Mine", (3, 5), "queued")
    assert app.query_params["id"] == summary.id
    assert app.title[0].value == "Mine"
    button(app, "Cancel").click().run()
    assert store.snapshot(summary.id).state == "cancelled"


def test_the_list_duplicates_and_asks_before_it_deletes(store: Store) -> None:
    id = stored.put(store, synthetic.comparison(2, 3, name="Stored *one*"))
    app = page("lab")
    by_key(app.button, f"lab-duplicate-{id}").click().run()
    assert draft(app) == synthetic.comparison(2, 3, name="Stored *one*")
    by_key(app.button, f"lab-delete-{id}").click().run()
    assert by_key(app.button, "lab-delete-confirmed").label == "Delete"
    assert store.snapshot(id).state == "finished"


def test_a_comparison_is_paused_goes_on_and_gets_more_epochs(store: Store) -> None:
    id = store.submit(synthetic.comparison(2, 4, name="Stored"))
    app = page("lab", id=id)
    assert not [b for b in app.button if b.label in ("Go on", "Train on")]
    button(app, "Pause").click().run()
    assert store.header(id).state == "paused"
    app = page("lab", id=id)
    assert not [b for b in app.button if b.label == "Pause"]
    button(app, "Go on").click().run()
    assert store.header(id).state == "queued"
    stored.fill(store, int(id), synthetic.comparison(2, 4))
    app = page("lab", id=id)
    (epochs,) = [field for field in app.number_input if field.label == "Train up to epoch"]
    assert (epochs.min, epochs.value) == (5, 6)
    epochs.set_value(9).run()
    button(app, "Train on").click().run()
    header = store.header(id)
    assert (header.state, header.comparison.recipe.epochs, header.comparison.recipe.extended) == ("queued", 9, (4,))


def test_a_comparison_is_renamed_and_annotated(store: Store) -> None:
    id = stored.put(store, synthetic.comparison(1, 2, name="Stored"))
    app = page("lab", id=id)
    (name,) = [field for field in app.text_input if field.label == "Name"]
    name.set_value("Another *name*")
    app.text_area[0].set_value("# Not a heading\n<b>nor bold</b>")
    button(app, "Save").click().run()
    header = store.header(id)
    assert (header.comparison.name, header.note) == ("Another *name*", "# Not a heading\n<b>nor bold</b>")
    assert app.title[0].value == plain("Another *name*")
    assert "# Not a heading\n<b>nor bold</b>" in [text.value for text in app.text], "shown as it is"
    (name,) = [field for field in app.text_input if field.label == "Name"]
    name.set_value("")
    button(app, "Save").click().run()
    assert "name must be a line of 1 to 80 characters" in app.error[0].value
    assert store.header(id).comparison.name == "Another *name*"


def test_a_saved_recipe_carries_versions(store: Store) -> None:
    text = synthetic.comparison(1, 2).to_json(lab_actions.versions())
    assert json.loads(text)["versions"]["torch"] == version("torch")
    assert Comparison.from_json(text) == synthetic.comparison(1, 2)
    with pytest.raises(ValueError, match="versions must be an object"):
        Comparison.from_dict(json.loads(text) | {"versions": 3})


def test_sweeps_are_lines_of_the_list(store: Store) -> None:
    base = synthetic.comparison(1, 2)
    id = store.submit_sweep(Sweep(name="Radii", base=base, rho=(0.1, 0.2)))
    app = page("lab")
    assert any("3 comparisons" in caption.value for caption in app.caption)
    assert any("0 running, 3 runs wait" in caption.value for caption in app.caption)
    assert by_key(app.button, f"lab-delete-sweep-{id}").disabled
    store.cancel_sweep(id)
    app = page("lab")
    by_key(app.button, f"lab-delete-sweep-{id}").click().run()
    assert by_key(app.button, "lab-delete-confirmed").label == "Delete"


def test_a_full_disk_is_said_and_nothing_is_started(store: Store) -> None:
    (store.home / "limits.toml").write_text("most_bytes = 1000")
    app = page("lab")
    button(app, "Start").click().run()
    assert "allows 1 kB: delete comparisons" in app.error[0].value
    assert [line for line in store.comparisons() if not line.bundled] == []
    (store.home / "limits.toml").unlink()
    button(app, "Start").click().run()  # the same button
    assert [line.state for line in store.comparisons() if not line.bundled] == ["queued"]


def test_the_list_says_how_many_classes_were_chosen(store: Store) -> None:
    stored.put(store, synthetic.comparison(1, 2, name="All"))
    spec = synthetic.comparison(1, 2, name="Some")
    stored.put(store, replace(spec, recipe=Recipe(epochs=2, classes=("disc", "ring", "star"))))
    facts = [caption.value for caption in page("lab").caption if "ResNet" in caption.value]
    assert ["3 classes" in text for text in facts] == [True, False, False]


def test_a_stored_comparison_opens_by_its_address(store: Store) -> None:
    id = stored.put(store, synthetic.comparison(2, 3, name="Stored"))
    app = page("lab", id=id)
    assert app.title[0].value == "Stored"
    assert not [button for button in app.button if button.label == "Cancel"]
    by_key(app.button, f"lab-duplicate-{id}").click().run()
    assert "id" not in app.query_params
    assert draft(app).name == "Stored"


@pytest.mark.parametrize("id", ["99", "x", "../etc", "1e3", "-1", "<b>"])
def test_an_unknown_address_is_one_sentence(store: Store, id: str) -> None:
    app = page("lab", id=id)
    (error,) = app.error
    assert "There is no comparison" in error.value


@pytest.mark.parametrize("headers", [{"Host": "samviz.example"}, HERE | {"X-Forwarded-For": "127.0.0.1"}])
def test_others_may_look_but_not_act(store: Store, monkeypatch: pytest.MonkeyPatch, headers: dict) -> None:
    id = stored.put(store, synthetic.comparison(2, 3, name="Stored"))
    monkeypatch.setattr(access, "connection", lambda: (None, headers))
    app = page("lab")
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
    monkeypatch.setattr("samviz.runs.looking.EXAMPLE", bundled)
    app = page("lab")
    assert any("example that ships with samviz" in header.value for header in app.subheader)
    assert any("example, ships with samviz" in text.value for text in app.markdown)
    stored.put(store, synthetic.comparison(1, 2))
    assert not any("example that ships with samviz" in header.value for header in page("lab").subheader)
    example = page("lab", id="example")
    assert any("Example, ships with samviz" in caption.value for caption in example.caption)
    assert not [b for b in example.button if b.label in ("Cancel", "Delete")]


def test_a_store_that_cannot_be_opened_is_one_sentence(store: Store, tmp_path: Path, monkeypatch) -> None:
    home = tmp_path / "broken"
    home.mkdir()
    (home / "samviz.sqlite3").write_bytes(b"this is no database at all" * 100)
    monkeypatch.setenv("SAMVIZ_HOME", str(home))
    (error,) = page("lab").error
    assert "cannot be used" in error.value or "is not samviz's store" in error.value


@pytest.mark.parametrize(
    ("zone", "shown"),
    [
        ("Europe/Berlin", "01 Jan 1970, 01:00"),
        *(
            (zone, "01 Jan 1970, 00:00")
            for zone in ("", "Nowhere", "America", "x" * 300, "../../etc", "a\0b", "\ud800")
        ),
    ],
    ids=ascii,
)
def test_a_time_is_shown_whatever_zone_the_browser_names(
    zone: str, shown: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lab_list.st, "context", SimpleNamespace(timezone=zone))
    assert lab_list.when(0) == shown


def test_files_are_imported_one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    at_once, most = [], []

    def read(file: str) -> str:
        at_once.append(file)
        most.append(len(at_once))
        time.sleep(0.05)
        at_once.remove(file)
        return file

    taken = []
    monkeypatch.setattr(lab_exchange.unbundle, "read", read)
    monkeypatch.setattr(lab_exchange.access, "person", lambda: "Ada")
    store = SimpleNamespace(take_in=lambda bundle, person: taken.append((bundle, person)))
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda file: lab_exchange._take_in(store, file), "abc"))
    assert sorted(taken) == [(file, "Ada") for file in "abc"]
    assert set(most) == {1}


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.2, "1 second"),
        (42.4, "42 seconds"),
        (200, "3 minutes"),
        (7000, "1.9 hours"),
        (86400 * 5, "5 days"),
    ],
)
def test_a_length_of_time_in_words(seconds: float, words: str) -> None:
    assert lab_jobs.duration(seconds) == words
