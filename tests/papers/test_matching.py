"""One's own runs beside the papers' cells: which cell is the closest, and that every difference is told."""

from dataclasses import fields

import pytest

from samviz.papers.matching import best_table, differences, matches, recipe_differences, shared
from samviz.papers.tables import table
from samviz.spec import PRESETS, Arm, Recipe
from tests.papers.known import ON, SAM, changed, header

ASAM_ARMS = PRESETS["asam"].comparison.arms


def own(paper: str, number: int, **more: object) -> dict[str, tuple[str, ...]]:
    """Arm key -> differences from the closest cell of a table."""
    return {match.arm: match.differences for match in matches(header(**more), paper, number)}


def test_the_paper_s_own_recipe_differs_in_what_samviz_has_not() -> None:
    told = own("asam", 2, arms=ASAM_ARMS)
    assert len(told) == 3
    resize = "without random resize, of which the paper gives no range, before crop and flip"
    assert set(told.values()) == {(resize,)}


def test_the_closest_cell_has_the_same_network_and_noise() -> None:
    found = matches(header(ASAM_ARMS), "asam", 2)
    assert {match.cell["network"] for match in found} == {"resnet20"}
    noisy = header(ASAM_ARMS, changed(network="resnet32", label_noise=0.4), seeds=3)
    (plain, *_) = matches(noisy, "asam", 6)
    assert (plain.cell["label_noise"], plain.cell["cell"]) == (0.4, "87.68±0.05")
    assert plain.source == "ASAM Table 6"
    small = header([SAM], changed(network="resnet8"))
    assert matches(small, "asam", 2)[0].cell["network"] == "resnet20"  # of its family, the closest in size


DIFFERENT = [
    ({"epochs": 30}, "30 epochs, not 200"),
    ({"network": "resnet32"}, "ResNet-32, not ResNet-20"),
    ({"train_size": 2000}, "2000 train images of 50000"),
    ({"test_size": 500}, "500 test images of 10000"),
    ({"validation_size": 5000}, "5000 train images held out"),
    ({"label_noise": 0.4}, "40 % label noise, not 0 %"),
    ({"augmentation": "none"}, "augmentation none, not crop and flip"),
    ({"cutout": 8}, "cutout of 8 pixels"),
    ({"batch_size": 64}, "batches of 64, not 128"),
    ({"m": 32}, "m = 32, not the whole batch"),
    ({"optimizer": "adamw"}, "AdamW, not SGD"),
    ({"lr": 0.05}, "learning rate 0.05, not 0.1"),
    ({"momentum": 0.8}, "momentum 0.8, not 0.9"),
    ({"nesterov": True}, "Nesterov momentum"),
    ({"dropout": 0.25}, "dropout 0.25"),
    ({"weight_decay": 1e-4}, "weight decay 0.0001, not 0.0005"),
    ({"decay_norm": False}, "no weight decay of γ and β"),
    ({"schedule": "constant"}, "constant, not cosine to zero"),
    ({"warmup_epochs": 5}, "5 epochs of warm-up"),
    ({"label_smoothing": 0.0}, "label smoothing 0, not 0.1"),
    ({"classes": ("cat", "dog")}, "2 of its 10 classes"),
    ({"extended": (100,)}, "given more epochs after its end"),
]


@pytest.mark.parametrize(("change", "told"), DIFFERENT, ids=[next(iter(change)) for change, _ in DIFFERENT])
def test_every_change_of_the_recipe_is_told(change: dict, told: str) -> None:
    rows = table("asam", 2).to_dict("records")
    (row,) = [row for row in rows if (row["network"], row["label"]) == ("resnet20", "SAM-all")]
    before = set(differences(header([SAM]), SAM, row))
    assert set(differences(header([SAM], changed(**change)), SAM, row)) - before == {told}


def test_no_field_of_a_recipe_is_forgotten() -> None:
    elsewhere = {"dataset", "precision"}
    assert {next(iter(change)) for change, _ in DIFFERENT} | elsewhere == {field.name for field in fields(Recipe)}


def test_what_the_images_were_is_told() -> None:
    jpeg = own("sam-on", 11, arms=[SAM], label="CIFAR-10 (JPEG copy)", seeds=3)[SAM.key]
    assert "CIFAR-10 (JPEG copy), not the official files" in jpeg
    shapes = own("sam-on", 11, arms=[SAM], label="Built-in shapes", recipe=changed(dataset="builtin"), seeds=3)[SAM.key]
    assert "Built-in shapes, not CIFAR-10" in shapes


def test_what_an_arm_has_otherwise_is_told() -> None:
    arm = Arm(variant="elementwise_l2_orig", rho=0.2, eta=0.1, first_epoch=3)
    told = own("asam", 2, arms=[arm])[arm.key]
    assert {"ρ 0.2, not 0.5", "η 0.1, not 0.01", "ascent from epoch 3 only"} <= set(told)
    mask = Arm(variant="sam", rho=0.2, mask="fisher", sparsity=0.6)
    (match,) = matches(header([mask], changed(dataset="cifar100"), label="CIFAR-100"), "sam-on", 6)
    assert match.cell["sparsity"] == 0.5
    assert "60 % sparse, not 50 %" in match.differences
    assert "ρ" in match.unnamed


def test_an_arm_whose_method_is_in_no_table_has_no_match() -> None:
    other = Arm(variant="filterwise_l2", rho=0.5)
    assert matches(header([other, Arm(variant="sam", scope="no_norm", rho=0.1)])) == []
    fixed = Arm(variant="sam", rho=0.1, trained="fix_norm")
    assert matches(header([fixed])) == []
    only = Arm(variant="sam", rho=0.05, trained="norm_only")
    assert {match.source for match in matches(header([only]))} == {"SAM-ON Table 13"}


def test_the_base_optimizer_is_that_of_the_recipe() -> None:
    vit = changed(PRESETS["sam_on_vit"].comparison.recipe)
    assert {match.source for match in matches(header([Arm()], vit))} == {"SAM-ON Table 3"}


def test_the_best_table_has_the_most_arms() -> None:
    found = matches(header([Arm(), SAM, ON]))
    assert best_table(found) == ("sam-on", 11)
    assert best_table([]) is None
    theirs = [match for match in found if (match.cell["paper"], match.cell["table"]) == ("sam-on", 11)]
    common = shared(theirs)
    assert "ResNet-20, not ResNet-56" in common
    assert all("ρ" not in one for one in common)


def test_what_the_paper_does_not_name_is_told_apart_from_what_differs() -> None:
    (match,) = matches(header([SAM], machine={"device": "cpu", "precision": "bf16"}), "sam-on", 11)
    assert match.unnamed == ("batches of 128", "precision bf16")


def test_a_figure_s_network_need_not_be_in_the_table() -> None:
    told = recipe_differences(header([SAM], changed(network="resnet18")), "sam-on", 11, network="resnet18", n=None)
    assert not [one for one in told if "ResNet" in one or "seed" in one]


def test_a_figure_without_a_data_set_says_so_and_compares_no_images() -> None:
    told = recipe_differences(header([SAM], changed(network="resnet18")), "asam", 2, network="resnet18", dataset=None)
    assert any("names no data set" in text for text in told)
    assert not any("None" in text or "train images" in text for text in told)
