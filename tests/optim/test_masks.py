"""The sparse rivals of SAM-ON: exactly as many live coordinates as asked, chosen and renewed as their authors do."""

from math import ceil, cos, pi

import pytest
import torch
from torch import nn

from samviz.optim import SAM, Mask
from samviz.optim.masks import dynamic_mask, live_count
from samviz.spec import MASKS
from tests.optim.helpers import closure, make, weights
from tests.optim.reference import BatchNormNet, batch

NUMBERS = sum(w.numel() for w in BatchNormNet().parameters())


def live(optimizer: SAM) -> torch.Tensor:
    return torch.cat([m.flatten() for m in optimizer.state_dict()["mask"]["live"]])


def gradient(net: nn.Module, loss: torch.Tensor) -> torch.Tensor:
    return torch.cat([g.flatten() for g in torch.autograd.grad(loss, list(net.parameters()))])


@pytest.mark.parametrize("sparsity", [0.0, 0.5, 0.9, 0.99])
@pytest.mark.parametrize("kind", MASKS)
def test_as_many_coordinates_are_live_as_asked(kind: str, sparsity: float) -> None:
    net, optimizer = make(mask=Mask(kind=kind, sparsity=sparsity))
    if kind != "random":
        for i in range(3):
            optimizer.renew_mask([closure(net, i)], progress=i / 3)
            assert int(live(optimizer).sum()) == NUMBERS - ceil(NUMBERS * sparsity)
    assert int(live(optimizer).sum()) == NUMBERS - ceil(NUMBERS * sparsity)


@pytest.mark.parametrize(("sparsity", "numbers", "count"), [(0.9, 10, 1), (0.7, 10, 3), (0.9995, 36_000_000, 18_000)])
def test_rounding_does_not_lose_a_coordinate(sparsity: float, numbers: int, count: int) -> None:
    assert live_count(numbers, sparsity) == count


def test_a_sparsity_of_zero_is_plain_sam() -> None:
    for kind in MASKS:
        net, optimizer = make(mask=Mask(kind=kind, sparsity=0.0), rho=0.5)
        other, plain = make(rho=0.5)
        if kind != "random":
            optimizer.renew_mask([closure(net)])
        for step in range(3):
            optimizer.step(closure(net, step))
            plain.step(closure(other, step))
        assert torch.equal(weights(net), weights(other))


def test_a_random_mask_is_fixed_for_a_run_and_depends_on_its_seed_alone() -> None:
    first, second, other = (make(mask=Mask(kind="random", sparsity=0.6, seed=s))[1] for s in (1, 1, 2))
    before = live(first).clone()
    net = first.model
    for step in range(3):
        first.step(closure(net, step))
    assert torch.equal(live(first), before)
    assert torch.equal(live(second), before)
    assert not torch.equal(live(other), before)
    with pytest.raises(ValueError, match=r"^mask must be fisher or dynamic to be renewed, but it is random"):
        first.renew_mask([closure(net)])


def test_a_fisher_mask_keeps_the_largest_sums_of_squared_gradients_of_single_samples() -> None:
    net, optimizer = make(mask=Mask(kind="fisher", sparsity=0.8))
    x, y = batch(0, n=16)

    def sample(i: int) -> torch.Tensor:
        return nn.functional.cross_entropy(net(x[i : i + 1]), y[i : i + 1])

    squares = torch.zeros(NUMBERS, dtype=torch.float64)
    for i in range(16):
        squares += gradient(net, sample(i)) ** 2
    optimizer.renew_mask([lambda i=i: sample(i) for i in range(16)])
    chosen = live(optimizer)
    assert squares[chosen].min() >= squares[~chosen].max()


def test_a_dynamic_mask_drops_the_smallest_gradients_and_revives_as_many_at_random() -> None:
    net, optimizer = make(mask=Mask(kind="dynamic", sparsity=0.7))
    count = live_count(NUMBERS, 0.7)
    for i, progress in enumerate((0.0, 0.25, 0.5, 0.9, 1.0)):
        before = live(optimizer).clone()
        g = gradient(net, closure(net, i)()).abs()
        optimizer.renew_mask([closure(net, i)], progress=progress)
        after = live(optimizer)
        dropped, revived = before & ~after, after & ~before
        share = int(count * 0.5 * (1 + cos(pi * progress)) / 2)
        assert int(dropped.sum()) == int(revived.sum()) == share
        if share:
            assert g[dropped].max() <= g[before & after].min()


