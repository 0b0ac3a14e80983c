"""The networks: sizes from the literature, weights from the seed alone."""

import pytest
import torch
from torch import nn

from samviz.optim import select
from samviz.spec import NETWORKS
from samviz.training import build


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_classifies_small_color_images(name: str) -> None:
    network = build(name, 7, seed=0).eval()
    with torch.inference_mode():
        assert network(torch.zeros(2, 3, 32, 32)).shape == (2, 7)


@pytest.mark.parametrize(
    ("name", "millions", "convolutions"),
    # ResNet-20 has 0.27 M in He et al. 2016, Table 6; the others were counted by hand from their widths.
    [("resnet8", 0.078, 9), ("resnet8_half", 0.078, 9), ("resnet20", 0.27, 21), ("wrn16_4", 2.75, 16)],
)
def test_a_network_has_the_size_of_the_literature(name: str, millions: float, convolutions: int) -> None:
    network = build(name, 10, seed=0)
    assert sum(w.numel() for w in network.parameters()) / 1e6 == pytest.approx(millions, rel=0.02)
    assert sum(isinstance(m, nn.Conv2d) for m in network.modules()) == convolutions


@pytest.mark.parametrize("name", NETWORKS)
def test_every_norm_layer_has_a_trainable_gamma_that_starts_at_one(name: str) -> None:
    network = build(name, 10, seed=0)
    layers = [m for m in network.modules() if isinstance(m, nn.BatchNorm2d)]
    assert all(torch.equal(layer.weight, torch.ones_like(layer.weight)) for layer in layers)
    assert len(select(network, "norm_only")) == 2 * len(layers)


def test_the_seed_alone_decides_the_weights_and_torch_s_own_state_stays() -> None:
    torch.manual_seed(5)
    state = torch.random.get_rng_state()
    one = build("resnet8", 10, seed=3)
    assert torch.equal(torch.random.get_rng_state(), state)
    torch.manual_seed(6)
    two, other = build("resnet8", 10, seed=3), build("resnet8", 10, seed=4)
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), two.parameters(), strict=True))
    assert not torch.equal(one[0].weight, other[0].weight)


def test_an_unknown_network_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^network must be one of resnet8"):
        build("resnet9", 10, seed=0)
