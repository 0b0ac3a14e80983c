"""Processes that outlive the one that starts them, on Linux, macOS and Windows."""

import io
import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import psutil

PACKAGE = Path(__file__).parents[2]
HANDLE = "SAMVIZ_HANDLE"
"""Environment variable: by which the executor finds a worker again, if that is not its process."""
LOCK_SECONDS = 5.0
LOG_BYTES = 4000
SAME_SECONDS = 0.05 if sys.platform == "linux" else 2.0
"""Elsewhere a clock that is set may move the time of creation a little."""

TUNING = {
    "GOMP_SPINCOUNT": "20000",
    "MALLOC_MMAP_THRESHOLD_": "4294967296",
    "MALLOC_TRIM_THRESHOLD_": "4294967296",
}
"""Environment of a worker, where the user has set nothing else. Threads that wait for each other spin for a short while
only: on a busy machine they would keep each other from working. And glibc keeps the memory that a step frees for the
next one: to give it back and to get it again page by page took a quarter of a step. Measured in docs/budgets.md."""


def detach(
    module: str, *arguments: str, home: Path, log: Path, environment: Mapping[str, str] | None = None
) -> subprocess.Popen:
    """Start `python -m module` in a session of its own: closing the app or the terminal does not stop it.

    `environment` is what it has beside or in place of this process's own.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    # The package may be run from a clone, which only the current folder's place on sys.path makes importable.
    path = os.pathsep.join(filter(None, [str(PACKAGE), os.environ.get("PYTHONPATH")]))
    inherited = TUNING | os.environ | dict(environment or {})
    inherited |= {"SAMVIZ_HOME": str(home.resolve()), "PYTHONPATH": path, "PYTHONUNBUFFERED": "1"}
    apart = {"start_new_session": True}
    if sys.platform == "win32":
        apart = {"creationflags": subprocess.CREATE_NO_WINDOW | subprocess.CREATE_NEW_PROCESS_GROUP}
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=home,
            env=inherited,
            **apart,
        )
    # Somebody must wait for a child, or it stays in the process table after its end.
    threading.Thread(target=process.wait, daemon=True).start()
    return process


def me() -> tuple[int, float]:
    """This process: its pid, and when it was created, as `find` takes them."""
    return os.getpid(), psutil.Process().create_time()


class _Log(io.FileIO):
    """A log: what its disk has no room for is lost, and whoever prints it goes on."""

    def write(self, data: bytes) -> int:
        try:
            return super().write(data)
        except OSError:
            return len(data)


def print_what_fits() -> None:
    """Let no print of this process fail, whatever becomes of the disk that its log is on."""
    for name, number in (("stdout", 1), ("stderr", 2)):
        log = _Log(number, "w", closefd=False)
        setattr(sys, name, io.TextIOWrapper(log, "utf-8", "backslashreplace", write_through=True))


def created(process: psutil.Process) -> float:
    """When a process was created, such that nobody who sets the clock changes it.

    Linux counts from the start of the system, and psutil makes a time of day of that by the clock as it is set now.
    """
    moment = process.create_time()
    return moment - psutil.boot_time() if sys.platform == "linux" else moment


def handle(pid: int) -> str:
    """A text that names a process, even after its pid has been given to another one: pid:created."""
    try:
        return f"{pid}:{created(psutil.Process(pid)):.2f}"
    except psutil.NoSuchProcess:
        return f"{pid}:0"  # it has ended already


def of_handle(handle: str) -> tuple[int, float]:
    """What `handle` made its text from."""
    pid, created = handle.split(":")
    return int(pid), float(created)


def pids(module: str, home: Path) -> list[int]:
    """The processes of this home that run `module`."""
    found = []
    for process in psutil.process_iter():
        try:
            ours = module in process.cmdline() and process.environ().get("SAMVIZ_HOME") == str(home.resolve())
            if ours and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process.pid)
        except psutil.Error:
            continue
    return found


def tail(log: Path) -> str:
    """The last lines of a log, "" where there is none."""
    try:
        with log.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - LOG_BYTES))
            text = file.read().decode("utf-8", errors="replace")
    except OSError:
        return ""
    return text if size <= LOG_BYTES else text[text.find("\n") + 1 :]


def find(pid: int, moment: float) -> psutil.Process | None:
    """The process with this pid if it still runs and is the one that was created at that moment, else None."""
    try:
        process = psutil.Process(pid)
        same = abs(created(process) - moment) < SAME_SECONDS
        return process if same and process.status() != psutil.STATUS_ZOMBIE else None
    except psutil.NoSuchProcess:
        return None


def kill(pid: int, moment: float) -> None:
    """End this process at once, if it is still there."""
    if process := find(pid, moment):
        try:
            process.kill()
            process.wait(5)
        except psutil.NoSuchProcess:
            pass


@contextmanager
def lock(path: Path, seconds: float = LOCK_SECONDS) -> Iterator[bool]:
    """Hold the lock at `path`; yields False if another process holds it for all of `seconds`.

    It is the exclusive lock on an SQLite file that holds nothing: the operating system gives it back when the holder
    dies, however it dies, and SQLite hides how each system does that.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(path, timeout=seconds, isolation_level=None)
    try:
        try:
            connection.execute("BEGIN EXCLUSIVE")
            held = True
        except sqlite3.OperationalError:
            held = False
        yield held
    finally:
        connection.close()


def supervisor_lock(home: Path) -> Path:
    return home / "supervisor.lock"


def ensure_supervisor(home: Path) -> None:
    """Start a supervisor unless one runs.

    Nothing can fall between: a supervisor gives its lock back before it looks for work the last time, so whoever
    queues work first and then finds the lock held is seen by its holder.
    """
    with lock(supervisor_lock(home), seconds=0) as free:
        pass
    if free:
        detach("samviz.runs.supervisor", home=home, log=home / "runs" / "supervisor.log")
