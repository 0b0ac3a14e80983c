"""How the steps of a run are taken on this machine: in which precision, and compiled or not. Found by measuring."""

from collections.abc import MutableMapping, Sequence
from dataclasses import dataclass
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
"""Another way is taken where a step takes less than this part of the time: noise shall not decide."""
LONG_SECONDS = 1800.0
"""Compiling an arm takes up to a minute (6 to 20 s measured on two cores), which a shorter run does not win back."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Pace:
    """How the steps of a run are taken."""

    precision: str
    """fp32, or bf16: autocast, the weights stay in fp32."""
    compiled: bool
    """Whether torch.compile works the networks over."""
    reason: str = ""
    """Why, in one sentence for the log."""


def find_pace(
    recipe: Recipe,
    arms: Sequence[Arm],
    device: torch.device | None = None,
    known: MutableMapping[str, float] | None = None,
) -> Pace:
    """The pace for a run of these arms on `device` (None: the best one).

    `known` holds the seconds of a step of the base optimizer by way (fp32, bf16, compiled), as measured before on this
    machine for this network and batch size; what is missing is measured and put in. With the same `known` the pace is
    the same: so runs can be repeated bit for bit, though measurements cannot.
    """
    device = device or best_device()
    known = {} if known is None else known
    precision = recipe.precision
    for way in ("fp32", "bf16") if precision == "auto" else (precision,):
        if way not in known:
            known[way] = _seconds(recipe, device, way, compiled=False)
    if precision == "auto":
        precision = "bf16" if known["bf16"] < GAIN * known["fp32"] else "fp32"
    passes = sum(arm.epochs(recipe.epochs) * (1 if arm.variant is None else 2) for arm in arms)
    total = passes * recipe.steps_per_epoch * known[precision] * recipe.batch_size / _images(recipe, device)
    if total < LONG_SECONDS:
        return Pace(precision=precision, compiled=False, reason=f"{precision}, not compiled: too short a run to pay.")
    way = f"{precision}, compiled"
    if way not in known:
        try:
            known[way] = _seconds(recipe, device, precision, compiled=True)
        except Exception as error:  # no compiler, or one that fails: what torch raises then differs from case to case
            reason = f"{precision}, not compiled: torch.compile failed ({type(error).__name__})."
            return Pace(precision=precision, compiled=False, reason=reason)
    part = known[way] / known[precision]
    verdict = "compiled" if part < GAIN else "not compiled"
    reason = f"{precision}, {verdict}: a compiled step takes {part:.2f} of the time."
    return Pace(precision=precision, compiled=part < GAIN, reason=reason)


def _images(recipe: Recipe, device: torch.device) -> int:
    """Images of a timed step."""
    return min(recipe.batch_size, CPU_IMAGES) if device.type == "cpu" else recipe.batch_size


def _seconds(recipe: Recipe, device: torch.device, precision: str, compiled: bool) -> float:
    """Seconds of a step of the base optimizer."""
    size, classes = _images(recipe, device), len(recipe.class_names)
    x = torch.randn(size, 3, 32, 32, device=device).contiguous(memory_format=torch.channels_last)
    y = torch.arange(size, device=device) % classes
    racer = Racer(recipe, Arm(), classes, 0, device, precision, compiled)
    watch = Stopwatch(device)
    for _ in range(1 + STEPS):
        with watch:
            racer.step(x, y, ascend=False)
    return median(watch.laps()[1:])
