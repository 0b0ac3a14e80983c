"""What a step promises around its formula: what it leaves alone, what it puts back, and that it can be resumed."""

import io
from collections.abc import Callable
from math import inf, nan

import pytest
import torch
from torch import nn

from samviz.optim import SAM, Mask
from samviz.spec import SCOPES
from samviz.variants import VARIANTS
from tests.bench.step_cost import peak_memory
from tests.optim.helpers import SGD, closure, make, weights
from tests.optim.reference import NETS, BatchNormNet, batch

MASKS = {kind: Mask(kind=kind, sparsity=0.5) for kind in ("random", "fisher", "dynamic")}


def flags(net: nn.Module) -> list:
    """Everything about a network that a step must put back."""
    tracking = [m.track_running_stats for m in net.modules() if isinstance(m, nn.BatchNorm2d)]
    return [[w.requires_grad for w in net.parameters()], [m.training for m in net.modules()], tracking]


def buffers(net: nn.Module) -> torch.Tensor:
    return torch.cat([b.flatten().double() for b in net.buffers()])


@pytest.mark.parametrize("scope", SCOPES)
def test_the_parameters_are_back_bit_for_bit_before_the_base_step(scope: str) -> None:
    net, optimizer = make(variant="elementwise_l2", scope=scope, rho=1.0)
    before = [w.detach().clone() for w in net.parameters()]
    places = [w.data_ptr() for w in net.parameters()]
    seen: list[list[torch.Tensor]] = []
    loss = closure(net)

    def watched() -> torch.Tensor:
        seen.append([w.detach().clone() for w in net.parameters()])
        return loss()

    def check(*_: object) -> None:
        assert all(torch.equal(w, old) for w, old in zip(net.parameters(), before, strict=True))

    optimizer.base_optimizer.register_step_pre_hook(check)
    optimizer.step(watched)
    moved = {
        name for (name, _), a, b in zip(net.named_parameters(), seen[0], seen[1], strict=True) if not torch.equal(a, b)
    }
    names = {name for name, _ in net.named_parameters()}
    assert moved == {"all": names, "norm_only": set(net.NORM), "no_norm": names - net.NORM}[scope]
    assert [w.data_ptr() for w in net.parameters()] == places


@pytest.mark.parametrize("scope", SCOPES)
def test_grad_holds_the_second_gradient_and_nothing_else(scope: str) -> None:
    net, optimizer = make(variant="elementwise_l2", scope=scope, rho=0.5)
    expected: list[torch.Tensor] = []
    loss, calls = closure(net), iter(range(2))

    def watched() -> torch.Tensor:
        if next(calls) == 1:
            expected.extend(torch.autograd.grad(loss(), list(net.parameters())))
        return loss()

    for w in net.parameters():
        w.grad = torch.full_like(w, 7.0)  # left over from something else
    optimizer.step(watched)
    assert all(torch.equal(w.grad, g) for w, g in zip(net.parameters(), expected, strict=True))


@pytest.mark.parametrize("failing", [1, 2, 3, 4])
@pytest.mark.parametrize("scope", SCOPES)
def test_a_closure_that_raises_leaves_everything_as_it_was(scope: str, failing: int) -> None:
    net, optimizer = make(scope=scope, rho=1.0)
    optimizer.step(closure(net))
    before, statistics, all_flags = weights(net), buffers(net), flags(net)
    state = str(optimizer.state_dict())
    loss, calls = closure(net, 1), iter(range(1, 5))

    def fails() -> torch.Tensor:
        value = loss()  # so that the statistics have moved when it fails
        if next(calls) == failing:
            raise KeyboardInterrupt
        return value

    with pytest.raises(KeyboardInterrupt):
        optimizer.step([fails, fails])
    assert torch.equal(weights(net), before)
    assert torch.equal(buffers(net), statistics)
    assert flags(net) == all_flags
    assert str(optimizer.state_dict()) == state
    assert all(w.grad is None for w in net.parameters())


