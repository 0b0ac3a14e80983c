"""AutoAugment's policy for CIFAR-10 on batches of bytes, on the device, each image with its own draw.

The policy is that of Cubuk et al. 2019, "AutoAugment: Learning Augmentation Strategies from Data": one of 25
sub-policies for each image, drawn uniformly, and of its two operations, in order, each with its own probability.
What a level stands for, and what fills the space beyond a border, is as in the experiments of SAM-ON.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields

import numpy as np
from torch import Tensor

from samviz.training import pixels
from samviz.training.hardware import on_device

POLICY = """\
invert 7 0.1        contrast 6 0.2
rotate 2 0.7        translateX 9 0.3
sharpness 1 0.8     sharpness 3 0.9
shearY 8 0.5        translateY 9 0.7
autocontrast 8 0.5  equalize 2 0.9
shearY 7 0.2        posterize 7 0.3
color 3 0.4         brightness 7 0.6
sharpness 9 0.3     brightness 9 0.7
equalize 5 0.6      equalize 1 0.5
contrast 7 0.6      sharpness 5 0.6
color 7 0.7         translateX 8 0.5
equalize 7 0.3      autocontrast 8 0.4
translateY 3 0.4    sharpness 6 0.2
brightness 6 0.9    color 8 0.2
solarize 2 0.5      invert 3 0.0
equalize 0 0.2      autocontrast 0 0.6
equalize 8 0.2      equalize 4 0.6
color 9 0.9         equalize 6 0.6
autocontrast 4 0.8  solarize 8 0.2
brightness 3 0.1    color 0 0.7
solarize 5 0.4      autocontrast 3 0.9
translateY 9 0.9    translateY 9 0.7
autocontrast 2 0.9  solarize 3 0.8
equalize 8 0.8      invert 3 0.1
translateY 9 0.7    autocontrast 1 0.9
"""
"""One sub-policy a line: twice an operation, its level from 0 to 9 and its probability."""


@dataclass(frozen=True)
class Operation:
    """An image operation as policies name it."""

    apply: Callable[[Tensor, np.ndarray], Tensor]
    """Images (n, H, W, 3) uint8 and their magnitudes (n,) -> new images."""
    magnitudes: np.ndarray
    """What levels 0 to 9 stand for (10,), in the unit that `apply` takes."""
    signed: bool = False
    """Whether a magnitude is as often taken with a minus sign."""


UNUSED = np.zeros(10)

OPERATIONS = {
    "shearX": Operation(pixels.shear_x, np.linspace(0, 0.3, 10), signed=True),
    "shearY": Operation(pixels.shear_y, np.linspace(0, 0.3, 10), signed=True),
    "translateX": Operation(pixels.translate_x, np.linspace(0, 150 / 331, 10), signed=True),
    "translateY": Operation(pixels.translate_y, np.linspace(0, 150 / 331, 10), signed=True),
    "rotate": Operation(pixels.rotate, np.linspace(0, 30, 10), signed=True),
    "color": Operation(pixels.color, np.linspace(0, 0.9, 10), signed=True),
    "contrast": Operation(pixels.contrast, np.linspace(0, 0.9, 10), signed=True),
    "sharpness": Operation(pixels.sharpness, np.linspace(0, 0.9, 10), signed=True),
    "brightness": Operation(pixels.brightness, np.linspace(0, 0.9, 10), signed=True),
    "posterize": Operation(pixels.posterize, np.round(np.linspace(8, 4, 10))),
    "solarize": Operation(pixels.solarize, np.linspace(256, 0, 10)),
    "autocontrast": Operation(pixels.autocontrast, UNUSED),
    "equalize": Operation(pixels.equalize, UNUSED),
    "invert": Operation(pixels.invert, UNUSED),
}
"""Those that AutoAugment chooses from, without Cutout and Sample Pairing, which the policy does not take."""

_ENTRIES = np.array([line.split() for line in POLICY.splitlines()]).reshape(-1, 2, 3)
NAMES = _ENTRIES[..., 0]
LEVELS = _ENTRIES[..., 1].astype(np.int64)
PROBABILITIES = _ENTRIES[..., 2].astype(np.float64)
"""The policy as arrays (25, 2): sub-policies, and the first and the second operation of each."""


@dataclass(frozen=True)
class Draws:
    """All that is random about n images, on the host."""

    sub_policy: np.ndarray
    """(n,) 0 to 24."""
    applied: np.ndarray
    """(n, 2) bool: whether the sub-policy's first and second operation take place."""
    sign: np.ndarray
    """(n, 2) -1 or 1, without effect where the operation is not a signed one."""


def draw(rng: np.random.Generator, n: int) -> Draws:
    """Sub-policies, whether their operations take place, and signs, for n images."""
    sub_policy = rng.integers(len(NAMES), size=n)
    applied = rng.random((n, 2)) < PROBABILITIES[sub_policy]
    return Draws(sub_policy, applied, 1 - 2 * rng.integers(2, size=(n, 2)))


def joined(parts: Sequence[Draws]) -> Draws:
    """The draws for the images of all parts, one part after another."""
    return Draws(*(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(Draws)))


def autoaugment(x: Tensor, draws: Draws) -> Tensor:
    """Images (n, H, W, 3) uint8 -> new ones of the same shape, on the same device, which is never waited for."""
    x = x.clone()
    for turn in (0, 1):
        names = np.where(draws.applied[:, turn], NAMES[draws.sub_policy, turn], "")
        for name, operation in OPERATIONS.items():
            images = np.flatnonzero(names == name)
            if len(images) == 0:
                continue
            magnitudes = operation.magnitudes[LEVELS[draws.sub_policy[images], turn]]
            if operation.signed:
                magnitudes = magnitudes * draws.sign[images, turn]
            index = on_device(images, x.device)
            x[index] = operation.apply(x.index_select(0, index), magnitudes)
    return x
