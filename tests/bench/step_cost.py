"""`python -m tests.bench.step_cost [MODE ...]`: what a step of SAM costs against one of SGD, here and elsewhere.

Modes on a CPU: fp32, bf16 (autocast, where the processor has it) and compiled (torch.compile); on a GPU: eager and
graph (the whole step captured as one CUDA graph). Without a name all that this machine has are measured.

The arms take turns on one batch in one process, so that noise meets all alike; ratios are taken within a turn. Theirs
are those of the package pytorch_optimizer, used as its documentation says. It has no scopes: SAM-ON and no-norm are
parameter groups with a radius of 0, which still count in its norm and still cost their gradients.
"""

import os
import platform
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from statistics import median

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.profiler import ProfilerActivity, profile, record_function
from torch.utils.flop_counter import FlopCounterMode

from samviz.optim import SAM, norm_parameters
from samviz.runs.process import TUNING
from samviz.training.hardware import device, device_name, processor
from samviz.training.networks import build
from tests.bench.table import Row

NETWORKS = ("resnet20", "wrn16_4")
BATCH = 128
SGD = {"lr": 0.01, "momentum": 0.9, "weight_decay": 5e-4}
SCOPES = {"SAM-all": "all", "SAM-ON": "norm_only", "no-norm": "no_norm"}
ARMS = ("plain loop", "SGD", *SCOPES, *(f"{name}, theirs" for name in SCOPES))
"""A hand-written loop of SGD, SGD as a step without an ascent here, the scopes here, the scopes elsewhere."""

BUDGETS = {
    ("fp32", "SAM-all"): 2.10,
    ("fp32", "SAM-ON"): 1.85,
    ("bf16", "SAM-all"): 2.10,
    ("bf16", "SAM-ON"): 1.85,
    ("compiled", "SAM-ON"): 1.70,
    ("eager", "SAM-all"): 2.10,
    ("eager", "SAM-ON"): 1.85,
    ("graph", "SAM-all"): 2.05,
    ("graph", "SAM-ON"): 1.70,
}
"""Largest ratio to the time of SGD in the same mode."""
PLAIN, MEMORY = 1.05, 1.05
"""Largest ratio of SGD here to the plain loop, and of the peak memory of SAM-ON to that of SGD."""


@dataclass(frozen=True)
class Cost:
    """What one arm of one network took in one mode."""

    network: str
    mode: str
    arm: str
    ms: float
    """Median of a step."""
    ratio: float
    """Median over the turns of its time by that of SGD."""
    low: float
    high: float
    flops: float
    """Its floating point operations by those of SGD, counted by torch."""
    n: int


def modes() -> tuple[str, ...]:
    """What this machine can do."""
    if device().type == "cuda":
        return "eager", "graph"
    flags = Path("/proc/cpuinfo").read_text() if sys.platform == "linux" else ""
    return ("fp32", "bf16", "compiled") if "amx_bf16" in flags or "avx512_bf16" in flags else ("fp32", "compiled")


def step_of(arm: str, network: str, mode: str) -> Callable[[], object]:
    """One step of an arm on one fixed batch, ready to be called again and again."""
    on = device()
    net = build(network, 10, 0).to(on, memory_format=torch.channels_last).train()
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(BATCH, 3, 32, 32, generator=generator).to(on, memory_format=torch.channels_last)
    y = torch.randint(0, 10, (BATCH,), generator=generator).to(on)
    forward = torch.compile(net) if mode == "compiled" else net

    def loss() -> Tensor:
        with torch.autocast(on.type, torch.bfloat16, enabled=mode == "bf16"):
            return cross_entropy(forward(x), y)

    step = theirs(arm.removesuffix(", theirs"), net, loss) if "theirs" in arm else ours(arm, net, loss)
    return captured(step) if mode == "graph" else step


def ours(arm: str, net: nn.Module, loss: Callable[[], Tensor]) -> Callable[[], object]:
    sgd = torch.optim.SGD(net.parameters(), **SGD)
    if arm == "plain loop":

        def step() -> None:
            sgd.zero_grad()
            loss().backward()
            sgd.step()

        return step
    optimizer = SAM(net, sgd, scope=SCOPES.get(arm, "all"), rho=0.1)
    return lambda: optimizer.step(loss, ascend=arm != "SGD")


