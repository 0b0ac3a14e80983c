"""`python -m samviz.runs.worker JOB ATTEMPT`: does one job and tells the store. The one door to torch.

It may be killed at any moment: rows come in transactions, and a checkpoint gets its name when it is whole.
"""

import argparse
import json
import os
import sys
import threading
import time
import traceback
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import Any

from sqlalchemy.engine import Engine

from samviz.home import home
from samviz.runs import jobs, measuring, process, search
from samviz.runs.checkpoints import Checkpoints
from samviz.runs.engine import AwayError, connect
from samviz.runs.executors import ExecutorError, chosen
from samviz.runs.places import checkpoint_folder
from samviz.runs.recorder import Recorder, Watcher, patiently, see_to_the_next
from samviz.spec import Checkpoint, Comparison, Diverged, Failed, Histogram, Scalar

CHECKPOINT_SECONDS = 60.0


class Paused(Exception):  # noqa: N818 - it is no error
    """Somebody wants the run to rest, and its state is saved."""


class Due:
    """Whether a checkpoint is due within an epoch: each minute, and at once when the run shall rest."""

    def __init__(self, pausing: threading.Event) -> None:
        self._pausing, self._saved = pausing, time.monotonic()

    def __call__(self) -> bool:
        return self._pausing.is_set() or time.monotonic() - self._saved >= CHECKPOINT_SECONDS

    def again(self) -> None:
        """Count from now on."""
        self._saved = time.monotonic()


class Work:
    """The kinds of jobs: each method does one and returns its result as JSON."""

    def __init__(self, job: jobs.Job, recorder: Recorder, home: Path, pausing: threading.Event) -> None:
        self.job, self.recorder, self.home, self.pausing = job, recorder, home, pausing

    def train(self) -> dict[str, Any]:
        from samviz import data, training

        comparison = self._comparison(self.job.spec)
        recipe = comparison.recipe
        checkpoints = Checkpoints(checkpoint_folder(self.recorder.engine, self.home, self.job.id))
        if self.job.resumed == 0:
            patiently(lambda: self._forget(checkpoints))
        found = checkpoints.load() or {"step": -1, "state": None}
        after, state = found["step"], found["state"]
        images = data.load(recipe.dataset)
        machine = training.machine()
        pace = self._pace(comparison, machine) if state is None else training.Pace(**state["pace"])
        machine["precision"] = f"{pace.precision}, compiled" if pace.compiled else pace.precision
        patiently(lambda: jobs.resume(self.recorder.engine, self.job, after, machine, images.label))
        start = "from the start" if state is None else f"after step {after}"
        print(f"Attempt {self.job.attempt}, seed {self.job.seed}, {start}, on {machine['device']}: {images.label}.")
        print(pace.reason)
        due = Due(self.pausing)
        events = training.train(
            recipe, comparison.arms, self.job.seed, images=images, state=state, pace=pace, checkpoint_due=due
        )
        for event in events:
            progress = comparison.progress(event.step)
            match event:
                case Checkpoint():
                    self.recorder.flush()
                    saved = self._save(checkpoints, event)
                    due.again()
                    self.recorder.add(progress=progress)
                    if saved and self.pausing.is_set() and event.step < comparison.steps:
                        raise Paused(f"Rests after step {event.step} of {comparison.steps}.")
                case Diverged():
                    print(f"{event.arm} diverged at step {event.step}: its loss is not finite. It rests.")
                    row = Scalar(event.arm, event.epoch, event.step, "diverged", event.step)
                    self.recorder.add(row, progress=progress)
                case Failed():
                    print(f"{event.arm} failed at step {event.step}: {event.reason} It rests, the others go on.")
                    row = Scalar(event.arm, event.epoch, event.step, "failed", event.step)
                    self.recorder.add(row, progress=progress)
                case Scalar() | Histogram():
                    self.recorder.add(event, progress=progress)
        self.recorder.flush()
        if jobs.arms_with(self.recorder.engine, self.job, "failed") == {arm.key for arm in comparison.arms}:
            raise ValueError("No arm could go on: there was not enough memory for any of them.")
        checkpoints.prune(1)
        return {}

    def measure(self) -> dict[str, Any]:
        from samviz import data, sharpness

        task = patiently(lambda: measuring.task(self.recorder.engine, self.job.spec))
        comparison = self._comparison(task.run_spec)
        saved = Checkpoints(checkpoint_folder(self.recorder.engine, self.home, task.run)).with_hash(task.weights)
        images = data.load(comparison.recipe.dataset)
        print(f"Attempt {self.job.attempt} of measurement {self.job.spec}: {task.measurement.kind}.")
        begun, result = time.monotonic(), {}
        for event in sharpness.answer(task.measurement, comparison, task.seed, saved["state"], images):
            match event:
                case sharpness.Progress():
                    self.recorder.add(progress=event.done / event.total)
                case dict():
                    result = event
        self.recorder.flush()
        facts = {"epoch": saved["epoch"], "data_label": images.label, "seconds": time.monotonic() - begun}
        patiently(lambda: measuring.tell(self.recorder.engine, self.job, result | facts))
        return {}

    def calibrate(self) -> dict[str, Any]:
        from samviz import training

        ready = time.time() - process.me()[1]  # a run starts a process and imports torch, too
        comparison = self._comparison(self.job.spec)
        recipe = comparison.recipe
        result = training.calibrate(recipe, comparison.arms, pace=self._pace(comparison, training.machine()))
        seconds = ready + result["seconds_total"]
        return result | {"seconds_per_run": seconds, "seconds": seconds * len(comparison.seeds)}

    def _comparison(self, spec: dict[str, Any]) -> Comparison:
        """What to train, or was. A network of one's own is looked for in the folder that the terminal was in."""
        spec = dict(spec)
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
            with suppress(OSError):  # where there is no room, it is measured again next time
                partial.write_text(json.dumps(known | {key: found}, indent=2), "utf-8")
                partial.replace(path)
        return pace

    def sweep(self) -> dict[str, Any]:
        """One step of a search: what to run next, as many comparisons at once as there is room for."""
        from samviz.runs.store import Store

        store = Store(self.home)
        executor = chosen(self.home, store.engine)
        try:
            room = executor.slots(jobs.on_devices(store.engine, executor.name, executor.host))
        except ExecutorError:  # the cluster does not answer now: the next step sees how much room there is
            room = {}
        search.load()  # now, since it takes a second, in which the step would keep others from writing
        store.step_sweep(self.job.spec, max(1, sum(room.values())))
        store.close()
        return {}

    def download(self) -> dict[str, Any]:
        from samviz import data

        path = data.download(self.job.spec, lambda done, total: self.recorder.add(progress=done / max(total, 1)))
        return {"path": str(path)}

    def _forget(self, checkpoints: Checkpoints) -> None:
        """Delete what lies there of a store that was moved away; a stale worker would delete its successor's."""
        with jobs.fenced(self.recorder.engine, self.job):
            checkpoints.forget()

    def _save(self, checkpoints: Checkpoints, event: Checkpoint) -> bool:
        """Save a checkpoint; where there is no room for it, say so and let the run go on, even if it should rest."""

        # A stale worker is not let through, so it cannot put its state under the rows of its successor.
        def fence() -> AbstractContextManager:
            return jobs.fenced(self.recorder.engine, self.job, losses=0, reason="")

        try:
            patiently(lambda: checkpoints.save(event.step, event.epoch, event.state, self.job.attempt, fence))
        except OSError as error:
            pause = ", then pause it again" if self.pausing.is_set() else ""
            why = f"Step {event.step} could not be saved ({error.strerror or error})"
            reason = f"{why}: make room{pause}. The run goes on."
            print(reason, file=sys.stderr)
            patiently(lambda: jobs.explain(self.recorder.engine, self.job, reason))
            self.pausing.clear()
            return False
        print(f"Step {event.step}, in epoch {event.epoch}, is saved.")
        return True


