"""One arm's step against the same step written out, and the settings that only one arm has."""

from math import cos, pi

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy

from samviz.optim import norm_parameters
from samviz.spec import Arm, Recipe
from samviz.training.loop import learning_rate
from samviz.training.racer import FACTS, Racer
from tests.training.fakes import SAM_ALL, SAM_ON, SGD, recipe

CPU = torch.device("cpu")


def racer(arm: Arm, **changes) -> Racer:
    return Racer(recipe(**changes), arm, 10, 0, CPU)


def batch(n: int = 16) -> tuple[torch.Tensor, torch.Tensor]:
    random = torch.Generator().manual_seed(3)
    x = torch.randn(n, 3, 32, 32, generator=random).contiguous(memory_format=torch.channels_last)
    return x, torch.arange(n) % 10


def step(arm: Racer, ascend: bool = True) -> dict[str, float]:
    return dict(zip(FACTS, arm.step(*batch(), ascend and arm.arm.variant is not None).tolist(), strict=True))


def test_the_facts_of_a_step_without_an_ascent_are_those_of_its_batch() -> None:
    one, same = racer(SGD), racer(SGD)
    x, y = batch()
    same.network.train()
    logits = same.network(x)
    loss = cross_entropy(logits, y)
    g = torch.autograd.grad(loss, same.trained)
    norm = float(torch.cat([part.flatten() for part in g]).norm())
    right = int((logits.argmax(dim=1) == y).sum())
    assert step(one) == pytest.approx(
        {
            "batch_loss": float(loss.detach()),
            "right": right,
            "gradient_norm": norm,
            "adversarial_loss": 0,
            "eps_norm": 0,
        },
        rel=1e-5,
    )


@pytest.mark.parametrize("arm", [SAM_ALL, SAM_ON])
def test_the_facts_of_an_ascent_are_those_at_w_plus_eps(arm: Arm) -> None:
    one, same = racer(arm), racer(SGD)
    x, y = batch()
    same.network.train()
    w = same.trained if arm.scope == "all" else list(norm_parameters(same.network))
    loss = cross_entropy(same.network(x), y)
    g = torch.autograd.grad(loss, w)
    size = float(torch.cat([part.flatten() for part in g]).norm())
    with torch.no_grad():
        for part, slope in zip(w, g, strict=True):
            part += arm.rho * slope / size
    there = cross_entropy(same.network(x), y)
    descent = torch.cat([part.flatten() for part in torch.autograd.grad(there, same.trained)])
    facts = step(one)
    assert facts["batch_loss"] == pytest.approx(float(loss.detach()), rel=1e-5)
    assert facts["adversarial_loss"] == pytest.approx(float(there.detach()), rel=1e-4)
    assert facts["adversarial_loss"] > facts["batch_loss"]
    assert facts["eps_norm"] == pytest.approx(arm.rho, rel=1e-4)
    assert facts["gradient_norm"] == pytest.approx(float(descent.norm()), rel=1e-3)


def test_m_sharpness_climbs_in_parts_and_its_facts_are_their_averages() -> None:
    whole, parts = racer(SAM_ALL, m=16), racer(SAM_ALL, m=4)
    step(whole)
    facts = step(parts)
    x, y = batch()
    losses, right = [], 0
    alone = racer(SGD)
    alone.network.train()
    for part, labels in zip(x.split(4), y.split(4), strict=True):  # norm layers see the statistics of 4 images
        logits = alone.network(part)
        losses.append(float(cross_entropy(logits, labels).detach()))
        right += int((logits.argmax(dim=1) == labels).sum())
    assert facts["batch_loss"] == pytest.approx(np.mean(losses), rel=1e-5)
    assert facts["right"] == right
    assert facts["eps_norm"] == pytest.approx(SAM_ALL.rho, rel=1e-4)
    assert any(not torch.equal(a, b) for a, b in zip(whole.trained, parts.trained, strict=True))


def test_m_is_for_the_ascent_alone() -> None:
    whole, parts = racer(SGD), racer(SGD, m=4)
    assert step(whole) == step(parts)
    late = racer(Arm(variant="sam", rho=0.05, first_epoch=2), m=4)
    step(late, ascend=False)
    assert all(torch.equal(a, b) for a, b in zip(late.trained, whole.trained, strict=True))


@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
@pytest.mark.parametrize("decay_norm", [True, False])
def test_gamma_and_beta_decay_only_where_the_recipe_says_so(optimizer: str, decay_norm: bool) -> None:
    shared = {"optimizer": optimizer, "lr": 0.1, "momentum": 0.5}
    without = racer(SGD, weight_decay=0.0, **shared)
    decaying = racer(SGD, weight_decay=0.5, decay_norm=decay_norm, **shared)
    start = {name: w.detach().clone() for name, w in without.network.named_parameters()}
    step(without)
    step(decaying)
    norms = norm_parameters(decaying.network)
    for (name, w), u in zip(decaying.network.named_parameters(), without.network.parameters(), strict=True):
        # The first step has no momentum yet, so that decay moves w by lr * weight_decay * w, in both optimizers.
        expected = u - 0.1 * 0.5 * start[name] * (decay_norm or w not in norms)
        torch.testing.assert_close(w, expected, rtol=1e-4, atol=1e-6)


