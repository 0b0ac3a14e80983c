"""The race: all arms of a run step by step on the same batches, told as a stream of events."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from math import cos, isfinite, pi
from typing import Any

import numpy as np
import torch
from torch import Tensor

from samviz.data import Images, load, subset
from samviz.spec import Arm, Checkpoint, Diverged, Event, Histogram, Recipe, Scalar
from samviz.training.batches import Batches
from samviz.training.hardware import Stopwatch
from samviz.training.hardware import device as best_device
from samviz.training.racer import Racer

HISTOGRAMS = {"gamma": ("weight", -1.0, 3.0), "beta": ("bias", -2.0, 2.0)}
"""Name -> (torch's name, lower end, upper end): bins common to all arms and epochs."""
BINS = 80

REPORTS = 10
"""About how often an epoch tells batch_loss and lr, and looks for arms that diverged."""


def train(
    recipe: Recipe,
    arms: Sequence[Arm],
    seed: int,
    *,
    device: torch.device | str | None = None,
    images: Images | None = None,
    state: dict[str, Any] | None = None,
) -> Iterator[Event]:
    """Train all `arms` in lockstep from the same weights on the same batches; the events of `samviz.spec.events`.

    Per epoch and arm: train_loss and train_accuracy (averages over the epoch's batches, each at the weights that met
    it), test_loss (without label smoothing), test_accuracy, seconds (training alone), gamma_mean, gamma_std and
    histograms of gamma and beta; accuracies in percent. Epoch 0 is the start, before training. Several times an epoch:
    batch_loss and lr. Every value is finite: an arm whose loss is not is told once as Diverged, and rests.

    `images` is a whole data set as `samviz.data.load` returns it (None: load the recipe's); the recipe's part of it is
    drawn here. `device` None takes the best one. `state` of a Checkpoint goes on after it, on the CPU bit for bit as
    if there had been no break. Raises ValueError in one sentence where the settings, data or state do not fit together.
    """
    race = _Race(recipe, arms, seed, torch.device(device or best_device()), images)
    first = 1
    if state is None:
        yield from race.start()
    else:
        first = race.load(state) + 1
    for epoch in range(first, recipe.epochs + 1):
        if not race.running:
            return
        yield from race.epoch(epoch)
        yield from race.results(epoch)
        yield Checkpoint(epoch, epoch * recipe.steps_per_epoch, race.state(epoch))


def learning_rate(recipe: Recipe, step: int) -> float:
    """The learning rate of the update after `step` updates: lr at first; cosine reaches 0 as the last update ends."""
    if recipe.schedule == "constant":
        return recipe.lr
    return recipe.lr / 2 * (1 + cos(pi * step / (recipe.epochs * recipe.steps_per_epoch)))


def histogram(values: Tensor, low: float, high: float) -> tuple[int, ...]:
    """Counts over BINS equal bins from low to high; values beyond the ends are counted in the end bins."""
    counts, _ = np.histogram(values.cpu().numpy().clip(low, high), BINS, (low, high))
    return tuple(int(n) for n in counts)


@dataclass
class _Tally:
    """What one arm did in the epoch so far; tensors wait on the device until the next report."""

    watch: Stopwatch
    pending: list[Tensor] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)
    right: Tensor | int = 0


