"""The Lab's form, by Streamlit's own test harness over a real store; no worker is started."""

import json
from collections.abc import Callable
from dataclasses import fields, replace
from math import inf

import pytest
from streamlit.testing.v1 import AppTest

from samviz.runs import Store
from samviz.spec import DATASETS, PRESETS, Arm, Comparison, Recipe
from samviz.ui.plain import plain
from tests import stored
from tests.opened import button, by_key, draft, page


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
    app = page("lab")
    assert draft(app) == PRESETS["quick"].comparison
    assert any(PRESETS["quick"].note in caption.value for caption in app.caption)
    assert not button(app, "Start").disabled


@pytest.mark.parametrize("key", PRESETS)
def test_a_preset_fills_the_form(store: Store, key: str) -> None:
    app = page("lab")
    by_key(app.button_group, "lab-preset").set_value(key).run()
    assert draft(app) == PRESETS[key].comparison
    assert any(PRESETS[key].note in caption.value for caption in app.caption)


@pytest.mark.parametrize("spec", [EVERYTHING, replace(EVERYTHING, recipe=Recipe(nesterov=True))])
def test_a_comparison_that_says_everything_goes_through_the_form(store: Store, spec: Comparison) -> None:
    app = page("lab")
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
    app = page("lab")
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
    app = page("lab")
    classes = by_key(app.multiselect, "lab-recipe-classes")
    assert classes.options == list(DATASETS["builtin"].classes)
    classes.set_value(["ring"]).run()
    assert "classes must be a list of 2 to 10 entries" in app.error[0].value
    assert app.session_state["lab-recipe-train_size"] == 2048
    by_key(app.multiselect, "lab-recipe-classes").set_value(["ring", "disc"]).run()
    assert not app.error
    assert draft(app).recipe.classes == ("ring", "disc")
    assert draft(app).recipe.train_size is None
    assert draft(app).recipe.images == 800
    by_key(app.multiselect, "lab-recipe-classes").set_value([]).run()
    assert draft(app).recipe.classes is None


def test_radii_follow_the_data_set_and_the_family_of_networks(store: Store) -> None:
    app = page("lab")
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
    app = page("lab")
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
    app = page("lab")
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
    shown = {element.key.split("#")[0] for element in (*app.selectbox, *app.number_input, *app.text_input)}
    assert {"lab-arm-1-trained", "lab-arm-1-epochs_factor"} < shown
    assert not {f"lab-arm-1-{name}" for name in ("mask", "sparsity", "p", "first_epoch", "last_epoch")} & shown
    by_key(app.selectbox, "lab-arm-1-method").set_value("sam").run()
    assert draft(app).arms[1] == Arm(variant="sam", rho=0.1, epochs_factor=2, trained="fix_norm")


def test_a_network_of_ones_own_stays_out_of_the_form(store: Store) -> None:
    spec = replace(EVERYTHING, recipe=Recipe(network="mine:net", epochs=9))
    id = stored.put(store, spec)
    app = page("lab")
    by_key(app.text_input, "lab-name").set_value("Kept").run()
    before = draft(app)
    for act in (lambda: paste(app, spec), lambda: by_key(app.button, f"lab-duplicate-{id}").click().run()):
        act()
        (error,) = app.error
        assert "one's own starts from the terminal only" in error.value
        assert plain("'mine:net'") in error.value
        assert draft(app) == before
    stored_one = page("lab", id=id)
    by_key(stored_one.button, f"lab-duplicate-{id}").click().run()
    assert "terminal only" in stored_one.error[0].value
    assert stored_one.query_params["id"] == id
    button(app, "Add an arm").click().run()
    by_key(app.button, "lab-duplicate-example").click().run()
    assert not app.error


def test_nesterov_goes_with_sgd_alone(store: Store) -> None:
    app = page("lab")
    by_key(app.checkbox, "lab-recipe-nesterov").check().run()
    assert draft(app).recipe.nesterov
    by_key(app.selectbox, "lab-recipe-optimizer").set_value("adamw").run()
    assert not draft(app).recipe.nesterov
    assert by_key(app.checkbox, "lab-recipe-nesterov").disabled
    assert "AdamW" in by_key(app.selectbox, "lab-arm-0-method").options


def test_the_form_says_how_large_a_network_is(store: Store) -> None:
    app = page("lab")
    by_key(app.selectbox, "lab-recipe-network").set_value("vit_t").run()
    assert any("5.4 million parameters" in text.value and "0.18 %" in text.value for text in app.caption)


def test_arms_can_be_added_changed_and_removed(store: Store) -> None:
    app = page("lab")
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
    app = page("lab")
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
    app = page("lab")
    change(app).run()
    assert not app.exception
    (error,) = app.error
    assert sentence in error.value
    assert button(app, "Start").disabled
    assert button(app, "Estimate the time").disabled


def test_a_recipe_can_be_pasted_and_a_bad_one_is_one_sentence(store: Store) -> None:
    app = page("lab")
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
    app = page("lab")
    by_key(app.button_group, "lab-preset").set_value("lecture").run()
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
    app = page("lab")
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
    app = page("lab")
    button(app, "Estimate the time").click().run()
    job, timed = app.session_state["lab-estimate-job"]
    assert timed == PRESETS["quick"].comparison
    assert store.job(job).kind == "calibrate"
    assert any("Timing" in info.value for info in app.info)
    by_key(app.number_input, "lab-recipe-epochs").set_value(3).run()
    assert not app.info
