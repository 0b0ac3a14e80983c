"""A real Ray cluster on this machine, started as docs/cluster.md does; each of its machines can lose its power."""

import os
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from tests.serve import ROOT, free_port

TOKEN = secrets.token_hex(32)
"""One for all clusters of this process: Ray reads it once."""
CLIENT = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": TOKEN}
"""The environment of who wants to be let in."""
QUICK = {"AUTOSCALER_UPDATE_INTERVAL_S": "1", "RAY_gcs_rpc_server_reconnect_timeout_s": "3"}
"""Ray tells what is in use every second instead of five, and a worker machine without a head gives up after three
seconds instead of sixty.
"""
MACHINE = "SAMVIZ_TEST_MACHINE"
"""Environment variable of all that runs on one of the machines."""


class Cluster:
    """Machines are addresses of the loopback network, from 127.0.0.2 on; the head is the first."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.folder, self.environment = folder, environment
        self.port, self.dashboard, self.client = (free_port() for _ in range(3))
        self.address = f"http://127.0.0.1:{self.dashboard}"
        self._started: list[subprocess.Popen] = []

    def start_head(self, cpus: int = 1) -> None:
        """Start a head, which does not know what an earlier one did; returns once it answers and has a machine."""
        # On one machine, Ray takes a worker of the old head for that head itself, and would not start another.
        (self.folder / "ray_current_cluster").unlink(missing_ok=True)
        head = ["--head", f"--port={self.port}", f"--ray-client-server-port={self.client}", "--disable-usage-stats"]
        head += ["--dashboard-host=127.0.0.1", f"--dashboard-port={self.dashboard}", f"--temp-dir={self.folder}"]
        self._start("127.0.0.2", *head, f"--num-cpus={cpus}")

    def start_machine(self, host: int = 3, cpus: int = 1) -> None:
        """Start one more machine, at 127.0.0.HOST."""
        self._start(f"127.0.0.{host}", f"--address=127.0.0.2:{self.port}", f"--num-cpus={cpus}")

    def kill(self, host: int) -> None:
        """Take a machine's power away: all that runs there ends at once."""
        while processes := self.processes(host):
            for process in processes:
                with suppress(psutil.NoSuchProcess):
                    process.kill()
            psutil.wait_procs(processes, timeout=10)

    def processes(self, host: int) -> list[psutil.Process]:
        """What runs on a machine."""
        found: list[psutil.Process] = []
        children: dict[int, list[psutil.Process]] = {}
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                children.setdefault(process.ppid(), []).append(process)
                if process.environ().get(MACHINE) == f"{self.folder}/127.0.0.{host}":
                    found.append(process)
        # Ray's agents give themselves a title, which overwrites their environment. `found` grows on the way.
        for process in found:
            found += [child for child in children.get(process.pid, ()) if child not in found]
        return [process for process in found if _alive(process)]

    def stop(self) -> None:
        """End all that is left, and what an ended machine has left behind too: it has its logs open."""
        for host in range(2, 6):
            self.kill(host)
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                if any(Path(file.path).is_relative_to(self.folder) for file in process.open_files()):
                    process.kill()
        for process in self._started:
            process.wait(10)

    def _start(self, ip: str, *arguments: str) -> None:
        ray = Path(sys.executable).with_name("ray")
        command = [ray, "start", "--block", f"--node-ip-address={ip}", *arguments]
        # All agents listen on 127.0.0.1, too.
        command += [f"--dashboard-agent-listen-port={free_port()}", "--num-gpus=0"]
        environment = os.environ | CLIENT | QUICK | self.environment
        environment |= {MACHINE: f"{self.folder}/{ip}", "PYTHONPATH": str(ROOT)}
        environment["PATH"] = f"{ray.parent}{os.pathsep}{environment['PATH']}"
        log = self.folder / f"{ip}.log"
        with log.open("ab") as output:
            begun = output.tell()
            process = subprocess.Popen(command, env=environment, stdout=output, stderr=subprocess.STDOUT, cwd=ROOT)
        self._started.append(process)
        deadline = time.monotonic() + 120
        while b"Ray runtime started." not in log.read_bytes()[begun:]:
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"Ray did not start:\n{log.read_text()[-4000:]}")
            time.sleep(0.05)


@contextmanager
def cluster(**environment: str) -> Iterator[Cluster]:
    """A cluster without machines, which all find `environment`; nothing of it is left afterwards."""
    # Sockets lie in it, whose names may have 107 characters: pytest's own folders are too deep.
    with tempfile.TemporaryDirectory(prefix="ray-", ignore_cleanup_errors=True) as folder:
        machines = Cluster(Path(folder), environment)
        try:
            yield machines
        finally:
            machines.stop()


def _alive(process: psutil.Process) -> bool:
    with suppress(psutil.Error):
        return process.status() != psutil.STATUS_ZOMBIE
    return False
