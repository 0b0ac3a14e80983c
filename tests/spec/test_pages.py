"""The settings of the toy pages: one table drives validation, the address goes round, wrong values are named."""

import re
from math import inf

import pytest

from samviz.spec.fields import Field
from samviz.spec.regions import OPERATORS, REGION_FIELDS, REGION_NAMES, RegionSettings, Shape
from samviz.spec.trajectories import METHODS, TRAJECTORY_FIELDS, TrajectorySettings
from samviz.variants import VARIANTS, WEIGHT

FIELDS = [
    *((TrajectorySettings, field) for field in TRAJECTORY_FIELDS.values()),
    *((RegionSettings, field) for field in REGION_FIELDS.values()),
]


def ids(value: object) -> str:
    return value.key if isinstance(value, Field) else ""


def test_the_defaults_are_the_papers_example() -> None:
    s = TrajectorySettings()
    assert s.starts == ((0.2, 0.05), (0.3, 0.033))
    assert s.variants == ("sgd", "sam", "elementwise_l2")
    assert (s.rho("sam"), s.rho("elementwise_l2"), s.eta("elementwise_l2")) == (0.05, 0.5, 0)
    assert (s.values["lr"], s.values["steps"], s.values["decay"], s.values["c"]) == (0.003, 5000, 0, 0.04)
    r = RegionSettings()
    assert (r.values["a"], r.values["w1"], r.values["w2"]) == (3, 1, 1)


def test_each_variant_has_its_own_radius_and_default_eta() -> None:
    s = TrajectorySettings(variants=METHODS)
    for key, variant in VARIANTS.items():
        assert s.rho(key) > 0
        assert s.eta(key) == variant.eta


@pytest.mark.parametrize("settings", [TrajectorySettings, RegionSettings])
def test_all_settings_go_round_through_the_address(settings: type) -> None:
    fields = TRAJECTORY_FIELDS if settings is TrajectorySettings else REGION_FIELDS
    values = {key: int(f.high) if f.whole else f.low + (f.high - f.low) / 3 for key, f in fields.items()}
    more = {"starts": ((-0.5, 1.25), (0, 2)), "variants": ("fisher", "sgd")} if settings is TrajectorySettings else {}
    first = settings(values=values, **more)
    again = settings.from_query({key: [text] for key, text in first.to_query().items()})
    assert again.to_query() == first.to_query()
    assert again.values == pytest.approx(first.values, rel=1e-9)


