"""Recipes, arms and comparisons: their JSON form, and one clear sentence for every wrong value."""

import json
from dataclasses import replace
from math import inf, nan

import pytest

from samviz.spec import DATASETS, NETWORKS, PRESETS, SCOPES, Arm, Comparison, Recipe, default_rho
from samviz.variants import VARIANTS

SAM = {"variant": "sam", "rho": 0.1}


def quick() -> dict:
    return PRESETS["quick"].comparison.to_dict()


@pytest.mark.parametrize("preset", PRESETS)
def test_a_comparison_survives_its_json_form(preset: str) -> None:
    comparison = PRESETS[preset].comparison
    assert Comparison.from_json(comparison.to_json()) == comparison


def test_the_default_arms_are_those_of_the_sam_on_paper() -> None:
    comparison = PRESETS["quick"].comparison
    assert list(comparison.labels.values()) == ["SGD", "SAM-all", "SAM-ON", "SAM no-norm"]
    assert [arm.rho for arm in comparison.arms] == [0, 0.1, 0.5, 0.1]


def test_an_arm_without_an_ascent_is_called_as_its_optimizer() -> None:
    arms = (Arm(), Arm(epochs_factor=2), Arm(variant="sam", rho=0.1))
    comparison = Comparison(name="transformer", recipe=Recipe(optimizer="adamw"), arms=arms)
    assert list(comparison.labels.values()) == ["AdamW", "AdamW \u00d72", "SAM-all"]


def test_arms_that_share_a_label_are_told_apart_by_rho() -> None:
    arms = (Arm(variant="sam", rho=0.1), Arm(variant="sam", rho=0.2), Arm())
    comparison = Comparison(name="two radii", recipe=Recipe(), arms=arms)
    assert list(comparison.labels.values()) == ["SAM-all (rho 0.1)", "SAM-all (rho 0.2)", "SGD"]


@pytest.mark.parametrize(
    ("arm", "key", "label"),
    [
        ({"epochs_factor": 2}, "sgd:x2", "SGD \u00d72"),
        ({"trained": "norm_only"}, "sgd:trained=norm_only", "SGD, only-norm"),
        (SAM | {"p": inf}, "sam:all:rho=0.1:p=inf", "SAM-all"),
        (SAM | {"mask": "fisher", "sparsity": 0.5}, "sam:all:rho=0.1:fisher=0.5", "SSAM-F"),
        (SAM | {"mask": "random", "sparsity": 0.9993}, "sam:all:rho=0.1:random=0.9993", "random mask"),
        (SAM | {"first_epoch": 3}, "sam:all:rho=0.1:epochs=3-", "SAM-all"),
        (SAM | {"first_epoch": 3, "last_epoch": 8}, "sam:all:rho=0.1:epochs=3-8", "SAM-all"),
        (SAM | {"trained": "fix_norm"}, "sam:all:rho=0.1:trained=fix_norm", "SAM-all, fix-norm"),
    ],
)
def test_every_setting_of_an_arm_shows_in_its_key_and_survives_json(arm: dict, key: str, label: str) -> None:
    data = quick() | {"arms": [arm]}
    (read,) = Comparison.from_json(json.dumps(data | {"arms": [Arm.from_dict(arm).to_dict()]})).arms
    assert read == Arm.from_dict(arm)
    assert (read.key, read.label) == (key, label)


def test_keys_of_stored_arms_stay() -> None:
    """Rows are stored under them."""
    arms = PRESETS["quick"].comparison.arms
    assert [arm.key for arm in arms] == ["sgd", "sam:all:rho=0.1", "sam:norm_only:rho=0.5", "sam:no_norm:rho=0.1"]
    assert Arm(variant="fisher", rho=1, eta=0.5).key == "fisher:all:rho=1:eta=0.5"


def test_arms_of_one_label_are_told_apart_by_whatever_differs() -> None:
    arms = tuple(
        Arm(variant="sam", rho=0.1, **more)
        for more in ({}, {"eta": 0.5}, {"p": inf}, {"first_epoch": 3}, {"last_epoch": 5})
    )
    comparison = Comparison(name="windows", recipe=Recipe(), arms=arms)
    assert list(comparison.labels.values()) == [
        "SAM-all (rho 0.1)",
        "SAM-all (rho 0.1, eta 0.5)",
        "SAM-all (rho 0.1, p inf)",
        "SAM-all (rho 0.1, from epoch 3)",
        "SAM-all (rho 0.1, epochs 1 to 5)",
    ]


def test_the_progress_counts_the_steps_of_every_arm() -> None:
    recipe = Recipe(train_size=100, batch_size=10, epochs=3)
    comparison = Comparison(name="twice", recipe=recipe, arms=(Arm(epochs_factor=2), Arm(variant="sam", rho=0.1)))
    assert comparison.epochs == 6
    assert [comparison.progress(step) for step in (0, 30, 45, 60)] == pytest.approx([0, 2 / 3, 75 / 90, 1])


