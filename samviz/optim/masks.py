"""Live coordinates of a sparse perturbation: how they are first drawn and how they are renewed.

Every function takes and returns one tensor a parameter. Exactly `live_count` coordinates are live at any time.
"""

import random
from collections.abc import Sequence
from math import cos, pi

import torch
from torch import Tensor

from samviz.spec import Mask

FIRST_DROP = 0.5
"""The share of live coordinates that SSAM-D replaces at the start of training (Mi et al. 2022, published code)."""


def live_count(numbers: int, sparsity: float) -> int:
    """How many of `numbers` coordinates are live. Raises ValueError if it is none."""
    live = int(numbers * (1 - sparsity) + 1e-6)  # 10 * (1 - 0.9) is a little less than 1
    if live == 0:
        raise ValueError(
            f"sparsity must leave at least one coordinate to perturb, but {sparsity:g} leaves none of {numbers}."
        )
    return live


def random_mask(w: Sequence[Tensor], mask: Mask, renewals: int = 0) -> list[Tensor]:
    """The live coordinates drawn at random: all of a random mask, and where a dynamic mask starts."""
    return _largest(_uniform(w, mask, renewals), live_count(_numbers(w), mask.sparsity))


def fisher_mask(squares: Sequence[Tensor], mask: Mask) -> list[Tensor]:
    """Where the summed squared gradients of single samples are largest (SSAM-F)."""
    return _largest(squares, live_count(_numbers(squares), mask.sparsity))


def dynamic_mask(
    live: Sequence[Tensor], g: Sequence[Tensor], mask: Mask, progress: float, renewals: int
) -> list[Tensor]:
    """Drop the live coordinates with the smallest |g| and revive as many of the dead ones at random (SSAM-D).

    The share that is dropped falls from 0.5 to 0 along a cosine while `progress` goes from 0 to 1; it is also limited
    by how many dead ones there are. A coordinate that was just dropped is not revived.
    """
    numbers = _numbers(live)
    count = live_count(numbers, mask.sparsity)
    dropped = min(int(count * FIRST_DROP * (1 + cos(pi * progress)) / 2), numbers - count)
    kept = _largest([torch.where(m, x.abs(), -1.0) for m, x in zip(live, g, strict=True)], count - dropped)
    draws = _uniform(live, mask, renewals)
    revived = _largest([torch.where(m, -1.0, x) for m, x in zip(live, draws, strict=True)], dropped)
    return [a | b for a, b in zip(kept, revived, strict=True)]


def _numbers(tensors: Sequence[Tensor]) -> int:
    return sum(t.numel() for t in tensors)


def _uniform(like: Sequence[Tensor], mask: Mask, renewals: int) -> list[Tensor]:
    """Random numbers in [0, 1), drawn on the CPU so that every device sees the same."""
    # A hash of both numbers: torch's generator on the CPU looks at 32 bits of a seed only.
    generator = torch.Generator().manual_seed(random.Random(f"{mask.seed} {renewals}").getrandbits(32))
    return [torch.rand(t.shape, generator=generator).to(t.device) for t in like]


def _largest(scores: Sequence[Tensor], count: int) -> list[Tensor]:
    """True at the `count` largest scores over all tensors together, False elsewhere."""
    flat = torch.cat([s.flatten().to(scores[0].device) for s in scores])
    chosen = torch.zeros_like(flat, dtype=torch.bool)
    chosen[flat.topk(count, sorted=False).indices] = True
    parts = chosen.split([s.numel() for s in scores])
    return [part.view(s.shape).to(s.device) for part, s in zip(parts, scores, strict=True)]
