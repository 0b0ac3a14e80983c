"""`python -m samviz.runs.worker JOB ATTEMPT`: does one job and tells the store. The one door to torch.

It may be killed at any moment: rows come in transactions, and a checkpoint takes the old one's place in one rename.
"""

import argparse
import json
import os
import sys
import threading
import time
import traceback
from pathlib import Path
from typing import Any

from sqlalchemy.engine import Engine

from samviz.home import home
from samviz.runs import jobs, process
from samviz.runs.schema import StoreError, connect
from samviz.spec import Checkpoint, Comparison, Diverged, Histogram, Scalar

POLL_SECONDS = 0.1
FLUSH_SECONDS = 0.5
"""The longest that a fact waits for others before they are written together."""
BEAT_SECONDS = 5.0


class Recorder:
    """Facts on their way into the store, in batches; used by the main thread and by the watcher."""

    def __init__(self, engine: Engine, job: jobs.Job) -> None:
        self.engine, self.job = engine, job
        self.renewed = time.monotonic()
        """When the lease was last renewed."""
        self._lock = threading.Lock()
        self._facts: list[Scalar | Histogram] = []
        self._progress: float | None = None
        self._flushed = 0.0

    def add(self, *facts: Scalar | Histogram, progress: float) -> None:
        with self._lock:
            self._facts += facts
            self._progress = progress
        self.flush_if_due()

    def flush_if_due(self) -> None:
        if time.monotonic() - self._flushed >= FLUSH_SECONDS:
            self.flush()

    def flush(self) -> None:
        """Write what waits, in one transaction."""
        with self._lock:
            if self._progress is None:
                return
            with jobs.fenced(self.engine, self.job, progress=self._progress) as connection:
                jobs.write(connection, self.job, self._facts)
            self._facts, self._progress = [], None
            self._flushed = self.renewed = time.monotonic()

    def beat_if_due(self) -> None:
        if time.monotonic() - self.renewed >= BEAT_SECONDS:
            jobs.beat(self.engine, self.job)
            self.renewed = time.monotonic()


class Watcher(threading.Thread):
    """Renews the lease, writes what waits, and ends the process when it is cancelled or has lost its job."""

    def __init__(self, recorder: Recorder, folder: Path) -> None:
        super().__init__(daemon=True)
        self.recorder, self.folder = recorder, folder
        self.done = threading.Event()

    def run(self) -> None:
        beats = 0.0
        while not self.done.wait(POLL_SECONDS):
            try:
                if jobs.cancelling(self.recorder.engine, self.recorder.job):
                    self._leave()
                    return
                self.recorder.flush_if_due()
                self.recorder.beat_if_due()
                if time.monotonic() - beats > BEAT_SECONDS:
                    # A worker outlives its supervisor, and sees to it that somebody starts the next run.
                    process.ensure_supervisor(self.folder)
                    beats = time.monotonic()
            except jobs.StaleError as error:
                if not self.done.is_set():
                    print(error, file=sys.stderr)
                    os._exit(1)
            except StoreError as error:
                print(error, file=sys.stderr)  # the lease decides, if this does not pass

    def _leave(self) -> None:
        """End the process wherever its main thread is: the next step may be seconds away.

        Both the end and the renaming of a checkpoint hold the store's one write lock, so this waits for the rename.
        """
        try:
            self.recorder.flush()
            jobs.end(self.recorder.engine, self.recorder.job, "cancelled")
        finally:
            os._exit(0)


