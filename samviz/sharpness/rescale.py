"""Rescalings A of a network's weights that leave its function as it is (ASAM section 3), in evaluation mode."""

import random
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from samviz.sharpness.seams import Seam, find
from samviz.sharpness.wiring import wiring
from samviz.spec import check
from samviz.spec.measurement import SEAMS, SPREADS

ROUNDING = 1e-8
"""The largest relative change of the logits, in float64, at which a seam counts as one."""
_TRIED = 3.0
"""The a at which seams are tried out, with a factor of its own for each channel."""


@dataclass(frozen=True, slots=True)
class Seams:
    """Where a network can be rescaled, and where it cannot."""

    found: tuple[Seam, ...]
    refused: tuple[str, ...]
    """A sentence for each layer whose output keeps its scale, and why."""

    @property
    def kinds(self) -> list[str]:
        """The keys of `SEAMS` that occur."""
        return [kind for kind in SEAMS if any(seam.kind == kind for seam in self.found)]

    def of(self, kinds: Sequence[str] | None) -> tuple[Seam, ...]:
        """The seams of these kinds, None for all; ValueError where there is none."""
        for kind in kinds or ():
            check.choice("kinds", kind, SEAMS)
        chosen = tuple(seam for seam in self.found if kinds is None or seam.kind in kinds)
        if not chosen:
            there = f"it has {', '.join(self.kinds)}" if self.found else "it cannot be rescaled at all"
            wanted = "any" if kinds is None else ", ".join(kinds)
            raise ValueError(f"kinds must be some that the network has, but it has none of {wanted}: {there}.")
        return chosen


@dataclass(frozen=True, slots=True)
class Rescaled:
    """A network at A w."""

    model: nn.Module
    """A copy, in evaluation mode."""
    A: dict[str, Tensor]
    """The diagonal of A by the name of each parameter that it touches, broadcastable to it, float64 on the CPU."""
    epsilon_error: float
    """How far normalized values would be off at most, relatively, if the running variance had been multiplied by a^2
    alone: BatchNorm adds its epsilon to it, which is not rescaled."""


def seams(model: nn.Module, images: Tensor | None = None) -> Seams:
    """Where `model` can be rescaled: found in one pass over two images (None: noise of 3 x 32 x 32), and tried out.

    What is found is tried in float64 with random factors; a seam at which the logits change by more than rounding is
    refused.
    """
    if images is None:
        images = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    tried = deepcopy(model).eval().to("cpu", torch.float64)  # not every device has doubles
    x = images[:2].to("cpu", torch.float64, memory_format=torch.channels_last)
    found, refused = find(tried, wiring(tried, x))
    if found and not _holds(tried, found, x):
        broken = [seam for seam in found if not _holds(tried, [seam], x)]
        found = [seam for seam in found if seam not in broken]
        refused += [f"{seam}: the logits change when it is tried." for seam in broken]
    return Seams(tuple(found), tuple(refused))


def rescaled(model: nn.Module, chosen: Sequence[Seam], a: float, *, spread: str = "common", seed: int = 0) -> Rescaled:
    """A copy of `model` at A w: each channel of each seam times a ** u, u = 1 or drawn from -1 to 1 by the `seed`.

    `spread` is a key of `SPREADS`: u = 1 for all, one u for each seam, or one for each channel. The draws depend on the
    seam's place in `chosen` and the seed, not on a: a slider over a moves along one line. Raises ValueError for an a
    that is not from 0.0001 to 10000 and for an unknown spread.
    """
    check.number("a", a, 1e-4, 1e4)
    check.choice("spread", spread, SPREADS)
    copy = deepcopy(model).eval()
    layers = dict(copy.named_modules())
    A: dict[str, Tensor] = {}
    error = 0.0
    with torch.no_grad():
        for i, seam in enumerate(chosen):
            f = a ** _exponents(seam.channels, spread, f"{seed} {i}")
            for name in seam.writers:
                for key, w in layers[name].named_parameters():
                    _multiply(A, f"{name}.{key}", f.view(-1, *[1] * (w.ndim - 1)))
            for name, block in seam.readers:
                layer = layers[name]
                if isinstance(layer, _BatchNorm):
                    error = max(error, _rescale_statistics(layer, f))
                else:
                    key = "in_proj_weight" if isinstance(layer, nn.MultiheadAttention) else "weight"
                    _multiply(A, f"{name}.{key}", 1 / _by_input(layer, f, block))
        for name, factor in A.items():
            w = copy.get_parameter(name)
            w.copy_(w.cpu() * factor)
    return Rescaled(copy, A, error)


def logits_change(model: nn.Module, other: nn.Module, x: Tensor) -> float:
    """The largest difference of the two networks' logits on x (B, 3, S, S), relative to the largest logit."""
    with torch.no_grad():
        here, there = model(x), other(x)
    return float((there - here).abs().max() / here.abs().max())


def _exponents(channels: int, spread: str, seed: str) -> Tensor:
    """u (channels,) float64."""
    if spread == "common":
        return torch.ones(channels, dtype=torch.float64)
    rng = random.Random(seed)
    if spread == "layers":
        return torch.full((channels,), rng.uniform(-1, 1), dtype=torch.float64)
    return torch.tensor([rng.uniform(-1, 1) for _ in range(channels)], dtype=torch.float64)


def _multiply(A: dict[str, Tensor], name: str, factor: Tensor) -> None:
    """A layer may lie between two seams: its outputs get a factor and its inputs another one."""
    A[name] = A[name] * factor if name in A else factor


def _by_input(layer: nn.Module, f: Tensor, block: int) -> Tensor:
    """The factors f (channels,) of what a layer reads, broadcastable to its weight."""
    if not isinstance(layer, nn.Conv2d):
        return f.repeat_interleave(block)  # weight (outputs, inputs)
    per_group = f.view(layer.groups, -1)  # weight (outputs, inputs / groups, height, width)
    return per_group.repeat_interleave(layer.out_channels // layer.groups, dim=0)[:, :, None, None]


def _rescale_statistics(layer: _BatchNorm, f: Tensor) -> float:
    """Let BatchNorm take back the factors f of its input, exactly: var + epsilon times f^2; returns the error that
    var times f^2 alone would have made."""
    mean, var, eps = layer.running_mean.cpu(), layer.running_var.cpu().double(), layer.eps
    exact = f**2 * (var + eps)
    error = float(((exact / (f**2 * var + eps)).sqrt() - 1).abs().max())
    layer.running_mean.copy_(mean * f)
    layer.running_var.copy_(exact - eps)
    return error


def _holds(model: nn.Module, found: Sequence[Seam], x: Tensor) -> bool:
    other = rescaled(model, found, _TRIED, spread="nodes").model
    return logits_change(model, other, x) <= ROUNDING
