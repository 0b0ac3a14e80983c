"""The ends of many paths at once: every kind on starts made for it, and the same ends as `descend` and `outcome`."""

from math import isnan

import numpy as np
import pytest

from samviz.toy import descend, ends, loss, outcome
from samviz.toy.ends import CHUNK, MOST_WORK
from samviz.toy.outcome import KINDS, NEAR, TAIL
from samviz.variants import VARIANTS

METHODS = [None, *VARIANTS]


def assert_the_same(starts: np.ndarray, variant: str | None, **settings) -> set[str]:
    """The ends of these starts (n, 2) are those of their paths; returns the kinds that were there."""
    path = descend(starts, variant, **settings)
    expected = outcome(path, settings["target"])
    found = ends(starts, variant, **settings)
    assert [KINDS[kind] for kind in found.kind] == [end.kind for end in expected]
    assert [None if isnan(step) else int(step) for step in found.step] == [end.step for end in expected]
    np.testing.assert_allclose(found.points, path.points[-1], rtol=0, atol=1e-12)
    with np.errstate(all="ignore"):
        tail = loss(path.points[-TAIL:], settings["target"]).mean(axis=0)
    np.testing.assert_allclose(found.loss, tail, rtol=1e-12, atol=1e-15)
    return {end.kind for end in expected}


@pytest.mark.parametrize(
    ("start", "variant", "settings", "kind"),
    [
        ((0.2, 0.05), "sam", {}, "valley"),
        ((0.2, 0.05), None, {"steps": 165}, "valley"),
        ((0.2, 0.05), None, {"steps": 164}, "moving"),
        ((0.3, 0.033), "sam", {}, "dead"),
        ((0.3, 0.033), "elementwise_l2", {"rho": 1.42}, "dead"),
        ((0.3, -0.1), None, {}, "dead"),
        ((-0.2, 0.1), None, {}, "dead"),
        ((0.9, 0.1), "elementwise_l2", {"rho": 0.5}, "oscillating"),
        ((0.2, 0.05), None, {"lr": 0.05}, "oscillating"),
        ((-1e308, 1e308), None, {"lr": 1000.0}, "diverged"),
        ((0.2, 0.05), "sam", {"lr": 0.0}, "moving"),
        ((0.1, 0.4), "elementwise_l2", {"rho": 0.5, "lr": 0.001, "steps": 10}, "valley"),
    ],
)
def test_each_kind_on_a_start_made_for_it(start: tuple, variant: str | None, settings: dict, kind: str) -> None:
    found = ends(start, variant, **{"rho": 0.05, "steps": 500, **settings})
    assert KINDS[found.kind] == kind
    assert found.points.shape == (2,)
    assert found.kind.shape == found.step.shape == found.loss.shape == ()


@pytest.mark.parametrize("variant", METHODS)
@pytest.mark.parametrize("seed", range(3))
def test_they_are_the_ends_of_the_paths(variant: str | None, seed: int) -> None:
    rng = np.random.default_rng(seed)
    seen = set()
    for steps in (1, 2, TAIL - 1, TAIL, TAIL + 1, 2 * TAIL + 3, 400):
        for _ in range(3):
            starts = rng.uniform(-0.3, 1.5, (40, 2))
            seen |= assert_the_same(
                starts,
                variant,
                rho=float(10 ** rng.uniform(-2, 0.3)),
                eta=float(rng.choice([0.0, 0.1, 1.0])),
                lr=float(10 ** rng.uniform(-3, 0.3)),
                lr_decay=float(rng.choice([0.0, 0.5, 1.0])),
                steps=steps,
                target=float(10 ** rng.uniform(-2, 0)),
            )
    assert {"valley", "dead", "oscillating", "moving"} <= seen


@pytest.mark.parametrize("variant", METHODS)
def test_they_are_the_ends_of_paths_beyond_all_bounds(variant: str | None) -> None:
    rng = np.random.default_rng(9)
    starts = rng.uniform(-1, 1, (60, 2)) * 10.0 ** rng.choice([2, 154, 300, 307], (60, 2))
    assert "diverged" in assert_the_same(
        starts, variant, rho=0.5, eta=0.1, lr=1000.0, lr_decay=0.0, steps=30, target=0.04
    )


def test_more_starts_than_walk_together_end_as_they_do_alone() -> None:
    starts = np.random.default_rng(1).uniform(-0.2, 0.9, (CHUNK + 7, 2))
    radii = np.random.default_rng(2).uniform(0, 0.2, len(starts))
    many = ends(starts, "sam", rho=radii, steps=60)
    for i in (0, 1, CHUNK - 1, CHUNK, CHUNK + 6):
        one = ends(starts[i], "sam", rho=float(radii[i]), steps=60)
        np.testing.assert_array_equal(many.points[i], one.points)
        assert many.kind[i] == one.kind
        np.testing.assert_array_equal(many.step[i], one.step)


@pytest.mark.parametrize("parameter", ["rho", "eta", "lr"])
def test_a_parameter_may_differ_from_start_to_start(parameter: str) -> None:
    values = np.array([0.001, 0.01, 0.02, 0.1])
    start, settings = (0.2, 0.06), {"rho": 0.3, "eta": 0.02, "lr": 0.01, "steps": 300, "lr_decay": 0.5}
    found = ends(np.broadcast_to(start, (2, 2, 2)), "elementwise_l2", **settings | {parameter: values.reshape(2, 2)})
    assert found.points.shape == (2, 2, 2)
    assert found.kind.shape == (2, 2)
    for i, value in enumerate(values.tolist()):
        path = descend(start, "elementwise_l2", **settings | {parameter: value})
        np.testing.assert_allclose(found.points.reshape(-1, 2)[i], path.points[-1], rtol=0, atol=1e-12)


def test_the_loss_is_that_of_the_whole_swing() -> None:
    path = descend((0.2, 0.05), None, lr=0.05, steps=500)
    found = ends((0.2, 0.05), None, lr=0.05, steps=500)
    assert path.loss[-TAIL:].min() < found.loss < path.loss[-TAIL:].max()
    assert ends((0.2, 0.05), None, steps=500).loss < 2 * NEAR


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"start": (0.2, float("nan"))}, "start must be finite numbers of shape (..., 2), but it is (0.2, nan)."),
        ({"variant": "adam"}, "variant must be one of sam, "),
        ({"rho": -1}, "rho must be a number from 0 to 1000, but it is -1."),
        ({"rho": np.array([0.1, -1.0])}, "rho must be a number from 0 to 1000, but it is -1.0."),
        ({"lr": np.array([0.1, np.nan])}, "lr must be a number from 0 to 1000, but it is nan."),
        ({"eta": 2000.0}, "eta must be a number from 0 to 1000, but it is 2000.0."),
        ({"steps": 0}, "steps must be a whole number from 1 to 100000, but it is 0."),
        ({"lr_decay": 2}, "lr_decay must be a number from 0 to 1, but it is 2."),
        ({"target": 0}, "target must be a number from 1e-06 to 1000, but it is 0."),
        (
            {"start": np.zeros((2000, 2)), "steps": 100_000},
            f"start must hold at most {MOST_WORK // 100_000} starts for 100000 steps, not 2000.",
        ),
    ],
)
def test_a_wrong_argument_is_one_sentence(arguments: dict, sentence: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the text is compared below
        ends(**{"start": np.full((2, 2), 0.2), "variant": "sam", **arguments})
    assert str(caught.value).startswith(sentence)
