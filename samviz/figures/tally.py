"""All numbers of a comparison as arrays, so that every figure and table reads the same ones."""

from collections.abc import Iterable

import numpy as np

from samviz.spec import Comparison


class Tally:
    """The measures by arm, seed and epoch, and the histograms pooled over the seeds.

    Rows are added as they come: the live page has milliseconds for a refresh and cannot go through all of them again.
    Arms and seeds are in the comparison's order; rows of others do not count.
    """

    def __init__(self, comparison: Comparison) -> None:
        self.comparison = comparison
        self._arms = {arm.key: k for k, arm in enumerate(comparison.arms)}
        self._seeds = {seed: k for k, seed in enumerate(comparison.seeds)}
        self._shape = (len(self._arms), len(self._seeds), comparison.recipe.epochs + 1)
        self._measures: dict[str, np.ndarray] = {}
        self.bins: dict[str, tuple[float, float]] = {}
        """Histogram name -> the ends of its bins."""
        self.counts: dict[str, np.ndarray] = {}
        """Histogram name -> (epochs + 1, arms, bins): parameters a bin, summed over the seeds."""
        self.pooled: dict[str, np.ndarray] = {}
        """Histogram name -> (epochs + 1, arms): how many seeds that is."""

    def measure(self, name: str) -> np.ndarray:
        """One measure: (arms, seeds, epochs + 1), NaN where there is nothing (yet)."""
        return self._measures.get(name, np.full(self._shape, np.nan))

    def add(self, metrics: Iterable[tuple], histograms: Iterable[tuple]) -> "Tally":
        """Take further rows in; where an epoch has several rows of one name, the last counts. Returns itself.

        A metric is (seed, arm, epoch, step, name, value); a histogram (seed, arm, epoch, name, low, high, counts), with
        the same bins in every row of a name: ValueError otherwise.
        """
        for seed, arm, epoch, _, name, value in metrics:
            if (place := self._place(arm, seed, epoch)) is not None:
                if name not in self._measures:
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
    return np.unique(np.append(np.arange(0, last + 1, step), last))
