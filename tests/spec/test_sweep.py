"""Sweeps: the points of a grid, what a search varies, their JSON form, and one clear sentence for every wrong value."""

import json
from dataclasses import replace
from math import inf, nan

import pytest

from samviz.spec import PRESETS, Arm, Comparison, Recipe
from samviz.spec.grids import GRIDS
from samviz.spec.sweep import LONGEST_NAME, MOST_POINTS, Point, Sweep, parse_values

QUICK = replace(PRESETS["quick"].comparison, seeds=(0, 1))
SGD, ALL, ON, NO_NORM = (arm.key for arm in QUICK.arms)


def grid(**changes) -> Sweep:
    return Sweep(**{"name": "Radii", "base": QUICK, "rho": (0.05, 0.1, 0.2), "lr": (0.05, 0.1)} | changes)


def search(**changes) -> Sweep:
    return grid(**{"rho": (0.01, 1), "lr": (0.01, 0.5), "search": "optuna", "trials": 20} | changes)


def test_a_grid_has_every_combination_and_the_base_optimizer_once_for_each_learning_rate() -> None:
    sweep = grid()
    climbing = (ALL, ON, NO_NORM)
    assert sweep.points() == tuple(
        Point(lr=lr, rho=rho, arms=(SGD,) if rho is None else climbing)
        for lr in (0.05, 0.1)
        for rho in (None, 0.05, 0.1, 0.2)
    )
    assert (sweep.size, sweep.runs) == (8, 16)


def test_arms_with_an_ascent_stay_in_one_comparison_that_shares_all_else() -> None:
    sweep = grid()
    both = [sweep.comparison(point) for point in sweep.points()[:2]]
    assert [comparison.name for comparison in both] == ["Radii: lr 0.05, SGD", "Radii: lr 0.05, rho 0.05"]
    assert [arm.key for arm in both[0].arms] == ["sgd"]
    assert [arm.key for arm in both[1].arms] == ["sam:all:rho=0.05", "sam:norm_only:rho=0.05", "sam:no_norm:rho=0.05"]
    for comparison in both:
        assert comparison.recipe == replace(QUICK.recipe, lr=0.05)
        assert comparison.seeds == (0, 1)
    assert sweep.arms(sweep.points()[1])[ON] == Arm(variant="sam", scope="norm_only", rho=0.05)


def test_without_radii_each_arm_keeps_its_own_and_all_stay_together() -> None:
    sweep = grid(rho=())
    assert sweep.points() == tuple(Point(lr=lr, rho=None, arms=(SGD, ALL, ON, NO_NORM)) for lr in (0.05, 0.1))
    assert sweep.comparison(sweep.points()[0]).arms == QUICK.arms
    assert sweep.comparison(sweep.points()[0]).name == "Radii: lr 0.05"


def test_without_learning_rates_the_recipes_is_kept() -> None:
    assert {point.lr for point in grid(lr=()).points()} == {QUICK.recipe.lr}


def test_a_grid_varies_further_fields_of_the_recipe() -> None:
    sweep = grid(rho=(0.1,), lr=(0.05,), batch_size=(32, 64), weight_decay=(0, 0.001), dropout=(0.25,))
    assert sweep.axes == ("lr", "rho", "batch_size", "weight_decay", "dropout")
    assert sweep.size == 2 * 2 * len([None, 0.1])
    combined = [(point.batch_size, point.weight_decay, point.dropout) for point in sweep.points()[::2]]
    assert combined == [(32, 0, 0.25), (32, 0.001, 0.25), (64, 0, 0.25), (64, 0.001, 0.25)]
    comparison = sweep.comparison(sweep.points()[-1])
    assert comparison.recipe == replace(QUICK.recipe, lr=0.05, batch_size=64, weight_decay=0.001, dropout=0.25)
    assert comparison.name == "Radii: lr 0.05, rho 0.1, batch 64, wd 0.001, dropout 0.25"
    alone = Sweep(name="Dropout", base=QUICK, dropout=(0, 0.5))
    assert [point.settings for point in alone.points()] == [{"lr": 0.1, "dropout": 0}, {"lr": 0.1, "dropout": 0.5}]


def test_what_was_stored_before_there_were_further_fields_still_reads() -> None:
    old = {"lr": 0.1, "rho": None, "arms": [SGD]}
    assert Point.from_dict(old) == Point(lr=0.1, rho=None, arms=(SGD,))
    data = grid().to_dict()
    del data["batch_size"], data["weight_decay"], data["dropout"], data["base"]["recipe"]["dropout"]
    assert Sweep.from_dict(data) == grid()