def test_a_dynamic_mask_revives_every_dead_coordinate_alike() -> None:
    mask = Mask(kind="dynamic", sparsity=0.5)
    alive = [torch.arange(20) % 2 == 0]
    hits = torch.zeros(20)
    for renewal in range(1, 2001):
        (after,) = dynamic_mask(alive, [torch.arange(20.0)], mask, 0.0, renewal)
        hits += after & ~alive[0]
    assert (hits[::2] == 0).all()
    assert hits[1::2].min() / 2000 > 0.45
    assert hits[1::2].max() / 2000 < 0.55  # 5 of 10: a standard deviation is 0.011


def test_a_dynamic_mask_that_is_nearly_full_replaces_no_more_than_there_are_dead() -> None:
    alive = [torch.arange(10) != 4]
    (after,) = dynamic_mask(alive, [torch.arange(10.0)], Mask(kind="dynamic", sparsity=0.1), 0.0, 1)
    assert after.tolist() == [False] + [True] * 9


@pytest.mark.parametrize("kind", ["fisher", "dynamic"])
def test_a_renewal_moves_no_parameter_no_statistic_and_no_grad(kind: str) -> None:
    net, optimizer = make(mask=Mask(kind=kind, sparsity=0.5))
    for w in net.parameters():
        w.grad = torch.full_like(w, 7.0)
    before, buffers = weights(net), [b.clone() for b in net.buffers()]
    optimizer.renew_mask([closure(net, 1), closure(net, 2)], progress=0.3)
    assert torch.equal(weights(net), before)
    assert all(torch.equal(b, old) for b, old in zip(net.buffers(), buffers, strict=True))
    assert all((w.grad == 7).all() for w in net.parameters())


def test_the_authors_norms_are_kept() -> None:
    """|eps| = rho for a random mask as for SAM-ON, |eps| < rho for SSAM, whose norm is over all coordinates."""
    lengths = {}
    for kind in MASKS:
        net, optimizer = make(mask=Mask(kind=kind, sparsity=0.8), rho=0.5)
        if kind != "random":
            optimizer.renew_mask([closure(net, 1)])
        seen = []
        loss = closure(net)

        def watched(net=net, loss=loss, seen=seen) -> torch.Tensor:
            seen.append(weights(net))
            return loss()

        g = gradient(net, loss())
        optimizer.step(watched)
        eps = seen[1] - seen[0]
        assert (eps[~live(optimizer)] == 0).all()
        lengths[kind] = float(eps.norm()), float(0.5 * g[live(optimizer)].norm() / g.norm())
    assert lengths["random"][0] == pytest.approx(0.5, rel=1e-9)
    for kind in ("fisher", "dynamic"):
        assert lengths[kind][0] == pytest.approx(lengths[kind][1], rel=1e-9)
        assert lengths[kind][0] < 0.5


def test_a_fisher_mask_must_be_renewed_before_the_first_ascent() -> None:
    net, optimizer = make(mask=Mask(kind="fisher", sparsity=0.5))
    before = weights(net)
    with pytest.raises(RuntimeError, match=r"^A fisher mask needs renew_mask .* before the first step\.$"):
        optimizer.step(closure(net))
    assert torch.equal(weights(net), before)
    optimizer.step(closure(net), ascend=False)


@pytest.mark.parametrize(
    ("field", "call"),
    [
        ("mask", lambda: Mask(kind="magnitude", sparsity=0.5)),
        ("sparsity", lambda: Mask(kind="random", sparsity=1.0)),
        ("sparsity", lambda: Mask(kind="random", sparsity=-0.1)),
        ("sparsity", lambda: Mask(kind="random", sparsity=float("nan"))),
        ("sparsity", lambda: make(mask=Mask(kind="random", sparsity=0.9999))),
        ("seed", lambda: Mask(kind="random", sparsity=0.5, seed=-1)),
        ("mask", lambda: make()[1].renew_mask([lambda: None])),
        ("closures", lambda: make(mask=Mask(kind="fisher", sparsity=0.5))[1].renew_mask([])),
        ("progress", lambda: make(mask=Mask(kind="dynamic", sparsity=0.5))[1].renew_mask([], progress=1.5)),
    ],
)
def test_a_wrong_value_is_named(field: str, call) -> None:
    with pytest.raises(ValueError, match=f"^{field} must"):
        call()
