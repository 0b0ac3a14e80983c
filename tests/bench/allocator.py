"""`python -m tests.bench.allocator`: a step of SGD under the settings of glibc's memory allocator, each in a process.

A step of training frees large blocks and asks for the same ones again. By default glibc gives some of them back to the
system, which clears each page before it hands it out anew.
"""

import os
import resource
import subprocess
import sys
import time
from statistics import median

from tests.bench.step_cost import step_of

LARGE = "4294967296"
SETTINGS = {
    "glibc's defaults": {},
    "MALLOC_TRIM_THRESHOLD_ alone": {"MALLOC_TRIM_THRESHOLD_": LARGE},
    "MALLOC_MMAP_THRESHOLD_ alone": {"MALLOC_MMAP_THRESHOLD_": LARGE},
    "both (what samviz sets)": {"MALLOC_TRIM_THRESHOLD_": LARGE, "MALLOC_MMAP_THRESHOLD_": LARGE},
}
ROUNDS, STEPS = 3, 20


def one() -> None:
    """Print the median milliseconds of a step and the peak resident memory of this process in MiB."""
    step = step_of("plain loop", "resnet8", "fp32")
    seconds = []
    for _ in range(3 + STEPS):
        begun = time.perf_counter()
        step()
        seconds.append(time.perf_counter() - begun)
    print(1000 * median(seconds[3:]), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10)


def main() -> None:
    clean = {key: value for key, value in os.environ.items() if not key.startswith("MALLOC_")}
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in SETTINGS}
    for _ in range(ROUNDS):
        for name, settings in SETTINGS.items():
            command = [sys.executable, "-m", "tests.bench.allocator", "one"]
            done = subprocess.run(command, env=clean | settings, capture_output=True, text=True, check=True)
            ms, memory = map(float, done.stdout.split())
            found[name].append((ms, memory))
    print("| setting | ms a step | peak resident memory, MiB |\n|---|---|---|")
    for name, values in found.items():
        times, memories = zip(*values, strict=True)
        print(f"| {name} | {', '.join(f'{t:.1f}' for t in times)} | {', '.join(f'{m:.0f}' for m in memories)} |")


if __name__ == "__main__":
    one() if sys.argv[1:] == ["one"] else main()
