"""`python -m tests.bench.training [NETWORK ...]`: images a second of a training step, data and augmentation included.

Ours is what the Lab runs: bytes on the device, crops and flips there, one arm's step in each precision that this
machine has, compiled and not. The published way is the usual script: a DataLoader of two workers that augments with
Pillow, fp32, a loop over the parameters for each part of the ascent, all gradients in both passes, and three figures
read back each step.

All take turns in one process, so that noise meets all alike; ratios are taken within a turn. torch.compile begins
without what an earlier run may have left.
"""

import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from statistics import median

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader, Dataset

from samviz.data import Images
from samviz.optim import norm_parameters
from samviz.runs.process import TUNING
from samviz.spec import DATASETS, Arm, Recipe
from samviz.training import build, device
from samviz.training.batches import PAD, Batches, channel_statistics
from samviz.training.captured import fastest_step
from samviz.training.hardware import device_name, processor
from samviz.training.racer import Racer
from tests.bench.step_cost import modes

BATCH = 128
BATCHES = 40
"""Of one epoch here: more than are ever timed in a turn."""
ARMS = {"SGD": Arm(), "SAM-all": Arm(variant="sam", rho=0.1), "SAM-ON": Arm(variant="sam", scope="norm_only", rho=0.5)}
PUBLISHED, COMPILED = "published way", "compiled"
TARGETS = {"cpu": 1.2, "bf16": 2.0, "cuda": 5.0}
"""How many times faster SAM-ON on ResNet-20 is to be than the published way: on a CPU, one with bf16, a GPU."""


def images() -> Images:
    rng = np.random.default_rng(0)
    x = rng.integers(0, 256, (BATCH * BATCHES, 3, 32, 32), dtype=np.uint8)
    y = rng.integers(0, 10, len(x))
    return Images(x, y, x[:10], y[:10], "random", DATASETS["cifar10"].classes)


def forever(epoch: Callable[[int], Iterator]) -> Iterator:
    """The batches of one epoch after another."""
    number = 0
    while True:
        number += 1
        yield from epoch(number)


def ours(network: str, arm: Arm, precision: str, data: Images, compiled: bool = False) -> Callable[[], object]:
    """One step as the Lab takes it, with the batch that it is for."""
    recipe = Recipe(dataset="cifar10", train_size=len(data.train_y), network=network, augmentation="crop_flip")
    batches = forever(Batches(data, recipe, 0, device()).train)
    racer = Racer(recipe, arm, 10, 0, device(), precision, compiled)
    step = fastest_step(racer, device())

    def take() -> None:
        x, y = next(batches)
        step(x, y, arm.variant is not None)

    return take


class Augmented(Dataset):
    """Images one by one: padded, cropped and flipped by Pillow, then normalized."""

    def __init__(self, data: Images) -> None:
        self.x, self.y = data.train_x.transpose(0, 2, 3, 1), data.train_y
        self.mean, self.std = channel_statistics(data.train_x)

    def __len__(self) -> int:
        return len(self.y)

    def __getitem__(self, i: int) -> tuple[Tensor, int]:
        image = ImageOps.expand(Image.fromarray(self.x[i]), PAD)
        left, top = np.random.randint(0, 2 * PAD + 1, 2)
        image = image.crop((left, top, left + 32, top + 32))
        if np.random.random() < 0.5:
            image = ImageOps.mirror(image)
        x = (np.asarray(image, np.float32) - self.mean) / self.std
        return torch.from_numpy(x.transpose(2, 0, 1)), int(self.y[i])


def published(network: str, arm: Arm, data: Images) -> Callable[[], object]:
    """One step of the usual script."""
    net = build(network, 10, 0).to(device()).train()
    sgd = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9, weight_decay=5e-4, foreach=False)
    norms = norm_parameters(net)
    perturbed = [w for w in net.parameters() if arm.scope == "all" or w in norms]
    loader = DataLoader(Augmented(data), BATCH, shuffle=True, num_workers=2, drop_last=True, persistent_workers=True)
    batches = forever(lambda _: iter(loader))

    def take() -> None:
        x, y = (t.to(device()) for t in next(batches))
        logits = net(x)
        loss = cross_entropy(logits, y)
        sgd.zero_grad()
        loss.backward()
        if arm.variant is not None:
            _climb_and_return(net, perturbed, arm.rho, lambda: cross_entropy(net(x), y), sgd)
        sgd.step()
        loss.item(), (logits.argmax(dim=1) == y).sum().item(), torch.tensor(sgd.param_groups[0]["lr"]).item()

    return take


