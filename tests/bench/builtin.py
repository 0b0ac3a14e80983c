"""`python -m tests.bench.builtin [SEEDS]`: the quick preset over five seeds, and the time that one seed takes.

Prints a table of all arms, then what was asked of the preset with a verdict each.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable

import numpy as np

from samviz.data import load
from samviz.spec import PRESETS, Scalar
from samviz.training import machine, train

COMPARISON = PRESETS["quick"].comparison
Accuracies = dict[str, np.ndarray]
"""Arm key -> (seeds, 2): train and test accuracy after the last epoch, in percent."""


def accuracies(seeds: Iterable[int]) -> Accuracies:
    """Train all arms of the preset on the CPU, seed by seed. Train accuracy is that of the last epoch, on the labels
    trained on, noise included."""
    images = load("builtin")
    ends: dict[str, list[tuple[float, float]]] = {arm.key: [] for arm in COMPARISON.arms}
    for seed in seeds:
        last = {
            (event.arm, event.name): event.value
            for event in train(COMPARISON.recipe, COMPARISON.arms, seed, device="cpu", images=images)
            if isinstance(event, Scalar)
        }
        for key, pairs in ends.items():
            pairs.append((last[key, "train_accuracy"], last[key, "test_accuracy"]))
        print(f"seed {seed} done", file=sys.stderr, flush=True)
    return {key: np.array(pairs) for key, pairs in ends.items()}


def seconds_of_one_run() -> float:
    """From the command to its table: starting the processes, reading the data, training and evaluating one seed."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
        begun = time.perf_counter()
        command = [sys.executable, "-m", "samviz", "compare", "--preset", "quick", "--data", "builtin"]
        subprocess.run(command, env={**os.environ, "SAMVIZ_HOME": home}, check=True, stdout=subprocess.DEVNULL)
        return time.perf_counter() - begun


def table(ends: Accuracies) -> str:
    """Mean and standard deviation over the seeds (of a sample, ddof 1) for every arm, as Markdown."""
    lines = [
        "| arm | test accuracy, % | train accuracy, % | gap, points | test accuracy by seed |",
        "|---|---|---|---|---|",
    ]
    for key, label in COMPARISON.labels.items():
        train_accuracy, test_accuracy = ends[key].T
        gap = train_accuracy - test_accuracy
        cells = [f"{values.mean():.1f} ± {values.std(ddof=1):.1f}" for values in (test_accuracy, train_accuracy, gap)]
        lines.append(f"| {label} | {' | '.join(cells)} | {', '.join(f'{value:.1f}' for value in test_accuracy)} |")
    return "\n".join(lines)


def verdicts(ends: Accuracies, seconds: float) -> str:
    """What was asked of the preset, measured; a missed figure is shown as missed."""
    train_accuracy, test_accuracy = ends["sgd"].T
    steps = COMPARISON.recipe.epochs * COMPARISON.recipe.steps_per_epoch
    gap, spread = float((train_accuracy - test_accuracy).mean()), float(test_accuracy.std(ddof=1))
    asked = [
        ("lowest test accuracy of SGD, at least 60 %", test_accuracy.min(), test_accuracy.min() >= 60),
        ("highest test accuracy of SGD, at most 90 %", test_accuracy.max(), test_accuracy.max() <= 90),
        ("generalization gap of SGD, mean, at least 5 points", gap, gap >= 5),
        ("spread of SGD's test accuracy over seeds, under 1.5 points", spread, spread < 1.5),
        ("updates an arm, at least 150", steps, steps >= 150),
        ("seconds of `compare --preset quick`, one seed, under 60", seconds, seconds < 60),
    ]
    lines = ["| asked | measured | verdict |", "|---|---|---|"]
    return "\n".join(lines + [f"| {what} | {value:.4g} | {'met' if ok else 'MISSED'} |" for what, value, ok in asked])


def main(seeds: int = 5) -> None:
    seconds = seconds_of_one_run()
    ends = accuracies(range(seeds))
    print(f"n = {seeds} seeds; " + ", ".join(f"{name} {value}" for name, value in machine("cpu").items()) + "\n")
    print(table(ends) + "\n")
    print(verdicts(ends, seconds))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
