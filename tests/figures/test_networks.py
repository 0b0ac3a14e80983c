"""The networks of a grid: which numbers are theirs, and which are missing."""

from dataclasses import replace
from math import isnan

import pytest

from samviz.figures.gap import MEASURES
from samviz.figures.networks import comparable, kinds_of, networks_of, varied
from samviz.spec import Arm
from samviz.spec.measure import Measure
from samviz.spec.measurement import SliceOf
from tests.figures.grid import BASE, EPOCHS, GRID, asked, loss, measured, members, networks, sharpness, told, view

KINDS = kinds_of(asked())


def test_the_gap_is_that_of_the_measured_weights_and_the_labs() -> None:
    found = networks()
    assert len(found) == 6
    for (point, _), network in zip(members(GRID), found, strict=True):
        assert (network.point, network.seed, network.arm) == (point, 0, "sgd")
        assert network.gap("loss", KINDS[0]) == pytest.approx(3 - loss(point))
        assert network.gap("accuracy", KINDS[0]) == 40.0
        assert network.sharpness == dict(zip(KINDS, sharpness(point), strict=True))
        assert network.known(KINDS)


def first(*views) -> tuple:
    """The networks where of the first comparison alone so much was asked."""
    return networks_of(GRID, members(GRID), told(GRID), {"1": list(views)})


def test_what_is_no_sharpness_of_the_trained_weights_does_not_count() -> None:
    before_the_end = {"epoch": EPOCHS - 1, "arms": {"sgd": [{"value": 1.0, "loss": 1.0}] * 4}}
    assert first(view(asked(), 0, (1.0,) * 4, 1.0, result=before_the_end)) == ()
    assert first(view(asked(), 0, (1.0,) * 4, 1.0, state="running", result=None)) == ()
    assert first(view(asked(("other",)), 0, (1.0,) * 4, 1.0)) == ()
    a_slice = SliceOf(arm="sgd", regions=(Measure(),), points=3)
    assert first(view(asked(), 0, (), 1.0, measurement=a_slice, result={"loss": []})) == ()


def test_several_questions_make_one_network_and_the_newest_answer_counts() -> None:
    newest, older = view(asked(measures=MEASURES[:2]), 0, (1.0, 2.0), 1.5), view(asked(), 0, (9.0,) * 4, 9.0)
    (network,) = first(newest, older)
    assert list(network.sharpness.values()) == [1.0, 2.0, 9.0, 9.0]
    assert network.gap("loss", KINDS[3]) == 1.5


def test_normalized_logits_tell_no_gap() -> None:
    published = asked(measures=(Measure(),))
    (network,) = first(view(published, 0, (1.0,), 2.3))
    (kind,) = kinds_of(published)
    assert network.sharpness == {kind: 1.0}
    assert isnan(network.gap("loss", kind))
    assert not network.known((kind,))
    (network,) = first(view(published, 0, (1.0,), 2.3), view(asked(), 0, (1.0,) * 4, 0.5))
    assert network.gap("loss", kind) == 2.5, "the train loss of the same images"
    assert isnan(network.gap("loss", replace(kind, images=64)))


def test_a_number_that_is_missing_is_not_known() -> None:
    spoiled = measured(GRID) | {"2": [view(asked(), 0, (1.0, None, 1.0, 1.0), 1.0)]}
    rows = [row for row in told(GRID) if row[0] != "4" or row[3] != "test_loss"]
    found = networks_of(GRID, members(GRID), rows, spoiled)
    assert [network.known(KINDS) for network in found] == [True, False, True, False, True, True]
    assert found[1].known(KINDS[2:])


def test_a_network_for_each_point_seed_and_arm() -> None:
    arms = (Arm(), Arm(variant="sam", rho=0.1))
    sweep = replace(GRID, base=replace(BASE, arms=arms, seeds=(0, 1)), rho=(0.1, 0.2))
    found = networks(sweep)
    assert len(found) == 6 * 2 * (1 + 2)
    assert len({(network.point, network.seed, network.arm) for network in found}) == len(found)
    assert {network.arm for network in found} == {arm.key for arm in arms}


def test_a_grid_over_two_hyper_parameters_can_be_compared() -> None:
    assert set(varied(GRID)) == {"batch_size", "lr"}, "of dropout there is one value"
    assert comparable(GRID)
    assert not comparable(replace(GRID, batch_size=(32,)))
    search = replace(GRID, lr=(0.1, 0.2), batch_size=(), dropout=(), search="optuna", trials=3)
    assert varied(search) == ()