def _climb_and_return(
    net: nn.Module, perturbed: list[Tensor], rho: float, loss: Callable[[], Tensor], sgd: torch.optim.SGD
) -> None:
    """The gradient at w + eps, parameter by parameter."""
    with torch.no_grad():
        norm = torch.stack([w.grad.norm() for w in perturbed]).norm()
        old = [w.clone() for w in net.parameters()]
        for w in perturbed:
            w.add_(rho * w.grad / (norm + 1e-12))
    sgd.zero_grad()
    loss().backward()
    with torch.no_grad():
        for w, before in zip(net.parameters(), old, strict=True):
            w.copy_(before)


def timed(steps: dict[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    """Seconds of each, taken in turns; each round begins with another, and the first two rounds only warm up."""
    seconds: dict[str, list[float]] = {name: [] for name in steps}
    names = list(steps)
    for i in range(-2, rounds):
        for name in names[i % len(names) :] + names[: i % len(names)]:
            begun = time.perf_counter()
            steps[name]()
            if device().type != "cpu":
                torch.accelerator.synchronize()
            if i >= 0:
                seconds[name].append(time.perf_counter() - begun)
    return seconds


def table(network: str, rounds: int) -> str:
    """One network's rows as Markdown, with the target where there is one."""
    data = images()
    precisions = ["fp32", "bf16"] if "bf16" in modes() or device().type == "cuda" else ["fp32"]
    steps = {f"{PUBLISHED}, {name}": published(network, arm, data) for name, arm in ARMS.items()}
    steps |= {f"{p}, {name}": ours(network, arm, p, data) for p in precisions for name, arm in ARMS.items()}
    compiled = {
        f"{p} {COMPILED}, {n}": ours(network, arm, p, data, True) for p in precisions for n, arm in ARMS.items()
    }
    compiling = []
    for step in compiled.values():
        begun = time.perf_counter()
        step()
        compiling.append(time.perf_counter() - begun)
    steps |= compiled
    seconds = timed(steps, rounds)
    kind = "cuda" if device().type == "cuda" else "bf16" if "bf16" in precisions else "cpu"
    lines = []
    for name, taken in seconds.items():
        way, arm = name.split(", ")
        to_sgd = median(a / b for a, b in zip(taken, seconds[f"{way}, SGD"], strict=True))
        faster = [a / b for a, b in zip(seconds[f"{PUBLISHED}, {arm}"], taken, strict=True)]
        verdict = ""
        if (network, arm, way) == ("resnet20", "SAM-ON", precisions[-1]):
            verdict = f"{TARGETS[kind]:g}: {'met' if median(faster) >= TARGETS[kind] else 'MISSED'}"
        middle, low, high = (1000 * x for x in (median(taken), min(taken), max(taken)))
        lines.append(
            f"| {network} | {arm} | {way} | {1000 * BATCH / middle:.0f} | {middle:.1f} | {low:.1f} to {high:.1f} | "
            f"{len(taken)} | {to_sgd:.2f} | {median(faster):.2f} | {verdict} |"
        )
    took = ", ".join(f"{seconds:.0f}" for seconds in compiling)
    return "\n".join(lines) + f"\n\nThe first step of each of the compiled ways of {network}, in order: {took} s.\n"


def main(networks: list[str]) -> None:
    print(
        f"{device_name(device())}, {processor()}, torch {torch.__version__}, {torch.get_num_threads()} threads, "
        f"Python {platform.python_version()}, batches of {BATCH}\n"
    )
    for network in networks:
        print("| network | arm | way | images a second | ms a step | range | n | to SGD | faster | target |")
        print("|---|---|---|---|---|---|---|---|---|---|")
        print(table(network, 30 if network in ("resnet8", "resnet20") else 8), flush=True)


if __name__ == "__main__":
    if any(os.environ.get(name) != value for name, value in TUNING.items()):  # a worker's memory, set before it starts
        os.execve(sys.executable, [sys.executable, "-m", "tests.bench.training", *sys.argv[1:]], os.environ | TUNING)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["TORCHINDUCTOR_CACHE_DIR"] = folder
        main(sys.argv[1:] or ["resnet20", "wrn16_4"])
