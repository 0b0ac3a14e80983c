"""A comparison with made-up numbers, shaped like the real ones: for tests and benchmarks of what shows them."""

import numpy as np
import pandas as pd

from samviz.figures.tally import Tally
from samviz.runs.views import HISTOGRAM_COLUMNS, METRIC_COLUMNS, RunView, Snapshot
from samviz.spec import Comparison, Recipe
from samviz.spec.presets import default_arms

BINS = 80


def comparison(seeds: int = 3, epochs: int = 60, name: str = "Synthetic") -> Comparison:
    """The four default arms on the built-in data."""
    recipe = Recipe(epochs=epochs, label_noise=0.4)
    return Comparison(name=name, recipe=recipe, arms=default_arms(), seeds=tuple(range(seeds)))


def metrics(comparison: Comparison, reached: dict[int, int] | None = None) -> pd.DataFrame:
    """Rows of METRIC_COLUMNS; reached: seed -> last epoch, all of them by default."""
    random = np.random.default_rng(0)
    rows = []
    for seed in comparison.seeds:
        last = comparison.recipe.epochs if reached is None else reached.get(seed, -1)
        for k, arm in enumerate(comparison.arms):
            for epoch in range(last + 1):
                t = epoch / comparison.recipe.epochs
                rise = 1 - np.exp(-4 * t)
                values = {
                    "test_accuracy": 10 + (60 + 2 * k) * rise + random.normal(0, 0.8),
                    "test_loss": 2.3 - (1 + 0.05 * k) * rise + random.normal(0, 0.02),
                }
                if epoch:
                    values |= {
                        "train_accuracy": 10 + (85 - 4 * k) * rise + random.normal(0, 0.5),
                        "train_loss": 2.3 - (2 - 0.1 * k) * rise + random.normal(0, 0.02),
                        "seconds": (1.0, 2.0, 1.7, 2.0)[k % 4] + random.normal(0, 0.03),
                    }
                values |= {"gamma_mean": 1 - (0.3 - 0.05 * k) * t, "gamma_std": 0.3 * t}
                step = epoch * comparison.recipe.steps_per_epoch
                rows += [(seed, arm.key, epoch, step, name, value) for name, value in values.items()]
    return pd.DataFrame(rows, columns=METRIC_COLUMNS)


def histograms(comparison: Comparison, reached: dict[int, int] | None = None, gammas: int = 400) -> pd.DataFrame:
    """Rows of HISTOGRAM_COLUMNS: gamma from -1 to 3 in 80 bins."""
    random = np.random.default_rng(1)
    rows = []
    for seed in comparison.seeds:
        last = comparison.recipe.epochs if reached is None else reached.get(seed, -1)
        for k, arm in enumerate(comparison.arms):
            for epoch in range(last + 1):
                t = epoch / comparison.recipe.epochs
                values = random.normal(1 - (0.3 - 0.05 * k) * t, 0.001 + 0.25 * t, gammas)
                counts = np.histogram(np.clip(values, -1, 2.999), BINS, (-1, 3))[0]
                rows.append((seed, arm.key, epoch, "gamma", -1.0, 3.0, tuple(counts.tolist())))
    return pd.DataFrame(rows, columns=HISTOGRAM_COLUMNS)


def run(seed: int, state: str = "finished", progress: float = 1.0, **change) -> RunView:
    """One seed's run."""
    fields = {
        "id": seed + 1,
        "seed": seed,
        "state": state,
        "reason": "",
        "progress": progress,
        "attempt": 1,
        "started": 1_700_000_000.0,
        "finished": 1_700_000_100.0 if state == "finished" else None,
        "machine": {"device": "cpu"},
        "error": "",
        "log_tail": "",
    }
    return RunView(**fields | change)


def snapshot(seeds: int = 3, epochs: int = 60, state: str = "finished", id: str = "1", **change) -> Snapshot:
    """A comparison that has finished, unless told otherwise."""
    spec = comparison(seeds, epochs)
    fields = {
        "id": id,
        "comparison": spec,
        "state": state,
        "created": 1_700_000_000.0,
        "runs": tuple(run(seed) for seed in spec.seeds),
        "data_label": "Built-in shapes",
        "revision": "r1",
        "metrics": metrics(spec),
        "histograms": histograms(spec),
    }
    return Snapshot(**fields | change)


def tally(frame: pd.DataFrame, comparison: Comparison) -> Tally:
    """Rows of metrics or of histograms alone, as the figures take them."""
    rows = tuples(frame)
    return Tally(comparison).add(*((rows, []) if "value" in frame else ([], rows)))


def tuples(frame: pd.DataFrame) -> list[tuple]:
    """A frame's rows."""
    return list(frame.itertuples(index=False, name=None))
