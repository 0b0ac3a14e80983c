"""The app as a user starts it, and the browser that looks at it: for browser tests, benchmarks and pictures."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
from playwright.sync_api import Browser, sync_playwright

ROOT = Path(__file__).parents[1]
PATIENCE = 90_000
"""Milliseconds that a busy machine may take for what usually takes one second; tests/bench measures the budgets."""

CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def free_port() -> int:
    """A TCP port of the loopback address that nobody listens on."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def kill_tree(pid: int) -> None:
    """End a process and all that it started and that still belongs to it."""
    try:
        parent = psutil.Process(pid)
        processes = [*parent.children(recursive=True), parent]
    except psutil.NoSuchProcess:
        return
    for process in processes:
        try:
            process.kill()
        except psutil.NoSuchProcess:
            continue
    psutil.wait_procs(processes, timeout=10)


@contextmanager
def running_app(
    home: Path, *, port: int | None = None, env: dict[str, str] | None = None, lecture: bool = False
) -> Iterator[str]:
    """`streamlit run app.py`, or `make lecture`, on a home folder of its own; yields the address once it answers."""
    port = port or free_port()
    home.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m"]
    command += ["samviz.ui.lecture"] if lecture else ["streamlit", "run", str(ROOT / "app.py")]
    command += ["--server.headless", "true", "--server.port", str(port), "--server.fileWatcherType", "none"]
    with (home / "app.log").open("ab") as log:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, "SAMVIZ_HOME": str(home), **(env or {})},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    address = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + 60
        while True:
            try:
                with urllib.request.urlopen(f"{address}/_stcore/health", timeout=5):
                    break
            except OSError:
                if process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"the app did not start:\n{(home / 'app.log').read_text()}") from None
                time.sleep(0.02)
        yield address
    finally:
        kill_tree(process.pid)
        process.wait()


def how() -> dict[str, Any]:
    """How Playwright shall start it."""
    names = ("chromium", "chromium-browser", "google-chrome")
    executable = next((path for name in names if (path := shutil.which(name))), None)
    return {"executable_path": executable, "args": CHROMIUM_FLAGS}


@contextmanager
def chromium() -> Iterator[Browser]:
    """The system's Chromium or Chrome, else the one that Playwright fetched, headless."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(**how())
        try:
            yield browser
        finally:
            browser.close()
