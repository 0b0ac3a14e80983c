"""An arm's whole step as a CUDA graph: both passes and the update are launched at once, not kernel by kernel."""

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from samviz.training.racer import MASK_EPOCHS, Racer

WARM_UP = 3
"""Steps before the capture, in which the libraries choose their algorithms and the optimizer makes its state."""


class Captured:
    """Steps of one racer on a CUDA device; the same numbers as `Racer.step` gives there.

    A graph reads and writes fixed memory, so batches are copied to where it looks for them. There is one graph with
    an ascent and one without. The mask of an arm is made anew now and then, elsewhere in memory: such an arm takes
    plain steps.
    """

    def __init__(self, racer: Racer) -> None:
        self._racer = racer
        self._graphs: dict[bool, tuple[torch.cuda.CUDAGraph, Tensor, Tensor, Tensor]] = {}

    def step(self, x: Tensor, y: Tensor, ascend: bool) -> Tensor:
        """One update; returns what `Racer.step` does, in memory that the next step writes to again."""
        if ascend not in self._graphs:
            self._graphs[ascend] = self._capture(x, y, ascend)
        graph, x_there, y_there, facts = self._graphs[ascend]
        x_there.copy_(x)
        y_there.copy_(y)
        graph.replay()
        return facts

    def _capture(self, x: Tensor, y: Tensor, ascend: bool) -> tuple[torch.cuda.CUDAGraph, Tensor, Tensor, Tensor]:
        """Warm up, capture, and put everything back to where it was: none of these steps counts."""
        x, y = x.clone(memory_format=torch.preserve_format), y.clone()
        before = {id(tensor): tensor.detach().clone() for tensor in state_tensors(self._racer)}
        random = torch.cuda.get_rng_state(x.device)
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(WARM_UP):
                self._racer.step(x, y, ascend)
        torch.cuda.current_stream().wait_stream(stream)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            facts = self._racer.step(x, y, ascend)
        put_back(self._racer, before)
        torch.cuda.set_rng_state(random, x.device)
        return graph, x, y, facts


def fastest_step(racer: Racer, device: torch.device) -> Callable[[Tensor, Tensor, bool], Tensor]:
    """How to take the steps of a racer on this device."""
    if device.type == "cuda" and racer.arm.mask not in MASK_EPOCHS:
        return Captured(racer).step
    return racer.step


def state_tensors(racer: Racer) -> Iterator[Tensor]:
    """Every tensor that a step changes: weights, statistics of norm layers and the base optimizer's state."""
    yield from racer.network.parameters()
    yield from racer.network.buffers()
    for values in racer.base.state.values():
        yield from (value for value in values.values() if isinstance(value, Tensor))


@torch.no_grad()
def put_back(racer: Racer, before: dict[int, Tensor]) -> None:
    """Give every tensor the value that it had; those of the optimizer that came since were 0 before the first step."""
    for tensor in state_tensors(racer):
        if id(tensor) in before:
            tensor.copy_(before[id(tensor)])
        else:
            tensor.zero_()
