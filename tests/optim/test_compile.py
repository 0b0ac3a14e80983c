"""Under torch.compile, too, the ascent of SAM-ON asks for no gradient of a convolution's weights."""

import pytest
import torch
from functorch.compile import make_boxed_func
from torch import nn
from torch._dynamo.backends.common import aot_autograd

from samviz.spec import SCOPES
from tests.optim.helpers import closure, make, weights

PASSES = {"all": [2, 2], "norm_only": [0, 2], "no_norm": [2, 2]}
"""Gradients by the weights of the two convolutions that the backward graphs of the two passes compute."""


@pytest.mark.parametrize("scope", SCOPES)
def test_the_backward_graphs_hold_the_gradients_that_are_used(scope: str) -> None:
    torch._dynamo.reset()
    found: list[int] = []

    def forward(graph: torch.fx.GraphModule, inputs: list) -> object:
        return make_boxed_func(graph.forward)

    def backward(graph: torch.fx.GraphModule, inputs: list) -> object:
        nodes = [n for n in graph.graph.nodes if n.target is torch.ops.aten.convolution_backward.default]
        found.append(sum(n.args[10][1] for n in nodes))  # output_mask: input, weight, bias
        return make_boxed_func(graph.forward)

    backend = aot_autograd(fw_compiler=forward, bw_compiler=backward)
    net, optimizer = make(rho=0.3, variant="elementwise_l2", scope=scope)
    other, eager = make(rho=0.3, variant="elementwise_l2", scope=scope)
    compiled = torch.compile(net, backend=backend)
    for step in range(3):
        optimizer.step(closure(compiled, step))
        eager.step(closure(other, step))
    assert found == PASSES[scope]  # one graph a pass, and no more in later steps
    torch.testing.assert_close(weights(net), weights(other), rtol=1e-10, atol=1e-12)
    for name, buffer in net.named_buffers():
        torch.testing.assert_close(buffer, other.get_buffer(name))


def test_the_compiled_model_itself_may_be_given_to_the_optimizer() -> None:
    torch._dynamo.reset()
    from samviz.optim import SAM

    net = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.ReLU(), nn.Linear(4, 2))
    compiled = torch.compile(net, backend="aot_eager")
    optimizer = SAM(compiled, torch.optim.SGD(compiled.parameters(), lr=0.1), scope="norm_only", rho=0.5)
    x = torch.randn(8, 3, generator=torch.Generator().manual_seed(0))
    losses = [float(optimizer.step(lambda: compiled(x).square().mean())) for _ in range(20)]
    assert losses[-1] < losses[0]
    assert int(net[1].num_batches_tracked) == 20
