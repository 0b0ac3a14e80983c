"""What the table of networks says without torch, and which names of networks are taken."""

import pytest

from samviz.spec import NETWORKS
from samviz.spec.networks import check_network, own_network
from samviz.spec.radii import SETTINGS


def test_the_families_are_those_that_have_radii() -> None:
    assert {network.family for network in NETWORKS.values()} == {family for _, family in SETTINGS}


def test_a_menu_tells_the_networks_apart() -> None:
    assert len({network.label for network in NETWORKS.values()}) == len(NETWORKS)
    assert all(len(f"{network.label}: {network.note}") <= 80 for network in NETWORKS.values())


def test_the_share_of_the_norm_parameters_is_that_of_the_counts() -> None:
    assert NETWORKS["resnet8"].norm_share == 672 / 78_042
    assert all(0 < network.norm_share < 0.02 for network in NETWORKS.values())


@pytest.mark.parametrize("name", ["nets:make", "mypackage.nets:make", "a.b.c:D", "_x:y2"])
def test_a_name_of_one_s_own(name: str) -> None:
    assert own_network(name)
    assert check_network(name) == name


@pytest.mark.parametrize(
    "name",
    ["vgg", "", ":", "nets:", ":make", "nets.make", ".nets:make", "a..b:c", "a:b:c", "a:b.c", "a:b()", "a b:c", "1:c"],
)
def test_what_has_not_that_form_is_refused(name: str) -> None:
    assert not own_network(name)
    with pytest.raises(ValueError, match=r"^network must be one of resnet8, .*vit_s or, .*module:function .*\.$"):
        check_network(name)


@pytest.mark.parametrize("value", [None, 3, ["resnet8"], b"resnet8"])
def test_what_is_no_text_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="network must be one of"):
        check_network(value)


@pytest.mark.parametrize("name", NETWORKS)
def test_the_keys_are_taken_and_are_none_of_one_s_own(name: str) -> None:
    assert check_network(name) == name
    assert not own_network(name)
