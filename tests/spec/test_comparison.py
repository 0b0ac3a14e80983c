"""Recipes, arms and comparisons: their JSON form, and one clear sentence for every wrong value."""

import json
from dataclasses import replace
from math import inf, nan

import pytest

from samviz.spec import DATASETS, NETWORKS, PRESETS, SCOPES, Arm, Comparison, Recipe, default_rho
from samviz.variants import VARIANTS


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


def test_arms_that_share_a_label_are_told_apart_by_rho() -> None:
    arms = (Arm(variant="sam", rho=0.1), Arm(variant="sam", rho=0.2), Arm())
    comparison = Comparison(name="two radii", recipe=Recipe(), arms=arms)
    assert list(comparison.labels.values()) == ["SAM-all (rho 0.1)", "SAM-all (rho 0.2)", "SGD"]


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
        ("augmentation", None, "none, crop_flip"),
        ("schedule", "linear", "cosine, constant"),
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
        ({"scope": "norm_only"}, "takes no scope, rho or eta"),
        ({"rho": 0.1}, "takes no scope, rho or eta"),
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
        ({"arms": [{}, {}]}, "SGD (rho 0) is there twice"),
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
