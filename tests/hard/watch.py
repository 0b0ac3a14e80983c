"""`python -m tests.hard.watch [PEOPLE [SECONDS [ROUNDS]]]`: a crowd watches a comparison while its run trains here.

Each person first opens the page as a browser does, by a Streamlit session over a WebSocket, and then asks for the live
page as `assets/live.js` does: with the ETag of the last answer, as often as the server says, over one connection.
Training is timed without and with the crowd in turns; what the load generator itself takes of the processors is told.
"""

import asyncio
import os
import platform
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import psutil
import websockets
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from samviz.runs import Store, open_store
from samviz.spec import PRESETS, Comparison
from samviz.training.hardware import processor
from tests.serve import running_app

SESSION_SECONDS = 60.0
ARRIVALS = 10
"""Sessions that open the page at the same time."""


@dataclass
class Watched:
    """What the crowd saw."""

    people: int
    latencies: list[float] = field(default_factory=list)
    """Seconds from a request to the last byte of its answer."""
    new: int = 0
    """Answers with something new; the others said that nothing had changed."""
    size: int = 0
    """Compressed bytes of these."""
    waits: list[float] = field(default_factory=list)
    """Seconds that people were told to wait before the next."""
    errors: list[str] = field(default_factory=list)

    def quantile(self, q: float) -> float:
        return float(np.quantile(self.latencies, q))


async def opened(address: str, path: str) -> float:
    """Open a page as a browser does and stay connected to its session; the seconds until it is drawn."""
    url = address.replace("http", "ws", 1) + "/_stcore/stream"
    begun = time.perf_counter()
    headers = {"Origin": address}
    async with websockets.connect(url, subprotocols=["streamlit"], additional_headers=headers, max_size=None) as socket:
        message = BackMsg()
        page, _, query = path.partition("?")
        message.rerun_script.query_string = query
        message.rerun_script.page_name = page.strip("/")
        await socket.send(message.SerializeToString())
        while True:
            answer = ForwardMsg.FromString(await asyncio.wait_for(socket.recv(), SESSION_SECONDS))
            if answer.WhichOneof("type") == "script_finished":
                return time.perf_counter() - begun


async def arrive(address: str, path: str, people: int) -> list[float]:
    """Everybody opens the page, some at a time; the seconds of each."""
    door = asyncio.Semaphore(ARRIVALS)

    async def one() -> float:
        async with door:
            return await opened(address, path)

    return await asyncio.gather(*(one() for _ in range(people)))


async def watch(address: str, id: str, person: int, seen: Watched, ends: float) -> None:
    """One person, from a random moment of the first seconds to `ends` (of time.perf_counter)."""
    host = urlsplit(address)
    await asyncio.sleep(5.0 * person / seen.people)
    reader, writer = await asyncio.open_connection(host.hostname, host.port)
    etag = ""
    try:
        while (begun := time.perf_counter()) < ends:
            known = f"If-None-Match: {etag}\r\n" if etag else ""
            writer.write(
                f"GET /api/comparisons/{id}/live HTTP/1.1\r\nHost: {host.netloc}\r\n"
                f"Accept-Encoding: gzip\r\n{known}\r\n".encode()
            )
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            lines = dict(line.split(": ", 1) for line in head.split("\r\n")[1:] if line)
            fields = {name.lower(): value for name, value in lines.items()}
            body = await reader.readexactly(int(fields.get("content-length", 0)))
            seen.latencies.append(time.perf_counter() - begun)
            status = head.split(" ", 2)[1]
            if status not in ("200", "304"):
                seen.errors.append(head.splitlines()[0])
            seen.new += status == "200"
            seen.size += len(body)
            etag, wait = fields["etag"], float(fields["x-refresh-seconds"])
            seen.waits.append(wait)
            await asyncio.sleep(min(wait, max(0.0, ends - time.perf_counter())))
    except (OSError, EOFError, LookupError, ValueError) as error:
        seen.errors.append(repr(error))
    finally:
        writer.close()


async def crowd(address: str, id: str, people: int, seconds: float) -> Watched:
    """Everybody watches for so long."""
    seen, ends = Watched(people), time.perf_counter() + seconds
    await asyncio.gather(*(watch(address, id, person, seen, ends) for person in range(people)))
    return seen


def long_run() -> Comparison:
    """The quick preset for longer than anybody watches."""
    comparison = PRESETS["quick"].comparison
    settings = comparison.to_dict()
    settings["recipe"]["epochs"], settings["name"] = 2000, "Watched"
    return Comparison.from_dict(settings)