@pytest.mark.parametrize(("settings", "field"), FIELDS, ids=ids)
def test_a_field_takes_its_bounds_and_nothing_beyond(settings: type, field: Field) -> None:
    assert field.low <= field.default <= field.high
    for inside in (field.low, field.high):
        text = format(inside, "g") if not field.whole else str(int(inside))
        assert settings.from_query({field.key: [text]}).values[field.key] == inside
    beyond = [field.low - 1, field.high + 1] if field.whole else [field.low - field.step, field.high * 1.01]
    for text in (*map(str, beyond), "nan", "inf", "", "1e", "0x10"):
        with pytest.raises(ValueError, match=rf"^{field.key} must be a .*number from .* but it is .*\.$"):
            settings.from_query({field.key: [text]})


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ({"steps": ["1000000000"]}, "steps must be a whole number from 10 to 10000, but it is 1000000000."),
        ({"rho.sam": ["-1"]}, "rho.sam must be a number from 0 to 0.3, but it is -1.0."),
        ({"variants": ["sam,sam"]}, "variants must name each variant once, but sam comes 2 times."),
        ({"starts": ["1,2,3"]}, "starts must be 1 to 8 points written w1,w2;w1,w2, but it is '1,2,3'."),
        ({"starts": ["0,0;" * 8 + "0,0"]}, "starts must be 1 to 8 points written w1,w2;w1,w2, but it is "),
        ({"starts": ["0,3"]}, "starts must be a number from -2 to 2, but it is 3.0."),
        (
            {"rho": ["1"]},
            "The address of the Trajectories page has no field 'rho': of its 32 fields rho.sam, rho.fisher, ",
        ),
        ({"at": ["1.5"]}, "at must be a whole number of half steps, but it is '1.5'."),
        ({"at": ["10001"]}, "at must be a whole number from 0 to 10000, but it is 10001."),
        ({"steps": ["10"], "at": ["21"]}, "at must be a whole number from 0 to 20, but it is 21."),
        ({"speed": ["3"]}, "speed must be one of 0.1, 0.2, 0.5, 1, 2, 5, 10, but it is 3.0."),
        ({"speed": ["fast"]}, "speed must be one of 0.1, 0.2, 0.5, 1, 2, 5, 10, but it is 'fast'."),
        ({"loop": ["yes"]}, "loop must be one of 0, 1, but it is 'yes'."),
        ({"view": ["0,1,0"]}, "view must be a list of 4 to 4 entries"),
        ({"view": ["a"]}, "view must be x0,x1,y0,y1, but it is 'a'."),
        ({"view": ["0,1,1,0"]}, "view must be x0,x1,y0,y1 with x0 < x1 and y0 < y1, but it is '0,1,1,0'."),
        ({"view": ["0,nan,0,1"]}, "view must be a number from -1000 to 1000, but it is nan."),
        ({"range": ["9,x"]}, "range must be first,last, but it is '9,x'."),
        ({"range": ["9,9"]}, "range must be first,last with first < last, but it is '9,9'."),
        ({"steps": ["10"], "range": ["0,11"]}, "range must be a whole number from 0 to 10, but it is 11."),
        ({"map": ["basin"]}, "map must be one of basins, sweep, valley, but it is 'basin'."),
        ({"detail": ["60"]}, "detail must be one of 50, 100, 200, 400, but it is '60'."),
        ({"pair": ["sam"]}, "pair must be a list of 2 to 2 entries"),
        ({"pair": ["sam,adam"]}, "pair must be one of sgd, sam, "),
        ({"follow": ["sam"]}, "follow must be a start and a method, as in 1:sam, but it is 'sam'."),
        ({"follow": ["3:sam"]}, "follow must be a whole number from 1 to 2, but it is 3."),
        ({"follow": ["1:fisher"]}, "follow must be one of sgd, sam, elementwise_l2, but it is 'fisher'."),
        ({"c": ["0.1", "0.2"]}, "c must be given once, but it is given 2 times."),
    ],
)
def test_wrong_values_are_named(query: dict[str, list[str]], sentence: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}"):
        TrajectorySettings.from_query(query)


@pytest.mark.parametrize("text", ["", "adam", "sam,adam", "SAM", "sam,"])
def test_unknown_variants_are_named_with_those_that_exist(text: str) -> None:
    with pytest.raises(ValueError, match=r"^variants must be one of sgd, sam, .*fisher, but it is "):
        TrajectorySettings.from_query({"variants": [text]})


def test_unknown_names_are_refused_but_streamlits_own_are_not() -> None:
    with pytest.raises(ValueError, match="has no field 'rho'"):
        RegionSettings.from_query({"rho": ["1"]})
    assert RegionSettings.from_query({"embed": ["true"], "embed_options": ["dark_theme"]}) == RegionSettings()


def test_a_long_wrong_value_does_not_fill_the_page() -> None:
    with pytest.raises(ValueError, match=r"^lr must be .{1,150}$"):
        TrajectorySettings.from_query({"lr": ["9" * 100 + "x" * 10_000]})


def test_variants_are_listed_in_one_order() -> None:
    assert TrajectorySettings(variants=("fisher", "sam", "sgd")).variants == ("sgd", "sam", "fisher")


def test_what_the_player_is_at_is_part_of_the_address() -> None:
    query = {"at": "41", "speed": "0.1", "loop": "1", "view": "0,0.4,-0.1,0.2", "follow": "2:sam"}
    query |= {"lesson": "3", "lecture": "1"}
    query |= {
        "range": "10,400",
        "map": "sweep",
        "quantity": "step",
        "detail": "100",
        "pair": "sgd,fisher",
        "sweep": "lr.sgd",
    }
    s = TrajectorySettings.from_query({key: [text] for key, text in query.items()})
    assert (s.at, s.speed, s.loop, s.view, s.follow) == (41, 0.1, True, (0, 0.4, -0.1, 0.2), (2, "sam"))
    assert s.marks() == query
    assert s.to_query() == TrajectorySettings().to_query()
    plain = {"at": "", "speed": "1", "loop": "", "view": "", "follow": "", "lesson": "", "lecture": ""}
    plain |= {"range": "", "map": "", "quantity": "kind", "detail": "200", "pair": "", "sweep": ""}
    assert TrajectorySettings().marks() == plain


