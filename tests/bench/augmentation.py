"""`python -m tests.bench.augmentation`: what augmenting a batch costs, here and by Pillow image by image.

All take turns in one process, so that noise meets all alike; shares of a step of SGD are taken within a turn.
"""

import os
import platform
import sys
import time
from collections.abc import Callable
from statistics import median

import numpy as np
import PIL
import torch
from PIL import Image

from samviz.runs.process import TUNING
from samviz.training.autoaugment import autoaugment, draw
from samviz.training.batches import CHUNK, PAD, Batches, draw_crops
from samviz.training.cutout import cutout, draw_cutout
from samviz.training.hardware import device, device_name, processor
from tests.bench.step_cost import BATCH, step_of
from tests.training.fakes import images, recipe
from tests.training.test_autoaugment import by_pillow

EPOCH = 50_000
"""Images of CIFAR-10's train set."""
SIDE = 16
"""Of Cutout's square, in pixels, as DeVries & Taylor 2017 take it for CIFAR-10."""
WHOLE = "crop, flip and AutoAugment"
NETWORK, MODES = "resnet20", ("fp32", "bf16")
BUDGET = 0.1
"""Largest share of a step of SGD for crop, flip and AutoAugment."""


def ways() -> dict[str, tuple[Callable[[], object], int]]:
    """Name -> a call that augments, drawing anew each time, and the number of batches that it augments."""
    on, rng = device(), np.random.default_rng(0)
    data = images(CHUNK * BATCH)
    plain, policy = (
        Batches(data, recipe(train_size=CHUNK * BATCH, batch_size=BATCH, augmentation=name), 0, on)
        for name in ("crop_flip", "autoaugment")
    )
    chosen = torch.arange(CHUNK * BATCH, device=on)
    x = torch.randint(0, 256, (BATCH, 32, 32, 3), dtype=torch.uint8).to(on)
    normalized = torch.randn(BATCH, 32, 32, 3).to(on).permute(0, 3, 1, 2)
    pictures = x.cpu().numpy()
    padded = np.pad(pictures, ((0, 0), (PAD, PAD), (PAD, PAD), (0, 0)))

    return {
        "crop and flip": (lambda: plain._augment(chosen, rng.spawn(CHUNK)), CHUNK),
        WHOLE: (lambda: policy._augment(chosen, rng.spawn(CHUNK)), CHUNK),
        "AutoAugment, one batch at once": (lambda: autoaugment(x, draw(rng, BATCH)), 1),
        "Cutout": (lambda: cutout(normalized, SIDE, *draw_cutout(rng, BATCH, 32)), 1),
        "crop and flip, Pillow": (lambda: crop_flip_by_pillow(padded, rng), 1),
        "AutoAugment, Pillow": (lambda: by_pillow(pictures, draw(rng, BATCH)), 1),
        "Cutout, Pillow": (lambda: cutout_by_pillow(pictures, rng), 1),
    }


def crop_flip_by_pillow(padded: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """(n, 32 + 2 PAD, 32 + 2 PAD, 3) uint8 -> (n, 32, 32, 3) uint8."""
    out = np.empty((len(padded), 32, 32, 3), np.uint8)
    for i, (image, top, left, flip) in enumerate(zip(padded, *draw_crops(rng, len(padded)), strict=True)):
        crop = Image.fromarray(image).crop((left, top, left + 32, top + 32))
        out[i] = crop.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if flip else crop
    return out


def cutout_by_pillow(x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """(n, 32, 32, 3) uint8 -> the same shape, with a gray square in each image."""
    out = np.empty_like(x)
    for i, (image, row, column) in enumerate(zip(map(Image.fromarray, x), *draw_cutout(rng, len(x), 32), strict=True)):
        top, left = row - SIDE // 2, column - SIDE // 2
        image.paste((128, 128, 128), (left, top, left + SIDE, top + SIDE))
        out[i] = image
    return out


def measure(rounds: int = 25) -> dict[str, list[float]]:
    """Name -> seconds a batch in each round; each begins with another one, and the first two only warm up."""
    calls = ways() | {mode: (step_of("SGD", NETWORK, mode), 1) for mode in MODES}
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    order = list(calls)
    for i in range(-2, rounds):
        for name in order[i % len(order) :] + order[: i % len(order)]:
            call, batches = calls[name]
            begun = time.perf_counter()
            call()
            if device().type != "cpu":
                torch.accelerator.synchronize()
            if i >= 0:
                seconds[name].append((time.perf_counter() - begun) / batches)
    return seconds


def main() -> None:
    seconds = measure()
    print(
        f"{device_name(device())}, {processor()}, {torch.get_num_threads()} threads, torch {torch.__version__}, "
        f"Pillow {PIL.__version__}, Python {platform.python_version()}, batches of {BATCH}\n"
    )
    print(
        f"| what | ms a batch, median | range | n | s for {EPOCH} images | share of an SGD step, {' / '.join(MODES)} |"
    )
    print("|---|--:|---|--:|--:|---|")
    for name, spent in seconds.items():
        middle = median(spent)
        row = f"{1000 * middle:.2f} | {1000 * min(spent):.2f} to {1000 * max(spent):.2f} | {len(spent)}"
        what = f"SGD step of {NETWORK}, {name}" if name in MODES else name
        print(f"| {what} | {row} | {EPOCH / BATCH * middle:.2f} | {shares(spent, seconds, name)} |")


def shares(spent: list[float], seconds: dict[str, list[float]], name: str) -> str:
    """Medians over the rounds, and for what has a budget whether it is met."""
    if name in MODES:
        return ""
    found = [median(a / b for a, b in zip(spent, seconds[mode], strict=True)) for mode in MODES]
    shown = " / ".join(f"{100 * share:.1f} %" for share in found)
    if name != WHOLE:
        return shown
    return f"{shown}, budget {100 * BUDGET:.0f} %: {'met' if max(found) <= BUDGET else 'MISSED'}"


if __name__ == "__main__":
    if missing := {key: value for key, value in TUNING.items() if key not in os.environ}:
        os.execve(sys.executable, [sys.executable, "-m", "tests.bench.augmentation"], os.environ | missing)
    main()
