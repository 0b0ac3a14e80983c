"""What a power cut could leave: the order in which a real worker writes and syncs, every part of a checkpoint's file
that may have reached the disk, and runs that go on from damaged ones.
"""

import os
import random
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from samviz.runs import jobs
from samviz.runs.checkpoints import Checkpoints, DamagedError, read
from samviz.runs.engine import FILE
from tests.hard.faults_bench import Outcome, bench, due, long_race, race, tried, unbroken, until
from tests.hard.faults_killed import end
from tests.serve import ROOT

TRACED = "openat,write,pwrite64,ftruncate,fsync,fdatasync,rename,renameat,renameat2,mkdir,fcntl"
LINE = re.compile(r"(\d+) +(?:<\.\.\. )?(\w+)(.*)")
LOCK = "l_start=120, l_len=1"
"""Where in the file -shm the lock lies that a writer holds (sqlite.org/walformat.html)."""


@dataclass(frozen=True)
class Call:
    """A system call, from the line in which it began to that in which it returned."""

    name: str
    begun: int
    done: int
    text: str
    """Its arguments; strace puts the path behind each file descriptor."""

    def of(self, path: Path) -> bool:
        return f"<{path}>" in self.text or f'"{path}"' in self.text


def traced(lines: Iterable[str]) -> list[Call]:
    """The calls of all threads, in the order in which they began."""
    open_calls: dict[tuple[str, str], tuple[int, str]] = {}
    calls = []
    for number, line in enumerate(lines):
        if (match := LINE.match(line)) is None:
            continue
        thread, name, rest = match.groups()
        if rest.endswith("<unfinished ...>"):
            open_calls[thread, name] = number, rest
        else:
            begun, before = open_calls.pop((thread, name), (number, ""))
            calls.append(Call(name, begun, number, before + rest))
    return sorted(calls, key=lambda call: call.begun)


def order(folder: Path) -> Outcome:
    """A real worker under strace."""
    with tried("power cut: order of writes and syncs") as outcome, bench(folder) as place, place.alone():
        assert shutil.which("strace"), "The order of writes is seen by strace: apt-get install strace."
        run = place.run(race(6))
        job = jobs.claim(place.store.engine)
        trace = folder / "trace"
        command = ["strace", "-f", "-y", "--seccomp-bpf", "-e", f"trace={TRACED}", "-s", "0", "-o", str(trace)]
        command += [sys.executable, "-m", "samviz.runs.worker", str(job.id), str(job.attempt)]
        environment = os.environ | {"SAMVIZ_HOME": str(place.home), "PYTHONPATH": str(ROOT)}
        done = subprocess.run(command, cwd=place.home, env=environment, capture_output=True, text=True, timeout=280)
        outcome.expect(done.returncode == 0, f"The worker ended with {done.returncode}: {done.stderr[-500:]}")
        run.judge(outcome, unbroken(race(6)))
        outcome.wrong += violations(traced(trace.read_text().splitlines()), place.home, 6)
        outcome.times = 1
    return outcome


def violations(calls: list[Call], home: Path, checkpoints: int) -> list[str]:
    """What a worker did in another order than it must, in sentences."""
    wal, shared = home / f"{FILE}-wal", home / f"{FILE}-shm"
    folder = home / "runs" / "1" / "checkpoints"
    wrong = []

    def writes(path: Path) -> list[Call]:
        return [call for call in calls if call.name in ("write", "pwrite64", "ftruncate") and call.of(path)]

    def synced(path: Path, after: int, before: float) -> bool:
        found = (call for call in calls if call.name in ("fsync", "fdatasync") and call.of(path))
        return any(after < call.begun and call.done < before for call in found)

    written = writes(wal)
    unlocks = [c for c in calls if c.name == "fcntl" and c.of(shared) and "F_UNLCK" in c.text and LOCK in c.text]
    for unlock in unlocks:
        last = max((call.done for call in written if call.done < unlock.begun), default=None)
        if last is not None and not synced(wal, last, unlock.begun):
            wrong.append(f"Line {unlock.begun}: what was committed is shown to others before it is on the disk.")
    if len(unlocks) < checkpoints or len(written) < checkpoints:
        wrong.append(f"Only {len(unlocks)} transactions were seen.")

    renames = [call for call in calls if call.name.startswith("rename") and call.text.rstrip().endswith("= 0")]
    puts = [call for call in renames if ".partial" in call.text and ".pt" in call.text]
    if len(puts) != checkpoints:
        wrong.append(f"{len(puts)} checkpoints were put in place of {checkpoints}.")
    for put in puts:
        partial = Path(re.findall(r'"([^"]*)"', put.text)[0])
        content = [call.done for call in writes(partial) if call.done < put.begun]
        if not content or not synced(partial, max(content), put.begun):
            wrong.append(f"Line {put.begun}: a checkpoint gets its name before its content is on the disk.")
        rows = max(call.done for call in written if call.done < put.begun)
        if not synced(wal, rows, put.begun):
            wrong.append(f"Line {put.begun}: a checkpoint gets its name before the rows up to it are on the disk.")
        told = min((call.begun for call in written if call.begun > put.done), default=float("inf"))
        if not synced(folder, put.done, told):
            wrong.append(f"Line {put.begun}: the store learns of a checkpoint before its name is on the disk.")
        for parent in list(folder.parents)[:3]:
            if not synced(parent, 0, told):
                wrong.append(f"Line {put.begun}: what leads to the checkpoints in {parent} may not be on the disk.")
    return wrong


