"""The Lab page's logic, by Streamlit's own test harness over a real store; no worker is started."""

import json
from collections.abc import Callable
from dataclasses import fields, replace
from importlib.metadata import version
from math import inf
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from samviz.runs import Store, exchange, open_store
from samviz.spec import DATASETS, PRESETS, Arm, Comparison, Recipe, Sweep
from samviz.ui import access, lab_actions, lab_form, lab_jobs
from samviz.ui.plain import plain
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
    assert [by_key(app.selectbox, f"lab-arm-{row}-method").value for row in app.session_state["lab-arms"]]
    return lab_form.read(app.session_state)


def paste(app: AppTest, spec: Comparison) -> None:
    app.text_area(key="lab-paste").set_value(spec.to_json()).run()
    button(app, "Use this recipe").click().run()
    assert not app.exception


def radii(app: AppTest) -> list[float]:
    return [app.session_state[f"lab-arm-{row}-rho"] for row in app.session_state["lab-arms"]]


EVERYTHING = Comparison(
    name="Everything",
    recipe=Recipe(
        dataset="cifar100",
        classes=("wolf", "baby", "cloud"),
        train_size=1200,
        validation_size=90,
        test_size=120,
        label_noise=0.15,
        augmentation="autoaugment",
        cutout=8,
        network="vit_t",
        dropout=0.15,
        epochs=9,
        batch_size=96,
        m=24,
        optimizer="adamw",
        lr=0.0003,
        momentum=0.85,
        weight_decay=0.01,
        decay_norm=False,
        schedule="steps",
        warmup_epochs=2,
        label_smoothing=0.05,
        precision="bf16",
    ),
    arms=(
        Arm(epochs_factor=2, trained="norm_only"),
        Arm(variant="elementwise_l2_orig", rho=0.5, eta=0.02, p=inf, mask="dynamic", sparsity=0.9, trained="fix_norm"),
        Arm(variant="sam", scope="norm_only", rho=0.3, p=2.2, first_epoch=3, last_epoch=8, epochs_factor=3),
    ),
    seeds=(3, 5),
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


@pytest.mark.parametrize("spec", [EVERYTHING, replace(EVERYTHING, recipe=Recipe(nesterov=True))])
def test_a_comparison_that_says_everything_goes_through_the_form(store: Store, spec: Comparison) -> None:
    app = lab()
    paste(app, spec)
    assert draft(app) == spec
    by_key(app.text_input, "lab-name").set_value("Drawn again").run()
    assert draft(app) == replace(spec, name="Drawn again")


@pytest.mark.parametrize("said", [(EVERYTHING.recipe, Recipe(nesterov=True)), EVERYTHING.arms])
def test_everything_is_all_that_there_is_to_say(said: tuple) -> None:
    # That a run was given more epochs is its history, which a new one of the same settings does not have.
    for field in (field for field in fields(said[0]) if field.name != "extended"):
        assert any(getattr(one, field.name) != field.default for one in said), field.name


def test_another_data_set_takes_what_does_not_fit_out_of_the_form(store: Store) -> None:
    app = lab()
    recipe = Recipe(
        dataset="cifar10", classes=("cat", "dog", "ship"), validation_size=9000, train_size=5000, test_size=2500,
        batch_size=4096, m=2048,
    )  # fmt: skip
    paste(app, Comparison(name="Large", recipe=recipe, arms=(Arm(),)))
    by_key(app.selectbox, "lab-dataset").set_value("builtin").run()
    assert not app.error
    assert draft(app).recipe == Recipe(dataset="builtin", train_size=None, test_size=None)
    by_key(app.number_input, "lab-recipe-train_size").set_value(2000).run()
    by_key(app.selectbox, "lab-dataset").set_value("cifar100").run()
    assert draft(app).recipe == Recipe(dataset="cifar100", train_size=2000)


def test_fewer_classes_have_fewer_images(store: Store) -> None:
    app = lab()
    classes = app.multiselect(key="lab-recipe-classes")
    assert classes.options == list(DATASETS["builtin"].classes)
    classes.set_value(["ring"]).run()
    assert "classes must be a list of 2 to 10 entries" in app.error[0].value
    assert app.session_state["lab-recipe-train_size"] == 2048
    app.multiselect(key="lab-recipe-classes").set_value(["ring", "disc"]).run()
    assert not app.error
    assert draft(app).recipe.classes == ("ring", "disc")
    assert draft(app).recipe.train_size is None
    assert draft(app).recipe.images == 800
    app.multiselect(key="lab-recipe-classes").set_value([]).run()
    assert draft(app).recipe.classes is None


def test_radii_follow_the_data_set_and_the_family_of_networks(store: Store) -> None:
    app = lab()
    assert radii(app) == [0, 0.1, 0.5, 0.1]
    by_key(app.number_input, "lab-arm-3-rho").set_value(0.3).run()
    by_key(app.selectbox, "lab-dataset").set_value("cifar100").run()
    assert radii(app) == [0, 0.1, 1, 0.3]
    by_key(app.selectbox, "lab-recipe-network").set_value("vit_t").run()
    assert radii(app) == [0, 0.1, 10, 0.3]
    by_key(app.selectbox, "lab-arm-1-method").set_value("layerwise_l2").run()
    by_key(app.selectbox, "lab-arm-1-scope").set_value("norm_only").run()
    button(app, "Add an arm").click().run()
    assert radii(app) == [0, 0.5, 10, 0.3, 2.5]
    button(app, "Take the built-in data").click().run()
    by_key(app.selectbox, "lab-recipe-network").set_value("resnet20").run()
    assert radii(app) == [0, 0.25, 0.5, 0.3, 2]


def test_a_mask_takes_the_place_of_a_scope(store: Store) -> None:
    app = lab()
    by_key(app.selectbox, "lab-arm-2-mask").set_value("fisher").run()
    assert draft(app).arms[2] == Arm(variant="sam", rho=0.1, mask="fisher", sparsity=0.5)
    assert by_key(app.selectbox, "lab-arm-2-scope").disabled
    by_key(app.number_input, "lab-arm-2-sparsity").set_value(0.9).run()
    by_key(app.selectbox, "lab-arm-2-mask").set_value("random").run()
    assert draft(app).arms[2] == Arm(variant="sam", rho=0.1, mask="random", sparsity=0.9)
    by_key(app.selectbox, "lab-arm-2-mask").set_value("none").run()
    assert by_key(app.number_input, "lab-arm-2-sparsity").disabled
    by_key(app.selectbox, "lab-arm-2-scope").set_value("norm_only").run()
    assert draft(app).arms[2] == Arm(variant="sam", scope="norm_only", rho=0.5)


def test_a_method_keeps_what_applies_to_it(store: Store) -> None:
    app = lab()
    for name, value in (("p", " inf "), ("eta", 0.5), ("first_epoch", 2), ("last_epoch", 5), ("epochs_factor", 2)):
        widgets = app.text_input if name == "p" else app.number_input
        by_key(widgets, f"lab-arm-1-{name}").set_value(value).run()
    by_key(app.selectbox, "lab-arm-1-trained").set_value("fix_norm").run()
    kept = {"first_epoch": 2, "last_epoch": 5, "epochs_factor": 2, "trained": "fix_norm"}
    assert draft(app).arms[1] == Arm(variant="sam", rho=0.1, p=inf, eta=0.5, **kept)
    by_key(app.selectbox, "lab-arm-1-method").set_value("fisher").run()
    assert draft(app).arms[1] == Arm(variant="fisher", rho=0.1, **kept)
    by_key(app.selectbox, "lab-arm-1-method").set_value("base").run()
    assert draft(app).arms[1] == Arm(epochs_factor=2, trained="fix_norm")
    shown = {element.key for element in (*app.selectbox, *app.number_input, *app.text_input)}
    assert {"lab-arm-1-trained", "lab-arm-1-epochs_factor"} < shown
    assert not {f"lab-arm-1-{name}" for name in ("mask", "sparsity", "p", "first_epoch", "last_epoch")} & shown
    by_key(app.selectbox, "lab-arm-1-method").set_value("sam").run()
    assert draft(app).arms[1] == Arm(variant="sam", rho=0.1, epochs_factor=2, trained="fix_norm")


def test_a_network_of_ones_own_stays_out_of_the_form(store: Store) -> None:
    spec = replace(EVERYTHING, recipe=Recipe(network="mine:net", epochs=9))
    id = stored.put(store, spec)
    app = lab()
    by_key(app.text_input, "lab-name").set_value("Kept").run()
    before = draft(app)
    for act in (lambda: paste(app, spec), lambda: by_key(app.button, f"lab-duplicate-{id}").click().run()):
        act()
        (error,) = app.error
        assert "one's own starts from the terminal only" in error.value
        assert plain("'mine:net'") in error.value
        assert draft(app) == before
    page = lab(id)
    by_key(page.button, f"lab-duplicate-{id}").click().run()
    assert "terminal only" in page.error[0].value
    assert page.query_params["id"] == id
    button(app, "Add an arm").click().run()
    by_key(app.button, "lab-duplicate-example").click().run()
    assert not app.error


def test_nesterov_goes_with_sgd_alone(store: Store) -> None:
    app = lab()
    by_key(app.checkbox, "lab-recipe-nesterov").check().run()
    assert draft(app).recipe.nesterov
    by_key(app.selectbox, "lab-recipe-optimizer").set_value("adamw").run()
    assert not draft(app).recipe.nesterov
    assert by_key(app.checkbox, "lab-recipe-nesterov").disabled
    assert "AdamW" in by_key(app.selectbox, "lab-arm-0-method").options


def test_the_form_says_how_large_a_network_is(store: Store) -> None:
    app = lab()
    by_key(app.selectbox, "lab-recipe-network").set_value("vit_t").run()
    assert any("5.4 million parameters" in text.value and "0.18 %" in text.value for text in app.caption)


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
        (lambda app: by_key(app.selectbox, "lab-arm-1-method").set_value("base"), "arms must differ"),
        (lambda app: by_key(app.text_input, "lab-arm-1-p").set_value("two"), "p must be a number from 1 on, or inf"),
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
    job = store.job(app.session_state["lab-download-cifar10"])
    assert (job.kind, job.state) == ("download", "queued")
    button(app, "Take the built-in data").click().run()
    assert draft(app).recipe.dataset == "builtin"
    assert not app.warning
    assert not app.error


def test_each_data_set_has_a_download_of_its_own(store: Store) -> None:
    app = lab()
    jobs = []
    for key, name in (("cifar10", "CIFAR-10"), ("cifar100", "CIFAR-100")):
        by_key(app.selectbox, "lab-dataset").set_value(key).run()
        assert f"{name} is not in" in app.warning[0].value
        assert [b.label for b in app.button if b.label.startswith("Download")] == [f"Download {name}"]
        assert f"lab-download-{key}" not in app.session_state
        button(app, f"Download {name}").click().run()
        jobs.append(app.session_state[f"lab-download-{key}"])
    assert len(set(jobs)) == 2
    assert all(store.job(job).state == "queued" for job in jobs)


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


def test_a_comparison_is_paused_goes_on_and_gets_more_epochs(store: Store) -> None:
    id = store.submit(synthetic.comparison(2, 4, name="Stored"))
    app = lab(id)
    assert not [b for b in app.button if b.label in ("Go on", "Train on")]
    button(app, "Pause").click().run()
    assert store.header(id).state == "paused"
    app = lab(id)
    assert not [b for b in app.button if b.label == "Pause"]
    button(app, "Go on").click().run()
    assert store.header(id).state == "queued"
    stored.fill(store, int(id), synthetic.comparison(2, 4))
    app = lab(id)
    (epochs,) = [field for field in app.number_input if field.label == "Train up to epoch"]
    assert (epochs.min, epochs.value) == (5, 6)
    epochs.set_value(9).run()
    button(app, "Train on").click().run()
    header = store.header(id)
    assert (header.state, header.comparison.recipe.epochs, header.comparison.recipe.extended) == ("queued", 9, (4,))


def test_a_comparison_is_renamed_and_annotated(store: Store) -> None:
    id = stored.put(store, synthetic.comparison(1, 2, name="Stored"))
    app = lab(id)
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
    app = lab()
    assert any("3 comparisons" in caption.value for caption in app.caption)
    assert any("0 running, 3 runs wait" in caption.value for caption in app.caption)
    assert by_key(app.button, f"lab-delete-sweep-{id}").disabled
    store.cancel_sweep(id)
    app = lab()
    by_key(app.button, f"lab-delete-sweep-{id}").click().run()
    assert by_key(app.button, "lab-delete-confirmed").label == "Delete"


def test_a_full_disk_is_said_and_nothing_is_started(store: Store) -> None:
    (store.home / "limits.toml").write_text("most_bytes = 1000")
    app = lab()
    button(app, "Start").click().run()
    assert "allows 1 kB: delete comparisons" in app.error[0].value
    assert [line for line in store.comparisons() if not line.bundled] == []


def test_the_list_says_how_many_classes_were_chosen(store: Store) -> None:
    stored.put(store, synthetic.comparison(1, 2, name="All"))
    spec = synthetic.comparison(1, 2, name="Some")
    stored.put(store, replace(spec, recipe=Recipe(epochs=2, classes=("disc", "ring", "star"))))
    facts = [caption.value for caption in lab().caption if "ResNet" in caption.value]
    assert ["3 classes" in text for text in facts] == [True, False, False]


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
    monkeypatch.setattr("samviz.runs.looking.EXAMPLE", bundled)
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
