"""The settings of the toy pages: one table drives validation, the address goes round, wrong values are named."""

import re

import pytest

from samviz.spec.toy import METHODS, REGION_FIELDS, TRAJECTORY_FIELDS, Field, RegionSettings, TrajectorySettings
from samviz.variants import VARIANTS

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
        ({"starts": ["1,2,3"]}, "starts must be 1 to 4 points written w1,w2;w1,w2, but it is '1,2,3'."),
        ({"starts": ["0,0;" * 4 + "0,0"]}, "starts must be 1 to 4 points written w1,w2;w1,w2, but it is "),
        ({"starts": ["0,3"]}, "starts must be a number from -2 to 2, but it is 3.0."),
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
