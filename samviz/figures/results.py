"""The table under the curves: what each arm came to, with its spread over the seeds."""

from dataclasses import dataclass

import numpy as np

from samviz.figures import palette
from samviz.figures.tally import Tally
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
    """Test accuracy after the last epoch."""
    best: Spread
    """The highest test accuracy of any epoch: picked with the test set, so too good by a little."""
    gap: Spread
    """Generalization gap: train accuracy minus test accuracy after the last epoch."""
    seconds: Spread
    """Training time an epoch, evaluation not counted."""
    diverged: dict[int, int]
    """Seed -> epoch in which its loss stopped being finite; such a seed counts nowhere above."""


def _spread(values: np.ndarray) -> Spread:
    values = values[np.isfinite(values)]
    return Spread(
        float(values.mean()) if values.size else np.nan,
        float(values.std(ddof=1)) if values.size > 1 else np.nan,
        int(values.size),
    )


def results_data(tally: Tally) -> list[Result]:
    """One result an arm; a seed counts once it has a test accuracy of the last epoch."""
    test, train, seconds = (tally.measure(name) for name in ("test_accuracy", "train_accuracy", "seconds"))
    diverged = np.isfinite(tally.measure("diverged"))
    comparison = tally.comparison
    labels = comparison.labels
    results = []
    for k, arm in enumerate(comparison.arms):
        done = np.isfinite(test[k, :, -1])
        final = test[k, done, -1]
        rested = zip(*np.nonzero(diverged[k]), strict=True)
        own = seconds[k][np.isfinite(seconds[k]).any(axis=1)]
        results.append(
            Result(
                key=arm.key,
                label=labels[arm.key],
                color=palette.color(arm.variant, arm.scope),
                rho=arm.rho,
                final=_spread(final),
                best=_spread(np.nanmax(test[k, done], axis=1) if done.any() else final),
                gap=_spread(train[k, done, -1] - final),
                seconds=_spread(np.nanmean(own, axis=1)),
                diverged={comparison.seeds[seed]: int(epoch) for seed, epoch in rested},
            )
        )
    return results


def conclusion(comparison: Comparison, results: list[Result]) -> str:
    """What the numbers can and cannot say: nothing, where an arm has one seed."""
    lost = [f"{r.label} diverged with seed {', '.join(map(str, r.diverged))}." for r in results if r.diverged]
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