def test_the_preset_grid_is_that_of_asams_table() -> None:
    sweep = GRIDS["gap"].sweep
    assert sweep.axes == ("lr", "batch_size", "weight_decay", "dropout")
    assert [arm.key for arm in sweep.base.arms] == ["sgd"]
    assert len({sweep.comparison(point).recipe for point in sweep.points()}) == sweep.size == 3**4
    assert max(len(sweep.comparison(point).name) for point in sweep.points()) < 80


def test_a_search_varies_what_an_arm_has() -> None:
    sweep = search()
    assert sweep.points() == ()
    assert sweep.ranges(ON) == {"lr": (0.01, 0.5), "rho": (0.01, 1)}
    assert sweep.ranges(SGD) == {"lr": (0.01, 0.5)}
    assert (sweep.size, sweep.runs) == (80, 160)
    fixed = search(lr=())
    assert (fixed.ranges(SGD), fixed.budget(SGD), fixed.budget(ALL)) == ({}, 1, 20)
    assert fixed.size == 61
    point = Point(lr=0.1234, rho=0.05678, arms=(NO_NORM,))
    assert sweep.comparison(point).name == "Radii: lr 0.1234, rho 0.05678, SAM no-norm"
    assert sweep.comparison(point).arms == (Arm(variant="sam", scope="no_norm", rho=0.05678),)


def test_names_of_points_fit_and_tell_the_values() -> None:
    arms = (Arm(variant="elementwise_l2_orig", scope="no_norm", trained="fix_norm", rho=1, epochs_factor=2), Arm())
    sweep = search(name="x" * LONGEST_NAME, base=replace(QUICK, arms=arms))
    name = sweep.comparison(Point(lr=0.000012345, rho=0.00012345, arms=(arms[0].key,))).name
    assert len(name) == 80
    assert "lr 1.2345e-05, rho 0.00012345, ASAM" in name


def test_labels_tell_no_radius_where_it_is_swept() -> None:
    arms = (
        Arm(variant="sam", rho=0.1),
        Arm(variant="sam", rho=0.1, eta=0.5),
        Arm(variant="sam", rho=0.2, first_epoch=2),
        Arm(),
    )
    base = replace(QUICK, arms=arms)
    assert list(grid(base=base).labels.values()) == ["SAM-all", "SAM-all (eta 0.5)", "SAM-all (from epoch 2)", "SGD"]
    assert grid(base=base, rho=()).labels == base.labels


@pytest.mark.parametrize(
    "sweep", [grid(), grid(rho=()), grid(lr=(), dropout=(0, 0.5)), search(seed=7), GRIDS["gap"].sweep]
)
def test_a_sweep_and_its_points_survive_json(sweep: Sweep) -> None:
    assert Sweep.from_json(sweep.to_json()) == sweep
    assert Sweep.from_dict(json.loads(sweep.to_json())).comparison is not None
    for point in (*sweep.points(), Point(lr=0.1, rho=0.3, arms=(ALL,))):
        assert Point.from_dict(json.loads(json.dumps(point.to_dict()))) == point


def test_lists_as_json_has_them_are_taken() -> None:
    short = {"name": "Radii", "base": QUICK.to_dict(), "rho": [0.1, 1]}
    assert Sweep.from_dict(short) == Sweep(name="Radii", base=QUICK, rho=(0.1, 1.0))


