"""The table of what a scope perturbs, against counts made by hand."""

import pytest
import torch
from torch import nn

from samviz.optim import coverage
from samviz.spec import SCOPES
from samviz.training.networks import build
from tests.optim.reference import NETS


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize("name", NETS)
def test_every_tensor_is_listed_with_what_happens_to_it(name: str, scope: str) -> None:
    net = NETS[name]()
    table = coverage(net, scope)
    assert [(r.name, r.shape, r.numbers) for r in table.rows] == [
        (n, tuple(w.shape), w.numel()) for n, w in net.named_parameters()
    ]
    assert {r.name for r in table.rows if r.perturbed} == {
        n for n, _ in net.named_parameters() if scope == "all" or (n in net.NORM) == (scope == "norm_only")
    }


def test_the_norm_parameters_of_resnet20_are_half_a_percent() -> None:
    shares = {scope: coverage(build("resnet20", 10, 0), scope).share for scope in SCOPES}
    # 2 numbers for each channel behind each of 19 convolutions and 2 projections, of 272,474 with the head and those.
    channels = 7 * 16 + 6 * 32 + 32 + 6 * 64 + 64
    total = sum(w.numel() for w in build("resnet20", 10, 0).parameters())
    assert shares["all"] == 1
    assert shares["norm_only"] == pytest.approx(2 * channels / total, rel=1e-12)
    assert 0.005 < shares["norm_only"] < 0.006
    assert shares["norm_only"] + shares["no_norm"] == pytest.approx(1, rel=1e-12)


def test_frozen_and_tied_tensors() -> None:
    net = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3), nn.LayerNorm(3))
    net[1].weight = net[0].weight
    net[0].bias.requires_grad_(False)
    table = coverage(net)
    assert [(r.name, r.perturbed) for r in table.rows] == [
        ("0.weight", True),
        ("0.bias", False),
        ("1.bias", True),
        ("2.weight", True),
        ("2.bias", True),
    ]
    assert (table.perturbed, table.numbers) == (18, 21)


def test_printed_it_is_a_table() -> None:
    net = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.Linear(8, 2))
    net.scale = nn.Parameter(torch.tensor(1.0))
    assert str(coverage(net, "norm_only")).splitlines() == [
        "tensor    layer        shape    numbers  perturbed",
        "scale     Sequential   scalar   1        no",
        "0.weight  Conv2d       8x3x3x3  216      no",
        "0.bias    Conv2d       8        8        no",
        "1.weight  BatchNorm2d  8        8        yes",
        "1.bias    BatchNorm2d  8        8        yes",
        "2.weight  Linear       2x8      16       no",
        "2.bias    Linear       2        2        no",
        "norm_only perturbs 2 of 7 tensors of Sequential: 16 of 259 numbers, 6.18 %.",
    ]


def test_a_scope_that_selects_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="norm_only selects none: Linear has no trainable parameters"):
        coverage(nn.Linear(2, 2), "norm_only")
