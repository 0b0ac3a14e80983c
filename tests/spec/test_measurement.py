"""What can be measured, as data: round trips through JSON, and one sentence for everything that is wrong."""

import json
from math import inf

import pytest

from samviz.spec import measurement
from samviz.spec.measure import Measure
from samviz.spec.measurement import RescalingOf, SharpnessOf, SliceOf, factors_up_to

SPHERE, CUBE = Measure(variant="sam", rho=0.1, search="one_step"), Measure(p=inf)
ALL = (
    SharpnessOf(arms=("sgd", "sam"), measures=(SPHERE, CUBE), images=256, m=64),
    RescalingOf(arm="sgd", measures=(SPHERE,), factors=(0.5, 1.0, 2.0), seams=("after_norm",), spread="nodes"),
    SliceOf(arm="sgd", directions=("line", "gradient"), other="sam", regions=(SPHERE,), statistics="interpolated"),
    SliceOf(arm="sgd", directions=("random",), reach=0.5),
)


@pytest.mark.parametrize("asked", ALL, ids=lambda asked: asked.kind)
def test_a_measurement_survives_json(asked: measurement.Measurement) -> None:
    assert measurement.from_json(json.dumps(measurement.to_dict(asked))) == asked


def test_what_is_left_out_has_its_default() -> None:
    found = measurement.from_dict({"kind": "slice", "arm": "sgd"})
    assert found == SliceOf(arm="sgd")
    assert Measure.from_dict({}) == Measure()
    assert Measure().model.p == inf


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ([], "measurement must be an object with named fields, but it is []."),
        ({"kind": "hessian"}, "kind must be one of sharpness, rescaling, slice, but it is 'hessian'."),
        ({"kind": "slice"}, "A measurement of the kind slice must have the field arm, but it has not."),
        ({"kind": "slice", "arm": "a", "colour": 1}, "measurement has no field 'colour'"),
        ({"kind": "slice", "arm": "a", "directions": ["line"]}, "other must be an arm where there is a line"),
        ({"kind": "slice", "arm": "a", "other": "b"}, "other must be an arm where there is a line"),
        (
            {"kind": "slice", "arm": "a", "directions": ["line", "random"], "other": "a"},
            "other must be another arm than that which the line begins at, but it is 'a'.",
        ),
        ({"kind": "slice", "arm": "a", "directions": ["gradient"] * 2}, "directions must be two different ones"),
        ({"kind": "slice", "arm": "a", "statistics": "interpolated"}, "statistics must be kept or estimated"),
        ({"kind": "slice", "arm": "a", "reach": 0}, "reach must be a number from 1e-06 to 100"),
        ({"kind": "rescaling", "arm": "a", "measures": [{}], "factors": [2, 1]}, "factors must be numbers that rise"),
        ({"kind": "rescaling", "arm": "a", "measures": [{}], "factors": [0]}, "factors must be a number from 0.0001"),
        ({"kind": "rescaling", "arm": "a", "measures": []}, "measures must be a list of 1 to 40 entries"),
        ({"kind": "sharpness", "arms": ["a"], "measures": [{}, {}]}, "measures must differ from each other"),
        ({"kind": "sharpness", "arms": ["a"], "measures": [{"p": 3}]}, "p must be 2 or inf, but it is 3."),
        ({"kind": "sharpness", "arms": ["a"], "measures": [{"rho": -1}]}, "rho must be a number from 0 to 100"),
        ({"kind": "sharpness", "arms": ["a"], "measures": [{}], "images": 10, "m": 11}, "m must be a whole number"),
    ],
)
def test_what_is_wrong_is_one_sentence(data: object, sentence: str) -> None:
    with pytest.raises(ValueError, match=r"must|has no") as caught:
        measurement.from_dict(data)
    assert str(caught.value).startswith(sentence)
    assert "\n" not in str(caught.value)


def test_factors_are_even_in_their_logarithm() -> None:
    assert factors_up_to(100, 2) == (0.01, 0.1, 1.0, 10.0, 100.0)
    with pytest.raises(ValueError, match=r"most must be a number from 1\.01"):
        factors_up_to(1)


def test_labels_tell_the_region_and_the_search() -> None:
    assert SPHERE.label == "sphere, p = 2, ρ 0.1: 1 step"
    assert Measure(variant="elementwise_l2", eta=0.01, rho=0.5, scope="norm_only", steps=7).label == (
        "elementwise, p = 2, ρ 0.5, η 0.01, ON: AutoPGD, 7 steps"
    )