def steps(store: Store, id: str) -> tuple[int, float]:
    """The last step that is told, and when it was seen."""
    metrics = store.news(id).metrics
    return max((row[3] for row in metrics), default=0), time.perf_counter()


def speed(store: Store, id: str, seconds: float) -> float:
    """Steps a second while nothing else is done here."""
    first = _next(store, id)
    time.sleep(seconds)
    last = _next(store, id)
    return (last[0] - first[0]) / (last[1] - first[1])


def _next(store: Store, id: str) -> tuple[int, float]:
    """The next step that is told: rows come in batches, so the moment of a new one is waited for."""
    number = int(id)
    question = "SELECT max(step) FROM metrics JOIN jobs ON jobs.id = run WHERE comparison = ?"
    with store.engine.connect() as connection:
        first = connection.exec_driver_sql(question, (number,)).scalar() or 0
    while True:
        time.sleep(0.01)
        with store.engine.connect() as connection:
            now = connection.exec_driver_sql(question, (number,)).scalar() or 0
        if now > first:
            return now, time.perf_counter()


def server(port: int) -> psutil.Process:
    """The app's process."""
    (pid,) = {c.pid for c in psutil.net_connections("tcp") if c.status == "LISTEN" and c.laddr.port == port}
    return psutil.Process(pid)


def cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system


def main(people: int = 200, seconds: float = 60.0, rounds: int = 3) -> None:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        home = Path(folder)
        os.environ["SAMVIZ_HOME"] = str(home)
        store = open_store(home)
        id = store.submit(long_run(), origin="terminal")
        try:
            with running_app(home) as address:
                report(store, id, address, people, seconds, rounds)
        finally:
            store.cancel(id)
            while store.header(id).state == "running":
                time.sleep(0.1)


def report(store: Store, id: str, address: str, people: int, seconds: float, rounds: int) -> None:
    app = server(urlsplit(address).port)
    _next(store, id)
    speed(store, id, 5.0)  # warm
    arrivals = asyncio.run(arrive(address, f"/lab?id={id}", people))
    print(
        f"{processor()}, {psutil.cpu_count()} cores for training, server and crowd, Python {platform.python_version()}"
    )
    print(
        f"\n{people} people opened the page {ARRIVALS} at a time: median {np.median(arrivals):.1f} s, "
        f"p95 {np.quantile(arrivals, 0.95):.1f} s\n"
    )
    print("| round | steps/s alone | steps/s watched | slower, % | crowd's own CPU, % | server's CPU, % | beyond, % |")
    print("|---|---|---|---|---|---|---|")
    alls, beyond = [], []
    for k in range(rounds):
        alone = speed(store, id, seconds / 2)
        before, mine, first = cpu(app), time.process_time(), _next(store, id)
        seen = asyncio.run(crowd(address, id, people, seconds))
        last = _next(store, id)
        wall = last[1] - first[1]
        watched = (last[0] - first[0]) / wall
        own, theirs = (time.process_time() - mine) / wall, (cpu(app) - before) / wall
        slower = 1 - watched / alone
        beyond.append(slower - own / psutil.cpu_count())
        alls.append(seen)
        print(
            f"| {k + 1} | {alone:.2f} | {watched:.2f} | {100 * slower:.1f} | {100 * own:.0f} | {100 * theirs:.0f} "
            f"| {100 * beyond[-1]:.1f} |"
        )
    latencies = np.concatenate([seen.latencies for seen in alls])
    errors = [error for seen in alls for error in seen.errors]
    waits = np.concatenate([seen.waits[len(seen.waits) // 2 :] for seen in alls])
    sizes = sum(seen.size for seen in alls) / max(1, sum(seen.new for seen in alls))
    print(
        f"\n{len(latencies)} refreshes, {len(errors)} dropped; p50 {1000 * np.quantile(latencies, 0.5):.0f} ms, p95 "
        f"{1000 * np.quantile(latencies, 0.95):.0f} ms (asked: under 1000), largest {1000 * latencies.max():.0f} ms; "
        f"{sizes / 1000:.1f} KB an answer with something new; told to wait {np.median(waits):.1f} s"
    )
    print(f"training slowed beyond what the crowd takes: median {100 * np.median(beyond):.1f} % (asked: under 10 %)")
    print("\n".join(sorted(set(errors))[:5]))


if __name__ == "__main__":
    main(*(kind(x) for kind, x in zip((int, float, int), sys.argv[1:4], strict=False)))
