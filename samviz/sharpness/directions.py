"""Directions in the space of a network's weights along which its loss is sliced."""

import random
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.utils import get_total_norm

from samviz.sharpness.frozen import Frozen


def filter_normalized(w: Sequence[Tensor], seed: str, vectors: str) -> list[Tensor]:
    """A Gaussian direction whose filters are as long as those of w (Li et al. 2018, section 4).

    `vectors`, a key of `VECTORS`, says what it does with parameters of one axis, which have no filters.
    A filter is what one output reads: of a convolution, a linear layer or an attention all but the first axis. For
    what has one axis only, and for tokens and positions, whose first axis is 1, it is the whole tensor.
    """
    generator = torch.Generator().manual_seed(random.Random(seed).getrandbits(32))
    found = []
    for wi in w:
        d = torch.randn(wi.shape, generator=generator).to(wi)
        axes = tuple(range(1, wi.ndim)) if wi.ndim > 1 else (0,)
        if wi.ndim < 2 and vectors == "zero":
            found.append(torch.zeros_like(d))
        else:
            found.append(d * (_norms(wi, axes) / _norms(d, axes)))
    return found


def gradient_direction(w: Sequence[Tensor], g: Sequence[Tensor]) -> list[Tensor]:
    """The gradient g, as long as w."""
    norm = float(get_total_norm(g))
    return [t * (float(get_total_norm(w)) / norm if norm else 0.0) for t in g]


def between(here: Frozen, there: Frozen) -> list[Tensor]:
    """w_there - w_here. Raises ValueError where the two networks do not have the same trainable parameters."""
    shapes, others = ({n: tuple(w.shape) for n, w in zip(f.names, f.w, strict=True)} for f in (here, there))
    if shapes != others:
        raise ValueError("other must have the trainable parameters that the model has, but they differ.")
    return [b.to(a) - a for a, b in zip(here.w, there.w, strict=True)]


def _norms(t: Tensor, axes: tuple[int, ...]) -> Tensor:
    return torch.linalg.vector_norm(t, dim=axes, keepdim=True)
