"""Workers on the machines of a Ray cluster, through Ray's Jobs API: one of Ray's jobs for each attempt at a run.

Ray is asked over HTTP alone. It keeps no history over a restart of its head, so the store stays the truth; and as a
handle is made of the store's identity, the job and the attempt, a supervisor that knows these finds the worker again.
"""

import os
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from math import floor, inf
from pathlib import Path
from typing import Any, TypeVar

from ray.exceptions import AuthenticationError
from ray.job_submission import JobDetails, JobStatus, JobSubmissionClient

from samviz.runs import process
from samviz.runs.engine import SETTING as STORE
from samviz.runs.executors import WORKER, ExecutorError, Status
from samviz.runs.places import SETTING as CHECKPOINTS
from samviz.spec import check

GPUS, CPUS = "SAMVIZ_RUN_GPUS", "SAMVIZ_RUN_CPUS"
"""Environment variables: what a run reserves on its machine. Without them one GPU, where the cluster has any, and one
CPU, which is also the number of threads that a run takes."""
MOST = 1024
TIMEOUT = 3.0, 5.0
"""Seconds to wait for a connection and for an answer: a head that hangs must not keep a supervisor from its work."""
FRESH_SECONDS = 1.0
"""How long what the head said is taken for the truth: a supervisor asks about each of its workers, often."""
KEPT_SECONDS = 600.0
"""How long Ray keeps what a worker that has ended has printed: with every one that it keeps it answers more slowly, by
half a millisecond.
"""
DELETED_AT_ONCE = 20
NODES = "/api/v0/nodes?limit=10000"
USE = "/api/cluster_status"

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Share:
    """CPUs and GPUs of one machine: what it has, what is free, or what a run reserves."""

    cpus: float
    gpus: float

    def less(self, other: "Share") -> "Share":
        return Share(self.cpus - other.cpus, self.gpus - other.gpus)

    def runs(self, need: "Share") -> int:
        """How many runs that reserve `need` each fit in. Ray does not spread a fraction of a GPU over two of them."""
        if need.gpus == 0:
            by_gpus = inf
        elif need.gpus < 1:
            whole = floor(self.gpus + 1e-6)
            by_gpus = whole * floor(1 / need.gpus + 1e-6) + floor((self.gpus - whole) / need.gpus + 1e-6)
        else:
            by_gpus = floor(self.gpus / need.gpus + 1e-6)
        return max(0, int(min(by_gpus, floor(self.cpus / need.cpus + 1e-6))))

    def metadata(self) -> dict[str, str]:
        """As Ray keeps it with a job: it does not tell what a job of its own has reserved."""
        return {"samviz_cpus": f"{self.cpus:g}", "samviz_gpus": f"{self.gpus:g}"}


class _Client(JobSubmissionClient):
    """Ray's client, which by itself waits for an answer forever."""

    def _do_request(self, *arguments: Any, **options: Any) -> Any:
        return super()._do_request(*arguments, timeout=TIMEOUT, **options)