def test_adamw_is_adamw_written_out() -> None:
    arm = racer(SGD, optimizer="adamw", lr=1e-3, momentum=0.8, weight_decay=0.1)
    plain = [w.detach().clone() for w in arm.trained]
    m, v = ([torch.zeros_like(w) for w in plain] for _ in range(2))
    for t in range(1, 4):
        step(arm)
        for w, g, mean, square in zip(plain, [w.grad for w in arm.trained], m, v, strict=True):
            mean.mul_(0.8).add_(0.2 * g)
            square.mul_(0.999).add_(0.001 * g**2)
            w -= 1e-3 * 0.1 * w
            w -= 1e-3 * (mean / (1 - 0.8**t)) / ((square / (1 - 0.999**t)).sqrt() + 1e-8)
    for w, expected in zip(arm.trained, plain, strict=True):
        torch.testing.assert_close(w.detach(), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("trained", "moves"), [("fix_norm", {False}), ("norm_only", {True}), ("all", {False, True})])
def test_what_does_not_train_stays(trained: str, moves: set[bool]) -> None:
    arm = racer(Arm(variant="sam", rho=0.05, trained=trained))
    norms = norm_parameters(arm.network)
    before = [w.detach().clone() for w in arm.network.parameters()]
    step(arm)
    moved = [w for w, old in zip(arm.network.parameters(), before, strict=True) if not torch.equal(w, old)]
    assert {w in norms for w in moved} == moves
    if trained == "fix_norm":
        assert all(torch.equal(gamma, torch.ones_like(gamma)) for gamma in arm.norm_weights("weight"))


@pytest.mark.parametrize(("mask", "epochs"), [("random", []), ("fisher", [2, 3, 4, 5, 6, 7, 8]), ("dynamic", [2, 7])])
def test_masks_are_chosen_anew_while_there_is_an_ascent(mask: str, epochs: list[int]) -> None:
    arm = racer(Arm(variant="sam", rho=0.1, mask=mask, sparsity=0.9, first_epoch=2, last_epoch=8), epochs=10)
    x, y = batch(4)
    found = []
    for epoch in range(1, 11):
        before = arm.optimizer._live
        if arm.begin_epoch(epoch, x, y):
            found.append(epoch)
            assert arm.optimizer._live is not before
    assert found == epochs
    live = torch.cat([mask.flatten() for mask in arm.optimizer._live])
    assert float(live.float().mean()) == pytest.approx(0.1, abs=1e-4)


def test_bf16_keeps_the_weights_in_fp32_and_about_the_loss() -> None:
    exact = racer(SAM_ALL)
    rounded = Racer(recipe(), SAM_ALL, 10, 0, CPU, "bf16")
    assert {w.dtype for w in rounded.trained} == {torch.float32}
    one, two = step(exact), step(rounded)
    assert one != two
    assert two["batch_loss"] == pytest.approx(one["batch_loss"], rel=0.02)
    assert two["adversarial_loss"] - two["batch_loss"] == pytest.approx(
        one["adversarial_loss"] - one["batch_loss"], rel=0.2
    )


SCHEDULED = Recipe(train_size=40, batch_size=10, epochs=10, lr=0.5, warmup_epochs=2)  # 4 steps an epoch


def rates(schedule: str, epochs: int = 10) -> list[float]:
    changed = Recipe.from_dict(SCHEDULED.to_dict() | {"schedule": schedule})
    return [learning_rate(changed, step, epochs) for step in range(4 * epochs)]


@pytest.mark.parametrize(
    ("schedule", "after"),
    [
        ("cosine", lambda part: 0.25 * (1 + cos(pi * part))),
        ("linear", lambda part: 0.5 * (1 - part)),
        ("steps", lambda part: 0.5 * (1 if part < 0.5 else 0.1 if part < 0.75 else 0.01)),
        ("constant", lambda part: 0.5),
    ],
)
@pytest.mark.parametrize("epochs", [10, 20])
def test_a_schedule_follows_a_linear_warm_up(schedule: str, after, epochs: int) -> None:
    found = rates(schedule, epochs)
    assert found[:8] == pytest.approx([0.5 * k / 8 for k in range(1, 9)])
    assert found[8:] == pytest.approx([after(k / (4 * epochs - 8)) for k in range(4 * epochs - 8)])