def test_sizes_count_within_the_chosen_classes_and_beside_what_is_held_out() -> None:
    whole = Recipe(classes=("ring", "disc"), validation_size=100)
    assert (whole.class_names, whole.images, whole.test_images) == (("ring", "disc"), 700, 400)
    assert Recipe.from_dict(json.loads(json.dumps(whole.to_dict()))) == whole
    with pytest.raises(ValueError, match=r"^train_size must be a whole number from 10 to 700, but it is 701\.$"):
        replace(whole, train_size=701)
    with pytest.raises(ValueError, match=r"^classes must be one of disc, .*, but it is 'cat'\.$"):
        replace(whole, classes=("ring", "cat"))
    with pytest.raises(ValueError, match=r"^classes must differ from each other, but they are disc, disc\.$"):
        replace(whole, classes=("disc", "disc"))


def test_m_divides_the_batch() -> None:
    assert Recipe(batch_size=128, m=32).m == 32
    with pytest.raises(ValueError, match=r"^m must divide batch_size, 128, but it is 48\.$"):
        Recipe(batch_size=128, m=48)


def test_nesterov_is_for_sgd() -> None:
    with pytest.raises(ValueError, match=r"^nesterov is a form of SGD's momentum, but optimizer is adamw\.$"):
        Recipe(optimizer="adamw", nesterov=True)


def test_a_recipe_from_before_there_was_dropout_has_none() -> None:
    data = Recipe(dropout=0.5).to_dict()
    assert Recipe.from_dict(data).dropout == 0.5
    del data["dropout"]
    assert Recipe.from_dict(data) == Recipe()


def test_dropout_is_for_networks_that_samviz_knows() -> None:
    sentence = r"^dropout must be 0 for a network of one's own, which is taken as it is, but it is 0\.5\.$"
    with pytest.raises(ValueError, match=sentence):
        Recipe(network="mine:make", dropout=0.5)
    with pytest.raises(ValueError, match=r"^dropout must be a number from 0 to 0\.9, but it is 1\.$"):
        Recipe(dropout=1)


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("scope", SCOPES)
def test_every_method_has_a_radius_to_start_from(variant: str, scope: str) -> None:
    arm = Arm(variant=variant, scope=scope, rho=default_rho(variant, scope))
    assert Arm.from_dict(arm.to_dict()) == arm


@pytest.mark.parametrize(
    ("field", "value", "allowed"),
    [
        ("epochs", 10**9, "from 1 to 2000"),
        ("epochs", 0, "from 1 to 2000"),
        ("epochs", 2.5, "from 1 to 2000"),
        ("epochs", True, "from 1 to 2000"),
        ("epochs", "ten", "from 1 to 2000"),
        ("lr", -1, "from 0 to 100"),
        ("lr", nan, "from 0 to 100"),
        ("lr", inf, "from 0 to 100"),
        ("label_noise", 2, "from 0 to 0.95"),
        ("dataset", "imagenet", "builtin, cifar10"),
        ("dataset", ["builtin"], "builtin, cifar10"),
        ("network", "vgg", ", ".join(NETWORKS)),
        ("augmentation", None, "none, crop_flip, autoaugment"),
        ("schedule", "exponential", "cosine, linear, steps, constant"),
        ("classes", ["disc"], "a list of 2 to 10 entries"),
        ("validation_size", 5, "0 or a whole number from 10 to 3990"),
        ("validation_size", 3991, "from 0 to 3990"),
        ("cutout", 33, "from 0 to 32"),
        ("m", 1, "from 2 to 64"),
        ("m", 128, "from 2 to 64"),
        ("optimizer", "adam", "sgd, adamw"),
        ("decay_norm", 1, "true or false"),
        ("warmup_epochs", 13, "from 0 to 12"),
        ("precision", "fp16", "auto, fp32, bf16"),
        ("network", "os.system", "resnet8, "),
        ("network", "a b:c", "module:function"),
        ("train_size", 10**6, f"to {DATASETS['builtin'].train_size}"),
        ("batch_size", 1, "from 2 to 8192"),
        ("nesterov", "yes", "true or false"),
    ],
)
def test_a_wrong_recipe_field_is_named_with_its_value(field: str, value: object, allowed: str) -> None:
    data = quick()
    data["recipe"][field] = value
    with pytest.raises(ValueError, match=f"^{field} must be ") as caught:
        Comparison.from_dict(data)
    sentence = str(caught.value)
    assert repr(value) in sentence
    assert allowed in sentence
    assert "\n" not in sentence


