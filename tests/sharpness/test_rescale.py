"""Rescalings keep a network's function, and are found where they do, on small networks and on those of the recipes."""

import pytest
import torch
from torch import Tensor, nn

from samviz.sharpness import logits_change, rescaled, seams
from samviz.spec import NETWORKS
from samviz.training import build
from samviz.training.networks_zoo import VisionTransformer
from tests.sharpness.networks import CLASSES, images, plain, residual, trained, vgg

SPREADS = ["common", "layers", "nodes"]


def vit() -> nn.Module:
    """Four layers with weights that are not as they start, for images of 32 x 32."""
    model = VisionTransformer(16, 2, CLASSES).double()
    model.layers = model.layers[:4]
    generator = torch.Generator().manual_seed(0)
    for module in model.modules():
        if isinstance(module, nn.LayerNorm | nn.Linear):
            for w in module.parameters():
                w.data += 0.1 * torch.randn(w.shape, generator=generator, dtype=w.dtype)
    return model.eval()


def case(name: str) -> tuple[nn.Module, Tensor]:
    if name == "vit":
        return vit(), images(8, size=32)[0]
    return trained({"residual": residual, "vgg": vgg, "plain": plain}[name]()).eval(), images()[0]


@pytest.mark.parametrize("spread", SPREADS)
@pytest.mark.parametrize("name", ["residual", "vgg", "plain", "vit"])
def test_the_logits_stay_whatever_the_factors(name: str, spread: str):
    model, x = case(name)
    where = seams(model, x)
    for kinds in (None, *([kind] for kind in where.kinds)):
        for a in (0.01, 30.0):
            there = rescaled(model, where.of(kinds), a, spread=spread, seed=3)
            assert logits_change(model, there.model, x) < 1e-10
            moved = [n for n, w in there.model.named_parameters() if not torch.equal(w, model.get_parameter(n))]
            assert set(moved) <= set(there.A)
            assert moved
            for n, factor in there.A.items():
                torch.testing.assert_close(there.model.get_parameter(n), factor * model.get_parameter(n))


def test_the_seams_of_a_residual_network():
    """By the numbers of its layers: 0 conv, 1 bn, 3 a block around a shortcut, 5 conv, 6 bn, 10 linear."""
    where = seams(residual(), images()[0])
    found = {str(seam): seam.kind for seam in where.found}
    assert found == {
        "0 -> 1": "before_norm",
        "3.conv -> 3.bn": "before_norm",
        "1, 3.bn -> 3.conv, 5": "after_norm",  # what is added has one factor, and all who read it undo it
        "5 -> 6": "before_norm",
        "6 -> 10": "after_norm",
    }
    assert where.refused == ("10: the output is the logits.",)


def test_the_seams_of_a_plain_network_and_what_a_flattened_channel_is():
    where = seams(plain(), images()[0])
    assert [(seam.kind, seam.channels, seam.readers) for seam in where.found] == [
        ("layers", 6, (("3", 1),)),
        ("layers", 8, (("7", 4),)),
        ("layers", 10, (("9", 1),)),
    ]


def test_the_seams_of_a_vision_transformer():
    where = seams(vit(), images(2, size=32)[0])
    assert [str(seam) for seam in where.found[:2]] == [
        "layers.0.norm1 -> layers.0.self_attn",
        "layers.0.norm2 -> layers.0.linear1",
    ]
    assert str(where.found[-1]) == "norm -> head"
    assert len(where.found) == 9
    assert "layers.3.linear1: the output goes through gelu." in where.refused


def test_every_network_of_the_recipes_that_is_not_large_has_its_seams():
    counts = {}
    for name in ("resnet8", "resnet8_half", "resnet20", "wrn16_4"):
        assert name in NETWORKS
        where = seams(build(name, 10, 0))
        counts[name] = len(where.found), where.kinds
        assert where.refused == ("output: the output is the logits.",)
    both = ["before_norm", "after_norm"]
    assert counts == {"resnet8": (15, both), "resnet8_half": (15, both), "resnet20": (33, both), "wrn16_4": (23, both)}


