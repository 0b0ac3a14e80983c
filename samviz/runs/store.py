"""The store as the app and the terminal act on it: start comparisons, stop, change and delete them, measure them.

All methods are safe to call from any thread and any process; none of them imports torch.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.engine import Connection

from samviz import data
from samviz.home import home as default_home
from samviz.runs import editing, importing, jobs, limits, measuring, process, reading, sweeping
from samviz.runs.engine import address, alone, writing
from samviz.runs.looking import EXAMPLE_ID, Looking
from samviz.runs.places import delete_files
from samviz.runs.schema import comparisons as comparisons_table
from samviz.runs.schema import jobs as jobs_table
from samviz.runs.schema import measurements as measurements_table
from samviz.runs.schema import sweeps as sweeps_table
from samviz.runs.search import require
from samviz.runs.unbundle import Bundle
from samviz.runs.views import UNFINISHED
from samviz.spec import Comparison, Point, Sweep, check
from samviz.spec.measurement import Measurement
from samviz.spec.networks import check_listed

_COUNTED = (*jobs.RUNS, "calibrate")
"""The kinds of jobs of which a person may have so many at one time."""


def open_store(home: Path | None = None) -> Store:
    """The store in `home` (default: `samviz.home.home()`), one object a folder in each process.

    Raises StoreError, a ValueError with one sentence, where the folder cannot hold one or the file cannot be read.
    """
    return _store((home or default_home()).absolute(), address())


@cache
def _store(home: Path, _: str | None) -> Store:
    return Store(home)


def resume(home: Path | None = None) -> None:
    """Make sure that somebody works on what is unfinished; call it when an app starts, and now and then."""
    open_store(home).resume()


class Store(Looking):
    """The store of one folder: all that `Looking` shows, and what changes it."""

    # Comparisons

    def submit(self, comparison: Comparison, origin: str = "app", person: str = "") -> str:
        """Queue one run a seed and see to it that somebody starts them; returns the comparison's id.

        `origin` is app or terminal, `person` who asks, "" at the machine itself. Raises ValueError where the images are
        missing, where a limit is met, and where the app is asked for a network of one's own, which is code: nothing is
        queued then.
        """
        _require_images(comparison)
        if origin != "terminal":
            check_listed(comparison.recipe.network)
        self._check_limits(comparison, origin, person, len(comparison.seeds))
        with writing(self.engine) as connection:
            number = editing.add(connection, comparison, origin, person)
        self.resume()
        return str(number)

    def cancel(self, id: str) -> None:
        """Stop all runs of a comparison: waiting ones at once, the running one within seconds. Checkpoints stay."""
        self._stop(id, "cancelled", "")

    def pause(self, id: str) -> None:
        """Let all runs of a comparison rest: waiting ones at once, the running one when it has saved where it is."""
        self._stop(id, "paused", "Rests before its first step.")

    def _stop(self, id: str, state: str, reason: str) -> None:
        with self._changing(id) as (connection, number):
            jobs.stop(connection, jobs_table.c.comparison == number, state, reason)
        self.resume()

    def go_on(self, id: str, person: str = "") -> None:
        """Queue the runs of a comparison that rest, were cancelled or failed: they go on from their last checkpoints.

        Runs that are asked to rest, but still go on, are asked no more. Raises ValueError where there is none, and as
        `submit` does.
        """
        with self._changing(id) as (connection, number):
            self._check_code(connection, number)
            mine = jobs_table.c.comparison == number
            runs = jobs.again(connection, mine, jobs.STOPPED, person)
            if not runs + jobs.keep_on(connection, mine):
                raise ValueError(f"Comparison {id} has no run that rests, was cancelled or failed.")
            if runs:  # one that has not stopped yet adds none
                self._check_limits(reading.comparison(connection, number), "app", person, runs)
        self.resume()

    def extend(self, id: str, epochs: int, person: str = "") -> None:
        """Train a finished comparison up to `epochs` epochs, from where it ended.

        Its schedule is from there on that of a training of that length (see `Recipe.extended`). Raises ValueError where
        it is not finished, where that is not more than it has, where an arm trains for more epochs than others, and as
        `submit` does.
        """
        with self._changing(id) as (connection, number):
            self._check_code(connection, number)
            longer = editing.extend(connection, number, epochs, person)
            self._check_limits(longer, "app", person, len(longer.seeds))
        self.resume()

    def rename(self, id: str, name: str) -> None:
        """Give a comparison another name; ValueError where it cannot be one."""
        with self._changing(id) as (connection, number):
            editing.rename(connection, number, name)

    def annotate(self, id: str, note: str) -> None:
        """Write a note to a comparison, in place of the one that is there; ValueError where it is too long."""
        with self._changing(id) as (connection, number):
            editing.annotate(connection, number, note)

    def delete(self, id: str) -> None:
        """Remove a comparison with its runs, rows, logs and checkpoints; ValueError while it is queued or running."""
        with self._changing(id) as (connection, number):
            runs = editing.remove(connection, number)
        self._delete_files(runs)

    def take_in(self, bundle: Bundle, person: str = "") -> str:
        """Keep a comparison that was read from a bundle as one of this store's; returns its id. Nothing is started.

        Runs that had not ended rest. Raises ValueError where a checkpoint is damaged or the disk's limit is met, and
        then has stored nothing.
        """
        limits.check_disk(limits.read(self.home), self.usage().total)
        return str(importing.take_in(self.engine, self.home, bundle, person))

    @contextmanager
    def _changing(self, id: str) -> Iterator[tuple[Connection, int]]:
        """One transaction that changes something of a comparison, and its number; KeyError where there is none."""
        number = _own(id)
        with writing(self.engine) as connection:
            reading.revision(connection, number)
            yield connection, number
            jobs.touch(connection, number)

    def _delete_files(self, runs: Iterable[int]) -> None:
        for run in runs:
            delete_files(self.engine, self.home, run)

    # Sweeps

    def submit_sweep(self, sweep: Sweep, origin: str = "app", person: str = "") -> str:
        """Start a sweep: all comparisons of a grid, or the first ones of a search; returns its id.

        Raises ValueError as `submit` does, and where a search needs Optuna and it is not installed.
        """
        require(sweep)
        _require_images(sweep.base)
        if origin != "terminal":
            check_listed(sweep.base.recipe.network)
        largest = replace(sweep.base.recipe, batch_size=max(sweep.batch_size, default=sweep.base.recipe.batch_size))
        runs = sweep.runs if sweep.search == "grid" else len(sweep.base.seeds)
        self._check_limits(replace(sweep.base, recipe=largest), origin, person, runs)
        with writing(self.engine) as connection:
            number = sweeping.add(connection, sweep, origin, person)
            self._add_points(connection, number, sweep, sweep.points(), origin, person)
            if sweep.search != "grid":
                jobs.add(connection, "sweep", number)
        self.resume()
        return str(number)

    def step_sweep(self, number: int, most: int) -> None:
        """Find what a sweep runs next, at most `most` comparisons at once, and queue it: a job of the sweep's own."""
        with alone(self.engine) as connection:
            found = sweeping.row(connection, str(number))
            points = sweeping.step(connection, number, most)
            sweep = Sweep.from_dict(found.spec)
            self._add_points(connection, number, sweep, points, found.origin, found.person)

    def _add_points(
        self, connection: Connection, number: int, sweep: Sweep, points: Iterable[Point], origin: str, person: str
    ) -> None:
        for point in points:
            place = {"sweep": number, "point": point.to_dict()}
            editing.add(connection, sweep.comparison(point), origin, person, **place)

    def cancel_sweep(self, id: str) -> None:
        """Stop all runs of a sweep, and look for no further ones."""
        with alone(self.engine) as connection:  # a step that has begun comes first: what it adds is stopped as well
            sweeping.cancel(connection, id)
        self.resume()

    def delete_sweep(self, id: str) -> None:
        """Remove a sweep with all its comparisons; ValueError while it is not finished."""
        with alone(self.engine) as connection:
            number = sweeping.row(connection, id).id
            if sweeping.view(connection, id, self.home / "runs").state in UNFINISHED:
                raise ValueError(f"Sweep {id} is not finished: cancel it before it can be deleted.")
            mine = select(jobs_table.c.id).join(comparisons_table).where(comparisons_table.c.sweep == number)
            runs = connection.scalars(mine).all()
            members = select(comparisons_table.c.id).where(comparisons_table.c.sweep == number)
            editing.stop_measuring(connection, measurements_table.c.comparison.in_(members))
            connection.execute(delete(sweeps_table).where(sweeps_table.c.id == number))
        self._delete_files(runs)

    # Measurements

    def measure(self, id: str, seed: int, measurement: Measurement, person: str = "") -> str:
        """Measure the newest checkpoint of a comparison's run, unless that was done before; returns the id.

        Raises ValueError as `measuring.ask` does, where the images are missing or a limit is met, and where the network
        is code that came from elsewhere.
        """
        number = _own(id)
        comparison = self.header(id).comparison
        with self.engine.connect() as connection:
            self._check_code(connection, number)
        _require_images(comparison)
        self._check_limits(comparison, "app", person, 1)
        found = measuring.ask(self.engine, self.home, number, seed, measurement, person)
        self.resume()
        return str(found)

    def delete_measurement(self, measurement: str) -> None:
        """Forget a measurement; ValueError while it is not finished, KeyError where there is none."""
        measuring.forget(self.engine, reading.number(measurement))

    # Other jobs

    def calibrate(self, comparison: Comparison, person: str = "") -> int:
        """Start to time a few real steps of a comparison, for which no images are needed; the id is for `estimate`.

        Raises ValueError for a network of one's own, and where a limit is met.
        """
        check_listed(comparison.recipe.network)
        self._check_limits(comparison, "app", person, 1)
        return self._job("calibrate", comparison.to_dict(), person)

    def download(self, dataset: str) -> int:
        """Start to download a data set, or join the download under way; returns the job's id for `job`."""
        check.choice("dataset", dataset, data.ARCHIVES)
        return self._job("download", dataset)

    def _job(self, kind: str, spec: Any, person: str = "") -> int:
        with writing(self.engine) as connection:
            same = (jobs_table.c.kind == kind) & jobs_table.c.state.in_(UNFINISHED)
            for row in connection.execute(select(jobs_table.c.id, jobs_table.c.spec).where(same)):
                if row.spec == spec:
                    return row.id
            job = jobs.add(connection, kind, spec, data_folder=editing.data_folder(), person=person)
        self.resume()
        return job

    def cancel_job(self, job: int) -> None:
        """Stop a measurement, a calibration or a download."""
        with writing(self.engine) as connection:
            jobs.stop(connection, jobs_table.c.id == job, "cancelled")
        self.resume()

    def resume(self) -> None:
        """Start a supervisor if there is unfinished work and none runs."""
        if jobs.unfinished(self.engine):
            process.ensure_supervisor(self.home)

    # What may be started

    def _check_limits(self, comparison: Comparison, origin: str, person: str, runs: int) -> None:
        """Raise ValueError, in one sentence, where somebody may not start this with so many runs."""
        most, used = limits.read(self.home), self.usage().total
        if origin == "terminal" or person == "":  # the machine's owner
            limits.check_disk(most, used)
            return
        theirs = (jobs_table.c.person == person) & jobs_table.c.state.in_(UNFINISHED)
        with self.engine.connect() as connection:
            queued = connection.scalar(select(func.count()).where(theirs, jobs_table.c.kind.in_(_COUNTED)))
        limits.check(most, comparison, queued=queued, runs=runs, used_bytes=used)

    def _check_code(self, connection: Connection, number: int) -> None:
        """ValueError where a comparison that came from elsewhere names code to run here."""
        columns = comparisons_table.c.origin, comparisons_table.c.spec
        row = connection.execute(select(*columns).where(comparisons_table.c.id == number)).one()
        if row.origin == "import":
            check_listed(row.spec["recipe"]["network"])


def _own(id: str) -> int:
    """The number of a comparison that can be changed."""
    if id == EXAMPLE_ID:
        raise ValueError("The bundled example ships with samviz: it stays as it is.")
    return reading.number(id)


def _require_images(comparison: Comparison) -> None:
    status = {status.key: status for status in data.status()}[comparison.recipe.dataset]
    if not status.ready:
        raise ValueError(status.note)
