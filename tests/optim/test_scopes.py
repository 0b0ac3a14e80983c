"""Parameters are chosen by what a module is, whatever it is called."""

import pytest
import torch
from torch import nn

from samviz.optim import SAM, select
from samviz.variants import Role

LAYERS = [
    nn.BatchNorm1d(4),
    nn.BatchNorm2d(4),
    nn.BatchNorm3d(4),
    nn.SyncBatchNorm(4),
    nn.InstanceNorm2d(4, affine=True),
    nn.LayerNorm(4),
    nn.RMSNorm(4),
    nn.GroupNorm(2, 4),
]


def sgd(model: nn.Module) -> torch.optim.Optimizer:
    return torch.optim.SGD(model.parameters(), lr=0.1)


@pytest.mark.parametrize("layer", LAYERS, ids=lambda layer: type(layer).__name__)
def test_norm_layers_are_found_inside_a_sequential(layer: nn.Module) -> None:
    model = nn.Sequential(nn.Linear(4, 4), nn.Sequential(layer), nn.Linear(4, 2))
    gamma_and_beta = set(layer.parameters())
    assert gamma_and_beta
    assert set(select(model, "norm_only")) == gamma_and_beta
    assert set(select(model, "no_norm")) == set(model.parameters()) - gamma_and_beta
    assert set(select(model, "all")) == set(model.parameters())


def test_names_do_not_matter() -> None:
    class Misleading(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.norm_of_attention = nn.Linear(3, 3)
            self.downsample = nn.Sequential(nn.Linear(3, 3), nn.BatchNorm1d(3))

    model = Misleading()
    assert set(select(model, "norm_only")) == set(model.downsample[1].parameters())


@pytest.mark.parametrize(
    ("model", "scope"),
    [
        (nn.Sequential(nn.Linear(2, 2), nn.ReLU()), "norm_only"),
        (nn.Sequential(nn.BatchNorm2d(3, affine=False), nn.Conv2d(3, 3, 1)), "norm_only"),
        (nn.LayerNorm(3), "no_norm"),
        (nn.Sequential(nn.BatchNorm1d(2), nn.ReLU()), "no_norm"),
        (nn.Linear(2, 2).requires_grad_(False), "all"),
    ],
)
def test_a_scope_that_selects_nothing_is_refused_by_name(model: nn.Module, scope: str) -> None:
    with pytest.raises(ValueError, match=f"{scope} selects none: {type(model).__name__} has no trainable parameters"):
        SAM(model, torch.optim.SGD([nn.Parameter(torch.ones(1))], lr=0.1), variant="sam", scope=scope, rho=0.1)


def test_frozen_parameters_are_left_out_and_shared_ones_taken_once() -> None:
    first, second = nn.Linear(3, 3), nn.Linear(3, 3)
    second.weight = first.weight
    first.bias.requires_grad_(False)
    assert list(select(nn.Sequential(first, second))) == [first.weight, second.bias]


def test_a_frozen_parameter_is_not_perturbed() -> None:
    model = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 2))
    model[0].weight.requires_grad_(False)
    before = model[0].weight.clone()
    optimizer = SAM(model, sgd(model), variant="sam", rho=0.5)
    optimizer.step(lambda: model(torch.ones(2, 3)).square().sum())
    assert torch.equal(model[0].weight, before)


def test_a_parameter_that_the_loss_does_not_use_is_no_obstacle() -> None:
    model = nn.ModuleDict({"used": nn.Linear(2, 1), "unused": nn.Linear(2, 1)})
    before = model["unused"].weight.detach().clone()
    SAM(model, sgd(model), variant="sam", rho=0.1).step(lambda: model["used"](torch.ones(1, 2)).sum())
    assert torch.equal(model["unused"].weight, before)


@pytest.mark.parametrize(
    ("layer", "name", "role"),
    [
        (nn.Conv2d(3, 5, 3), "weight", Role(layer_axes=(0, 1, 2, 3), filter_axes=(1, 2, 3))),
        (nn.Conv1d(3, 5, 3), "weight", Role(layer_axes=(0, 1, 2), filter_axes=(1, 2))),
        (nn.ConvTranspose2d(3, 5, 3), "weight", Role(layer_axes=(0, 1, 2, 3), filter_axes=(0, 2, 3))),
        (nn.Conv2d(3, 5, 3), "bias", Role(bias=True, layer_axes=(0,))),
        (nn.Linear(3, 5), "weight", Role(layer_axes=(0, 1))),
        (nn.BatchNorm2d(3), "weight", Role(layer_axes=(0,))),
        (nn.BatchNorm2d(3), "bias", Role(bias=True, layer_axes=(0,))),
        (nn.MultiheadAttention(4, 2), "in_proj_bias", Role(bias=True, layer_axes=(0,))),
        (nn.LSTM(2, 2), "bias_ih_l0", Role(bias=True, layer_axes=(0,))),
    ],
)
def test_roles_follow_from_the_layer(layer: nn.Module, name: str, role: Role) -> None:
    assert select(layer)[getattr(layer, name)] == role