@pytest.mark.parametrize(
    ("arm", "words"),
    [
        ({"variant": "sam", "rho": -1}, "rho must be a number from 0 to 100, but it is -1"),
        ({"variant": "sam", "rho": nan}, "rho must be a number from 0 to 100, but it is nan"),
        ({"variant": "sam"}, "rho must be a number above 0"),
        ({"variant": "sma", "rho": 0.1}, "variant must be one of none, sam, "),
        ({"variant": "sam", "rho": 0.1, "scope": "norm"}, "scope must be one of all, norm_only, no_norm"),
        ({"variant": "sam", "rho": 0.1, "eta": -0.5}, "eta must be a number from 0 to 100, but it is -0.5"),
        ({"scope": "norm_only"}, "takes no scope, rho, eta, p, mask, sparsity, first_epoch or last_epoch"),
        ({"rho": 0.1}, "takes no scope, rho"),
        ({"first_epoch": 3}, "takes no scope, rho"),
        (SAM | {"p": 0.5}, "p must be a number from 1 on, or inf, but it is 0.5"),
        (SAM | {"p": nan}, "p must be a number from 1 on, or inf, but it is nan"),
        (SAM | {"p": True}, "p must be a number from 1 on, or inf, but it is True"),
        (SAM | {"mask": "top", "sparsity": 0.5}, "mask must be one of random, fisher, dynamic, but it is 'top'"),
        (SAM | {"mask": "fisher"}, "mask and sparsity must be given together"),
        (SAM | {"sparsity": 0.5}, "mask and sparsity must be given together"),
        (SAM | {"mask": "fisher", "sparsity": 1}, "sparsity must be a number of at least 0 and below 1"),
        (SAM | {"mask": "fisher", "sparsity": 0.5, "scope": "no_norm"}, "scope must be all where there is a mask"),
        (SAM | {"first_epoch": 0}, "first_epoch must be a whole number from 1"),
        (SAM | {"first_epoch": 5, "last_epoch": 4}, "last_epoch must be a whole number from 5"),
        (SAM | {"first_epoch": 13}, "first_epoch must be at most 12, the epochs of SAM-all, but it is 13"),
        (SAM | {"trained": "fix_norm", "scope": "norm_only"}, "scope must hold parameters that train"),
        (SAM | {"trained": "norm_only", "scope": "no_norm"}, "scope must hold parameters that train"),
        ({"trained": "none"}, "trained must be one of all, fix_norm, norm_only"),
        ({"epochs_factor": 0}, "epochs_factor must be a whole number from 1 to 10"),
        ({"epochs_factor": 1.5}, "epochs_factor must be a whole number from 1 to 10"),
        ({"variant": "sam", "rho": 0.1, "radius": 1}, "arm has no field 'radius'"),
        ("sam", "arm must be an object"),
    ],
)
def test_a_wrong_arm_is_named_with_its_value(arm: object, words: str) -> None:
    with pytest.raises(ValueError, match=r"^[^\n]*$") as caught:
        Comparison.from_dict(quick() | {"arms": [arm]})
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"arms": []}, "arms must be a list of 1 to 12 entries, but it is []"),
        ({"arms": [{}, {}]}, "SGD is there twice"),
        (
            {"arms": [{"variant": "sam", "rho": 0.1}, {"variant": "sam", "rho": 0.10}]},
            "SAM-all (rho 0.1) is there twice",
        ),
        ({"seeds": []}, "seeds must be a list of 1 to 20 entries"),
        ({"seeds": [1, 1]}, "seeds must differ from each other, but they are [1, 1]"),
        ({"seeds": [-1]}, "seed must be a whole number from 0 to 2147483647, but it is -1"),
        ({"seeds": 3}, "seeds must be a list"),
        ({"name": " "}, "name must be a line of 1 to 80 characters"),
        ({"name": "x" * 81}, "name must be a line of 1 to 80 characters"),
        ({"name": "a\nb"}, "name must be a line of 1 to 80 characters"),
        ({"recipe": None}, "recipe must be an object"),
        ({"recipe": {"epoch": 3}}, "recipe has no field 'epoch'"),
        ({"extra": 1}, "comparison has no field 'extra'"),
    ],
)
def test_a_wrong_comparison_is_refused_in_one_sentence(change: dict, words: str) -> None:
    with pytest.raises(ValueError, match=r"^[^\n]*$") as caught:
        Comparison.from_dict(quick() | change)
    assert words in str(caught.value)


@pytest.mark.parametrize("field", ["name", "recipe", "arms"])
def test_a_missing_field_is_named(field: str) -> None:
    data = quick()
    del data[field]
    with pytest.raises(ValueError, match=f"must have the field {field}"):
        Comparison.from_dict(data)


@pytest.mark.parametrize("text", ["", "{", "not json", "[" * 100_000])
def test_a_text_that_is_no_json_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"^The recipe must be a JSON text"):
        Comparison.from_json(text)


def test_nan_in_a_recipe_file_is_refused() -> None:
    text = json.dumps(quick()).replace('"lr": 0.1', '"lr": NaN')
    with pytest.raises(ValueError, match="lr must be a number from 0 to 100, but it is nan"):
        Comparison.from_json(text)


def test_a_batch_larger_than_the_data_is_refused() -> None:
    with pytest.raises(ValueError, match="batch_size must be at most the number of train images, 100, but it is 128"):
        replace(Recipe(), train_size=100)
