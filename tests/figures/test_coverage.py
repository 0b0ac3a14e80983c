"""What an arm perturbs, as a picture: the stored layers are torch's, and the counts are those of the optimizer."""

from dataclasses import replace

import plotly.graph_objects as go
import pytest
import torch

from samviz.figures.compare import sides_of
from samviz.figures.coverage import FILE, UNTOUCHED, counted, coverage_figure, coverage_section, layers_of, share_of
from samviz.optim import coverage, fix_norm, train_only_norm
from samviz.spec import NETWORKS, SCOPES, Arm
from samviz.training import build
from tests import networks_table, synthetic
from tests.figures.test_compare import source


def test_the_stored_layers_are_what_torch_builds() -> None:
    assert FILE.read_text("utf-8") == networks_table.text(), "python -m tests.networks_table writes it anew"


@pytest.mark.parametrize("name", NETWORKS)
def test_they_add_up_to_the_table_of_networks(name: str) -> None:
    layers = layers_of(name, 10)
    assert sum(layer.numbers for layer in layers) == NETWORKS[name].parameters
    assert sum(layer.numbers for layer in layers if layer.kind == "norm") == NETWORKS[name].norm_parameters


@pytest.mark.parametrize("name", ["resnet8", "vgg19_bn", "densenet121", "vit_t"])
def test_the_share_is_that_of_the_optimizer_for_any_number_of_classes(name: str) -> None:
    with torch.device("meta"):
        network = build(name, 7, 0)
    for scope in SCOPES:
        exact = coverage(network, scope)
        tensors, numbers, _ = counted(Arm(variant="sam", scope=scope, rho=0.1), layers_of(name, 7))
        assert tensors == f"{sum(row.perturbed for row in exact.rows)} of {len(exact.rows)}"
        assert numbers == f"{exact.perturbed:,} of {exact.numbers:,}"


@pytest.mark.parametrize(("trained", "freeze"), [("fix_norm", fix_norm), ("norm_only", train_only_norm)])
def test_what_does_not_train_is_not_perturbed(trained: str, freeze) -> None:
    exact = coverage(freeze(build("resnet8", 10, 0)))
    _, numbers, _ = counted(Arm(variant="sam", rho=0.1, trained=trained), layers_of("resnet8", 10))
    assert numbers == f"{exact.perturbed:,} of {exact.numbers:,}"


def test_the_picture_has_a_bar_a_layer_in_the_arm_s_color_where_it_perturbs() -> None:
    spec = synthetic.comparison(1, 1)
    sides = sides_of([source(spec)])
    layers = layers_of("resnet8", 10)
    (bars,) = go.Figure(coverage_figure(sides[2], layers)).data
    assert list(bars.y) == [layer.numbers for layer in layers]
    assert [color == UNTOUCHED for color in bars.marker.color] == [layer.kind != "norm" for layer in layers]
    section = coverage_section(sides)
    assert [row[2:] for row in section.tables[0].rows][:3] == [
        ("0 of 29", "0 of 78,042", "0 %"),
        ("29 of 29", "78,042 of 78,042", "100 %"),
        ("18 of 29", "672 of 78,042", "0.861 %"),
    ]
    assert len(section.charts) == 3  # the base optimizer alone has no picture


def test_a_mask_perturbs_a_part_of_every_layer() -> None:
    arm = Arm(variant="sam", rho=0.1, mask="fisher", sparsity=0.75)
    assert {share_of(arm, layer) for layer in layers_of("resnet8", 10)} == {0.25}
    spec = replace(synthetic.comparison(1, 1), arms=(arm,))
    (chart,) = coverage_section(sides_of([source(spec)])).charts
    assert "largest Fisher information" in chart.note


def test_a_network_of_one_s_own_has_no_picture_and_says_so() -> None:
    spec = synthetic.comparison(1, 1)
    spec = replace(spec, recipe=replace(spec.recipe, network="my.nets:make"))
    section = coverage_section(sides_of([source(spec)]))
    assert (section.tables, section.charts) == ([], [])
    assert section.notes == [
        "my.nets:make is a network of one's own, whose layers samviz does not know: no picture of it."
    ]
