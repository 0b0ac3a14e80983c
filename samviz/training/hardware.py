"""Where training runs: the device, what it is called, and a clock that tells the truth about it."""

import platform
import subprocess
import time
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

import samviz


def device() -> torch.device:
    """The best device here: CUDA, else Apple's MPS, else the CPU."""
    if torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")


def machine(on: torch.device | str | None = None) -> dict[str, str]:
    """What a result was measured on (`on`: None takes `device()`): device, processor, threads and versions.

    `revision`, the commit of samviz's own code, is there where that is a git clone.
    """
    found = {
        "device": device_name(device() if on is None else torch.device(on)),
        "processor": processor(),
        "threads": str(torch.get_num_threads()),
        "system": f"{platform.system()} {platform.machine()}",
        "samviz": samviz.__version__,
        "torch": torch.__version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
    }
    if commit := revision():
        found["revision"] = commit
    return found


def revision() -> str:
    """The git commit of samviz's own code, with "-dirty" where files differ from it; empty outside of a clone."""
    folder = Path(samviz.__file__).parents[1]
    if not (folder / ".git").exists():
        return ""
    git = ["git", "-C", str(folder), "describe", "--always", "--dirty", "--abbrev=12"]
    try:
        return subprocess.run(git, capture_output=True, text=True, check=True, timeout=10).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return ""


def out_of_memory(error: RuntimeError) -> bool:
    """Whether there was not enough memory: on the CPU torch raises a plain RuntimeError then."""
    return isinstance(error, torch.OutOfMemoryError) or "can't allocate memory" in str(error)


def device_name(on: torch.device) -> str:
    """The name on screen: CPU, Apple GPU (MPS) or the model of the CUDA device."""
    if on.type == "cuda":
        return torch.cuda.get_device_name(on)
    return {"cpu": "CPU", "mps": "Apple GPU (MPS)"}.get(on.type, on.type)


def processor() -> str:
    """The model of the processor, as far as the system tells it."""
    if platform.system() == "Linux":
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    if platform.system() == "Darwin":
        brand = ["/usr/sbin/sysctl", "-n", "machdep.cpu.brand_string"]
        return subprocess.run(brand, capture_output=True, text=True, check=False).stdout.strip() or "Apple"
    return platform.processor() or platform.machine()


def on_device(values: np.ndarray, device: torch.device) -> Tensor:
    """A host's array on the device, without waiting for it: from pinned memory, where that makes a difference."""
    tensor = torch.from_numpy(values)
    return (tensor.pin_memory() if device.type == "cuda" else tensor).to(device, non_blocking=True)


class Stopwatch:
    """Adds up the seconds of many short laps. On an accelerator the device's own clock is asked, without waiting."""

    def __init__(self, on: torch.device) -> None:
        self._on = on
        self._laps: list[tuple] = []

    def __enter__(self) -> None:
        self._begun = self._now()

    def __exit__(self, *_: object) -> None:
        self._laps.append((self._begun, self._now()))

    def _now(self):
        if self._on.type == "cpu":
            return time.perf_counter()
        kind = torch.cuda.Event if self._on.type == "cuda" else torch.mps.event.Event
        event = kind(enable_timing=True)
        event.record()
        return event

    def laps(self) -> list[float]:
        """Seconds of each lap since the last call; on an accelerator this waits for the last one."""
        laps, self._laps = self._laps, []
        if self._on.type == "cpu":
            return [end - begin for begin, end in laps]
        torch.accelerator.synchronize()
        return [begin.elapsed_time(end) / 1000 for begin, end in laps]