class _Race:
    """The arms of one run, where they train, and which of them rest."""

    def __init__(
        self, recipe: Recipe, arms: Sequence[Arm], seed: int, device: torch.device, images: Images | None
    ) -> None:
        images = subset(load(recipe.dataset) if images is None else images, recipe, seed)
        if len(images.train_y) != recipe.images:
            raise ValueError(f"images must hold {recipe.images} train images, but they hold {len(images.train_y)}.")
        self.recipe, self.device = recipe, device
        self.batches = Batches(images, recipe, seed, device)
        self.racers = {arm.key: Racer(recipe, arm, len(images.classes), seed, device) for arm in arms}
        self.diverged: list[str] = []

    @property
    def running(self) -> dict[str, Racer]:
        return {key: racer for key, racer in self.racers.items() if key not in self.diverged}

    def start(self) -> Iterator[Event]:
        """Epoch 0. All arms have the same weights still, so one evaluation serves all."""
        loss, accuracy = next(iter(self.racers.values())).evaluate(self.batches.test())
        for key, racer in self.racers.items():
            yield Scalar(key, 0, 0, "test_loss", loss)
            yield Scalar(key, 0, 0, "test_accuracy", accuracy)
            yield from self._norm_layers(key, racer, 0)

    def epoch(self, epoch: int) -> Iterator[Event]:
        """Train for one epoch: every batch is every arm's before the next one is drawn."""
        steps = self.recipe.steps_per_epoch
        report_every = max(1, steps // REPORTS)
        tallies = {key: _Tally(Stopwatch(self.device)) for key in self.running}
        for i, (x, y) in enumerate(self.batches.train(epoch), start=1):
            step = (epoch - 1) * steps + i
            lr = learning_rate(self.recipe, step - 1)
            for key, racer in self.running.items():
                tally = tallies[key]
                with tally.watch:
                    loss, right = racer.step(x, y, lr)
                tally.pending.append(loss)
                tally.right += right
            if i % report_every == 0 or i == steps:
                for key in self.running:
                    yield from self._report(key, tallies[key], epoch, step, lr)
        for key in self.running:
            tally = tallies[key]
            step = epoch * steps
            yield Scalar(key, epoch, step, "train_loss", sum(tally.losses) / steps)
            yield Scalar(key, epoch, step, "train_accuracy", 100 * int(tally.right) / (steps * self.recipe.batch_size))
            yield Scalar(key, epoch, step, "seconds", sum(tally.watch.laps()))

    def _report(self, key: str, tally: _Tally, epoch: int, step: int, lr: float) -> Iterator[Event]:
        """Read the losses since the last report back from the device, all at once."""
        losses = torch.stack(tally.pending).tolist()
        bad = next((j for j, loss in enumerate(losses) if not isfinite(loss)), None)
        if bad is not None:
            self.diverged.append(key)
            yield Diverged(key, epoch, step - len(losses) + 1 + bad)
            return
        tally.losses += losses
        tally.pending.clear()
        yield Scalar(key, epoch, step, "batch_loss", losses[-1])
        yield Scalar(key, epoch, step, "lr", lr)

    def results(self, epoch: int) -> Iterator[Event]:
        """Evaluate every arm that runs. A test loss that is not finite is how a bad last update shows."""
        step = epoch * self.recipe.steps_per_epoch
        for key, racer in self.running.items():
            loss, accuracy = racer.evaluate(self.batches.test())
            if not isfinite(loss):
                self.diverged.append(key)
                yield Diverged(key, epoch, step)
                continue
            yield Scalar(key, epoch, step, "test_loss", loss)
            yield Scalar(key, epoch, step, "test_accuracy", accuracy)
            yield from self._norm_layers(key, racer, epoch)

    def _norm_layers(self, key: str, racer: Racer, epoch: int) -> Iterator[Event]:
        step = epoch * self.recipe.steps_per_epoch
        gamma = racer.norm_weights("weight")
        yield Scalar(key, epoch, step, "gamma_mean", float(gamma.mean()))
        yield Scalar(key, epoch, step, "gamma_std", float(gamma.std(correction=0)))
        for name, (attribute, low, high) in HISTOGRAMS.items():
            yield Histogram(key, epoch, step, name, low, high, histogram(racer.norm_weights(attribute), low, high))

    def state(self, epoch: int) -> dict[str, Any]:
        """Plain containers and CPU tensors: `torch.load(weights_only=True)` reads what torch.save wrote of it."""
        return {
            "epoch": epoch,
            "arms": {key: racer.state() for key, racer in self.racers.items()},
            "diverged": list(self.diverged),
        }

    def load(self, state: dict[str, Any]) -> int:
        """Take over a state; returns its epoch."""
        if set(state["arms"]) != set(self.racers):
            raise ValueError(f"state must be of the arms {sorted(self.racers)}, but it is of {sorted(state['arms'])}.")
        for key, racer in self.racers.items():
            racer.load(state["arms"][key])
        self.diverged = list(state["diverged"])
        return state["epoch"]
