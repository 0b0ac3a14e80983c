"""`python -m tests.bench.estimate [PRESET ...]`: what the estimate says before a start, beside what the run then takes.

Through the store, as the app does it: a calibration's process, then a run's. CIFAR-10 is looked for in SAMVIZ_DATA.
"""

import platform
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch

from samviz.runs import UNFINISHED, Store
from samviz.spec import PRESETS, Comparison, Recipe
from samviz.training.hardware import device, device_name, processor

N = 3
TOLERANCE = 0.25
"""Largest difference of the truth from the estimate, as a part of the estimate."""

CIFAR = Comparison(
    name="CIFAR-10, crop, flip and AutoAugment",
    recipe=Recipe(
        dataset="cifar10", train_size=5000, test_size=2000, network="resnet20", augmentation="autoaugment", epochs=2
    ),
    arms=PRESETS["quick"].comparison.arms,
)


def asked(name: str) -> Comparison:
    """A preset's comparison with one seed, or the short CIFAR run of this file."""
    return CIFAR if name == "cifar" else replace(PRESETS[name].comparison, seeds=(0,))


def wait(over: Callable[[], bool]) -> None:
    while not over():
        time.sleep(1)  # each look takes the run's processor for a moment


def once(comparison: Comparison) -> tuple[float, float]:
    """The estimated and the true seconds of a run, with its process, in a home of its own."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        store = Store(Path(folder))
        job = store.calibrate(comparison)
        wait(lambda: store.estimate(job).state not in UNFINISHED)
        estimated = store.estimate(job).seconds
        id = store.submit(comparison)
        wait(lambda: store.comparisons()[0].state not in UNFINISHED)
        (run,) = store.snapshot(id).runs
        if run.state != "finished":
            sys.exit(f"The run is {run.state}: {run.reason}")
        store.close()
        return estimated, run.finished - run.started


def main(names: list[str]) -> None:
    print(
        f"{device_name(device())}, {processor()}, {torch.get_num_threads()} threads, torch {torch.__version__}, "
        f"Python {platform.python_version()}\n"
    )
    print("| comparison | estimates, s | runs, s | run / estimate | within 25 % |")
    print("|---|---|---|---|---|")
    for name in names:
        pairs = [once(asked(name)) for _ in range(N)]
        ratios = [truth / estimated for estimated, truth in pairs]
        columns = [", ".join(f"{x:.1f}" for x in column) for column in zip(*pairs, strict=True)]
        shown = ", ".join(f"{ratio:.2f}" for ratio in ratios)
        verdict = "met" if all(abs(ratio - 1) <= TOLERANCE for ratio in ratios) else "MISSED"
        print(f"| {asked(name).name} | {columns[0]} | {columns[1]} | {shown} | {verdict} |", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:] or ["quick", "cifar_cpu", "cifar"])
