"""A real PostgreSQL server of one's own, from the system's packages, for as long as it is needed."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp

import psycopg


def program(name: str) -> str:
    """The path of one of PostgreSQL's programs, which Debian keeps away from PATH."""
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: int(path.parts[-3]))
    path = shutil.which(name) or (str(found[-1]) if found else None)
    assert path, f"PostgreSQL's {name} is not there: install it, on Debian with apt-get install postgresql."
    return path


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Postgres:
    """One server in a folder of its own; it can be killed and started again."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self.databases = 0
        # The server refuses to run as root.
        user = pwd.getpwnam("postgres") if os.getuid() == 0 else None
        self._as = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if user else {}
        folder.mkdir(parents=True, exist_ok=True)
        if user:
            os.chown(folder, user.pw_uid, user.pw_gid)
        command = [program("initdb"), "-D", str(folder / "data"), "-U", "samviz", "-A", "trust", "-E", "UTF8", "-N"]
        subprocess.run(command, check=True, capture_output=True, cwd=folder, **self._as)
        self.start()

    def start(self) -> None:
        options = {"listen_addresses": "127.0.0.1", "port": self.port, "unix_socket_directories": "", "fsync": "off"}
        settings = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [program("postgres"), "-D", str(self.folder / "data"), *settings],
                stdout=log, stderr=log, cwd=self.folder, **self._as,
            )  # fmt: skip
        deadline = time.monotonic() + 60
        while True:
            try:
                psycopg.connect(self.url("postgres").replace("+psycopg", ""), connect_timeout=2).close()
                return
            except psycopg.OperationalError:
                assert time.monotonic() < deadline, (self.folder / "log").read_text()
                time.sleep(0.05)

    def kill(self) -> None:
        """SIGKILL to the server and all that belongs to it, as when its machine goes."""
        children = subprocess.run(["pgrep", "-P", str(self.process.pid)], capture_output=True, text=True).stdout.split()
        for pid in (self.process.pid, *map(int, children)):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        self.process.wait()

    def url(self, database: str) -> str:
        return f"postgresql+psycopg://samviz@127.0.0.1:{self.port}/{database}"

    def database(self) -> str:
        """The address of a new and empty database."""
        self.databases += 1
        name = f"samviz{self.databases}"
        with psycopg.connect(self.url("postgres").replace("+psycopg", ""), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return self.url(name)


@contextmanager
def running() -> Iterator[Postgres]:
    """A server in a temporary folder, which a user other than root can reach."""
    folder = Path(mkdtemp(prefix="samviz-postgres-"))
    folder.chmod(0o755)
    try:
        server = Postgres(folder / "server")
        try:
            yield server
        finally:
            server.kill()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