def test_an_exception_inside_of_the_network_leaves_the_statistics_too() -> None:
    class Breaks(nn.Module):
        broken = False

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            if self.broken:
                raise RuntimeError("broken")
            return x

    breaks = Breaks()
    net = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), breaks, nn.Linear(4, 1))
    optimizer = SAM(net, torch.optim.SGD(net.parameters(), lr=0.1), rho=0.1)
    x = torch.randn(5, 3, generator=torch.Generator().manual_seed(0))
    optimizer.step(lambda: net(x).square().mean())
    statistics = buffers(net).clone()
    breaks.broken = True
    with pytest.raises(RuntimeError, match="broken"):
        optimizer.step(lambda: net(x).square().mean())
    assert torch.equal(buffers(net), statistics)


def test_the_ascent_of_sam_on_takes_no_gradient_of_other_weights() -> None:
    net, optimizer = make(scope="norm_only")
    asked: list[list[bool]] = []
    loss = closure(net)

    def watched() -> torch.Tensor:
        asked.append([w.requires_grad for w in net.parameters()])
        return loss()

    taken: list[torch.Size] = []
    net.first.weight.register_post_accumulate_grad_hook(lambda w: taken.append(w.shape))
    optimizer.step(watched)
    assert asked[0] == [name in net.NORM for name, _ in net.named_parameters()]
    assert all(asked[1])
    assert len(taken) == 1  # the second pass alone


def test_without_an_ascent_a_step_is_the_base_optimizers() -> None:
    net, optimizer = make(rho=1.0)
    other = BatchNormNet()
    sgd = torch.optim.SGD(other.parameters(), **SGD)
    for step in range(4):
        loss = optimizer.step(closure(net, step), ascend=False)
        sgd.zero_grad()
        expected = closure(other, step)()
        expected.backward()
        sgd.step()
        assert torch.equal(loss, expected.detach())
    assert torch.equal(weights(net), weights(other))
    assert torch.equal(buffers(net), buffers(other))
    optimizer.step(closure(net, 4))
    optimizer.step(closure(other, 4), ascend=False)
    assert not torch.equal(weights(net), weights(other))


def test_a_radius_of_zero_is_the_base_optimizer() -> None:
    net, optimizer = make(rho=0.0)
    other, plain = make(rho=1.0)
    for step in range(3):
        optimizer.step(closure(net, step))
        plain.step(closure(other, step), ascend=False)
    assert torch.equal(weights(net), weights(other))


def test_a_loss_that_is_nan_is_returned_and_spoils_the_weights_as_in_sgd() -> None:
    net, optimizer = make()
    loss = closure(net)
    assert optimizer.step(lambda: loss() * nan).isnan()
    assert weights(net).isnan().all()


@pytest.mark.parametrize("layer", ["BatchNorm1d", "SyncBatchNorm", "InstanceNorm1d"])
@pytest.mark.parametrize(("statistics", "updates"), [("first", 1), ("both", 2)])
def test_running_statistics_move_in_the_first_pass_only_unless_asked(statistics: str, updates: int, layer: str) -> None:
    if layer == "SyncBatchNorm":  # takes its inputs on a GPU only, so that its forward is BatchNorm's here
        norm = nn.SyncBatchNorm(4)
        norm.forward = lambda x: nn.BatchNorm1d.forward(norm, x)
        norm._check_input_dim = lambda x: None
    else:
        norm = getattr(nn, layer)(4, affine=True, track_running_stats=True)
    net = nn.Sequential(nn.Conv1d(3, 4, 1), norm, nn.Flatten(), nn.Linear(20, 2))
    optimizer = SAM(net, torch.optim.SGD(net.parameters(), lr=0.1), rho=1.0, bn_statistics=statistics)
    inputs: list[torch.Tensor] = []
    net[0].register_forward_hook(lambda module, args, output: inputs.append(output.detach()))
    x = torch.randn(6, 3, 5, generator=torch.Generator().manual_seed(0))
    optimizer.step(lambda: net(x).square().mean())
    expected = torch.zeros(4)
    for x in inputs[:updates]:
        expected = 0.9 * expected + 0.1 * x.mean(dim=(0, 2))
    assert len(inputs) == 2
    torch.testing.assert_close(norm.running_mean, expected)
    if layer != "InstanceNorm1d":  # torch's InstanceNorm counts no batches
        assert int(norm.num_batches_tracked) == updates
    assert norm.track_running_stats