def test_one_seam_is_worked_out_by_hand():
    model, x = case("residual")
    first = next(seam for seam in seams(model, x).found if seam.writers == ("0",))
    there = rescaled(model, [first], 4.0).model
    bn, bn_there = model.get_submodule("1"), there.get_submodule("1")
    torch.testing.assert_close(there.get_submodule("0").weight, 4 * model.get_submodule("0").weight)
    torch.testing.assert_close(bn_there.running_mean, 4 * bn.running_mean)
    torch.testing.assert_close(bn_there.running_var + bn.eps, 16 * (bn.running_var + bn.eps))
    assert torch.equal(bn_there.weight, bn.weight)


def test_the_error_of_batchnorms_epsilon_is_that_of_a_variance_times_a_squared_alone():
    model, x = case("residual")
    where = seams(model, x).of(["before_norm"])
    there = rescaled(model, where, 0.05)
    variances = torch.cat([m.running_var for m in model.modules() if isinstance(m, nn.BatchNorm2d)])
    exact, alone = 0.05**2 * (variances + 1e-5), 0.05**2 * variances + 1e-5
    assert there.epsilon_error == pytest.approx(float(((exact / alone).sqrt() - 1).abs().max()))
    assert 1e-6 < there.epsilon_error < 0.1
    for module, before in zip(there.model.modules(), model.modules(), strict=True):
        if isinstance(module, nn.BatchNorm2d):
            module.running_var.copy_(0.05**2 * before.running_var)
    assert logits_change(model, there.model, x) > 1e-6


def test_random_factors_lie_between_1_over_a_and_a_and_move_with_a():
    model, x = case("plain")
    where = seams(model, x).found
    per_node = rescaled(model, where, 5.0, spread="nodes", seed=1).A["0.weight"].flatten()
    assert float(per_node.min()) >= 1 / 5
    assert float(per_node.max()) <= 5
    assert len(per_node.unique()) == 6
    assert len(rescaled(model, where, 5.0, spread="layers", seed=1).A["0.weight"].unique()) == 1
    half_way = rescaled(model, where, 5.0**0.5, spread="nodes", seed=1).A["0.weight"].flatten()
    torch.testing.assert_close(half_way**2, per_node)
    other = rescaled(model, where, 5.0, spread="nodes", seed=2).A["0.weight"].flatten()
    assert not torch.allclose(other, per_node)


class Twice(nn.Module):
    """One convolution that is called twice, then one whose output is squared."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.other, self.head = nn.Conv2d(3, 3, 1), nn.Conv2d(3, 5, 1), nn.Linear(5, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv(self.conv(x).relu()).relu()
        return self.head((self.other(x) ** 2).mean(dim=(2, 3)))


def test_what_cannot_be_rescaled_is_refused_with_a_reason():
    where = seams(Twice(), images()[0])
    assert where.found == ()
    assert where.refused == ("other: the output goes through pow.", "head: the output is the logits.")
    with pytest.raises(ValueError, match=r"kinds must be some that the network has, .*: it cannot be rescaled at all"):
        where.of(None)


class Peeks(nn.Module):
    """Its function is not what it looks like: it reads a weight of its own in passing."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(192, 5), nn.Linear(5, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        return self.second(self.first(x.flatten(1)).relu()) * float(self.first.weight[0, 0])


def test_a_seam_that_changes_the_logits_when_tried_is_refused():
    where = seams(Peeks(), images()[0])
    assert where.found == ()
    assert where.refused[-1] == "first -> second: the logits change when it is tried."


def test_wrong_requests_are_told_in_a_sentence():
    model, x = case("plain")
    where = seams(model, x)
    with pytest.raises(ValueError, match=r"a must be a number from 0\.0001 to 10000, but it is 0\."):
        rescaled(model, where.found, 0)
    with pytest.raises(ValueError, match=r"spread must be one of common, layers, nodes, but it is 'wild'\."):
        rescaled(model, where.found, 2.0, spread="wild")
    with pytest.raises(ValueError, match=r"none of after_norm: it has layers\."):
        where.of(["after_norm"])
