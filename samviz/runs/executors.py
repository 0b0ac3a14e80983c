"""Where workers run: the protocol that a supervisor needs, and processes on this machine as the first who fulfills it.

An executor knows nothing of the store. A handle is a text by which any later supervisor finds a worker again.
"""

import os
import platform
import shutil
import subprocess
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from sqlalchemy.engine import Engine

from samviz.runs import process
from samviz.runs.engine import SETTING as STORE
from samviz.runs.engine import identity
from samviz.spec import check

SETTING = "SAMVIZ_EXECUTOR"
"""Environment variable: local (the default), or ray:http://HEAD:8265 for a cluster."""
AT_ONCE = "SAMVIZ_RUNS_AT_ONCE"
"""Environment variable: runs that a device of this machine takes at once, 1 if it is not set."""
MOST_AT_ONCE = 64
WORKER = "samviz.runs.worker"


class ExecutorError(Exception):
    """A worker could not be started, or a cluster says no: one sentence."""


class Status(StrEnum):
    """How it stands with a worker."""

    PENDING = "pending"
    RUNNING = "running"
    ENDED = "ended"
    UNKNOWN = "unknown"
    """It cannot be said now: the cluster does not answer."""


class Executor(Protocol):
    """Starts workers and finds them again."""

    name: str
    """Kept with each job that it was given."""
    host: str
    """The machine whose supervisor alone can ask it about its workers; "" where any can."""

    def slots(self, running: Mapping[str, int]) -> dict[str, int]:
        """Device -> how many runs it may have at once, given how many of samviz's it has now."""

    def submit(self, job: int, attempt: int, device: str, log: Path) -> str:
        """Start the worker of an attempt, whose output goes to `log` if it runs here; its handle.

        Raises ExecutorError in one sentence.
        """

    def cancel(self, handle: str) -> None:
        """End it at once; nothing where it has ended."""

    def status(self, handle: str) -> Status:
        """How it stands."""

    def logs(self, handle: str, log: Path) -> str:
        """The last of what it has printed, "" where there is nothing; `log` is what it was started with."""

    def handles(self) -> list[str]:
        """The workers of this store that wait to start or run: those that the store does not know are orphans."""


class LocalProcesses:
    """Detached processes on this machine, one a job. A handle is pid:created."""

    name = "local"

    def __init__(self, home: Path) -> None:
        self.home, self.host = home, platform.node()
        self.at_once = at_once()
        self.devices = devices()

    def slots(self, running: Mapping[str, int]) -> dict[str, int]:
        return dict.fromkeys(self.devices, self.at_once)

    def submit(self, job: int, attempt: int, device: str, log: Path) -> str:
        visible = {"CUDA_VISIBLE_DEVICES": device.removeprefix("cuda:")} if device.startswith("cuda:") else {}
        try:
            child = process.detach(WORKER, str(job), str(attempt), home=self.home, log=log, environment=visible)
        except OSError as error:
            raise ExecutorError(f"No worker could be started: {error}.") from None
        return process.handle(child.pid)

    def cancel(self, handle: str) -> None:
        process.kill(*process.of_handle(handle))

    def status(self, handle: str) -> Status:
        return Status.RUNNING if process.find(*process.of_handle(handle)) else Status.ENDED

    def logs(self, handle: str, log: Path) -> str:
        return process.tail(log)

    def handles(self) -> list[str]:
        return [process.handle(pid) for pid in process.pids(WORKER, self.home)]


def at_once() -> int:
    """SAMVIZ_RUNS_AT_ONCE; ValueError in one sentence where it is no such number."""
    given = os.environ.get(AT_ONCE, "").strip() or "1"
    return check.integer(AT_ONCE, int(given) if given.isdecimal() else given, 1, MOST_AT_ONCE)


def devices() -> list[str]:
    """The devices of this machine that take runs: its GPUs if it has any, else cpu. Asked without torch, for speed."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        found = [name for name in visible.split(",") if name.strip() not in ("", "-1")]
    elif (tool := shutil.which("nvidia-smi")) is not None:
        query = [tool, "--query-gpu=index", "--format=csv,noheader"]
        answer = subprocess.run(query, capture_output=True, text=True, timeout=20, check=False)
        found = answer.stdout.split() if answer.returncode == 0 else []
    else:
        found = []
    return [f"cuda:{name.strip()}" for name in found] or ["cpu"]


def chosen(home: Path, engine: Engine) -> Executor:
    """The executor for runs that SAMVIZ_EXECUTOR names; ValueError in one sentence where it names none."""
    given = os.environ.get(SETTING, "").strip() or "local"
    if given == "local":
        return LocalProcesses(home)
    kind, _, address = given.partition(":")
    if kind != "ray" or not address.startswith(("http://", "https://")):
        raise check.wrong(SETTING, "local, or ray:http://HEAD:8265", given)
    if engine.dialect.name == "sqlite":
        raise ValueError(f"{SETTING}=ray needs a store that the cluster's machines can reach: set {STORE}.")
    try:
        from samviz.runs.ray_jobs import RayJobs
    except ImportError:
        raise ValueError(f"{SETTING}=ray needs Ray: pip install -r requirements-cluster.txt.") from None
    return RayJobs(address, identity(engine))
