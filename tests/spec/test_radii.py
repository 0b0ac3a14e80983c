"""SAM-ON Table 8 as data, cell by cell where it counts, and our own values marked as such."""

from dataclasses import replace
from math import inf

import pytest

from samviz.spec import RADII, SCOPES, default_rho, radii
from samviz.spec.questions import REGIONS
from samviz.spec.radii import SETTINGS, TABLE
from samviz.variants import VARIANTS

BOLD = {
    ("sam", "all"): (0.1, 0.1, 0.1),
    ("sam", "norm_only"): (0.5, 1.0, 10.0),
    ("elementwise_l2", "all"): (2.0, 1.0, 2.5),
    ("elementwise_l2", "norm_only"): (3.0, 2.5, 10.0),
    ("elementwise_l2_orig", "all"): (0.5, 1.0, 2.5),
    ("elementwise_l2_orig", "norm_only"): (0.5, 1.0, 10.0),
    ("elementwise_linf", "all"): (0.005, 0.01, 0.0025),
    ("elementwise_linf", "norm_only"): (0.025, 0.05, 0.1),
    ("layerwise_l2", "all"): (0.025, 0.01, 0.005),
    ("layerwise_l2", "norm_only"): (0.25, 0.2, 0.5),
    ("fisher", "all"): (0.1, 0.1, 0.1),
    ("fisher", "norm_only"): (0.5, None, 10.0),
}
"""The bold values of Table 8: CIFAR-10 ResNets, CIFAR-100 ResNets, ViTs."""


def test_the_bold_values_are_the_papers() -> None:
    columns = {("cifar10", "resnet"): 0, ("cifar100", "resnet"): 1, ("cifar10", "vit"): 2, ("cifar100", "vit"): 2}
    for (variant, scope), values in BOLD.items():
        for setting, column in columns.items():
            radius = RADII[variant, scope, *setting]
            if values[column] is None:
                assert not radius.published
            else:
                assert (radius.rho, radius.source) == (values[column], TABLE)
            assert radius.rho in radius.searched
            assert list(radius.searched) == sorted(set(radius.searched))


def test_every_variant_and_scope_has_a_radius_and_ours_say_why() -> None:
    assert set(RADII) == {(v, s, *setting) for v in VARIANTS for s in SCOPES for setting in SETTINGS}
    for (variant, scope, *_), radius in RADII.items():
        assert radius.published == (radius.source == "SAM-ON Table 8")
        assert radius.published or radius.source.startswith("ours: ")
        assert not (radius.published and (variant == "filterwise_l2" or scope == "no_norm"))
        assert radius.rho > 0
    assert sum(len(r.searched) for r in RADII.values()) == 225  # counted in the table, the ViTs' column twice


def test_defaults() -> None:
    assert default_rho("sam", "norm_only") == 0.5
    assert default_rho("sam", "no_norm") == default_rho("sam", "all") == 0.1
    assert default_rho("elementwise_l2", "norm_only", "cifar100", "vit") == 10
    assert default_rho("filterwise_l2", "all", "cifar100") == default_rho("elementwise_l2_orig", "all", "cifar100") == 1


def test_regions_have_the_radii_that_they_say() -> None:
    """But for the three that `REGIONS` names."""
    like = {"elementwise": "elementwise_l2_orig"}
    for name in REGIONS.keys() - {"sphere, p = inf", "filterwise"}:
        radius = RADII[like.get(name, REGIONS[name].variant), "all", "cifar10", "resnet"]
        assert radius.published
        assert radius.rho == REGIONS[name].rho, name


@pytest.mark.parametrize(
    ("p", "like"), [(2.0, "elementwise_l2_orig"), (4.0, "elementwise_l2_orig"), (inf, "elementwise_linf")]
)
def test_a_variant_that_is_added_has_radii_at_once(p: float, like: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(VARIANTS, "added", replace(VARIANTS["layerwise_l2"], key="added", p=p))
    monkeypatch.setattr(radii, "RADII", radii._radii())
    for scope in SCOPES:
        for setting in SETTINGS:
            assert default_rho("added", scope, *setting) == default_rho(like, scope, *setting)
    assert like in radii.RADII["added", "all", *SETTINGS[0]].source


@pytest.mark.parametrize(
    ("field", "arguments"),
    [
        ("variant", ("asam", "all")),
        ("scope", ("sam", "norm")),
        ("dataset", ("sam", "all", "imagenet")),
        ("family", ("sam", "all", "cifar10", "mlp")),
    ],
)
def test_a_wrong_value_is_named(field: str, arguments: tuple) -> None:
    with pytest.raises(ValueError, match=f"^{field} must be one of"):
        default_rho(*arguments)
