"""How long a run will take, from a few real steps of its own arms on this machine."""

import time
from collections.abc import Sequence
from statistics import median
from typing import Any

import numpy as np
import torch

from samviz.data import Images
from samviz.spec import Arm, Recipe
from samviz.training.batches import Batches, test_batch
from samviz.training.hardware import Stopwatch, device_name
from samviz.training.hardware import device as best_device
from samviz.training.pace import Pace, find_pace
from samviz.training.racer import Racer

STEPS = 5
"""Steps timed after a first one that only warms up."""
PATIENCE = 6.0
"""Seconds after which no further step is timed: on a slow machine one step an arm has to do."""


def calibrate(
    recipe: Recipe, arms: Sequence[Arm], *, device: torch.device | str | None = None, pace: Pace | None = None
) -> dict[str, Any]:
    """Time steps of every arm, in lockstep as in training, and one test batch; multiply out for one seed.

    The images are random bytes: a step costs the same on them, and no data set needs to be here yet. `pace` as in
    `train`. Returns seconds_total (training and evaluation of one run; starting the process, reading the data and
    finding the pace come on top), seconds_evaluation (all arms once), arms (key -> seconds of training in the whole
    run), device (its name) and precision.
    """
    on = torch.device(device or best_device())
    pace = pace or find_pace(recipe, arms, on)
    classes = recipe.class_names
    evaluated = recipe.test_images + recipe.validation_size
    batches = Batches(_random_images(recipe.batch_size, min(evaluated, test_batch(on)), classes), recipe, 0, on)
    racers = {arm.key: Racer(recipe, arm, len(classes), 0, on, pace.precision, pace.compiled) for arm in arms}

    plain, climbing, renewing = ({key: Stopwatch(on) for key in racers} for _ in range(3))
    draw = Stopwatch(on)
    begun = time.perf_counter()
    for epoch in range(1 + STEPS):
        with draw:
            ((x, y),) = batches.train(epoch)
        for key, racer in racers.items():
            if epoch == 0:
                with renewing[key]:
                    racer.begin_epoch(racer.arm.first_epoch, x, y)
            for watches, ascend in ((plain, False), (climbing, True)):
                if _part(racer, ascend) > 0:
                    with watches[key]:
                        racer.step(x, y, ascend)
        if epoch > 0 and time.perf_counter() - begun > PATIENCE:
            break
    training = {}
    for key, racer in racers.items():
        renewal = sum(renewing[key].laps()) * sum(map(racer.renews, range(1, racer.epochs + 1)))
        laps = {False: plain[key].laps(), True: climbing[key].laps()}
        per_step = sum(_part(racer, ascend) * median(laps[ascend][1:]) for ascend in laps if laps[ascend])
        training[key] = racer.epochs * recipe.steps_per_epoch * per_step + renewal
    longest = max(racer.epochs for racer in racers.values())
    drawing = recipe.steps_per_epoch * median(draw.laps()[1:])

    racer = next(iter(racers.values()))
    racer.evaluate(batches.test())
    begun = time.perf_counter()
    racer.evaluate(batches.test())
    evaluation = (time.perf_counter() - begun) * evaluated / batches.test_images
    epochs = sum(racer.epochs for racer in racers.values())
    # The start is evaluated once for all arms.
    total = sum(training.values()) + longest * drawing + (epochs + 1) * evaluation
    return {
        "seconds_total": total,
        "seconds_evaluation": len(arms) * evaluation,
        "arms": training,
        "device": device_name(on),
        "precision": pace.precision,
    }


def _part(racer: Racer, ascend: bool) -> float:
    """The part of an arm's epochs with an ascent, or without one."""
    climbing = sum(racer.arm.ascends(epoch) for epoch in range(1, racer.epochs + 1)) / racer.epochs
    return climbing if ascend else 1 - climbing


def _random_images(train: int, test: int, classes: tuple[str, ...]) -> Images:
    rng = np.random.default_rng(0)
    x = rng.integers(0, 256, (train + test, 3, 32, 32), dtype=np.uint8)
    y = rng.integers(0, len(classes), train + test)
    return Images(x[:train], y[:train], x[train:], y[train:], "random", classes)