def test_each_panel_has_its_own_t_and_p_and_the_figures_by_default() -> None:
    r = RegionSettings()
    assert [(s.T, s.p) for s in r.shapes.values()] == [("identity", 2), ("elementwise", inf), ("elementwise", 2)]
    assert [r.variant(name) for name in REGION_NAMES] == ["sam", "elementwise_linf", "elementwise_l2"]
    query = {
        "T.sphere": "elementwise",
        "p.sphere": "1.25",
        "p.cuboid": "inf",
        "T.ellipsoid": "fisher",
        "p.ellipsoid": "1",
    }
    s = RegionSettings.from_query({key: [text] for key, text in query.items()})
    assert [(shape.T, shape.p) for shape in s.shapes.values()] == [
        ("elementwise", 1.25),
        ("elementwise", inf),
        ("fisher", 1),
    ]
    assert s.to_query() == {**RegionSettings().to_query(), **query}
    assert RegionSettings.from_query({key: [text] for key, text in s.to_query().items()}) == s


def test_eta_is_what_the_chosen_t_takes() -> None:
    values = {"eta.sphere": 0.3, "fisher.sphere": 20.0}
    for T, eta in (("identity", 0.0), ("elementwise", 0.3), ("fisher", 20.0)):
        assert RegionSettings(values=values, shapes={"sphere": Shape(T=T, p=2)}).eta("sphere") == eta
    assert RegionSettings(shapes={"sphere": Shape(T="fisher", p=2)}).eta("sphere") == VARIANTS["fisher"].eta


def test_the_toy_can_tell_every_operator_of_the_table_apart_and_no_others() -> None:
    """Of a layer of one weight the other variants' T is one of these."""
    known = [VARIANTS[key].operator(0.3, 0.7, 0.2, WEIGHT) for key in OPERATORS.values()]
    assert len(set(known)) == len(known)
    assert {v.operator(0.3, 0.7, 0.2, WEIGHT) for v in VARIANTS.values()} == set(known)


def test_the_picture_in_space_is_part_of_the_address() -> None:
    s = RegionSettings.from_query({"space": ["1"], "space.region": ["cuboid"], "space.a": ["0.7"]})
    assert (s.open, s.space, s.values["space.a"]) == (True, "cuboid", 0.7)
    assert s.marks()["space"] == "1"
    assert RegionSettings().marks()["space"] == RegionSettings().marks()["camera"] == ""
    turned = RegionSettings.from_query({"space": ["1"], "camera": ["1.1,-0.7,2.1"]})
    assert turned.camera == (1.1, -0.7, 2.1)
    assert turned.marks()["camera"] == "1.1,-0.7,2.1"
    for text, allowed in (("1,2", "a list of 3 to 3"), ("1,2,x", "x,y,z, but it is '1,2,x'"), ("1,2,11", "a number")):
        with pytest.raises(ValueError, match=f"^camera must be {allowed}"):
            RegionSettings.from_query({"camera": [text]})


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ({"p.sphere": ["0.5"]}, "p.sphere must be a number from 1 to infinity, but it is '0.5'."),
        ({"p.ellipsoid": ["nan"]}, "p.ellipsoid must be a number from 1 to infinity, but it is 'nan'."),
        ({"T.cuboid": ["layerwise"]}, "T.cuboid must be one of identity, elementwise, fisher, but it is 'layerwise'."),
        ({"space": ["yes"]}, "space must be one of 0, 1, but it is 'yes'."),
        ({"space.region": ["cube"]}, "space.region must be one of sphere, cuboid, ellipsoid, but it is 'cube'."),
    ],
)
def test_wrong_regions_are_named(query: dict[str, list[str]], sentence: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}"):
        RegionSettings.from_query(query)