class Work:
    """The kinds of jobs: each method does one and returns its result as JSON."""

    def __init__(self, job: jobs.Job, recorder: Recorder, home: Path) -> None:
        self.job, self.recorder, self.home = job, recorder, home
        self.folder = home / "runs" / str(job.id)

    def train(self) -> dict[str, Any]:
        from samviz import data, training

        comparison = self._comparison()
        recipe = comparison.recipe
        after, state = self._checkpoint()
        images = data.load(recipe.dataset)
        machine = training.machine()
        pace = self._pace(comparison, machine) if state is None else training.Pace(**state["pace"])
        machine["precision"] = f"{pace.precision}, compiled" if pace.compiled else pace.precision
        jobs.resume(self.recorder.engine, self.job, after, machine, images.label)
        start = "from the start" if state is None else f"after step {after}"
        print(f"Attempt {self.job.attempt}, seed {self.job.seed}, {start}, on {machine['device']}: {images.label}.")
        print(pace.reason)
        events = training.train(recipe, comparison.arms, self.job.seed, images=images, state=state, pace=pace)
        for event in events:
            progress = comparison.progress(event.step)
            match event:
                case Checkpoint():
                    self.recorder.flush()
                    self._save(event)
                    print(f"Step {event.step}, in epoch {event.epoch} of {comparison.epochs}, is saved.")
                    self.recorder.add(progress=progress)
                case Diverged():
                    print(f"{event.arm} diverged at step {event.step}: its loss is not finite. It rests.")
                    row = Scalar(event.arm, event.epoch, event.step, "diverged", event.step)
                    self.recorder.add(row, progress=progress)
                case Scalar() | Histogram():
                    self.recorder.add(event, progress=progress)
        return {}

    def calibrate(self) -> dict[str, Any]:
        from samviz import training

        ready = time.time() - process.me()[1]  # a run starts a process and imports torch, too
        comparison = self._comparison()
        recipe = comparison.recipe
        result = training.calibrate(recipe, comparison.arms, pace=self._pace(comparison, training.machine()))
        seconds = ready + result["seconds_total"]
        return result | {"seconds_per_run": seconds, "seconds": seconds * len(comparison.seeds)}

    def _comparison(self) -> Comparison:
        """What to train. A network of one's own is looked for in the folder that the terminal was in."""
        spec = dict(self.job.spec)
        if (code := spec.pop("code_folder", None)) is not None:
            sys.path.insert(0, code)
        return Comparison.from_dict(spec)

    def _pace(self, comparison: Comparison, machine: dict[str, str]) -> Any:
        """How to take the steps, from what was measured on this machine once, so that runs can repeat."""
        from samviz import training

        recipe = comparison.recipe
        parts = [machine[name] for name in ("device", "processor", "threads", "torch")]
        key = ", ".join([*parts, recipe.network, f"batches of {recipe.batch_size}", recipe.optimizer])
        path = self.home / "pace.json"
        try:
            known = json.loads(path.read_text("utf-8"))
            before = {way: float(seconds) for way, seconds in known.get(key, {}).items()}
        except (OSError, ValueError, TypeError, AttributeError):  # not there yet, or spoiled: all is measured anew
            known, before = {}, {}
        found = dict(before)
        pace = training.find_pace(recipe, comparison.arms, known=found)
        if found != before:
            partial = path.with_suffix(f".{os.getpid()}.partial")
            partial.write_text(json.dumps(known | {key: found}, indent=2), "utf-8")
            partial.replace(path)
        return pace

    def download(self) -> dict[str, Any]:
        from samviz import data

        path = data.download(self.job.spec, lambda done, total: self.recorder.add(progress=done / max(total, 1)))
        return {"path": str(path)}

    def _checkpoint(self) -> tuple[int, Any]:
        """The step after which to go on and the state there; (-1, None) where there is nothing to go on from."""
        import torch

        path = self.folder / "checkpoint.pt"
        for partial in self.folder.glob("checkpoint.*.partial"):
            partial.unlink()  # somebody was killed while writing it
        # A first attempt has left nothing: what lies there is of a store that was moved away.
        if self.job.attempt == 1 or not path.is_file():
            return -1, None
        saved = torch.load(path, map_location="cpu", weights_only=True)
        return saved["step"], saved["state"]

    def _save(self, event: Checkpoint) -> None:
        """Put a checkpoint in the place of the last one, such that a power cut leaves one of the two, whole."""
        import torch

        path = self.folder / "checkpoint.pt"
        partial = self.folder / f"checkpoint.{self.job.attempt}.partial"
        with partial.open("wb") as file:
            torch.save({"epoch": event.epoch, "step": event.step, "state": event.state}, file)
            file.flush()
            os.fsync(file.fileno())
        # Within the fence, so that a stale worker cannot put its state under the rows of its successor.
        with jobs.fenced(self.recorder.engine, self.job, losses=0):
            partial.replace(path)
            if os.name == "posix":  # elsewhere a folder cannot be opened, nor need it be
                folder = os.open(self.folder, os.O_RDONLY)
                os.fsync(folder)
                os.close(folder)


def work(engine: Engine, job: jobs.Job, folder: Path) -> None:
    """Do a job to its end, whatever that is."""
    recorder = Recorder(engine, job)
    watcher = Watcher(recorder, folder)
    watcher.start()
    task = Work(job, recorder, folder)
    try:
        result = getattr(task, job.kind)()
        recorder.flush()
        watcher.done.set()
        jobs.end(engine, job, "finished", progress=1.0, result=result)
    except jobs.StaleError as error:
        watcher.done.set()
        print(error, file=sys.stderr)
    except Exception as error:
        watcher.done.set()
        traceback.print_exc()
        first = (str(error).splitlines() or [""])[0]
        reason = first if isinstance(error, ValueError) else f"{type(error).__name__}: {first}"
        jobs.end(engine, job, "failed", reason=reason, error=traceback.format_exc())
    process.ensure_supervisor(folder)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m samviz.runs.worker", description="Do one claimed job.")
    parser.add_argument("job", type=int)
    parser.add_argument("attempt", type=int)
    asked = parser.parse_args()
    folder = home()
    engine = connect(folder)
    try:
        job = jobs.enter(engine, asked.job, asked.attempt)
    except jobs.StaleError as error:
        print(error, file=sys.stderr)
        return 1
    if job.data_folder is not None:
        os.environ["SAMVIZ_DATA"] = job.data_folder
    else:
        os.environ.pop("SAMVIZ_DATA", None)
    work(engine, job, folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