def theirs(scope: str, net: nn.Module, loss: Callable[[], Tensor]) -> Callable[[], object]:
    """The loop in the docstring of pytorch_optimizer.SAM."""
    import pytorch_optimizer

    norm = norm_parameters(net)
    groups = [
        {"params": [w for w in net.parameters() if w in norm], "rho": 0.0 if scope == "no-norm" else 0.1},
        {"params": [w for w in net.parameters() if w not in norm], "rho": 0.0 if scope == "SAM-ON" else 0.1},
    ]
    optimizer = pytorch_optimizer.SAM(groups, torch.optim.SGD, rho=0.1, **SGD)

    def closure() -> Tensor:
        optimizer.zero_grad()
        value = loss()
        value.backward()
        return value

    def step() -> None:
        closure()
        optimizer.step(closure)

    return step


def captured(step: Callable[[], object]) -> Callable[[], object]:
    """The whole step as one CUDA graph, after a few plain ones on a stream of their own, as torch asks for."""
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(4):
            step()
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        step()
    return graph.replay


def costs(network: str, mode: str, arms: tuple[str, ...] = ARMS, rounds: int = 15) -> list[Cost]:
    """Every arm's cost; each round begins with another arm, and the first two rounds only warm up."""
    steps = {arm: step_of(arm, network, mode) for arm in arms}
    flops = {}
    for arm in arms:
        counter = FlopCounterMode(display=False)
        with counter:
            step_of(arm, network, "fp32")()
        flops[arm] = counter.get_total_flops()
    seconds: dict[str, list[float]] = {arm: [] for arm in arms}
    for i in range(-2, rounds):
        for arm in arms[i % len(arms) :] + arms[: i % len(arms)]:
            begun = time.perf_counter()
            steps[arm]()
            if device().type != "cpu":
                torch.accelerator.synchronize()
            if i >= 0:
                seconds[arm].append(time.perf_counter() - begun)
    found = []
    for arm in arms:
        ratios = [a / b for a, b in zip(seconds[arm], seconds["SGD"], strict=True)]
        spread = (median(ratios), min(ratios), max(ratios))
        found.append(
            Cost(network, mode, arm, 1000 * median(seconds[arm]), *spread, flops[arm] / flops["SGD"], len(ratios))
        )
    return found


def peak_memory(step: Callable[[], object]) -> float:
    """MiB that a step allocates at its peak on top of what is there before it, as torch's own allocators count."""
    for _ in range(2):  # the momentum is allocated once, in the first step
        step()
    if device().type == "cuda":
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        step()
        return (torch.cuda.max_memory_allocated() - before) / 2**20
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiler:
        step()  # the profiler knows the size of what is freed only where it saw it allocated: the old gradients here
        with record_function("measured step"):
            step()
    events = sorted(profiler.profiler.kineto_results.events(), key=lambda event: event.start_ns())
    begun = next(event.start_ns() for event in events if event.name() == "measured step")
    sizes = (event.nbytes() for event in events if event.name() == "[memory]" and event.start_ns() >= begun)
    return max(accumulate(sizes)) / 2**20


def floor(network: str, sgd_ms: float, repeats: int = 12) -> str:
    """About what SAM-ON can cost at best in fp32 on a CPU, from the times of the convolutions' weight gradients.

    Its ascent spares the weight gradients and nothing else of a step of SGD, which took `sgd_ms`.
    """
    net = build(network, 10, 0).to(memory_format=torch.channels_last)
    calls: list[tuple[nn.Conv2d, Tensor, Tensor]] = []

    def remember(conv: nn.Module, args: tuple[Tensor], y: Tensor) -> None:
        calls.append((conv, args[0], y))

    hooks = [m.register_forward_hook(remember) for m in net.modules() if isinstance(m, nn.Conv2d)]
    with torch.no_grad():
        net(torch.randn(BATCH, 3, 32, 32).to(memory_format=torch.channels_last))
    for hook in hooks:
        hook.remove()
    total = 0.0
    for conv, x, y in calls:
        seconds = []
        for _ in range(3 + repeats):
            begun = time.perf_counter()
            torch.nn.grad.conv2d_weight(x, conv.weight.shape, y, conv.stride, conv.padding)
            seconds.append(time.perf_counter() - begun)
        total += 1000 * median(seconds[3:])
    return (
        f"{network}, fp32: the weight gradients of its convolutions take {total:.1f} of the {sgd_ms:.1f} ms of a step "
        f"of SGD; SAM-ON spares them once, which leaves a ratio of about {2 - total / sgd_ms:.2f}."
    )


