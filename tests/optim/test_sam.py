"""The optimizer against a plain independent writing of the papers' formulas, and what it promises around a step."""

import io
from dataclasses import replace
from math import inf, nan

import pytest
import torch
from torch import nn

from samviz.optim import SAM, maximizer
from samviz.spec import SCOPES
from samviz.variants import VARIANTS, WEIGHT
from tests.optim.reference import NORM, Net, batch, train

RADII = {"elementwise_linf": 0.02, "layerwise_l2": 0.05}
SGD = {"lr": 0.05, "momentum": 0.9, "weight_decay": 0.01}


def make(variant: str = "sam", scope: str = "all", rho: float = 0.1, **settings) -> tuple[Net, SAM]:
    net = Net()
    return net, SAM(net, torch.optim.SGD(net.parameters(), **SGD), variant=variant, scope=scope, rho=rho, **settings)


def closure(net: nn.Module, step: int = 0):
    x, y = batch(step)
    return lambda: nn.functional.cross_entropy(net(x), y)


def weights(net: nn.Module) -> torch.Tensor:
    return torch.cat([w.detach().flatten() for w in net.parameters()])


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("eta", [None, 0.2])
def test_every_variant_on_every_scope_is_the_papers(variant: str, scope: str, eta: float | None) -> None:
    rho = RADII.get(variant, 0.3)
    net, optimizer = make(variant, scope, rho, eta=eta)
    losses = [float(optimizer.step(closure(net, step))) for step in range(6)]

    other = Net()
    expected = train(other, 6, variant, scope, rho, VARIANTS[variant].eta if eta is None else eta, **SGD)
    assert losses == pytest.approx(expected, rel=1e-10)
    difference = (weights(net) - weights(other)).norm() / weights(other).norm()
    assert float(difference) < 1e-10


@pytest.mark.parametrize("p", [1.5, 2.0, 3.0, 8.0, inf])
def test_the_maximizer_is_on_the_region_and_no_other_point_is_better(p: float) -> None:
    torch.manual_seed(0)
    w = [torch.randn(4, 3, dtype=torch.float64), torch.randn(5, dtype=torch.float64)]
    g = [torch.randn_like(x) for x in w]
    variant = replace(VARIANTS["elementwise_l2"], p=p)
    T = [x.abs() + 0.1 for x in w]
    eps = maximizer(w, g, [WEIGHT, WEIGHT], variant, 0.3, 0.1)

    def scaled_norm(e: list[torch.Tensor]) -> torch.Tensor:
        return torch.linalg.vector_norm(torch.cat([(x / t).flatten() for x, t in zip(e, T, strict=True)]), p)

    def gain(e: list[torch.Tensor]) -> torch.Tensor:
        return sum((x * y).sum() for x, y in zip(e, g, strict=True))

    assert float(scaled_norm(eps)) == pytest.approx(0.3, rel=1e-12)
    for _ in range(200):
        other = [x + 0.3 * torch.randn_like(x) for x in eps]
        scale = 0.3 / scaled_norm(other)
        assert gain([scale * x for x in other]) < gain(eps)


@pytest.mark.parametrize("p", [2.0, 3.0, inf])
def test_eps_is_zero_where_the_gradient_is(p: float) -> None:
    w = [torch.ones(3)]
    (eps,) = maximizer(w, [torch.zeros(3)], [WEIGHT], replace(VARIANTS["sam"], p=p), 0.5, 0.0)
    assert torch.equal(eps, torch.zeros(3))


def test_p_of_one_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^p must be above 1 .* it is 1\.$"):
        make(replace(VARIANTS["sam"], p=1.0))


def test_sub_batches_climb_on_their_own_and_their_gradients_are_averaged() -> None:
    net, optimizer = make("elementwise_l2", rho=0.5)
    optimizer.base_optimizer.param_groups[0]["lr"] = 0.0
    gradients, losses = [], []
    for step in (0, 1, 2):
        losses.append(optimizer.step(closure(net, step)))
        gradients.append([w.grad.clone() for w in net.parameters()])
    loss = optimizer.step([closure(net, step) for step in (0, 1, 2)])
    assert float(loss) == pytest.approx(float(sum(losses)) / 3, rel=1e-12)
    for w, *parts in zip(net.parameters(), *gradients, strict=True):
        torch.testing.assert_close(w.grad, sum(parts) / 3, rtol=1e-12, atol=1e-14)
    with pytest.raises(ValueError, match=r"^closure must be"):
        optimizer.step([])


