"""All numbers of a comparison as arrays, so that every figure and table reads the same ones."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from samviz.spec import Comparison

DIFFERENCES = {"gap": ("train_accuracy", "test_accuracy"), "sharpness": ("adversarial_loss", "train_loss")}
"""Measures that are one other minus another."""

STOPS = {"diverged": "diverged", "failed": "ran out of memory"}
"""Measures that say at which step an arm stopped, and why."""


@dataclass(frozen=True, slots=True)
class Divergence:
    """Where one seed of an arm stopped: its loss was no longer finite, or it ran out of memory."""

    seed: int
    epoch: int
    step: int
    what: str = "diverged"

    @property
    def text(self) -> str:
        """ "diverged at step 120 (epoch 3)"."""
        return f"{self.what} at step {self.step} (epoch {self.epoch})"


class Tally:
    """The measures by arm, seed and epoch; those of single norm layers and the histograms pooled over the seeds.

    Rows are added as they come: the live page has milliseconds for a refresh and cannot go through all of them again.
    Arms and seeds are in the comparison's order; rows of others do not count.
    """

    def __init__(self, comparison: Comparison) -> None:
        self.comparison = comparison
        self._arms = {arm.key: k for k, arm in enumerate(comparison.arms)}
        self._seeds = {seed: k for k, seed in enumerate(comparison.seeds)}
        self._shape = (len(self._arms), len(self._seeds), comparison.epochs + 1)
        self._measures: dict[str, np.ndarray] = {}
        self._layers: dict[str, tuple[np.ndarray, np.ndarray]] = {}
        """NAME/LAYER -> two (arms, epochs + 1): the sum over the seeds, and how many seeds that is. A deep network has
        hundreds of these, and of a long run with many seeds not all fit into memory by seed."""
        self.bins: dict[str, tuple[float, float]] = {}
        """Histogram name -> the ends of its bins."""
        self.counts: dict[str, np.ndarray] = {}
        """Histogram name -> (epochs + 1, arms, bins): parameters a bin, summed over the seeds."""
        self.pooled: dict[str, np.ndarray] = {}
        """Histogram name -> (epochs + 1, arms): how many seeds that is."""

    def has(self, name: str) -> bool:
        """Whether there is a row of this measure, or what it can be worked out from."""
        return all(part in self._measures for part in DIFFERENCES.get(name, (name,)))

    def measure(self, name: str) -> np.ndarray:
        """One measure: (arms, seeds, epochs + 1), NaN where there is nothing (yet)."""
        if name in DIFFERENCES and self.has(name):
            plus, minus = DIFFERENCES[name]
            with np.errstate(invalid="ignore"):  # of two that are infinite
                return self._measures[plus] - self._measures[minus]
        return self._measures.get(name, np.full(self._shape, np.nan))

    def diverged(self, arm: int) -> tuple[Divergence, ...]:
        """The seeds of the arm with this index that have stopped early, in the comparison's order."""
        found = []
        for name, what in STOPS.items():
            if (steps := self._measures.get(name)) is not None:
                for s, e in zip(*np.nonzero(np.isfinite(steps[arm])), strict=True):
                    found.append((int(s), Divergence(self.comparison.seeds[s], int(e), int(steps[arm, s, e]), what)))
        return tuple(divergence for _, divergence in sorted(found, key=lambda pair: pair[0]))

    def has_layers(self, name: str) -> bool:
        """Whether there is a row of this measure of a single norm layer."""
        return f"{name}/0" in self._layers

    def layers(self, name: str) -> np.ndarray:
        """A measure of each norm layer: (arms, layers, epochs + 1), mean over the seeds, NaN where there is none."""
        pools = []
        while (pool := self._layers.get(f"{name}/{len(pools)}")) is not None:
            pools.append(pool)
        if not pools:
            return np.full((self._shape[0], 0, self._shape[2]), np.nan)
        total, count = (np.stack(arrays, axis=1) for arrays in zip(*pools, strict=True))
        return np.where(count > 0, total / np.maximum(count, 1), np.nan)

    def add(self, metrics: Iterable[tuple], histograms: Iterable[tuple]) -> "Tally":
        """Take further rows in; where an epoch has several rows of one name, the last counts. Returns itself.

        A metric is (seed, arm, epoch, step, name, value); a histogram (seed, arm, epoch, name, low, high, counts), with
        the same bins in every row of a name: ValueError otherwise. A metric NAME/NUMBER is of one norm layer.
        """
        for seed, arm, epoch, _, name, value in metrics:
            if (place := self._place(arm, seed, epoch)) is None:
                continue
            if name in self._measures:
                self._measures[name][place] = value
            elif name in self._layers or name.rpartition("/")[2].isdecimal():
                self._add_layer(name, place, value)
            else:
                self._measures[name] = np.full(self._shape, np.nan)
                self._measures[name][place] = value
        for seed, arm, epoch, name, low, high, counts in histograms:
            if (place := self._place(arm, seed, epoch)) is not None:
                self._pool(name, place[2], place[0], (low, high), counts)
        return self

    def _place(self, arm: str, seed: int, epoch: int) -> tuple[int, int, int] | None:
        if arm in self._arms and seed in self._seeds and 0 <= epoch < self._shape[2]:
            return self._arms[arm], self._seeds[seed], epoch
        return None

    def _add_layer(self, name: str, place: tuple[int, int, int], value: float) -> None:
        if name not in self._layers:
            cells = (self._shape[0], self._shape[2])
            self._layers[name] = np.zeros(cells), np.zeros(cells, np.int64)
        total, count = self._layers[name]
        total[place[0], place[2]] += value
        count[place[0], place[2]] += 1

    def _pool(self, name: str, epoch: int, arm: int, bins: tuple[float, float], counts: tuple[int, ...]) -> None:
        if name not in self.bins:
            self.bins[name] = bins
            self.counts[name] = np.zeros((self._shape[2], self._shape[0], len(counts)), np.int64)
            self.pooled[name] = np.zeros((self._shape[2], self._shape[0]), np.int64)
        if bins != self.bins[name] or len(counts) != self.counts[name].shape[2]:
            raise ValueError(f"The histograms of {name} must have common bins, but they differ.")
        self.counts[name][epoch, arm] += counts
        self.pooled[name][epoch, arm] += 1


def shown_epochs(last: int, most: int) -> np.ndarray:
    """At most about `most` epochs from 0 to `last`, evenly spaced, with the last one always among them.

    The step is a power of two: epochs that are shown once stay shown while `last` grows, but for the newest.
    """
    step = 1
    while last / step > most:
        step *= 2
    epochs = np.arange(0, last + 1, step)
    return epochs if epochs[-1] == last else np.append(epochs, last)
