"""A comparison with made-up numbers, shaped like the real ones: for tests and benchmarks of what shows them."""

from collections.abc import Mapping
from math import cos, pi

import numpy as np
import pandas as pd

from samviz.figures.tally import Tally
from samviz.runs.views import HISTOGRAM_COLUMNS, METRIC_COLUMNS, RunView, Snapshot
from samviz.spec import PRESETS, Arm, Comparison, Recipe

BINS = 80
LAYERS = 9
"""Norm layers of the built-in data's network."""
ENDS = {"gamma": (-1.0, 3.0), "beta": (-2.0, 2.0)}
"""Histogram name -> the ends of its bins."""


def comparison(seeds: int = 3, epochs: int = 60, name: str = "Synthetic") -> Comparison:
    """The four arms that the form opens with, on the built-in data."""
    recipe, arms = Recipe(epochs=epochs, label_noise=0.4), PRESETS["quick"].comparison.arms
    return Comparison(name=name, recipe=recipe, arms=arms, seeds=tuple(range(seeds)))


def last_epoch(comparison: Comparison, seed: int, arm: Arm, reached: dict[int, int] | None) -> int:
    """The last epoch of an arm where the runs have reached `reached` (seed -> epoch; None: all of them)."""
    last = comparison.epochs if reached is None else reached.get(seed, -1)
    return min(last, arm.epochs(comparison.recipe.epochs))


def metrics(
    comparison: Comparison,
    reached: dict[int, int] | None = None,
    *,
    layers: int = LAYERS,
    diverged: Mapping[tuple[int, str], int] | None = None,
) -> pd.DataFrame:
    """Rows of METRIC_COLUMNS; reached: seed -> last epoch, all of them by default.

    layers: how many norm layers there are. diverged: (seed, arm's key) -> the epoch in whose middle it diverges.
    """
    random = np.random.default_rng(0)
    steps = comparison.recipe.steps_per_epoch
    rows = []
    for seed in comparison.seeds:
        for k, arm in enumerate(comparison.arms):
            last = last_epoch(comparison, seed, arm, reached)
            end = (diverged or {}).get((seed, arm.key), last + 1)
            evaluations = 0.0
            for epoch in range(min(last + 1, end)):
                evaluations += steps * (1 + arm.ascends(epoch)) if epoch else 0
                values = _values(random, comparison.recipe, arm, k, epoch, layers)
                if epoch:
                    values["gradient_evaluations"] = evaluations
                rows += [(seed, arm.key, epoch, epoch * steps, name, value) for name, value in values.items()]
            if end <= last:
                step = end * steps - steps // 2
                rows.append((seed, arm.key, end, step, "diverged", float(step)))
    return pd.DataFrame(rows, columns=METRIC_COLUMNS)


def _values(random: np.random.Generator, recipe: Recipe, arm: Arm, k: int, epoch: int, layers: int) -> dict[str, float]:
    """What training tells of one epoch of the k-th arm, but for the gradients it has worked out since the start."""
    t = epoch / arm.epochs(recipe.epochs)
    rise = 1 - np.exp(-4 * t)

    def noise(size: float) -> float:
        return random.normal(0, size)

    values = {"test_accuracy": 10 + (60 + 2 * k) * rise + noise(0.8), "test_loss": 2.3 - (1 + 0.05 * k) * rise}
    values["test_loss"] += noise(0.02)
    if recipe.validation_size:
        values["validation_accuracy"] = values["test_accuracy"] + noise(0.5)
        values["validation_loss"] = values["test_loss"] + noise(0.01)
    if epoch:
        values |= {
            "train_accuracy": 10 + (85 - 4 * k) * rise + noise(0.5),
            "train_loss": 2.3 - (2 - 0.1 * k) * rise + noise(0.02),
            "gradient_norm": 0.5 + 2 * np.exp(-3 * t) + noise(0.02),
            "seconds": (1.0, 2.0, 1.7, 2.0)[k % 4] + noise(0.03),
            "lr": recipe.lr / 2 * (1 + cos(pi * t)),
        }
        if arm.ascends(epoch):
            values["adversarial_loss"] = values["train_loss"] + 0.3 * arm.rho * (1 + t) + abs(noise(0.01))
            values["eps_norm"] = arm.rho
    values |= {"gamma_mean": 1 - (0.3 - 0.05 * k) * t, "gamma_std": 0.3 * t}
    values |= {"beta_mean": -0.1 * t, "beta_std": 0.2 * t}
    for layer in range(layers):
        depth = layer / max(layers - 1, 1)
        values[f"gamma_mean/{layer}"] = 1 - (0.6 * depth - 0.05 * k) * t + (noise(0.02) if epoch else 0)
        values[f"beta_mean/{layer}"] = 0.3 * (0.4 - depth) * t + (noise(0.02) if epoch else 0)
    norms = {"conv": 30 - 8 * t, "linear": 2 + 3 * t, "norm": 12 - 2 * t}
    return values | {f"weight_norm/{kind}": norm - k for kind, norm in norms.items()}


def histograms(comparison: Comparison, reached: dict[int, int] | None = None, gammas: int = 400) -> pd.DataFrame:
    """Rows of HISTOGRAM_COLUMNS: gamma and beta, each in 80 bins."""
    random = np.random.default_rng(1)
    rows = []
    for seed in comparison.seeds:
        for k, arm in enumerate(comparison.arms):
            for epoch in range(last_epoch(comparison, seed, arm, reached) + 1):
                t = epoch / arm.epochs(comparison.recipe.epochs)
                middles = {"gamma": 1 - (0.3 - 0.05 * k) * t, "beta": -0.1 * t}
                for name, (low, high) in ENDS.items():
                    values = random.normal(middles[name], 0.001 + 0.25 * t, gammas)
                    counts = np.histogram(np.clip(values, low, high - 0.001), BINS, (low, high))[0]
                    rows.append((seed, arm.key, epoch, name, low, high, tuple(counts.tolist())))
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
