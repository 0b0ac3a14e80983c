"""The race: all arms of a run step by step on the same batches, told as a stream of events."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from math import cos, isfinite, pi
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.utils import get_total_norm

from samviz.data import Images, load, subset
from samviz.spec import Arm, Checkpoint, Diverged, Event, Failed, Histogram, Recipe, Scalar
from samviz.training.batches import Batches
from samviz.training.captured import fastest_step
from samviz.training.hardware import Stopwatch, out_of_memory
from samviz.training.hardware import device as best_device
from samviz.training.pace import Pace, find_pace
from samviz.training.racer import FACTS, Racer
from samviz.training.readings import Readings

HISTOGRAMS = {"gamma": ("weight", -1.0, 3.0), "beta": ("bias", -2.0, 2.0)}
"""Name -> (torch's name, lower end, upper end): bins common to all arms and epochs."""
BINS = 80
MAGNITUDES = (-5.0, 1.0)
"""The ends of the bins of weight/TYPE, in log10 |w|: the other types of layers (SAM-ON Fig. 8)."""

DROPOUT = 6
"""The stream of random numbers for dropout, beside those of `samviz.training.batches` and others."""

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
    pace: Pace | None = None,
    checkpoint_due: Callable[[], bool] = lambda: False,
) -> Iterator[Event]:
    """Train all `arms` in lockstep from the same weights on the same batches; the events of `samviz.spec.events`.

    Per epoch and arm: train_loss and train_accuracy (averages over the epoch's batches, each at the weights that met
    it), test_loss (without label smoothing), test_accuracy, validation_loss and validation_accuracy where images are
    held out, gradient_norm (of the gradient that the update takes) and, with an ascent, adversarial_loss (at w + eps)
    and eps_norm, both averages over the batches; seconds (training alone) and gradient_evaluations (of a batch, since
    the start); the means and deviations of gamma and beta and their histograms, and those of log10 |w| of the other
    types of layers, weight/TYPE;
    gamma_mean/K and beta_mean/K of the K-th norm layer; weight_norm/TYPE, ||w||_2 by type of layer. Accuracies are in
    percent. Epoch 0 is the start, before training. Several times an epoch: batch_loss and lr. Every value is finite: an
    arm whose loss is not is told once as Diverged, one for which there is not enough memory as Failed, and it rests. An
    arm that has trained for all its epochs is evaluated no more; the others go on.

    `images` is a whole data set as `samviz.data.load` returns it (None: load the recipe's); the recipe's part of it is
    drawn here. `device` None takes the best one, `pace` None what `find_pace` finds. A Checkpoint comes after each
    epoch, and within one when `checkpoint_due`, which is asked after each step, says so; the `state` of one goes on
    after it, on the CPU bit for bit as if there had been no break. Raises ValueError in one sentence where settings,
    data or state do not fit together.
    """
    on = torch.device(device or best_device())
    if state is not None:
        pace = Pace(**state["pace"])
    elif pace is None:
        pace = find_pace(recipe, arms, on)
    race = _Race(recipe, arms, seed, on, images, pace)
    if state is None:
        yield from race.start()
    else:
        race.load(state)
    yield from race.run(checkpoint_due)


def learning_rate(recipe: Recipe, step: int, epochs: int | None = None) -> float:
    """The learning rate of the update after `step` updates of a training of `epochs` epochs (None: the recipe's).

    The warm-up grows linearly and reaches lr with its last update; after it, cosine and linear reach 0 as the last
    update ends, and steps takes a tenth from half and a hundredth from three quarters of it on (He et al. 2016).
    """
    warmup = recipe.warmup_epochs * recipe.steps_per_epoch
    if step < warmup:
        return recipe.lr * (step + 1) / warmup
    part = (step - warmup) / ((epochs or recipe.epochs) * recipe.steps_per_epoch - warmup)
    if recipe.schedule == "cosine":
        return recipe.lr / 2 * (1 + cos(pi * part))
    if recipe.schedule == "linear":
        return recipe.lr * (1 - part)
    if recipe.schedule == "steps":
        return recipe.lr * 0.1 ** ((part >= 0.5) + (part >= 0.75))
    return recipe.lr