@pytest.mark.parametrize("scope", SCOPES)
def test_the_parameters_are_back_bit_for_bit_before_the_base_step(scope: str) -> None:
    net, optimizer = make("elementwise_l2", scope, rho=1.0)
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
    assert moved == {"all": names, "norm_only": NORM, "no_norm": names - NORM}[scope]
    assert [w.data_ptr() for w in net.parameters()] == places


def test_the_parameters_are_back_when_the_second_pass_raises() -> None:
    net, optimizer = make(rho=1.0)
    before = weights(net).clone()
    loss, calls = closure(net), iter([False, True])

    def fails_at_the_second_call() -> torch.Tensor:
        if next(calls):
            raise KeyboardInterrupt
        return loss()

    with pytest.raises(KeyboardInterrupt):
        optimizer.step(fails_at_the_second_call)
    assert torch.equal(weights(net), before)
    assert all(m.track_running_stats for m in net.modules() if isinstance(m, nn.BatchNorm2d))


def test_the_ascent_of_sam_on_takes_no_gradient_of_other_weights() -> None:
    net, optimizer = make(scope="norm_only")
    calls = []
    net.first.weight.register_hook(lambda grad: calls.append(grad.shape))
    optimizer.step(closure(net))
    assert len(calls) == 1  # the second pass alone


def test_a_loss_that_is_nan_is_returned_not_hidden() -> None:
    net, optimizer = make()
    loss = closure(net)
    assert optimizer.step(lambda: loss() * nan).isnan()


@pytest.mark.parametrize(("statistics", "updates"), [("first", 1), ("both", 2)])
def test_running_statistics_move_in_the_first_pass_only_unless_asked(statistics: str, updates: int) -> None:
    net, optimizer = make(rho=1.0, bn_statistics=statistics)
    layer = net.second[0]
    inputs: list[torch.Tensor] = []
    layer.register_forward_pre_hook(lambda _, args: inputs.append(args[0].detach()))
    optimizer.step(closure(net))
    expected = torch.zeros(4, dtype=torch.float64)
    for x in inputs[:updates]:
        expected = 0.9 * expected + 0.1 * x.mean(dim=(0, 2, 3))
    assert len(inputs) == 2
    torch.testing.assert_close(layer.running_mean, expected, rtol=1e-12, atol=1e-14)
    assert int(layer.num_batches_tracked) == updates


def test_layers_in_evaluation_mode_keep_their_statistics_and_use_them() -> None:
    net, optimizer = make()
    net.second[0].eval()
    before = net.second[0].running_var.clone()
    optimizer.step(closure(net))
    assert torch.equal(net.second[0].running_var, before)
    assert not net.second[0].training


def test_a_saved_and_resumed_run_is_the_unbroken_one_bit_for_bit() -> None:
    net, optimizer = make("elementwise_l2", "norm_only", rho=0.5)
    for step in range(3):
        optimizer.step(closure(net, step))
    file = io.BytesIO()
    torch.save({"net": net.state_dict(), "optimizer": optimizer.state_dict()}, file)
    for step in range(3, 6):
        optimizer.step(closure(net, step))

    file.seek(0)
    state = torch.load(file, weights_only=True)
    again, resumed = make("elementwise_l2", "norm_only", rho=0.5)
    again.load_state_dict(state["net"])
    resumed.load_state_dict(state["optimizer"])
    assert resumed.param_groups is resumed.base_optimizer.param_groups
    assert resumed.state is resumed.base_optimizer.state
    for step in range(3, 6):
        resumed.step(closure(again, step))
    assert torch.equal(weights(again), weights(net))


def test_a_scheduler_sets_the_learning_rate_of_the_base_optimizer() -> None:
    net, optimizer = make()
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=4)
    for step in range(4):
        optimizer.step(closure(net, step))
        scheduler.step()
    assert optimizer.base_optimizer.param_groups[0]["lr"] == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize(
    ("field", "settings"),
    [
        ("variant", {"variant": "asam"}),
        ("scope", {"scope": "norm"}),
        ("rho", {"rho": -1.0}),
        ("rho", {"rho": nan}),
        ("eta", {"eta": inf}),
        ("bn_statistics", {"bn_statistics": "second"}),
    ],
)
def test_a_wrong_value_is_named(field: str, settings: dict) -> None:
    with pytest.raises(ValueError, match=f"^{field} must be"):
        make(**settings)