class RayJobs:
    """The cluster whose head serves Ray's dashboard at `address`, for the store with this identity."""

    name = "ray"
    host = ""

    _command = f': "${{{STORE}:?is not set where ray was started}}" && exec python -m {WORKER}'
    """The worker takes the place of its shell: when a machine is cut off from its head, Ray kills what it has started
    itself, and not what that has started.
    """

    def __init__(self, address: str, store: str) -> None:
        self.address, self.store = address.rstrip("/"), store
        self.cpus = _setting(CPUS, 1.0)
        if self.cpus == 0:  # Ray would start it on the head, whatever runs there already
            raise check.wrong(CPUS, "more than 0", self.cpus)
        self.gpus = _setting(GPUS, None)
        if self.gpus is not None and self.gpus > 1 and not self.gpus.is_integer():
            raise check.wrong(GPUS, "a fraction of one GPU, or a whole number of them", self.gpus)
        self._client: _Client | None = None
        self._answers: dict[str, tuple[float, Any]] = {}

    def slots(self, running: Mapping[str, int]) -> dict[str, int]:
        """As many more runs as fit in what is free, so that none waits in Ray, which fails what waits for 900 s.

        Raises ExecutorError where the head does not answer or says no, and where no machine is large enough.
        """
        machines, jobs = self._machines(), self._jobs()
        need = self._need(machines)
        if not any(machine.runs(need) for machine in machines.values()):
            raise ExecutorError(
                f"No machine of the Ray cluster at {self.address} has what a run reserves: {CPUS} is {need.cpus:g}, "
                f"{GPUS} is {need.gpus:g}."
            )
        free = self._free(machines, jobs)
        for waiting in (_reserved(job) for job in jobs.values() if job.status == JobStatus.PENDING):
            place = next((name for name, share in free.items() if share.runs(waiting)), None)
            if place is not None:
                free[place] = free[place].less(waiting)
        return {self.name: running.get(self.name, 0) + sum(share.runs(need) for share in free.values())}

    def submit(self, job: int, attempt: int, device: str, log: Path) -> str:
        """Start the worker of an attempt. Where this attempt has been submitted before, nothing is started.

        Raises ExecutorError in one sentence. If no answer came, the worker may have started all the same.
        """
        handle = f"samviz-{self.store}-{job}-{attempt}"
        need = self._need(self._machines())
        try:
            with self._asking() as client:
                client.submit_job(
                    submission_id=handle,
                    entrypoint=f"{self._command} {job} {attempt}",
                    entrypoint_num_cpus=need.cpus,
                    entrypoint_num_gpus=need.gpus,
                    runtime_env={"env_vars": self._environment(handle, need)},
                    metadata=need.metadata(),
                )
        except ExecutorError:
            self._answers.clear()
            if handle not in self._jobs():
                raise
        self._answers.clear()
        return handle

    def cancel(self, handle: str) -> None:
        """End it at once. If the head is away now, its worker is found again as an orphan."""
        with suppress(ExecutorError), self._asking() as client:
            client.stop_job(handle)
        self._answers.clear()

    def status(self, handle: str) -> Status:
        """How it stands. A head that answers and does not know it has been restarted, and has lost its workers."""
        try:
            job = self._jobs().get(handle)
        except ExecutorError:
            return Status.UNKNOWN
        if job is None or job.status.is_terminal():
            return Status.ENDED
        return Status.PENDING if job.status == JobStatus.PENDING else Status.RUNNING

    def logs(self, handle: str, log: Path) -> str:
        """The last of what it has printed; where Ray has not started it, or its machine is away, what Ray says."""
        for question in (_Client.get_job_logs, lambda client, handle: client.get_job_info(handle).message):
            with suppress(ExecutorError), self._asking() as client:
                if said := question(client, handle):
                    return said[-process.LOG_BYTES :]
        return ""

    def handles(self) -> list[str]:
        """The workers of this store that wait or run; none while the head is away. Lets Ray forget old ones."""
        pattern = re.compile(rf"samviz-{re.escape(self.store)}-\d+-\d+")
        try:
            ours = {handle: job for handle, job in self._jobs().items() if pattern.fullmatch(handle)}
        except ExecutorError:
            return []
        ended = [handle for handle, job in ours.items() if job.status.is_terminal()]
        old = [handle for handle in ended if time.time() - (ours[handle].end_time or inf) / 1000 > KEPT_SECONDS]
        with suppress(ExecutorError), self._asking() as client:
            for handle in old[:DELETED_AT_ONCE]:
                client.delete_job(handle)
        return [handle for handle in ours if handle not in ended]

    def _need(self, machines: Mapping[str, Share]) -> Share:
        """What a run reserves."""
        gpus = self.gpus
        if gpus is None:
            gpus = 1.0 if any(machine.gpus >= 1 for machine in machines.values()) else 0.0
        return Share(self.cpus, gpus)

    def _environment(self, handle: str, need: Share) -> dict[str, str]:
        """What a worker finds in its environment beside what its machine has there.

        Whoever may ask Ray can read it: so the store's address, which may hold a password, is not in it.
        """
        given = process.TUNING | {process.HANDLE: handle}
        if CHECKPOINTS in os.environ:
            given[CHECKPOINTS] = os.environ[CHECKPOINTS]
        if need.gpus == 0:
            given["CUDA_VISIBLE_DEVICES"] = ""  # Ray would leave it all of the machine's GPUs
        # A worker may be killed at any moment, and it has had its time to leave before anybody calls for that.
        return given | {"RAY_JOB_STOP_WAIT_TIME_S": "0"}

    def _machines(self) -> dict[str, Share]:
        """What each living machine of the cluster has, by Ray's name for it."""

        def question(client: _Client) -> dict[str, Share]:
            nodes = client._do_request("GET", NODES).json()["data"]["result"]["result"]
            totals = {node["node_id"]: node["resources_total"] for node in nodes if node["state"] == "ALIVE"}
            return {name: Share(total.get("CPU", 0.0), total.get("GPU", 0.0)) for name, total in totals.items()}

        return self._ask("machines", question)

    def _reported(self) -> dict[str, Share]:
        """What is in use on each machine as Ray tells it: other people's work too, but up to five seconds old."""

        def question(client: _Client) -> dict[str, Share]:
            status = client._do_request("GET", USE).json()["data"]["clusterStatus"] or {}  # none on a new head
            use = status.get("loadMetricsReport", {}).get("usageByNode", {})
            return {name: Share(*(used.get(kind, [0.0])[0] for kind in ("CPU", "GPU"))) for name, used in use.items()}

        return self._ask("use", question)

    def _free(self, machines: Mapping[str, Share], jobs: Mapping[str, JobDetails]) -> dict[str, Share]:
        """What is free on each machine: less what is reported, or what samviz's runs have reserved since."""
        reported = self._reported()
        free = {}
        for name, machine in machines.items():
            here = [_reserved(j) for j in jobs.values() if j.status == JobStatus.RUNNING and j.driver_node_id == name]
            used = reported.get(name, Share(0.0, 0.0))
            used = Share(max(used.cpus, sum(h.cpus for h in here)), max(used.gpus, sum(h.gpus for h in here)))
            free[name] = machine.less(used)
        return free

    def _jobs(self) -> dict[str, JobDetails]:
        """All of Ray's jobs that were submitted, by their handles."""
        jobs = self._ask("jobs", lambda client: client.list_jobs())
        return {job.submission_id: job for job in jobs if job.submission_id is not None}

    def _ask(self, what: str, question: Callable[[_Client], T]) -> T:
        """The head's answer, or its refusal, which is kept for a moment."""
        when, answer = self._answers.get(what, (-inf, None))
        if time.monotonic() - when > FRESH_SECONDS:
            try:
                with self._asking() as client:
                    answer = question(client)
            except ExecutorError as error:
                answer = error
            self._answers[what] = time.monotonic(), answer
        if isinstance(answer, ExecutorError):
            raise ExecutorError(str(answer))
        return answer

    @contextmanager
    def _asking(self) -> Iterator[_Client]:
        """The client, whose many kinds of errors become one; after one it is made anew."""
        cluster = f"The Ray cluster at {self.address}"
        try:
            if self._client is None:
                os.environ["RAY_API_SERVER_ADDRESS"] = self.address  # else RAY_ADDRESS would take its place
                self._client = _Client(self.address)
            yield self._client
            return
        except AuthenticationError as error:
            if error.message.startswith("Authentication failed"):
                said = f"{cluster} refuses the token in RAY_AUTH_TOKEN, RAY_AUTH_TOKEN_PATH or ~/.ray/auth_token."
            else:
                said = f"{cluster} asks for a token: set RAY_AUTH_MODE=token and RAY_AUTH_TOKEN or RAY_AUTH_TOKEN_PATH."
        except OSError:  # those of requests, too
            said = f"{cluster} does not answer."
        except (RuntimeError, LookupError, ValueError, TypeError) as error:
            lines = [line for line in str(error).splitlines() if line.strip(". ")]
            said = f"{cluster} says: {lines[-1] if lines else type(error).__name__}"
        self._client = None
        raise ExecutorError(said)


def _reserved(job: JobDetails) -> Share:
    """What a job has reserved, as far as it is one of samviz's."""
    metadata = job.metadata or {}
    return Share(*(float(metadata.get(name, 0.0)) for name in ("samviz_cpus", "samviz_gpus")))


def _setting(name: str, default: float | None) -> float | None:
    """A number in the environment; ValueError in one sentence where it is none."""
    given = os.environ.get(name, "").strip()
    if not given:
        return default
    try:
        number: Any = float(given)
    except ValueError:
        number = given
    return check.number(name, number, 0, MOST)