def test_layers_in_evaluation_mode_keep_their_statistics_and_use_them() -> None:
    net, optimizer = make()
    net.second[0].eval()
    before = net.second[0].running_var.clone()
    seen = []
    net.second[0].register_forward_hook(lambda layer, args, output: seen.append((args[0], output)))
    optimizer.step(closure(net))
    assert torch.equal(net.second[0].running_var, before)
    assert not net.second[0].training
    x, y = seen[0]
    gamma, beta = (w.detach() for w in make()[0].second[0].parameters())
    expected = gamma.view(-1, 1, 1) * x / (1 + 1e-5) ** 0.5 + beta.view(-1, 1, 1)  # mean 0 and variance 1 at the start
    torch.testing.assert_close(y, expected)


def test_both_passes_leave_out_the_same_units() -> None:
    net = nn.Sequential(nn.Linear(3, 64), nn.Dropout(0.5), nn.Linear(64, 1))
    optimizer = SAM(net, torch.optim.SGD(net.parameters(), lr=0.1), rho=0.1)
    dropped = []
    net[1].register_forward_hook(lambda layer, args, output: dropped.append(output == 0))
    torch.manual_seed(0)
    for _ in range(2):
        optimizer.step(lambda: net(torch.ones(2, 3)).square().mean())
    first, second, third, fourth = dropped
    assert 0.2 < first.float().mean() < 0.8
    assert torch.equal(first, second)
    assert torch.equal(third, fourth)
    assert not torch.equal(first, third)


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize("around", ["closure", "step"])
def test_autocast_to_bfloat16_keeps_the_ascent(around: str, scope: str) -> None:
    """Weights stay in single precision. Casts that autocast remembers must not hide w + eps from the second pass."""
    losses = {}
    for enabled in (False, True):
        net = BatchNormNet().float()
        optimizer = SAM(net, torch.optim.SGD(net.parameters(), lr=0.0), scope=scope, rho=0.5)
        x, y = batch(0, n=64)
        seen: list[float] = []

        def loss(net=net, x=x, y=y, seen=seen, on=enabled and around == "closure") -> torch.Tensor:
            with torch.autocast("cpu", torch.bfloat16, enabled=on or torch.is_autocast_enabled("cpu")):
                value = nn.functional.cross_entropy(net(x.float()), y)
            seen.append(float(value.detach()))
            return value

        with torch.autocast("cpu", torch.bfloat16, enabled=enabled and around == "step"):
            optimizer.step(loss)
        assert all(w.dtype == w.grad.dtype == torch.float32 for w in net.parameters())
        losses[enabled] = seen[1] - seen[0]
    assert losses[False] > 0.01
    assert losses[True] == pytest.approx(losses[False], rel=0.1)


def test_clipping_comes_between_the_second_gradient_and_the_update() -> None:
    net, optimizer = make(rho=0.5)
    other, unclipped = make(rho=0.5)
    norms: list[float] = []

    def clip(*_: object) -> None:
        norms.append(float(nn.utils.clip_grad_norm_(net.parameters(), 0.1)))

    optimizer.base_optimizer.register_step_pre_hook(clip)
    optimizer.step(closure(net))
    unclipped.step(closure(other))
    second = torch.cat([w.grad.flatten() for w in other.parameters()])
    assert norms == [pytest.approx(float(second.norm()))]
    torch.testing.assert_close(torch.cat([w.grad.flatten() for w in net.parameters()]), second * 0.1 / second.norm())


def test_schedulers_see_an_ordinary_optimizer() -> None:
    net, optimizer = make()
    scheduler = torch.optim.lr_scheduler.SequentialLR(
        optimizer,
        [
            torch.optim.lr_scheduler.LinearLR(optimizer, 0.5, total_iters=2),
            torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=4),
        ],
        milestones=[2],
    )
    rates = []
    for step in range(6):
        rates.append(optimizer.base_optimizer.param_groups[0]["lr"])
        optimizer.step(closure(net, step))
        scheduler.step()
    assert rates[:3] == pytest.approx([0.025, 0.0375, 0.05])
    assert optimizer.param_groups[0]["lr"] == pytest.approx(0, abs=1e-12)