def measure(folder: Path) -> list[Row]:
    """The budgets of the plain mode, for the table of all budgets."""
    mode = modes()[0]
    rows = []
    for network in ("resnet8", *NETWORKS[:1]):
        found = {c.arm: c for c in costs(network, mode, ("SGD", *SCOPES))}
        where = f"{network}, batch {BATCH}, {device_name(device())}, {mode}, torch {torch.__version__}"
        for arm in ("SAM-ON", "SAM-all"):
            cost = found[arm]
            spread = f"n={cost.n}, {cost.low:.3g} to {cost.high:.3g}; medians {cost.ms:.0f} / {found['SGD'].ms:.0f} ms"
            what = f"{arm} step / SGD step ({where}), median"
            budget = BUDGETS[mode, arm]
            rows.append(Row(what=what, budget=budget, figure=cost.ratio, unit="times", spread=spread))
    return rows


def verdict(figure: float, budget: float | None) -> str:
    return "" if budget is None else f"{budget:.2f}: {'met' if figure <= budget else 'MISSED'}"


def main(names: list[str]) -> None:
    if unknown := [name for name in names if name not in modes()]:
        sys.exit(f"mode must be one of {', '.join(modes())} on this machine, but it is {unknown[0]!r}.")
    print(
        f"{device_name(device())}, {processor()}, {torch.get_num_threads()} threads, torch {torch.__version__}, "
        f"Python {platform.python_version()}, batch {BATCH}, SGD with momentum and weight decay\n"
    )
    print("| network | mode | arm | ms a step | ratio to SGD | range | n | FLOP ratio | budget |")
    print("|---|---|---|---|---|---|---|---|---|")
    floors = []
    for mode in names or modes():
        for network in NETWORKS:
            arms = tuple(a for a in ARMS if "theirs" not in a) if mode in {"compiled", "graph"} else ARMS
            found = costs(network, mode, arms)
            if mode == "fp32":
                floors.append(floor(network, next(c.ms for c in found if c.arm == "SGD")))
            for c in found:
                budget = verdict(c.ratio, BUDGETS.get((mode, c.arm)))
                if c.arm == "SGD":
                    plain = next(1 / other.ratio for other in found if other.arm == "plain loop")
                    budget = f"{plain:.3f} of the plain loop, {verdict(plain, PLAIN)}"
                figures = f"{c.ms:.1f} | {c.ratio:.3f} | {c.low:.2f} to {c.high:.2f} | {c.n} | {c.flops:.3f}"
                print(f"| {network} | {mode} | {c.arm} | {figures} | {budget} |", flush=True)
    print("\n" + "\n".join(floors))
    print("\n| network | mode | arm | peak memory of a step, MiB | ratio to SGD | budget |")
    print("|---|---|---|---|---|---|")
    for mode in names or modes():
        if mode in {"compiled", "graph"}:  # the one takes memory past torch's allocator, the other holds on to it
            continue
        for network in NETWORKS:
            peaks = {arm: peak_memory(step_of(arm, network, mode)) for arm in ARMS if arm != "plain loop"}
            for arm, peak in peaks.items():
                ratio = peak / peaks["SGD"]
                budget = verdict(ratio, MEMORY if arm == "SAM-ON" else None)
                print(f"| {network} | {mode} | {arm} | {peak:.1f} | {ratio:.3f} | {budget} |", flush=True)


if __name__ == "__main__":
    if missing := {key: value for key, value in TUNING.items() if key not in os.environ}:
        os.execve(sys.executable, [sys.executable, "-m", "tests.bench.step_cost", *sys.argv[1:]], os.environ | missing)
    main(sys.argv[1:])
