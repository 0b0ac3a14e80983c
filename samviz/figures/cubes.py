"""Metric rows as arrays: one cube a measure, so that every figure and table reads the same numbers."""

import numpy as np
import pandas as pd

from samviz.spec import Comparison


def cube(metrics: pd.DataFrame, comparison: Comparison, name: str) -> np.ndarray:
    """One measure by arm, seed and epoch: (arms, seeds, epochs + 1), NaN where there is nothing (yet).

    `metrics` has the columns seed, arm, epoch, step, name and value; where an epoch has several rows of one name,
    the last counts. Arms and seeds are in the comparison's order.
    """
    values = np.full((len(comparison.arms), len(comparison.seeds), comparison.recipe.epochs + 1), np.nan)
    rows = metrics[(metrics["name"] == name).to_numpy()]
    arm = pd.Index([arm.key for arm in comparison.arms]).get_indexer(rows["arm"])
    seed = pd.Index(comparison.seeds).get_indexer(rows["seed"])
    epoch = rows["epoch"].to_numpy(int)
    known = (arm >= 0) & (seed >= 0) & (epoch >= 0) & (epoch < values.shape[2])
    values[arm[known], seed[known], epoch[known]] = rows["value"].to_numpy(float)[known]
    return values


def shown_epochs(last: int, most: int) -> np.ndarray:
    """At most about `most` epochs from 0 to `last`, evenly spaced, with the last one always among them.

    The step is a power of two: epochs that are shown once stay shown while `last` grows, but for the newest.
    """
    step = 1
    while last / step > most:
        step *= 2
    return np.unique(np.append(np.arange(0, last + 1, step), last))
