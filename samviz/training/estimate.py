"""How long a run will take, from a few real steps of its own arms on this machine."""

import time
from collections.abc import Sequence
from statistics import median
from typing import Any

import numpy as np
import torch

from samviz.data import Images
from samviz.spec import DATASETS, Arm, Recipe
from samviz.training.batches import Batches, test_batch
from samviz.training.hardware import Stopwatch, device_name
from samviz.training.hardware import device as best_device
from samviz.training.racer import Racer

STEPS = 5
"""Steps timed after a first one that only warms up."""
PATIENCE = 6.0
"""Seconds after which no further step is timed: on a slow machine one step an arm has to do."""


def calibrate(recipe: Recipe, arms: Sequence[Arm], *, device: torch.device | str | None = None) -> dict[str, Any]:
    """Time steps of every arm, in lockstep as in training, and one test batch; multiply out for one seed.

    The images are random bytes: a step costs the same on them, and no data set needs to be here yet. Returns
    seconds_total (training and evaluation of one run; starting the process and reading the data come on top),
    seconds_per_epoch (all arms, evaluation included), seconds_evaluation (all arms once), arms (key -> seconds of
    training in the whole run) and device (its name).
    """
    on = torch.device(device or best_device())
    data = DATASETS[recipe.dataset]
    test_size = recipe.test_size or data.test_size
    batches = Batches(_random_images(recipe.batch_size, min(test_size, test_batch(on)), data.classes), recipe, 0, on)
    racers = {arm.key: Racer(recipe, arm, len(data.classes), 0, on) for arm in arms}

    watches = {key: Stopwatch(on) for key in racers}
    draw = Stopwatch(on)
    begun = time.perf_counter()
    for epoch in range(1 + STEPS):
        with draw:
            ((x, y),) = batches.train(epoch)
        for key, racer in racers.items():
            with watches[key]:
                racer.step(x, y, recipe.lr)
        if epoch > 0 and time.perf_counter() - begun > PATIENCE:
            break
    steps = recipe.epochs * recipe.steps_per_epoch
    training = {key: steps * median(watch.laps()[1:]) for key, watch in watches.items()}
    drawing = steps * median(draw.laps()[1:])

    racer = next(iter(racers.values()))
    racer.evaluate(batches.test())
    begun = time.perf_counter()
    racer.evaluate(batches.test())
    evaluation = (time.perf_counter() - begun) * test_size / batches.test_images
    per_epoch = (sum(training.values()) + drawing) / recipe.epochs + len(arms) * evaluation
    return {
        "seconds_total": recipe.epochs * per_epoch + evaluation,  # the start is evaluated once for all arms
        "seconds_per_epoch": per_epoch,
        "seconds_evaluation": len(arms) * evaluation,
        "arms": training,
        "device": device_name(on),
    }


def _random_images(train: int, test: int, classes: tuple[str, ...]) -> Images:
    rng = np.random.default_rng(0)
    x = rng.integers(0, 256, (train + test, 3, 32, 32), dtype=np.uint8)
    y = rng.integers(0, len(classes), train + test)
    return Images(x[:train], y[:train], x[train:], y[train:], "random", classes)
