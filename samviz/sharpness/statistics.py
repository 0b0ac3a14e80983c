"""What BatchNorm normalizes with away from the weights that its running statistics belong to."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm


class Statistics:
    """Sets the running statistics of a network's BatchNorm layers; the network is a copy of one's own."""

    def __init__(self, model: nn.Module, other: nn.Module | None = None) -> None:
        self._layers = _tracking(model)
        self._kept = [(layer.running_mean.clone(), layer.running_var.clone()) for layer in self._layers]
        self._others = [] if other is None else [(layer.running_mean, layer.running_var) for layer in _tracking(other)]

    def set(
        self, how: str, t: float, logits: Callable[[Tensor], Tensor], batches: Sequence[tuple[Tensor, Tensor]]
    ) -> None:
        """Put them as `how`, a key of `STATISTICS`, says: at t on the line to the other network, or for what `logits`
        computes of the images of `batches`: averages over the batches of their means and variances."""
        if how == "interpolated":
            for layer, here, there in zip(self._layers, self._kept, self._others, strict=True):
                layer.running_mean.copy_(torch.lerp(here[0], there[0].to(here[0]), t))
                layer.running_var.copy_(torch.lerp(here[1], there[1].to(here[1]), t).clamp(min=0))
        elif how == "estimated" and self._layers:
            self._estimate(logits, batches)

    @torch.no_grad()
    def _estimate(self, logits: Callable[[Tensor], Tensor], batches: Sequence[tuple[Tensor, Tensor]]) -> None:
        for layer in self._layers:
            layer.reset_running_stats()
            layer.momentum = None  # the average over all batches
            layer.train()
        for x, _ in batches:
            logits(x)
        for layer in self._layers:
            layer.eval()


def _tracking(model: nn.Module) -> list[_BatchNorm]:
    return [m for m in model.modules() if isinstance(m, _BatchNorm) and m.running_mean is not None]
