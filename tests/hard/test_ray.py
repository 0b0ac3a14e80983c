"""Workers on a real Ray cluster of two machines: room, life, cancelling, orphans, tokens, and a head that dies."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from math import inf
from pathlib import Path

import psutil
import pytest

from samviz.runs.executors import ExecutorError, Status
from tests.hard.ray_cluster import CLIENT, Cluster, cluster
from tests.serve import ROOT

LOG = Path("unused")
STAND_IN = """exec sh -c 'echo "attempt $1 at job $0 with $OMP_NUM_THREADS thread"; exec sleep 600'"""
"""In the worker's place: needs no store, and starts at once."""


def wait(condition: Callable[[], object], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"{condition} was not true within {seconds} s"
        time.sleep(0.1)


def stand_ins(machines: Cluster, host: int) -> list[psutil.Process]:
    return [process for process in machines.processes(host) if process.cmdline() == ["sleep", "600"]]


@pytest.fixture(scope="module")
def machines() -> Iterator[Cluster]:
    with cluster() as machines:
        machines.start_head()
        machines.start_machine()
        yield machines


@pytest.fixture
def ray(machines: Cluster, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest):
    """An executor with a store of its own, and nothing of it left in the cluster."""
    for name, value in (CLIENT | {"RAY_API_SERVER_ADDRESS": "http://127.0.0.1:1"}).items():  # another cluster's address
        monkeypatch.setenv(name, value)
    from samviz.runs.ray_jobs import RayJobs

    executor = RayJobs(machines.address, f"{hash(request.node.name) & 0xFFFFFFFF:08x}")
    executor._command = STAND_IN
    wait(lambda: len(executor._machines()) == 2)
    yield executor
    for handle in executor.handles():
        executor.cancel(handle)
    wait(lambda: not executor.handles())


def test_from_the_queue_to_the_end_and_only_where_there_is_room(ray, machines: Cluster) -> None:
    from samviz.runs.ray_jobs import Share

    wait(lambda: ray.slots({}) == {"ray": 2})
    before = inf, ray._answers["use"][1]
    first, second = (ray.submit(job, 1, "ray", LOG) for job in (7, 8))
    while {ray.status(first), ray.status(second)} != {Status.RUNNING}:
        assert ray.slots({"ray": 2}) == {"ray": 2}, "what Ray has not placed yet has its room"
        time.sleep(0.1)
    ray._answers["use"] = before
    assert ray.slots({"ray": 2}) == {"ray": 2}, "and so has what it has placed and not reported yet"
    ray._answers.clear()
    wait(lambda: ray._free(ray._machines(), {}) == dict.fromkeys(ray._machines(), Share(0, 0)))
    assert ray.slots({"ray": 0}) == {"ray": 0}, "and what is none of samviz's"
    assert sorted(ray.handles()) == sorted([first, second])
    wait(lambda: "attempt 1 at job 7 with 1 thread\n" in ray.logs(first, LOG))
    wait(lambda: "attempt 1 at job 8 with 1 thread\n" in ray.logs(second, LOG))
    wait(lambda: [len(stand_ins(machines, host)) for host in (2, 3)] == [1, 1])

    begun = time.monotonic()
    ray.cancel(first)
    wait(lambda: ray.status(first) is Status.ENDED)
    assert time.monotonic() - begun < 3
    assert ray.status(second) is Status.RUNNING
    assert ray.handles() == [second]
    ray.cancel(first)  # nothing to do
    wait(lambda: ray.slots({"ray": 1}) == {"ray": 2})


def test_an_attempt_is_started_once(ray, machines: Cluster) -> None:
    assert ray.submit(1, 1, "ray", LOG) == ray.submit(1, 1, "ray", LOG)
    wait(lambda: ray.status(ray.handles()[0]) is Status.RUNNING)
    assert len(ray.handles()) == 1
    wait(lambda: stand_ins(machines, 2) + stand_ins(machines, 3))
    [worker] = stand_ins(machines, 2) + stand_ins(machines, 3)
    assert worker.environ()["SAMVIZ_HANDLE"] == ray.handles()[0]
    assert worker.environ()["CUDA_VISIBLE_DEVICES"] == "", "it has reserved no GPU, and so must see none"


def test_a_later_supervisor_finds_the_workers_of_its_own_store(ray, machines: Cluster) -> None:
    from samviz.runs.ray_jobs import RayJobs

    handle = ray.submit(1, 2, "ray", LOG)
    wait(lambda: ray.status(handle) is Status.RUNNING)
    later, other = RayJobs(machines.address, ray.store), RayJobs(machines.address, "feedbeef")
    assert later.handles() == [handle]
    assert other.handles() == []
    assert later.status(handle) is Status.RUNNING
    later.cancel(handle)
    wait(lambda: ray.status(handle) is Status.ENDED)


def test_a_worker_ends_at_once_even_if_it_does_not_listen(ray) -> None:
    ray._command = """exec sh -c 'trap "" TERM; echo deaf; sleep 600; sleep 600'"""
    handle = ray.submit(1, 1, "ray", LOG)
    wait(lambda: "deaf" in ray.logs(handle, LOG))
    begun = time.monotonic()
    ray.cancel(handle)
    wait(lambda: ray.status(handle) is Status.ENDED)
    assert time.monotonic() - begun < 3


def test_a_machine_without_the_stores_address_says_so(ray) -> None:
    del ray._command
    handle = ray.submit(1, 1, "ray", LOG)
    wait(lambda: ray.status(handle) is Status.ENDED)
    assert "SAMVIZ_STORE: is not set where ray was started" in ray.logs(handle, LOG)


def test_a_run_too_large_for_every_machine_is_not_submitted(ray, machines: Cluster, monkeypatch) -> None:
    from samviz.runs.ray_jobs import RayJobs

    monkeypatch.setenv("SAMVIZ_RUN_CPUS", "2")
    monkeypatch.setenv("SAMVIZ_RUN_GPUS", "0.5")
    with pytest.raises(ExecutorError, match=r"No machine .* SAMVIZ_RUN_CPUS is 2, SAMVIZ_RUN_GPUS is 0.5\."):
        RayJobs(machines.address, ray.store).slots({})


@pytest.mark.parametrize(
    ("setting", "value", "sentence"),
    [
        ("SAMVIZ_RUN_CPUS", "many", "SAMVIZ_RUN_CPUS must be a number from 0 to 1024, but it is 'many'."),
        ("SAMVIZ_RUN_CPUS", "0", "SAMVIZ_RUN_CPUS must be more than 0, but it is 0.0."),
        ("SAMVIZ_RUN_GPUS", "1.5", "SAMVIZ_RUN_GPUS must be a fraction of one GPU, or a whole number of them"),
    ],
)
def test_a_wrong_setting_is_named(ray, monkeypatch: pytest.MonkeyPatch, setting, value, sentence) -> None:
    monkeypatch.setenv(setting, value)
    with pytest.raises(ValueError, match=sentence):
        type(ray)("http://127.0.0.1:1", ray.store)


def test_fractions_of_gpus_are_counted_gpu_by_gpu(ray) -> None:
    from samviz.runs.ray_jobs import Share

    assert Share(64, 2).runs(Share(1, 0.4)) == 4, "not 5: Ray gives a run 0.4 of one GPU"
    assert Share(64, 1.5).runs(Share(1, 0.5)) == 3
    assert Share(64, 4).runs(Share(1, 2)) == 2
    assert Share(3, 4).runs(Share(2, 0)) == 1
    assert Share(-1, 0).runs(Share(1, 0)) == 0
    assert Share(0.3, 0).runs(Share(0.1, 0)) == 3


@pytest.mark.parametrize(
    ("token", "sentence"),
    [
        ({"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": "f" * 64}, "refuses the token in RAY_AUTH_TOKEN"),
        ({"RAY_AUTH_MODE": "disabled"}, "asks for a token: set RAY_AUTH_MODE=token"),
    ],
)
def test_without_the_token_nothing_is_told(ray, machines: Cluster, token: dict[str, str], sentence: str) -> None:
    handle = ray.submit(1, 1, "ray", LOG)
    program = (
        "from samviz.runs.ray_jobs import RayJobs\n"
        f"ray = RayJobs({machines.address!r}, {ray.store!r})\n"
        f"ray.cancel({handle!r})\n"
        f"print(ray.status({handle!r}), ray.handles(), repr(ray.logs({handle!r}, None)))\n"
        "ray.slots({})\n"
    )
    environment = {name: value for name, value in os.environ.items() if name not in CLIENT} | token
    found = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert found.stdout == "unknown [] ''\n"
    assert f"ExecutorError: The Ray cluster at {machines.address} {sentence}" in found.stderr
    wait(lambda: ray.status(handle) is Status.RUNNING)


def test_a_head_that_hangs_keeps_nobody_waiting(ray, machines: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("samviz.runs.ray_jobs.TIMEOUT", (1.0, 1.0))
    handle = ray.submit(1, 1, "ray", LOG)
    wait(lambda: ray.status(handle) is Status.RUNNING)
    [server] = [process for process in machines.processes(2) if f"--port={machines.dashboard}" in process.cmdline()]
    server.suspend()
    try:
        wait(lambda: ray.status(handle) is Status.UNKNOWN, 5)
        begun = time.monotonic()
        assert ray.handles() == []
        with pytest.raises(ExecutorError, match=r"The Ray cluster at .* does not answer\."):
            ray.slots({"ray": 1})
        assert time.monotonic() - begun < 3
    finally:
        server.resume()
    wait(lambda: ray.status(handle) is Status.RUNNING)


def test_ray_forgets_old_workers(ray, monkeypatch: pytest.MonkeyPatch) -> None:
    handle = ray.submit(1, 1, "ray", LOG)
    ray.cancel(handle)
    wait(lambda: ray.status(handle) is Status.ENDED)
    assert ray.handles() == []
    assert ray.logs(handle, LOG) != ""
    monkeypatch.setattr("samviz.runs.ray_jobs.KEPT_SECONDS", 0.0)
    assert ray.handles() == []
    assert ray.logs(handle, LOG) == ""
    assert ray.status(handle) is Status.ENDED


def test_the_head_dies_and_comes_back_and_knows_nothing(ray, machines: Cluster) -> None:
    handles = [ray.submit(job, 1, "ray", LOG) for job in (1, 2)]
    wait(lambda: all(ray.status(handle) is Status.RUNNING for handle in handles))
    wait(lambda: stand_ins(machines, 3))
    machines.kill(2)
    wait(lambda: ray.status(handles[0]) is Status.UNKNOWN, 5)
    assert ray.handles() == []
    ray.cancel(handles[0])  # cannot, and does not mind
    assert ray.logs(handles[0], LOG) == ""
    with pytest.raises(ExecutorError, match="does not answer"):
        ray.submit(3, 1, "ray", LOG)

    wait(lambda: not stand_ins(machines, 3))  # Ray ends what runs on a machine that has lost its head
    machines.start_head()
    wait(lambda: ray.status(handles[0]) is Status.ENDED)
    assert ray.status(handles[1]) is Status.ENDED, "the new head does not know it"
    wait(lambda: ray.slots({}) == {"ray": 1})
    again = ray.submit(1, 2, "ray", LOG)
    wait(lambda: ray.status(again) is Status.RUNNING)
    assert ray.handles() == [again]