def spoiled(folder: Path, cuts: int | None, every: int) -> Outcome:
    """A checkpoint of which a power cut left a prefix: every one, or (`cuts`) the first and last 200 and every
    `cuts`-th one. And one with another byte in it: each of the first 200, and every `every`-th one of the rest.
    """
    with tried("a checkpoint cut off or garbled") as outcome, bench(folder) as place:
        run = place.run(race(400))
        until(lambda: len(run.checkpoints().folder.names()) == 2, "there are two checkpoints")
        place.stop()
        checkpoints = run.checkpoints()
        newest = checkpoints.folder.folder / checkpoints.folder.names()[-1]
        whole = newest.read_bytes()
        size = len(whole)

        lengths = range(size) if cuts is None else {*range(200), *range(size - 200, size), *range(0, size, cuts)}
        for length in sorted(lengths, reverse=True):
            os.truncate(newest, length)
            _refused(newest, f"the first {length} bytes of {size}", outcome)
        for length in random.sample(range(size), 20):
            newest.write_bytes(whole[:length])
            _falls_back(checkpoints, outcome)

        newest.write_bytes(whole)
        with newest.open("r+b") as file:
            for position in (*range(200), *range(200 + random.randrange(every), size, every)):
                _put(file, position, whole[position] ^ random.randint(1, 255))
                _refused(newest, f"byte {position} garbled", outcome)
                _put(file, position, whole[position])
        for position in random.sample(range(size), 20):
            newest.write_bytes(whole[:position] + bytes([whole[position] ^ 1]) + whole[position + 1 :])
            _falls_back(checkpoints, outcome)
    return outcome


def _put(file, position: int, byte: int) -> None:
    file.seek(position)
    file.write(bytes([byte]))
    file.flush()


def _refused(path: Path, what: str, outcome: Outcome) -> None:
    outcome.times += 1
    try:
        read(path)
    except DamagedError:
        return
    outcome.wrong.append(f"A checkpoint was read with {what}.")


def _falls_back(checkpoints: Checkpoints, outcome: Outcome) -> None:
    """The newest one is damaged: the one before it is taken, and nobody meets the damaged one again."""
    before, newest = checkpoints.folder.names()
    said: list[str] = []
    found = checkpoints.load(said.append)
    outcome.expect(f"{found['step']:012d}.pt" == before, "The checkpoint before the damaged one was not taken.")
    outcome.expect(len(said) == 1 and newest in said[0], "Nothing was said of the damaged checkpoint.")
    outcome.expect(checkpoints.folder.names() == [before], "The damaged checkpoint is still there.")


def damaged(folder: Path, times: int) -> Outcome:
    """The newest checkpoint is cut or garbled while its worker is dead, and once both are."""
    comparison = long_race(times)
    with tried("worker killed, newest checkpoint damaged") as outcome, bench(folder) as place:
        reference = unbroken(comparison)
        run, saved = place.run(comparison), -1
        for k in range(times):
            aim = max(saved, due(k))
            until(lambda aim=aim: run.goes_well(aim), f"a checkpoint comes before time {k + 1}")
            until(lambda: len(run.checkpoints().folder.names()) == 2, "there are two checkpoints")
            for process in place.supervisors():
                end(process)
            end(run.worker())
            place.stop()
            outcome.times += 1
            names = run.checkpoints().folder.names()[-2:]
            both = k == 1
            for name in names if both else names[-1:]:
                spoil(run.checkpoints().folder.folder / name)
            attempt = run.row().attempt
            place.store.resume()
            until(lambda attempt=attempt: run.row().resumed > attempt, f"the run is taken up after time {k + 1}")
            start = "from the start" if both else f"after step {int(names[0].removesuffix('.pt'))},"
            told = f"Attempt {attempt + 1},"
            line = until(lambda told=told: run.line(told), "it says where it goes on, once it has the run")
            outcome.expect(start in line, f"It went on other than {start}: {line}")
            saved = run.saved() if both else int(names[-1].removesuffix(".pt"))
        run.judge(outcome, reference)
    return outcome


def spoil(path: Path) -> None:
    """Cut a file anywhere, or garble a part of it."""
    content = bytearray(path.read_bytes())
    position = random.randrange(len(content))
    if random.random() < 0.5:
        del content[position:]
    else:
        length = min(4096, len(content) - position)
        content[position : position + length] = bytes(byte ^ 0xFF for byte in content[position : position + length])
    path.write_bytes(content)
