"""Metric rows as arrays: one cube a measure, so that every figure and table reads the same numbers."""

from collections import defaultdict

import numpy as np
import pandas as pd

from samviz.spec import Comparison


def cubes(metrics: pd.DataFrame, comparison: Comparison) -> dict[str, np.ndarray]:
    """Each measure by arm, seed and epoch: name -> (arms, seeds, epochs + 1), NaN where there is nothing (yet).

    `metrics` has the columns seed, arm, epoch, step, name and value; where an epoch has several rows of one name,
    the last counts. Arms and seeds are in the comparison's order. All measures come out of one pass: the live page
    has milliseconds. A name without rows has a cube too: all NaN.
    """
    codes, names = pd.factorize(metrics["name"])
    arm = pd.Index([arm.key for arm in comparison.arms]).get_indexer(metrics["arm"])
    seed = pd.Index(comparison.seeds).get_indexer(metrics["seed"])
    epoch = metrics["epoch"].to_numpy(int)
    shape = (len(comparison.arms), len(comparison.seeds), comparison.recipe.epochs + 1)
    values = np.full((len(names), *shape), np.nan)
    known = (arm >= 0) & (seed >= 0) & (epoch >= 0) & (epoch < shape[2])
    at = codes[known], arm[known], seed[known], epoch[known]
    values[at] = metrics["value"].to_numpy(float)[known]
    return defaultdict(lambda: np.full(shape, np.nan), zip(names, values, strict=True))


def shown_epochs(last: int, most: int) -> np.ndarray:
    """At most about `most` epochs from 0 to `last`, evenly spaced, with the last one always among them.

    The step is a power of two: epochs that are shown once stay shown while `last` grows, but for the newest.
    """
    step = 1
    while last / step > most:
        step *= 2
    return np.unique(np.append(np.arange(0, last + 1, step), last))
