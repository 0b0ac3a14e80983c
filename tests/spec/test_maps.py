"""The settings of maps and sweeps: defaults, the steps that a detail allows, and sentences for wrong values."""

import pytest

from samviz.spec.maps import MapSettings, SweepSettings
from samviz.spec.trajectories import DETAILS, METHODS, SWEEPS, TRAJECTORY_FIELDS


def test_a_map_takes_the_pages_steps_as_far_as_its_detail_allows() -> None:
    assert MapSettings.from_query({}).steps == 500
    for detail, most in DETAILS.items():
        s = MapSettings.from_query({"detail": [str(detail)], "steps": ["10000"]})
        assert (s.n, s.steps) == (detail, most)
        assert detail * detail * most <= 80_000_000
    assert MapSettings.from_query({"steps": ["120"]}).steps == 120
    coarse = MapSettings.from_query({"detail": ["200"], "n": ["50"]})
    assert (coarse.n, coarse.steps) == (50, 500)


def test_the_settings_of_the_page_come_along() -> None:
    s = MapSettings.from_query(
        {"method": ["fisher"], "against": ["sgd"], "quantity": ["step"], "window": ["0,1,-0.5,0.5"], "lr": ["0.01"]}
    )
    assert (s.method, s.against, s.quantity, s.window) == ("fisher", "sgd", "step", (0, 1, -0.5, 0.5))
    assert s.page.values["lr"] == 0.01


def test_every_parameter_of_every_method_can_be_swept() -> None:
    swept = {SweepSettings.from_query({"sweep": [key]}).field.key for key in SWEEPS}
    assert swept == set(TRAJECTORY_FIELDS) - {"steps", "decay", "c"}
    assert {key.split(".")[1] for key in SWEEPS} == set(METHODS)
    s = SweepSettings.from_query({"sweep": ["lr.sgd"], "lr": ["0.02"]})
    assert (s.parameter, s.method, s.now) == ("lr", "sgd", 0.02)


@pytest.mark.parametrize(
    ("settings", "query", "sentence"),
    [
        (MapSettings, {"n": ["9"]}, "n must be a whole number from 10 to 200, but it is 9."),
        (MapSettings, {"n": ["100"], "detail": ["50"]}, "n must be a whole number from 10 to 50, but it is 100."),
        (MapSettings, {"n": ["1e2"]}, "n must be a whole number, but it is '1e2'."),
        (MapSettings, {"detail": ["1000"]}, "detail must be one of 50, 100, 200, 400, but it is 1000."),
        (MapSettings, {"method": ["adam"]}, "method must be one of sgd, sam, "),
        (MapSettings, {"against": ["adam"]}, "against must be one of none, sgd, sam, "),
        (
            MapSettings,
            {"quantity": ["color"]},
            "quantity must be one of kind, position, sharpness, step, but it is 'co",
        ),
        (MapSettings, {"window": ["0,1,0"]}, "window must be a list of 4 to 4 entries, but it is (0.0, 1.0, 0.0)."),
        (MapSettings, {"window": ["0,1,0,x"]}, "window must be x0,x1,y0,y1, but it is '0,1,0,x'."),
        (MapSettings, {"window": ["0,3,0,1"]}, "window must be a number from -2 to 2, but it is 3.0."),
        (MapSettings, {"window": ["0,nan,0,1"]}, "window must be a number from -2 to 2, but it is nan."),
        (MapSettings, {"window": ["1,0,0,1"]}, "window must be x0,x1,y0,y1 with x0 < x1 and y0 < y1, but it is (1.0, "),
        (MapSettings, {"n": ["50", "50"]}, "n must be given once, but it is given 2 times."),
        (MapSettings, {"lr": ["-1"]}, "lr must be a number from 0.0001 to 1, but it is -1.0."),
        (MapSettings, {"grid": ["50"]}, "The address of the Trajectories page has no field 'grid'"),
        (SweepSettings, {"sweep": ["eta.sam"]}, "sweep must be one of lr.sgd, rho.sam, lr.sam, "),
        (SweepSettings, {"sweep": ["rho"]}, "sweep must be one of lr.sgd, rho.sam, lr.sam, "),
    ],
)
def test_wrong_values_are_named(settings: type, query: dict, sentence: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the text is compared below
        settings.from_query(query)
    assert str(caught.value).startswith(sentence)