def histogram(values: Tensor, low: float, high: float) -> tuple[int, ...]:
    """Counts over BINS equal bins from low to high; values beyond the ends are counted in the end bins."""
    counts, _ = np.histogram(values.cpu().numpy().clip(low, high), BINS, (low, high))
    return tuple(int(n) for n in counts)


def magnitudes(weights: Sequence[Tensor]) -> tuple[int, ...]:
    """Counts of log10 |w| over BINS equal bins, beyond the ends in the end bins; worked out where the weights are."""
    low, high = MAGNITUDES
    counts = torch.zeros(BINS, dtype=torch.int64, device=weights[0].device)
    for w in weights:
        place = (w.flatten().abs().log10() - low) * (BINS / (high - low))
        counts += torch.bincount(place.clamp(0, BINS - 1).long(), minlength=BINS)
    return tuple(counts.tolist())


class _Lap:
    """What one arm did in the epoch so far."""

    def __init__(self, steps: int, device: torch.device) -> None:
        self.readings = Readings(steps, len(FACTS), device)
        self.watch = Stopwatch(device)
        self.seconds = 0.0
        """What was on the watch when it was last read."""
        self.told = 0
        """Steps that have been told of."""

    def stop(self) -> float:
        """Seconds of training in this epoch so far."""
        self.seconds += sum(self.watch.laps())
        return self.seconds


