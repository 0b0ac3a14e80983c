"""Parameters are chosen by what a module is, whatever it is called."""

import pytest
import torch
from torch import nn

from samviz.optim import SAM, fix_norm, norm_parameters, register_norm_layer, scopes, select, train_only_norm
from samviz.variants import Role
from tests.optim.helpers import closure, make
from tests.optim.reference import NETS

LAYERS = [
    nn.BatchNorm1d(4),
    nn.BatchNorm2d(4),
    nn.BatchNorm3d(4),
    nn.SyncBatchNorm(4),
    nn.InstanceNorm1d(4, affine=True),
    nn.InstanceNorm2d(4, affine=True),
    nn.InstanceNorm3d(4, affine=True),
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


def test_a_norm_layer_of_ones_own_counts_once_registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scopes, "_NORM_LAYERS", list(scopes._NORM_LAYERS))

    class ScaleNorm(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.g = nn.Parameter(torch.ones(3))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.g * x / x.norm(dim=-1, keepdim=True)

    model = nn.Sequential(nn.Linear(3, 3), ScaleNorm(), nn.Linear(3, 1))
    with pytest.raises(ValueError, match="norm_only selects none"):
        select(model, "norm_only")
    assert register_norm_layer(ScaleNorm) is ScaleNorm
    assert list(select(model, "norm_only")) == [model[1].g]
    optimizer = SAM(model, sgd(model), scope="norm_only", rho=0.5)
    seen = []

    def loss() -> torch.Tensor:
        seen.append([w.detach().clone() for w in model.parameters()])
        return model(torch.ones(2, 3)).square().sum()

    optimizer.step(loss)
    moved = [not torch.equal(a, b) for a, b in zip(*seen, strict=True)]
    assert moved == [False, False, True, False, False]


@pytest.mark.parametrize("layer", ["LayerNorm", nn.LayerNorm(3), int])
def test_what_is_no_module_class_is_not_registered(layer: object) -> None:
    with pytest.raises(ValueError, match=r"^layer must be a subclass of torch\.nn\.Module"):
        register_norm_layer(layer)


@pytest.mark.parametrize("name", NETS)
def test_fix_norm_sets_gamma_to_1_and_beta_to_0_and_trains_the_rest(name: str) -> None:
    net = fix_norm(NETS[name]())
    before = {n: w.detach().clone() for n, w in net.named_parameters()}
    for n in net.NORM:
        assert (before[n] == (0.0 if n.endswith("bias") else 1.0)).all()
    _, optimizer = make(net, rho=0.5)
    for step in range(2):
        optimizer.step(closure(net, step))
    moved = {n for n, w in net.named_parameters() if not torch.equal(w, before[n])}
    assert moved == set(before) - net.NORM
    with pytest.raises(ValueError, match="norm_only selects none"):
        make(net, scope="norm_only")
    with pytest.raises(ValueError, match="norm_only selects none"):
        fix_norm(nn.Sequential(nn.Linear(2, 2)))


@pytest.mark.parametrize("name", NETS)
def test_train_only_norm_trains_gamma_and_beta_alone(name: str) -> None:
    net = train_only_norm(NETS[name]())
    before = {n: w.detach().clone() for n, w in net.named_parameters()}
    _, optimizer = make(net, rho=0.5)
    for step in range(2):
        optimizer.step(closure(net, step))
    assert {n for n, w in net.named_parameters() if not torch.equal(w, before[n])} == set(net.NORM)
    assert set(select(net)) == norm_parameters(net)
    with pytest.raises(ValueError, match="no_norm selects none"):
        make(net, scope="no_norm")
    plain = nn.Linear(2, 2)
    with pytest.raises(ValueError, match="norm_only selects none"):
        train_only_norm(plain)
    assert plain.weight.requires_grad  # nothing half-done


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