def work(engine: Engine, job: jobs.Job, folder: Path) -> None:
    """Do a job to its end, whatever that is."""
    recorder = Recorder(engine, job)
    watcher = Watcher(recorder, folder)
    watcher.start()
    task = Work(job, recorder, folder, watcher.pausing)
    try:
        result = getattr(task, job.kind)()
        recorder.flush()
        watcher.done.set()
        patiently(lambda: jobs.end(engine, job, "finished", progress=1.0, result=result))
    except Paused as paused:
        reason = str(paused)
        recorder.flush()
        watcher.done.set()
        patiently(lambda: jobs.end_as_wanted(engine, job, reason))
    except jobs.StaleError as error:
        watcher.done.set()
        print(error, file=sys.stderr)
    except AwayError as error:
        print(f"{error} The run is left to another worker.", file=sys.stderr)
        os._exit(1)
    except Exception as error:
        watcher.done.set()
        traceback.print_exc()
        first = (str(error).splitlines() or [""])[0]
        reason = first if isinstance(error, ValueError) else f"{type(error).__name__}: {first}"
        text = traceback.format_exc()
        patiently(lambda: jobs.end(engine, job, "failed", reason=reason, error=text))
    see_to_the_next(folder)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m samviz.runs.worker", description="Do one claimed job.")
    parser.add_argument("job", type=int)
    parser.add_argument("attempt", type=int)
    asked = parser.parse_args()
    folder = home()
    folder.mkdir(parents=True, exist_ok=True)  # on a machine of a cluster nobody has been there yet
    engine = connect(folder)
    try:
        handle = os.environ.get(process.HANDLE) or process.handle(os.getpid())
        job = patiently(lambda: jobs.enter(engine, asked.job, asked.attempt, handle))
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
    process.print_what_fits()
    sys.exit(main())
