"""Dropout: of the features before the classifier, without weights of its own, and the same for all arms of a run."""

import pytest
import torch
from torch import Tensor, nn

from samviz.spec import Arm, Recipe, Scalar
from samviz.training import Pace, build, train
from tests.training.fakes import SGD, images, recipe

NAMES = ("resnet8", "resnet9", "vit_t")
"""One of each way in which a network is put together."""
STILL = Arm(variant="sam", rho=1e-30)
"""It looks twice at each batch, but w + eps is w to rounding: it takes the steps of the base optimizer."""

PACE = Pace(precision="fp32", compiled=False)


def classified(network: nn.Module, x: Tensor) -> Tensor:
    """What the last layer gets to see of the images."""
    seen: list[Tensor] = []
    *_, classifier = (module for module in network.modules() if isinstance(module, nn.Linear))
    with classifier.register_forward_pre_hook(lambda _, args: seen.append(args[0])), torch.no_grad():
        network(x)
    return seen[0]


@pytest.mark.parametrize("name", NAMES)
def test_a_share_of_the_features_is_left_out_in_training_alone(name: str) -> None:
    plain, dropping = build(name, 10, 0), build(name, 10, 0, dropout=0.25)
    assert dropping.state_dict().keys() == plain.state_dict().keys()
    plain.load_state_dict(dropping.state_dict())
    x = torch.randn(4, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    whole, kept = classified(plain.train(), x), classified(dropping.train(), x)
    there = kept != 0
    torch.testing.assert_close(kept[there], whole[there] / 0.75)
    assert 0.15 < (whole[~there] != 0).sum() / (whole != 0).sum() < 0.35
    plain.load_state_dict(dropping.state_dict())
    assert torch.equal(classified(plain.eval(), x), classified(dropping.eval(), x))


def told(arms: tuple[Arm, ...], arm: Arm, settings: Recipe) -> list[tuple[int, int, str, float]]:
    """What is told of one arm's training and results, but for the clock, and for what a second pass adds."""
    events = train(settings, arms, 0, device="cpu", images=images(), pace=PACE)
    names = ("batch_loss", "train_loss", "train_accuracy", "test_loss", "test_accuracy", "gamma_mean")
    mine = (e for e in events if isinstance(e, Scalar) and e.arm == arm.key and e.name in names)
    return [(e.epoch, e.step, e.name, e.value) for e in mine]


def test_all_arms_leave_out_the_same_features_whoever_else_is_there() -> None:
    settings = recipe(dropout=0.5, epochs=1)
    torch.manual_seed(5)
    state = torch.random.get_rng_state()
    both = (STILL, SGD)
    alone = told((SGD,), SGD, settings)
    assert torch.equal(torch.random.get_rng_state(), state), "torch's own draws are left as they are"
    torch.manual_seed(6)
    assert told(both, SGD, settings) == told(both, STILL, settings) == alone


def test_each_step_leaves_out_others() -> None:
    """With a learning rate of 0 the same images have the same loss, but for the features that are left out."""
    losses = {}
    for dropout in (0.0, 0.5):
        still = recipe(dropout=dropout, lr=0.0, train_size=16, augmentation="none")
        losses[dropout] = [e[3] for e in told((SGD,), SGD, still) if e[2] == "batch_loss"]
    assert losses[0.0][0] == pytest.approx(losses[0.0][1], abs=1e-5)
    assert abs(losses[0.5][0] - losses[0.5][1]) > 1e-3
