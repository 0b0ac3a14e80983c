"""Whether bf16 autocast takes less time than fp32 here: measured, since it depends on the processor and the network."""

from statistics import median

import torch

from samviz.spec import Arm, Recipe
from samviz.training.hardware import Stopwatch
from samviz.training.hardware import device as best_device
from samviz.training.racer import Racer

STEPS = 3
"""Steps timed after a first one that only warms up."""
CPU_IMAGES = 32
"""Images of a timed step on a CPU, where a whole batch of a large network would take many seconds."""
GAIN = 0.9
"""bf16 is taken where a step takes less than this part of its time in fp32: noise shall not decide."""


def faster_precision(recipe: Recipe, device: torch.device | None = None) -> str:
    """bf16 or fp32: what a step of the recipe's base optimizer takes less time in on `device` (None: the best one)."""
    device = device or best_device()
    size = recipe.batch_size if device.type != "cpu" else min(recipe.batch_size, CPU_IMAGES)
    x = torch.randn(size, 3, 32, 32, device=device).contiguous(memory_format=torch.channels_last)
    y = torch.arange(size, device=device) % len(recipe.class_names)
    return "bf16" if _seconds(recipe, "bf16", x, y) < GAIN * _seconds(recipe, "fp32", x, y) else "fp32"


def _seconds(recipe: Recipe, precision: str, x: torch.Tensor, y: torch.Tensor) -> float:
    racer = Racer(recipe, Arm(), len(recipe.class_names), 0, x.device, precision)
    watch = Stopwatch(x.device)
    for _ in range(1 + STEPS):
        with watch:
            racer.step(x, y, ascend=False)
    return median(watch.laps()[1:])