@pytest.mark.parametrize(
    ("make", "changes", "sentence"),
    [
        (grid, {"name": " "}, "name must be a line of 1 to 40 characters, but it is ' '."),
        (grid, {"name": "x" * 41}, f"name must be a line of 1 to 40 characters, but it is '{'x' * 41}'."),
        (grid, {"base": None}, "base must be a comparison, but it is NoneType."),
        (grid, {"rho": (0.1, 0)}, "rho must be a number above 0 and up to 100, but it is 0."),
        (grid, {"rho": (0.1, -1)}, "rho must be a number above 0 and up to 100, but it is -1."),
        (grid, {"rho": (nan,)}, "rho must be a number above 0 and up to 100, but it is nan."),
        (grid, {"lr": (inf,)}, "lr must be a number from 0 to 100, but it is inf."),
        (grid, {"lr": ("0.1",)}, "lr must be a number from 0 to 100, but it is '0.1'."),
        (grid, {"lr": (True,)}, "lr must be a number from 0 to 100, but it is True."),
        (grid, {"lr": 0.1}, "lr must be a list of 0 to 50 entries, but it is 0.1."),
        (grid, {"rho": (0.1, 0.1)}, "rho must have values that differ from each other, but they are [0.1, 0.1]."),
        (
            grid,
            {"rho": (), "lr": ()},
            "rho or lr must have values to sweep over, or one of batch_size, weight_decay, dropout, but all are empty.",
        ),
        (grid, {"dropout": (0, 1)}, "dropout must be a number from 0 to 0.9, but it is 1."),
        (grid, {"batch_size": (64, 32.5)}, "batch_size must be a whole number from 2 to 8192, but it is 32.5."),
        (
            grid,
            {"base": replace(QUICK, recipe=replace(QUICK.recipe, m=32)), "batch_size": (64, 48)},
            "m must divide batch_size, 48, but it is 32.",
        ),
        (
            grid,
            {"weight_decay": (0, 0.0)},
            "weight_decay must have values that differ from each other, but they are [0.0, 0.0].",
        ),
        (search, {"batch_size": (64,)}, "batch_size must be left out of a search, but it is [64]."),
        (grid, {"search": "random"}, "search must be one of grid, optuna, but it is 'random'."),
        (grid, {"trials": 20}, "trials must be left out of a grid, but it is 20."),
        (grid, {"seed": -1}, "seed must be a whole number from 0 to 2147483647, but it is -1."),
        (search, {"trials": None}, "trials must be a whole number from 1 to 200, but it is None."),
        (search, {"trials": 100}, "A sweep must have at most 200 comparisons, but these are 400."),
        (search, {"rho": (0.1,)}, "rho must be the lowest and the highest value of a search, but it is [0.1]."),
        (search, {"lr": (0.5, 0.1)}, "lr must be the lowest and the highest value of a search, but it is [0.5, 0.1]."),
        (
            grid,
            {"base": replace(QUICK, arms=(Arm(),))},
            "rho must be left empty where no arm has an ascent, but it is [0.05, 0.1, 0.2].",
        ),
        (
            grid,
            {"base": replace(QUICK, arms=(Arm(variant="sam", rho=0.1), Arm(variant="sam", rho=0.2)))},
            "arms must differ in more than rho, which is swept, but SAM-all is there twice.",
        ),
        (
            grid,
            {"rho": tuple(k / 100 for k in range(1, 51)), "lr": (0.1, 0.2, 0.3, 0.4)},
            "A sweep must have at most 200 comparisons, but these are 204.",
        ),
    ],
)
def test_a_wrong_value_is_one_sentence(make, changes: dict, sentence: str) -> None:
    with pytest.raises(ValueError) as error:  # noqa: PT011
        make(**changes)
    assert str(error.value) == sentence


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{", "The sweep must be a JSON text, but it could not be read: "),
        ("[]", "sweep must be an object with named fields, but it is []."),
        ('{"name": "x"}', "sweep must have the field base, but it has name."),
        ('{"name": "x", "base": {}, "eta": 1}', "sweep has no field 'eta': it has name, base, rho"),
    ],
)
def test_a_file_that_is_no_sweep_is_one_sentence(text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match="sweep") as error:
        Sweep.from_json(text)
    assert str(error.value).startswith(sentence)


def test_a_point_of_other_arms_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^arms must be one of sgd, sam:all.*, but it is 'fisher'\.$"):
        grid().comparison(Point(lr=0.1, rho=None, arms=("fisher",)))
    with pytest.raises(ValueError, match=r"^point must have the field arms, but it has lr, rho\.$"):
        Point.from_dict({"lr": 0.1, "rho": None})
    with pytest.raises(ValueError, match=r"^rho must be a number above 0 and up to 100, but it is 0\.$"):
        Point.from_dict({"lr": 0.1, "rho": 0, "arms": [SGD]})


def test_the_largest_grid_stands_and_is_judged_by_what_is_held_out() -> None:
    recipe = Recipe(train_size=500, validation_size=100)
    base = Comparison(name="b", recipe=recipe, arms=(Arm(variant="sam", rho=0.1),))
    sweep = Sweep(name="x", base=base, rho=tuple(range(1, 51)), lr=(0.1, 0.2, 0.3, 0.4))
    assert sweep.size == MOST_POINTS
    assert sweep.judge == "validation_accuracy"
    assert grid().judge == "test_accuracy"


def test_values_are_read_from_text() -> None:
    assert parse_values("rho", " 0.05, 1e-3 ") == (0.05, 0.001)
    assert parse_values("rho", " ") == ()
    sizes = parse_values("batch_size", "32, 64")
    assert (sizes, type(sizes[0])) == ((32, 64), int)
    with pytest.raises(ValueError, match=r"^rho must be numbers with commas between them, but it is '0.1;0.2'\.$"):
        parse_values("rho", "0.1;0.2")
