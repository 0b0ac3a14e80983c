"""What the two passes of a step share and must leave as it was: flags, statistics of norm layers, random draws."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _NormBase


@contextmanager
def without_gradient(parameters: Iterable[nn.Parameter]) -> Iterator[None]:
    """Let a forward pass prepare no gradient of these parameters.

    Asking autograd for the other gradients only is not enough: a compiled model computes every gradient that its
    flags ask for.
    """
    frozen = [w for w in parameters if w.requires_grad]
    for w in frozen:
        w.requires_grad_(False)
    try:
        yield
    finally:
        for w in frozen:
            w.requires_grad_(True)


@contextmanager
def frozen_statistics(model: nn.Module) -> Iterator[None]:
    """Let norm layers in training mode use the batch's statistics without updating the running ones.

    A momentum of 0 would not do: it still counts batches, and 0 times an infinite batch statistic is NaN. InstanceNorm
    updates what it finds whatever `track_running_stats` says, so the statistics are out of its reach meanwhile.
    """
    layers = [(m, m.running_mean, m.running_var) for m in _tracking(model) if m.training]
    for layer, _, _ in layers:
        layer.track_running_stats, layer.running_mean, layer.running_var = False, None, None
    try:
        yield
    finally:
        for layer, mean, var in layers:
            layer.track_running_stats, layer.running_mean, layer.running_var = True, mean, var


@contextmanager
def statistics_kept_on_error(model: nn.Module) -> Iterator[None]:
    """Put the running statistics back if the block raises: a step that failed half way leaves no trace."""
    statistics = [x for m in _tracking(model) if m.training for x in (m.running_mean, m.running_var)]
    counts = [m.num_batches_tracked for m in _tracking(model) if m.training]
    saved = [(x, copies(x)) for x in (statistics, counts) if x]
    try:
        yield
    except BaseException:
        for tensors, values in saved:
            torch._foreach_copy_(tensors, values)
        raise


def _tracking(model: nn.Module) -> list[_NormBase]:
    return [m for m in model.modules() if isinstance(m, _NormBase) and m.track_running_stats]


def copies(tensors: list[Tensor]) -> list[Tensor]:
    """Copies of all tensors in one kernel, where clones would take one each."""
    return torch._foreach_mul(tensors, 1)


class RandomState:
    """The states of the random generators that a pass on these devices draws from, as they are now.

    While a CUDA graph is captured its generator cannot be rewound: there the two passes draw apart.
    """

    def __init__(self, devices: Iterable[torch.device]) -> None:
        self._cpu = torch.get_rng_state()
        capturing = torch.cuda.is_available() and torch.cuda.is_current_stream_capturing()
        self._cuda = {} if capturing else {d: torch.cuda.get_rng_state(d) for d in devices if d.type == "cuda"}
        self._mps = [torch.mps.get_rng_state() for d in devices if d.type == "mps"]

    def restore(self) -> None:
        torch.set_rng_state(self._cpu)
        for device, state in self._cuda.items():
            torch.cuda.set_rng_state(state, device)
        for state in self._mps:
            torch.mps.set_rng_state(state)