def test_tied_parameters_are_moved_and_put_back_once() -> None:
    class Tied(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b = nn.Linear(4, 4, bias=False), nn.Linear(4, 4, bias=False)
            self.b.weight = self.a.weight

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.b(torch.relu(self.a(x)))

    net = Tied().double()
    w = net.a.weight.detach().clone()
    x = torch.randn(5, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    seen = []

    def loss() -> torch.Tensor:
        seen.append(net.a.weight.detach().clone())
        return net(x).square().mean()

    (g,) = torch.autograd.grad(net(x).square().mean(), [net.a.weight])
    SAM(net, torch.optim.SGD(net.parameters(), lr=0.1), rho=0.3).step(loss)
    torch.testing.assert_close(seen[1], w + 0.3 * g / g.norm(), rtol=1e-12, atol=0)


@pytest.mark.parametrize("scope", ["all", "norm_only"])
def test_parameters_without_a_gradient_stay(scope: str) -> None:
    net = nn.ModuleDict({"used": nn.Linear(2, 1), "norm": nn.LayerNorm(2), "unused": nn.Linear(2, 1)})
    before = weights(net["unused"])
    optimizer = SAM(net, torch.optim.SGD(net.parameters(), lr=0.1), scope=scope, rho=0.1)
    optimizer.step(lambda: net["used"](torch.ones(1, 2)).sum())  # the norm layer has no part in it either
    assert torch.equal(weights(net["unused"]), before)
    assert net["unused"].weight.grad is None
    assert net["used"].weight.grad is not None


@pytest.mark.parametrize("base", ["SGD", "AdamW"])
@pytest.mark.parametrize("mask", [None, *MASKS])
@pytest.mark.parametrize("variant", VARIANTS)
def test_a_saved_and_resumed_run_is_the_unbroken_one_bit_for_bit(variant: str, mask: str | None, base: str) -> None:
    def start() -> tuple[nn.Module, SAM]:
        net = BatchNormNet()
        settings = SGD if base == "SGD" else {"lr": 0.01}
        inner = getattr(torch.optim, base)(net.parameters(), **settings)
        return net, SAM(net, inner, variant=variant, mask=MASKS.get(mask), rho=0.2)

    def train(net: nn.Module, optimizer: SAM, steps: range) -> None:
        for step in steps:
            if mask in {"fisher", "dynamic"} and step % 2 == 0:
                optimizer.renew_mask([closure(net, 50 + step)], progress=step / 8)
            optimizer.step(closure(net, step))

    net, optimizer = start()
    train(net, optimizer, range(4))
    file = io.BytesIO()
    torch.save({"net": net.state_dict(), "optimizer": optimizer.state_dict()}, file)
    train(net, optimizer, range(4, 8))

    file.seek(0)
    state = torch.load(file, weights_only=True)
    again, resumed = start()
    again.load_state_dict(state["net"])
    resumed.load_state_dict(state["optimizer"])
    assert resumed.param_groups is resumed.base_optimizer.param_groups
    assert resumed.state is resumed.base_optimizer.state
    train(again, resumed, range(4, 8))
    assert torch.equal(weights(again), weights(net))
    assert torch.equal(buffers(again), buffers(net))


def test_a_state_that_does_not_fit_is_refused_and_changes_nothing() -> None:
    _, plain = make()
    _, masked = make(mask=MASKS["random"])
    other = nn.Linear(3, 2)
    foreign = SAM(other, torch.optim.SGD(other.parameters(), lr=0.1), mask=MASKS["random"], rho=0.1)
    before = str(masked.state_dict())
    with pytest.raises(ValueError, match=r"^mask must be in both .* the optimizer has one and its state has none"):
        masked.load_state_dict(plain.state_dict())
    with pytest.raises(ValueError, match=r"^mask must be in both .* the optimizer has none and its state has one"):
        plain.load_state_dict(masked.state_dict())
    with pytest.raises(ValueError, match=r"^mask must fit the model's parameters"):
        masked.load_state_dict(foreign.state_dict())
    assert str(masked.state_dict()) == before


@pytest.mark.parametrize("net", NETS)
@pytest.mark.parametrize("p", [1, 1.5, 2, inf])
@pytest.mark.parametrize(("variant", "scope"), [*((v, "all") for v in VARIANTS), *(("sam", s) for s in SCOPES)])
def test_nothing_in_a_step_is_read_back_to_the_host(variant: str, scope: str, p: float, net: str) -> None:
    """Tensors on the meta device have no values: a read of one raises."""
    model = NETS[net]().to("meta")
    optimizer = SAM(model, torch.optim.SGD(model.parameters(), **SGD), variant=variant, scope=scope, rho=0.1, p=p)
    x, y = (t.to("meta") for t in batch(0))
    for _ in range(2):
        loss = optimizer.step([lambda: nn.functional.cross_entropy(model(x), y)] * 2)
    with pytest.raises((RuntimeError, NotImplementedError)):
        loss.item()


def test_sam_on_takes_no_more_memory_than_sgd_and_copies_what_it_perturbs_alone() -> None:
    def peak(optimizer: SAM, net: nn.Module, ascend: bool) -> float:
        return peak_memory(lambda: optimizer.step(closure(net), ascend=ascend))

    class Wide(nn.Module):
        """Weights outweigh activations, so that a copy of them would show."""

        def __init__(self) -> None:
            super().__init__()
            self.layers = nn.Sequential(nn.Flatten(), nn.Linear(108, 2000), nn.LayerNorm(2000), nn.Linear(2000, 5))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.layers(x.float())

    peaks = {scope: peak(*reversed(make(Wide(), scope=scope)), ascend=True) for scope in SCOPES}
    sgd = peak(*reversed(make(Wide())), ascend=False)
    assert peaks["norm_only"] <= 1.05 * sgd
    assert peaks["all"] > 1.05 * sgd


@pytest.mark.parametrize("parts", [1, 2])
@pytest.mark.parametrize("scope", SCOPES)
def test_a_step_tells_what_its_ascent_came_to(scope: str, parts: int) -> None:
    net, optimizer = make(scope=scope)
    assert optimizer.ascent is None
    seen: list[tuple[torch.Tensor, float]] = []
    w = [p.detach().clone() for p in net.parameters()]

    def part(seed: int) -> Callable[[], torch.Tensor]:
        def told() -> torch.Tensor:
            loss = closure(net, seed)()
            eps = torch.cat([(a - b).detach().flatten() for a, b in zip(net.parameters(), w, strict=True)])
            seen.append((loss.detach(), float(eps.norm())))
            return loss

        return told

    optimizer.step([part(seed) for seed in range(parts)])
    there = seen[1::2]  # each part is met at w, then at w + eps
    torch.testing.assert_close(optimizer.ascent.loss, torch.stack([loss for loss, _ in there]).mean())
    assert float(optimizer.ascent.eps_norm) == pytest.approx(sum(norm for _, norm in there) / parts)
    optimizer.step(part(0), ascend=False)
    assert optimizer.ascent is None


def test_a_step_wants_a_closure() -> None:
    _, optimizer = make()
    with pytest.raises(ValueError, match=r"^closure must be a function or a list of at least one"):
        optimizer.step([])


@pytest.mark.parametrize(
    ("field", "settings"),
    [
        ("variant", {"variant": "asam"}),
        ("scope", {"scope": "norm"}),
        ("scope", {"scope": "norm_only", "mask": MASKS["random"]}),
        ("rho", {"rho": -1.0}),
        ("rho", {"rho": nan}),
        ("eta", {"eta": inf}),
        ("eta", {"eta": -0.1}),
        ("p", {"p": 0.99}),
        ("p", {"p": nan}),
        ("p", {"p": "2"}),
        ("bn_statistics", {"bn_statistics": "second"}),
    ],
)
def test_a_wrong_value_is_named(field: str, settings: dict) -> None:
    with pytest.raises(ValueError, match=f"^{field} must be"):
        make(**settings)


def test_an_unknown_variant_is_told_the_known_ones() -> None:
    with pytest.raises(
        ValueError, match=r"^variant must be one of sam, elementwise_l2, .*, fisher, but it is 'asam'\.$"
    ):
        make(variant="asam")
    with pytest.raises(ValueError, match=r"^p must be a number from 1 to infinity, but it is 0\.5\.$"):
        make(p=0.5)