class _Race:
    """The arms of one run, where they train, how far they are, and which of them rest."""

    def __init__(
        self,
        recipe: Recipe,
        arms: Sequence[Arm],
        seed: int,
        device: torch.device,
        images: Images | None,
        pace: Pace,
    ) -> None:
        images = subset(load(recipe.dataset) if images is None else images, recipe, seed)
        if len(images.train_y) != recipe.images:
            raise ValueError(f"images must hold {recipe.images} train images, but they hold {len(images.train_y)}.")
        self.recipe, self.seed, self.device, self.pace = recipe, seed, device, pace
        self.steps = recipe.steps_per_epoch
        self.report_every = max(1, self.steps // REPORTS)
        self.batches = Batches(images, recipe, seed, device)
        setting = (len(images.classes), seed, device, pace.precision, pace.compiled)
        self.racers = {arm.key: Racer(recipe, arm, *setting) for arm in arms}
        self.take_step = {key: fastest_step(racer, device) for key, racer in self.racers.items()}
        self.evaluations = dict.fromkeys(self.racers, 0.0)
        """Gradients of a batch that each arm has worked out since the start."""
        self.resting: list[str] = []
        """Arms that diverged or failed."""
        self.step = 0
        """Batches that have been trained on."""
        self.laps: dict[str, _Lap] = {}
        """Of the arms that train in this epoch; empty between two epochs."""

    def running(self, epoch: int) -> dict[str, Racer]:
        """The arms that train in this epoch."""
        return {key: r for key, r in self.racers.items() if key not in self.resting and epoch <= r.epochs}

    def start(self) -> Iterator[Event]:
        """Epoch 0. All arms have the same weights still, so one evaluation serves all."""
        results = self._evaluate(next(iter(self.racers.values())))
        for key, racer in self.racers.items():
            yield from _scalars(key, 0, 0, results)
            yield from self._weights(key, racer, 0)

    def run(self, checkpoint_due: Callable[[], bool]) -> Iterator[Event]:
        """Train from where the race is to its end: every batch is every arm's before the next one is drawn."""
        while self.running(epoch := self.step // self.steps + 1):
            if not self.laps:
                self.laps = {key: _Lap(self.steps, self.device) for key in self.running(epoch)}
            for x, y in self.batches.train(epoch, self.step % self.steps):
                yield from self._train(epoch, x, y)
                self.step += 1
                done = self.step - (epoch - 1) * self.steps
                if done % self.report_every == 0 or done == self.steps:
                    yield from self._report(epoch, done, wait=done == self.steps)
                    if not self.running(epoch):
                        break
                if done < self.steps and checkpoint_due():
                    yield from self._report(epoch, done, wait=True)
                    yield Checkpoint(epoch, self.step, self.state())
            yield from self._summary(epoch)
            yield from self._results(epoch)
            self.laps = {}
            yield Checkpoint(epoch, self.step, self.state())

    def _train(self, epoch: int, x: Tensor, y: Tensor) -> Iterator[Event]:
        """One step of every arm that runs, on the same batch; tells of the arms that it was too much for."""
        batch = self.step % self.steps
        for key, racer in self.running(epoch).items():
            lap, ascend = self.laps[key], racer.arm.ascends(epoch)
            racer.lr.fill_(learning_rate(self.recipe, self.step, racer.length(epoch)))
            try:
                with lap.watch, self._dropout(epoch, batch):
                    if batch == 0:
                        self.evaluations[key] += racer.begin_epoch(epoch, x, y)
                    lap.readings.add(batch, self.take_step[key](x, y, ascend))
            except RuntimeError as error:
                yield self._failed(key, epoch, error)
                continue
            self.evaluations[key] += 1 + ascend

    @contextmanager
    def _dropout(self, epoch: int, batch: int) -> Iterator[None]:
        """Let all arms leave out the same features in this step; torch's own random state is left as it is."""
        if self.recipe.dropout == 0:
            yield
            return
        with torch.random.fork_rng(devices=[self.device] if self.device.type == "cuda" else []):
            draw = np.random.SeedSequence([self.seed, DROPOUT, epoch, batch]).generate_state(1)[0]
            torch.manual_seed(int(draw))
            yield

    def _failed(self, key: str, epoch: int, error: RuntimeError) -> Failed:
        """Let an arm rest for which there is not enough memory; any other error is raised again."""
        if not out_of_memory(error):
            raise error
        self.resting.append(key)
        self.laps.pop(key, None)
        self.racers[key].forget_gradients()
        return Failed(key, epoch, self.step + 1, f"Not enough memory: {str(error).splitlines()[0]}")

    def _report(self, epoch: int, done: int, wait: bool) -> Iterator[Event]:
        """Tell what has arrived of the epoch's first `done` steps."""
        before = (epoch - 1) * self.steps
        for key, racer in self.running(epoch).items():
            lap = self.laps[key]
            lap.readings.ask(done)
            arrived = lap.readings.arrived(wait)
            losses = lap.readings.read[lap.told : arrived, 0]
            if not losses.isfinite().all():
                self.resting.append(key)
                yield Diverged(key, epoch, before + lap.told + 1 + int((~losses.isfinite()).nonzero()[0, 0]))
                continue
            for i in range(lap.told + 1, arrived + 1):
                if i % self.report_every == 0 or i == self.steps:
                    lr = learning_rate(self.recipe, before + i - 1, racer.length(epoch))
                    facts = {"batch_loss": float(lap.readings.read[i - 1, 0]), "lr": lr}
                    yield from _scalars(key, epoch, before + i, facts)
            lap.told = arrived

    def _summary(self, epoch: int) -> Iterator[Event]:
        """The averages of the epoch's steps."""
        for key, racer in self.running(epoch).items():
            means = dict(zip(FACTS, self.laps[key].readings.read.double().mean(dim=0).tolist(), strict=True))
            facts = {
                "train_loss": means["batch_loss"],
                "train_accuracy": 100 * means["right"] / self.recipe.batch_size,
                "gradient_norm": means["gradient_norm"],
                "gradient_evaluations": self.evaluations[key],
                "seconds": self.laps[key].stop(),
            }
            if racer.arm.ascends(epoch):
                facts |= {name: means[name] for name in ("adversarial_loss", "eps_norm")}
            yield from _scalars(key, epoch, self.step, facts)

    def _results(self, epoch: int) -> Iterator[Event]:
        """Evaluate every arm that runs. A test loss that is not finite is how a bad last update shows."""
        for key, racer in self.running(epoch).items():
            try:
                results = self._evaluate(racer)
            except RuntimeError as error:
                yield self._failed(key, epoch, error)
                continue
            if not isfinite(results["test_loss"]):
                self.resting.append(key)
                yield Diverged(key, epoch, self.step)
                continue
            yield from _scalars(key, epoch, self.step, results)
            yield from self._weights(key, racer, epoch)

    def _evaluate(self, racer: Racer) -> dict[str, float]:
        """Loss and accuracy on the test images and on those that are held out."""
        parts = {"test": self.batches.test(), "validation": self.batches.validation()}
        results = {}
        for part, batches in parts.items():
            if (found := racer.evaluate(batches)) is not None:
                results |= {f"{part}_loss": found[0], f"{part}_accuracy": found[1]}
        return results

    def _weights(self, key: str, racer: Racer, epoch: int) -> Iterator[Event]:
        """gamma and beta, all and by layer, and the weights by type of layer."""
        kinds = racer.weights()
        facts = {f"weight_norm/{kind}": float(get_total_norm(weights)) for kind, weights in kinds.items()}
        for kind, weights in kinds.items():
            if kind != "norm":  # gamma and beta have bins of their own
                yield Histogram(key, epoch, self.step, f"weight/{kind}", *MAGNITUDES, magnitudes(weights))
        for name, (attribute, low, high) in HISTOGRAMS.items():
            layers = racer.norm_weights(attribute)
            if not layers:
                continue
            values = torch.cat(layers)
            facts |= {f"{name}_mean": float(values.mean()), f"{name}_std": float(values.std(correction=0))}
            means = torch.stack([layer.mean() for layer in layers]).tolist()
            facts |= {f"{name}_mean/{k}": mean for k, mean in enumerate(means)}
            yield Histogram(key, epoch, self.step, name, low, high, histogram(values, low, high))
        yield from _scalars(key, epoch, self.step, facts)

    def state(self) -> dict[str, Any]:
        """Plain containers and CPU tensors: `torch.load(weights_only=True)` reads what torch.save wrote of it."""
        laps = {
            key: {"rows": lap.readings.state(), "told": lap.told, "seconds": lap.stop()}
            for key, lap in self.laps.items()
        }
        return {
            "step": self.step,
            "pace": asdict(self.pace),
            "arms": {key: racer.state() for key, racer in self.racers.items()},
            "evaluations": dict(self.evaluations),
            "resting": list(self.resting),
            "laps": laps,
        }

    def load(self, state: dict[str, Any]) -> None:
        """Go on from a state."""
        if set(state["arms"]) != set(self.racers):
            raise ValueError(f"state must be of the arms {sorted(self.racers)}, but it is of {sorted(state['arms'])}.")
        for key, racer in self.racers.items():
            racer.load(state["arms"][key])
        self.step, self.evaluations = state["step"], dict(state["evaluations"])
        self.resting = list(state["resting"])
        for key, saved in state["laps"].items():
            lap = self.laps[key] = _Lap(self.steps, self.device)
            lap.readings.load(saved["rows"])
            lap.told, lap.seconds = saved["told"], saved["seconds"]


def _scalars(arm: str, epoch: int, step: int, facts: dict[str, float]) -> Iterator[Scalar]:
    """The facts that are finite: the norm of a gradient may overflow before the loss does."""
    for name, value in facts.items():
        if isfinite(value):
            yield Scalar(arm, epoch, step, name, value)
