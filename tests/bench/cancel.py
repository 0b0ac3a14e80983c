"""From a cancel to the end of the worker's process, at moments spread over a run; its checkpoint must be readable."""

import random
import time
from pathlib import Path

import psutil
import torch

from samviz.runs import Store
from samviz.spec import Arm, Comparison, Recipe
from tests.bench.table import Row, quantile_row

LONG = Comparison(
    name="to be cancelled",
    recipe=Recipe(train_size=256, test_size=100, batch_size=32, epochs=2000),
    arms=(Arm(), Arm(variant="sam", rho=0.1)),
)


def _worker(run: int) -> psutil.Process:
    for process in psutil.process_iter(["cmdline"]):
        if "samviz.runs.worker" in (line := process.info["cmdline"] or []) and str(run) in line:
            return process
    raise RuntimeError(f"no worker of run {run}")


def measure(folder: Path, n: int = 20) -> list[Row]:
    """Seconds until the process is gone, n runs, each cancelled up to two seconds after its first checkpoint."""
    store, moments, seconds = Store(folder), random.Random(0), []
    for _ in range(n):
        id = store.submit(LONG)
        run = store.snapshot(id).runs[0].id
        checkpoint = store.folder(run) / "checkpoint.pt"
        while not checkpoint.exists():
            time.sleep(0.05)
        worker = _worker(run)
        time.sleep(moments.uniform(0, 2))
        begun = time.perf_counter()
        store.cancel(id)
        worker.wait(30)
        seconds.append(time.perf_counter() - begun)
        torch.load(checkpoint, weights_only=True)
        while store.snapshot(id).state == "running":
            time.sleep(0.05)
    store.close()
    return [quantile_row("cancel: process gone, checkpoint readable", seconds, 0.95, 3, "s")]
