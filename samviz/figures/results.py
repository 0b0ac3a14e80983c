"""The table under the curves: what each arm came to, with its spread over the seeds."""

from dataclasses import dataclass
from math import isfinite, nan, sqrt

import numpy as np

from samviz.figures import palette
from samviz.figures.tally import Divergence, Tally
from samviz.spec import Comparison


@dataclass(frozen=True, slots=True)
class Spread:
    """Mean and sample standard deviation (n - 1) over n seeds; NaN where there are too few."""

    mean: float
    sd: float
    n: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Result:
    """One arm, over the seeds that have finished all epochs. Accuracies and gaps in percent (points)."""

    key: str
    label: str
    color: str
    rho: float
    final: Spread
    """Test accuracy after the arm's last epoch."""
    best: Spread
    """The highest test accuracy of any epoch: picked with the test set, so too good by a little."""
    gap: Spread
    """Generalization gap: train accuracy minus test accuracy after the last epoch."""
    seconds: Spread
    """Training time an epoch, evaluation not counted."""
    diverged: tuple[Divergence, ...]
    """The seeds whose loss stopped being finite; they count nowhere above but in the seconds."""


def _spread(values: np.ndarray) -> Spread:
    found = [value for value in values.tolist() if isfinite(value)]  # so few that NumPy would take longer
    n = len(found)
    mean = sum(found) / n if n else nan
    sd = sqrt(sum((value - mean) ** 2 for value in found) / (n - 1)) if n > 1 else nan
    return Spread(mean, sd, n)


def results_data(tally: Tally) -> list[Result]:
    """One result an arm; a seed counts once it has a test accuracy of the arm's last epoch."""
    test, gap, seconds = (tally.measure(name) for name in ("test_accuracy", "gap", "seconds"))
    comparison = tally.comparison
    labels, looks = comparison.labels, palette.looks(comparison.arms)
    results = []
    for k, arm in enumerate(comparison.arms):
        last = arm.epochs(comparison.recipe.epochs)
        done = np.isfinite(test[k, :, last])
        final = test[k, done, last]
        own = seconds[k][np.isfinite(seconds[k]).any(axis=1)]
        results.append(
            Result(
                key=arm.key,
                label=labels[arm.key],
                color=looks[arm.key].color,
                rho=arm.rho,
                final=_spread(final),
                best=_spread(np.nanmax(test[k, done], axis=1) if done.any() else final),
                gap=_spread(gap[k, done, last]),
                seconds=_spread(np.nanmean(own, axis=1)),
                diverged=tally.diverged(k),
            )
        )
    return results


def conclusion(comparison: Comparison, results: list[Result]) -> str:
    """What the numbers can and cannot say: nothing, where an arm has one seed."""
    lost = [f"{sentence}." for sentence in divergences(results)]
    least = min((result.final.n for result in results if not result.diverged), default=0)
    if len(comparison.seeds) == 1:
        verdict = "One seed: no conclusion can be drawn. Add seeds to see how far the arms differ by chance alone."
    elif least < 2:
        verdict = "Fewer than two seeds have finished in every arm: no conclusion can be drawn yet."
    else:
        verdict = (
            f"Mean ± standard deviation over {least} seeds; each seed gives all arms the same weights and batches."
        )
    return " ".join([verdict, *lost])


def divergences(results: list[Result]) -> list[str]:
    """When each seed that diverged did: "SAM-all diverged at step 120 (epoch 3) with seed 0"."""
    return [f"{result.label} {d.text} with seed {d.seed}" for result in results for d in result.diverged]
