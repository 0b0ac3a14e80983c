"""`python -m tests.hard.load [PEOPLE [SECONDS]]`: many people drag a start point against one server on this machine.

Each has one request in flight; when its answer is there, the place that the hand has reached meanwhile is asked for.
Every place is another one, so that no cache helps. The same load on a route that does nothing tells what the generator
and the machine cost by themselves.
"""

import asyncio
import platform
import sys
import tempfile
import time
from dataclasses import dataclass, field
from math import sin
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np

from samviz.training.hardware import processor
from tests.serve import running_app

PIXEL = 0.45 / 1000
"""Size of a pixel of a plane of usual width."""


@dataclass
class Load:
    """What all people together saw."""

    people: int
    seconds: float
    latencies: list[float] = field(default_factory=list)
    """Seconds from a request to the last byte of its answer."""
    errors: list[str] = field(default_factory=list)
    size: int = 0
    """Bytes of all answers."""
    cpu: float = 0.0
    """Seconds of CPU that the generator itself took."""

    def quantile(self, q: float) -> float:
        return float(np.quantile(self.latencies, q))


def place(person: int, seconds: float) -> str:
    """Where a person's hand is: its own slow figure over the plane."""
    w1 = 0.2 + 0.12 * sin(1.3 * seconds + person)
    w2 = 0.11 + 0.08 * sin(1.7 * seconds + 0.7 * person)
    return f"/api/toy/paths/{PIXEL:.6f}?starts={w1:.4f},{w2:.4f}"


def nothing(person: int, seconds: float) -> str:
    """A route that costs the server next to nothing."""
    return "/_stcore/health"


async def drag(address: str, person: int, load: Load, ends: float, path) -> None:
    """One person, from now to `ends` (of time.perf_counter)."""
    host = urlsplit(address)
    reader, writer = await asyncio.open_connection(host.hostname, host.port)
    try:
        while (begun := time.perf_counter()) < ends:
            request = f"GET {path(person, begun)} HTTP/1.1\r\nHost: {host.netloc}\r\n\r\n"
            writer.write(request.encode())
            head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
            length = int(head.split("content-length:")[1].split("\r\n")[0])
            body = await reader.readexactly(length)
            load.latencies.append(time.perf_counter() - begun)
            load.size += length
            if not head.startswith("http/1.1 200") or not body:
                load.errors.append(head.splitlines()[0])
    except (OSError, EOFError, IndexError, ValueError) as error:
        load.errors.append(repr(error))
    finally:
        writer.close()


async def crowd(address: str, people: int, seconds: float, path=place) -> Load:
    """Everybody at once."""
    load = Load(people, seconds)
    cpu, ends = time.process_time(), time.perf_counter() + seconds
    await asyncio.gather(*(drag(address, person, load, ends, path) for person in range(people)))
    load.cpu = time.process_time() - cpu
    return load


def main(people: int = 200, seconds: float = 10.0) -> None:
    with tempfile.TemporaryDirectory() as folder, running_app(Path(folder)) as address:
        asyncio.run(crowd(address, 2, 1.0))  # the first requests load what is needed
        idle = asyncio.run(crowd(address, people, min(seconds, 5.0), nothing))
        load = asyncio.run(crowd(address, people, seconds))
        alone = asyncio.run(crowd(address, 1, 3.0))
    print(f"{processor()}, 2 cores for server and generator, Python {platform.python_version()}\n")
    print("| people | route | answers a second | errors | p50, ms | p95, ms | KB an answer | generator's CPU, s |")
    print("|---|---|---|---|---|---|---|---|")
    for name, found in (("drag a start point", load), ("nothing", idle), ("drag a start point", alone)):
        print(
            f"| {found.people} | {name} | {len(found.latencies) / found.seconds:.0f} | {len(found.errors)} "
            f"| {1000 * found.quantile(0.5):.0f} | {1000 * found.quantile(0.95):.0f} "
            f"| {found.size / len(found.latencies) / 1000:.1f} | {found.cpu:.1f} of {found.seconds:.0f} |"
        )
    rest = 1000 * (load.quantile(0.95) - idle.quantile(0.95))
    print(f"\np95 less that of the route that does nothing: {rest:.0f} ms (asked: under 1000 ms)")
    print("\n".join(sorted(set(load.errors))[:5]))


if __name__ == "__main__":
    main(*(float(x) if i else int(x) for i, x in enumerate(sys.argv[1:3])))
