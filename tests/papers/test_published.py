"""The papers' figures: all fourteen, each with the page that draws it or with recipes that have what it shows."""

from pathlib import Path

import pytest

from samviz.papers.published import FIGURES, Figure, figure
from samviz.spec import PRESETS, RADII, Arm, Comparison, Sweep
from samviz.ui.compare_choice import Choice
from tests.papers.known import ON, SAM, changed, header

PAGES = Path(__file__).parents[2] / "pages"


def test_all_figures_are_there_in_their_order() -> None:
    assert [(one.paper, one.number) for one in FIGURES] == [("asam", n) for n in range(1, 5)] + [
        ("sam-on", n) for n in range(1, 11)
    ]


@pytest.mark.parametrize("one", FIGURES, ids=lambda one: one.key)
def test_each_is_drawn_by_a_page_or_has_a_recipe(one: Figure) -> None:
    assert (PAGES / f"{one.page}.py").is_file()
    if not one.of:
        assert (one.needs, one.recipes) == ((), ())
        return
    assert one.recipes
    for work in one.recipes:
        spec = type(work).from_json(work.to_json())
        assert spec == work
    if one.needs:
        bases = [work.base if isinstance(work, Sweep) else work for work in one.recipes]
        assert any(one.drawn_by(base) for base in bases)
        assert all(isinstance(work, Sweep) == (one.of == "sweep") for work in one.recipes)


@pytest.mark.parametrize("one", [one for one in FIGURES if one.page == "compare"], ids=lambda one: one.key)
def test_the_state_of_the_compare_page_is_one_that_it_reads(one: Figure) -> None:
    choice = Choice.from_query({name: [text.format(id="7")] for name, text in one.query})
    assert (choice.sweeps or choice.comparisons) == ("7",)
    assert (choice.view == "rho") == (one.of == "sweep")


def test_recipes_take_the_paper_s_settings() -> None:
    (sweep,) = figure("sam-on", 1).recipes
    recipe = sweep.base.recipe
    assert (recipe.network, recipe.dataset, recipe.augmentation) == ("wrn28_10", "cifar100", "crop_flip")
    assert (recipe.epochs, recipe.lr, recipe.weight_decay, recipe.label_smoothing) == (200, 0.1, 5e-4, 0.1)
    searched = {rho for scope in ("all", "norm_only") for rho in RADII["sam", scope, "cifar100", "resnet"].searched}
    assert set(sweep.rho) == searched
    (vit,) = figure("sam-on", 2).recipes
    assert (vit.base.recipe.optimizer, vit.base.recipe.batch_size, vit.base.recipe.augmentation) == (
        "adamw", 64, "autoaugment",
    )  # fmt: skip
    (asam,) = figure("asam", 4).recipes
    assert (asam.rho[0], asam.rho[-1], len(asam.rho)) == (5e-5, 2.0, 15)
    assert len(figure("sam-on", 6).recipes) == 6


def test_a_comparison_draws_a_figure_if_it_has_all_its_arms() -> None:
    gamma = figure("sam-on", 4)
    assert gamma.drawn_by(PRESETS["quick"].comparison)
    assert not gamma.drawn_by(Comparison(name="Alone", recipe=changed(), arms=(Arm(), SAM)))
    assert not figure("asam", 2).drawn_by(PRESETS["quick"].comparison)


def test_what_sets_a_comparison_apart_from_a_figure_is_told() -> None:
    told = figure("sam-on", 4).differences(header([SAM, ON], changed(epochs=30)))
    assert told[:2] == ("ResNet-20, not WRN-28-10", "CIFAR-10, not CIFAR-100")
    assert "30 epochs, not 200" in told
    assert not any("seed" in one for one in told)  # the text names no number of runs
