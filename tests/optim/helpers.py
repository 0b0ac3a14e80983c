"""What the tests of the optimizer share: a small network with its optimizer, and batches as closures."""

import torch
from torch import nn

from samviz.optim import SAM
from tests.optim.reference import BatchNormNet, batch

SGD = {"lr": 0.05, "momentum": 0.9, "weight_decay": 0.01}


def make(net: nn.Module | None = None, rho: float = 0.1, **settings) -> tuple[nn.Module, SAM]:
    """A network (BatchNormNet by default) and SAM around SGD with momentum and weight decay."""
    net = BatchNormNet() if net is None else net
    return net, SAM(net, torch.optim.SGD(net.parameters(), **SGD), rho=rho, **settings)


def closure(net: nn.Module, step: int = 0):
    """The loss of one batch."""
    x, y = batch(step)
    return lambda: nn.functional.cross_entropy(net(x), y)


def weights(net: nn.Module) -> torch.Tensor:
    """A copy of all parameters in one vector."""
    return torch.cat([w.detach().flatten() for w in net.parameters()]).clone()
