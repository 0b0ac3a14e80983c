"""On a GPU: a step reads nothing back, can be captured as one CUDA graph, and serves models on several devices."""

import copy

import pytest
import torch
from torch import nn

from samviz.optim import SAM, Mask
from samviz.spec import SCOPES
from samviz.variants import VARIANTS
from tests.optim.helpers import SGD
from tests.optim.reference import BatchNormNet, batch

DEVICE = torch.device("cuda")


def start() -> tuple[nn.Module, torch.Tensor, torch.Tensor]:
    x, y = batch(0)
    return BatchNormNet().float().to(DEVICE), x.float().to(DEVICE), y.to(DEVICE)


def optimizer_of(net: nn.Module, **settings) -> SAM:
    return SAM(net, torch.optim.SGD(net.parameters(), **SGD), rho=0.1, **settings)


if torch.cuda.is_available():  # elsewhere there is nothing to test; test_step.py has the meta device instead

    @pytest.mark.parametrize("p", [1, 1.5, 2, float("inf")])
    @pytest.mark.parametrize("scope", SCOPES)
    @pytest.mark.parametrize("variant", VARIANTS)
    def test_a_step_does_not_wait_for_the_device(variant: str, scope: str, p: float) -> None:
        net, x, y = start()
        optimizer = optimizer_of(net, variant=variant, scope=scope, p=p)
        optimizer.step(lambda: nn.functional.cross_entropy(net(x), y))
        torch.cuda.set_sync_debug_mode("error")
        try:
            optimizer.step(lambda: nn.functional.cross_entropy(net(x), y))
        finally:
            torch.cuda.set_sync_debug_mode("default")

    @pytest.mark.parametrize("mask", [None, Mask(kind="random", sparsity=0.5)])
    @pytest.mark.parametrize("variant", VARIANTS)
    def test_a_captured_step_is_the_eager_one(variant: str, mask: Mask | None) -> None:
        net, x, y = start()
        other = copy.deepcopy(net)
        eager, replayed = optimizer_of(net, variant=variant, mask=mask), optimizer_of(other, variant=variant, mask=mask)
        for _ in range(7):
            expected = eager.step(lambda: nn.functional.cross_entropy(net(x), y))

        def step() -> torch.Tensor:
            return replayed.step(lambda: nn.functional.cross_entropy(other(x), y))

        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(3):
                step()
        torch.cuda.current_stream().wait_stream(side)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            loss = step()
        for _ in range(4):
            graph.replay()
        torch.testing.assert_close(loss, expected, rtol=1e-4, atol=1e-5)
        for (name, a), b in zip(net.state_dict().items(), other.state_dict().values(), strict=True):
            torch.testing.assert_close(b, a, rtol=1e-3, atol=1e-4, msg=lambda text, name=name: f"{name}: {text}")

    @pytest.mark.parametrize("p", [1, 1.5, 2, float("inf")])
    def test_a_model_on_two_devices_steps_as_on_one(p: float) -> None:
        class Split(nn.Module):
            def __init__(self, second: torch.device) -> None:
                super().__init__()
                torch.manual_seed(0)
                self.first, self.second = nn.Linear(3, 4), nn.Linear(4, 2).to(second)

            def forward(self, x: torch.Tensor) -> torch.Tensor:
                return self.second(torch.relu(self.first(x)).to(self.second.weight.device))

        one, two = Split(torch.device("cpu")), Split(DEVICE)
        for net in (one, two):
            optimizer = optimizer_of(net, variant="elementwise_l2", p=p)
            for _ in range(3):
                optimizer.step(lambda net=net: net(torch.ones(2, 3)).square().mean())
        for a, b in zip(one.parameters(), two.parameters(), strict=True):
            torch.testing.assert_close(b.cpu(), a, rtol=1e-4, atol=1e-6)

    def test_both_passes_leave_out_the_same_units() -> None:
        net = nn.Sequential(nn.Linear(3, 64), nn.Dropout(0.5), nn.Linear(64, 1)).to(DEVICE)
        dropped = []
        net[1].register_forward_hook(lambda layer, args, output: dropped.append(output == 0))
        optimizer_of(net).step(lambda: net(torch.ones(2, 3, device=DEVICE)).square().mean())
        assert torch.equal(*dropped)
