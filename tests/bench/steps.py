"""What a step of SAM costs against one of SGD: the arms take turns on one batch, so that noise meets all alike."""

import time
from pathlib import Path
from statistics import median

import torch

from samviz.spec import Arm, Recipe
from samviz.training.hardware import device, device_name
from samviz.training.racer import Racer
from tests.bench.table import Row

ARMS = {
    "SGD": Arm(),
    "SAM-ON": Arm(variant="sam", scope="norm_only", rho=0.5),
    "SAM-all": Arm(variant="sam", rho=0.1),
}
BUDGETS = {"cpu": {"SAM-ON": 1.85, "SAM-all": 2.10}, "gpu": {"SAM-ON": 1.70, "SAM-all": 2.05}}
"""Largest ratio to the time of an SGD step; on a GPU the fixed costs of a step weigh less."""


def measure(folder: Path, rounds: int = 15, networks: tuple[str, ...] = ("resnet8", "resnet20")) -> list[Row]:
    """Ratios to SGD, paired within a round of one step an arm; the first two rounds only warm up."""
    rows = []
    budgets = BUDGETS["cpu" if device().type == "cpu" else "gpu"]
    for network in networks:
        seconds = _rounds(network, rounds)
        where = f"{network}, batch 128, {device_name(device())}, torch {torch.__version__}"
        for arm, budget in budgets.items():
            ratios = [a / b for a, b in zip(seconds[arm], seconds["SGD"], strict=True)]
            ms = f"{1000 * median(seconds[arm]):.0f} / {1000 * median(seconds['SGD']):.0f} ms"
            spread = f"n={rounds}, {min(ratios):.3g} to {max(ratios):.3g}; medians {ms}"
            what = f"{arm} step / SGD step ({where}), median"
            rows.append(Row(what=what, budget=budget, figure=median(ratios), unit="times", spread=spread))
    return rows


def _rounds(network: str, rounds: int) -> dict[str, list[float]]:
    """Seconds of every step; each round begins with another arm."""
    on = device()
    recipe = Recipe(network=network)
    racers = {name: Racer(recipe, arm, 10, 0, on) for name, arm in ARMS.items()}
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(128, 3, 32, 32, generator=generator).to(on, memory_format=torch.channels_last)
    y = torch.randint(0, 10, (128,), generator=generator).to(on)
    seconds: dict[str, list[float]] = {name: [] for name in ARMS}
    names = list(ARMS)
    for i in range(-2, rounds):
        for name in names[i % 3 :] + names[: i % 3]:
            begun = time.perf_counter()
            racers[name].step(x, y, lr=0.01)
            if on.type != "cpu":
                torch.accelerator.synchronize()
            if i >= 0:
                seconds[name].append(time.perf_counter() - begun)
    return seconds
