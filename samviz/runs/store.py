"""The store as the app and the terminal see it: ask for comparisons, look at them, cancel and delete them.

All methods are safe to call from any thread and any process; none of them imports torch.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.engine import Connection

from samviz import data
from samviz.home import home as default_home
from samviz.runs import exchange, importing, jobs, limits, measuring, process, reading, sweeping
from samviz.runs.engine import FILE, address, alone, connect, moment, now, writing
from samviz.runs.places import bytes_in, checkpoint_folder, delete_files, run_folder
from samviz.runs.schema import comparisons as comparisons_table
from samviz.runs.schema import jobs as jobs_table
from samviz.runs.schema import sweeps as sweeps_table
from samviz.runs.search import require
from samviz.runs.unbundle import Bundle
from samviz.runs.views import (
    UNFINISHED,
    Estimate,
    Header,
    JobView,
    MeasurementView,
    News,
    Place,
    Snapshot,
    Summary,
    SweepSummary,
    SweepView,
    Usage,
)
from samviz.spec import Comparison, Point, Sweep, check
from samviz.spec.measurement import Measurement
from samviz.spec.networks import check_listed, own_network
from samviz.spec.recipe import MOST_EPOCHS

if TYPE_CHECKING:
    import pandas as pd

EXAMPLE = Path(__file__).parents[2] / "assets" / "example.json"
"""The comparison that ships with samviz."""
EXAMPLE_ID = "example"
SNAPSHOTS_KEPT = 8
LONGEST_NOTE = 4000
"""Characters."""


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


class Store:
    """The comparisons of one folder. Ids are short strings; the bundled example's is "example"."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.engine = connect(home)
        self._kept: dict[str, tuple[Snapshot, Place | None]] = {}

    def close(self) -> None:
        """Close the connections; the store opens new ones when it is used again."""
        self.engine.dispose()

    # Work

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
            number = self._add(connection, comparison, origin, person)
        self.resume()
        return str(number)

    def _add(self, connection: Connection, comparison: Comparison, origin: str, person: str, **more: Any) -> int:
        spec = comparison.to_dict()
        row = {"created": now(connection), "origin": origin, "spec": spec, "revision": 1, "person": person, "note": ""}
        number = connection.execute(insert(comparisons_table).values(**row, **more)).inserted_primary_key[0]
        own = origin == "terminal" and own_network(comparison.recipe.network)
        task = spec | {"code_folder": str(Path.cwd())} if own else spec
        for seed in comparison.seeds:
            jobs.add(connection, "train", task, comparison=number, seed=seed, data_folder=_data_folder(), person=person)
        return number

    def cancel(self, id: str) -> None:
        """Stop all runs of a comparison: waiting ones at once, the running one within seconds. Checkpoints stay."""
        self._stop(id, "cancelled", "")

    def pause(self, id: str) -> None:
        """Let all runs of a comparison rest: waiting ones at once, the running one when it has saved where it is."""
        self._stop(id, "paused", "Rests before its first step.")

    def _stop(self, id: str, state: str, reason: str) -> None:
        number = _own(id)
        with writing(self.engine) as connection:
            reading.revision(connection, number)
            jobs.stop(connection, jobs_table.c.comparison == number, state, reason)
            jobs.touch(connection, number)
        self.resume()

    def go_on(self, id: str) -> None:
        """Queue the runs of a comparison that rest, were cancelled or failed: they go on from their last checkpoints.

        Raises ValueError where there is none.
        """
        number = _own(id)
        with writing(self.engine) as connection:
            reading.revision(connection, number)
            self._check_import(connection, number)
            if not jobs.again(connection, jobs_table.c.comparison == number, jobs.STOPPED):
                raise ValueError(f"Comparison {id} has no run that rests, was cancelled or failed.")
            jobs.touch(connection, number)
        self.resume()

    def extend(self, id: str, epochs: int) -> None:
        """Train a finished comparison up to `epochs` epochs, from where it ended.

        Its schedule is from there on that of a training of that length (see `Recipe.extended`). Raises ValueError where
        it is not finished, where that is not more than it has, and where an arm trains for more epochs than others.
        """
        number = _own(id)
        with writing(self.engine) as connection:
            reading.revision(connection, number)
            mine = jobs_table.c.comparison == number
            states = set(connection.scalars(select(jobs_table.c.state).where(mine)))
            self._refuse_part(connection, number)
            self._check_import(connection, number)
            if states != {"finished"}:
                raise ValueError(f"Comparison {id} is not finished: only then can it be given more epochs.")
            old = Comparison.from_dict(self._spec(connection, number))
            check.integer("epochs", epochs, old.recipe.epochs + 1, MOST_EPOCHS)
            longer = replace(old.recipe, epochs=epochs, extended=(*old.recipe.extended, old.recipe.epochs))
            spec = replace(old, recipe=longer).to_dict()
            connection.execute(update(comparisons_table).where(comparisons_table.c.id == number).values(spec=spec))
            for job, task in connection.execute(select(jobs_table.c.id, jobs_table.c.spec).where(mine)).all():
                code = {"code_folder": task["code_folder"]} if "code_folder" in task else {}
                progress = old.recipe.epochs / epochs
                values = update(jobs_table).where(jobs_table.c.id == job).values(spec=spec | code, progress=progress)
                connection.execute(values)
            jobs.again(connection, mine, ("finished",))
            jobs.touch(connection, number)
        self.resume()

    def queue(self) -> tuple[int, int]:
        """How many runs go on, and how many wait."""
        counts = select(jobs_table.c.state, func.count()).where(jobs_table.c.kind == "train")
        counts = counts.where(jobs_table.c.state.in_(UNFINISHED)).group_by(jobs_table.c.state)
        with self.engine.connect() as connection:
            found = dict(connection.execute(counts).all())
        return found.get("running", 0), found.get("queued", 0)

    def usage(self) -> Usage:
        """The room that all takes on this machine's disk, and how much it may take: ValueError as `limits.read`."""
        files = self.engine.dialect.name == "sqlite"
        tables = sum(path.stat().st_size for path in self.home.glob(f"{FILE}*")) if files else 0
        parts = {"tables": tables, "runs: checkpoints and logs": bytes_in(self.home / "runs")}
        parts["data sets"] = bytes_in(self.home / "data")
        server = "" if files else self.engine.url.render_as_string(hide_password=True)
        return Usage(parts=parts, most=limits.read(self.home).most_bytes, server=server)

    def _check_limits(self, comparison: Comparison, origin: str, person: str, runs: int) -> None:
        """Raise ValueError, in one sentence, where somebody may not start this with so many runs."""
        most, used = limits.read(self.home), self.usage().total
        if origin == "terminal" or person == "":  # the machine's owner
            limits.check_disk(most, used)
            return
        theirs = (jobs_table.c.person == person) & jobs_table.c.kind.in_(jobs.RUNS) & jobs_table.c.state.in_(UNFINISHED)
        with self.engine.connect() as connection:
            queued = connection.scalar(select(func.count()).where(theirs))
        limits.check(most, comparison, queued=queued + runs - len(comparison.seeds), used_bytes=used)

    # Sweeps

    def submit_sweep(self, sweep: Sweep, origin: str = "app", person: str = "") -> str:
        """Start a sweep: all comparisons of a grid, or the first ones of a search; returns its id.

        Raises ValueError as `submit` does, and where a search needs Optuna and it is not installed.
        """
        require(sweep)
        _require_images(sweep.base)
        if origin != "terminal":
            check_listed(sweep.base.recipe.network)
        self._check_limits(sweep.base, origin, person, sweep.runs if sweep.search == "grid" else len(sweep.base.seeds))
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
            self._add(connection, sweep.comparison(point), origin, person, **place)

    def sweeps(self) -> list[SweepSummary]:
        """All sweeps, the newest first."""
        with moment(self.engine) as connection:
            return sweeping.summaries(connection)

    def sweep(self, id: str) -> SweepView:
        """A sweep and its comparisons; KeyError where there is no such sweep."""
        with moment(self.engine) as connection:
            return sweeping.view(connection, id, self.home / "runs")

    def sweep_metrics(self, id: str) -> pd.DataFrame:
        """What the arms of a sweep have come to: comparison (its id), seed, arm, name, epoch, value.

        Of test_accuracy, test_loss, train_accuracy, validation_accuracy, diverged and failed, the last epoch's row and
        the highest one.
        """
        with moment(self.engine) as connection:
            found = sweeping.rows(connection, sweeping.row(connection, id).id)
        return exchange.frame(sweeping.COLUMNS, found)

    def cancel_sweep(self, id: str) -> None:
        """Stop all runs of a sweep, and look for no further ones."""
        with writing(self.engine) as connection:
            sweeping.cancel(connection, id)
        self.resume()

    def delete_sweep(self, id: str) -> None:
        """Remove a sweep with all its comparisons; ValueError while it is not finished."""
        with writing(self.engine) as connection:
            number = sweeping.row(connection, id).id
            if sweeping.view(connection, id, self.home / "runs").state in UNFINISHED:
                raise ValueError(f"Sweep {id} is not finished: cancel it before it can be deleted.")
            mine = select(jobs_table.c.id).join(comparisons_table).where(comparisons_table.c.sweep == number)
            runs = connection.scalars(mine).all()
            connection.execute(delete(sweeps_table).where(sweeps_table.c.id == number))
        self._delete_files(runs)

    # A comparison's name, note and end

    def rename(self, id: str, name: str) -> None:
        """Give a comparison another name; ValueError where it cannot be one."""
        number = _own(id)
        with writing(self.engine) as connection:
            reading.revision(connection, number)
            spec = replace(Comparison.from_dict(self._spec(connection, number)), name=name).to_dict()
            connection.execute(update(comparisons_table).where(comparisons_table.c.id == number).values(spec=spec))
            jobs.touch(connection, number)

    def annotate(self, id: str, note: str) -> None:
        """Write a note to a comparison, in place of the one that is there; ValueError where it is too long."""
        number = _own(id)
        if not isinstance(note, str) or len(note) > LONGEST_NOTE:
            raise check.wrong("note", f"a text of at most {LONGEST_NOTE} characters", note)
        with writing(self.engine) as connection:
            reading.revision(connection, number)
            connection.execute(update(comparisons_table).where(comparisons_table.c.id == number).values(note=note))
            jobs.touch(connection, number)

    @staticmethod
    def _refuse_part(connection: Connection, number: int) -> None:
        sweep = connection.scalar(select(comparisons_table.c.sweep).where(comparisons_table.c.id == number))
        if sweep is not None:
            raise ValueError(f"Comparison {number} is part of sweep {sweep}, which needs it as it is.")

    @staticmethod
    def _spec(connection: Connection, number: int) -> Any:
        return connection.scalar(select(comparisons_table.c.spec).where(comparisons_table.c.id == number))

    def delete(self, id: str) -> None:
        """Remove a comparison with its runs, rows, logs and checkpoints; ValueError while it is queued or running."""
        number = _own(id)
        with writing(self.engine) as connection:
            reading.revision(connection, number)
            mine = select(jobs_table.c.id, jobs_table.c.state).where(jobs_table.c.comparison == number)
            runs = connection.execute(mine).all()
            self._refuse_part(connection, number)
            if any(run.state in UNFINISHED for run in runs):
                raise ValueError(f"Comparison {id} is not finished: cancel it before it can be deleted.")
            connection.execute(delete(comparisons_table).where(comparisons_table.c.id == number))
        self._delete_files([run.id for run in runs])

    def _delete_files(self, runs: Iterable[int]) -> None:
        for run in runs:
            delete_files(self.engine, self.home, run)

    def calibrate(self, comparison: Comparison) -> int:
        """Start to time a few real steps of a comparison, for which no images are needed; the id is for `estimate`.

        Raises ValueError for a network of one's own.
        """
        check_listed(comparison.recipe.network)
        return self._job("calibrate", comparison.to_dict())

    def download(self, dataset: str) -> int:
        """Start to download a data set, or join the download under way; returns the job's id for `job`."""
        check.choice("dataset", dataset, data.ARCHIVES)
        return self._job("download", dataset)

    # Measurements

    def measure(self, id: str, seed: int, measurement: Measurement, person: str = "") -> str:
        """Measure the newest checkpoint of a comparison's run, unless that was done before; returns the id.

        Raises ValueError as `measuring.ask` does, and where the images are missing or the disk's limit is met.
        """
        number = _own(id)
        _require_images(self.header(id).comparison)
        limits.check_disk(limits.read(self.home), self.usage().total)
        found = measuring.ask(self.engine, self.home, number, seed, measurement, person)
        self.resume()
        return str(found)

    def measurements(self, id: str) -> list[MeasurementView]:
        """What was measured of a comparison, the newest first; KeyError where there is no such comparison."""
        return measuring.bundled(id) if id == EXAMPLE_ID else measuring.views(self.engine, reading.number(id))

    def measured_last(self) -> str:
        """The id of the comparison that was measured last; the bundled one's where none was."""
        return measuring.newest(self.engine) or EXAMPLE_ID

    def delete_measurement(self, measurement: str) -> None:
        """Forget a measurement; ValueError while it is not finished, KeyError where there is none."""
        measuring.forget(self.engine, reading.number(measurement))

    # Other jobs

    def cancel_job(self, job: int) -> None:
        """Stop a measurement, a calibration or a download."""
        with writing(self.engine) as connection:
            jobs.stop(connection, jobs_table.c.id == job, "cancelled")
        self.resume()

    def resume(self) -> None:
        """Start a supervisor if there is unfinished work and none runs."""
        if jobs.unfinished(self.engine):
            process.ensure_supervisor(self.home)

    def _job(self, kind: str, spec: Any) -> int:
        with writing(self.engine) as connection:
            same = (jobs_table.c.kind == kind) & jobs_table.c.state.in_(UNFINISHED)
            for row in connection.execute(select(jobs_table.c.id, jobs_table.c.spec).where(same)):
                if row.spec == spec:
                    return row.id
            job = jobs.add(connection, kind, spec, data_folder=_data_folder())
        self.resume()
        return job

    # Views

    def comparisons(self) -> list[Summary]:
        """All comparisons, the newest first and the bundled one last."""
        with moment(self.engine) as connection:
            summaries = reading.summaries(connection)
        if EXAMPLE.is_file():
            summaries.append(reading.summary(self.snapshot(EXAMPLE_ID)))
        return summaries

    def revision(self, id: str) -> str:
        """A short text that changes whenever the snapshot does; KeyError where there is no such comparison."""
        if id == EXAMPLE_ID and EXAMPLE.is_file():
            return f"{EXAMPLE_ID}-{EXAMPLE.stat().st_mtime_ns:x}"
        with self.engine.connect() as connection:
            return reading.revision(connection, reading.number(id))

    def header(self, id: str) -> Header:
        """What is known of a comparison but for its numbers; KeyError where there is no such comparison.

        For who looks often, or does not need the numbers: of a long run they take a second.
        """
        if id == EXAMPLE_ID:
            return self.snapshot(id)
        with moment(self.engine) as connection:
            return reading.header(connection, reading.number(id), self.home / "runs")

    def snapshot(self, id: str) -> Snapshot:
        """All that is known of a comparison, at one moment; KeyError where there is no such comparison.

        `snapshot.metrics` has every number as a tidy frame (METRIC_COLUMNS), `snapshot.histograms` every histogram
        (HISTOGRAM_COLUMNS): the figures need no more. The last few snapshots are kept until they change; treat their
        frames as read-only.
        """
        revision = self.revision(id)
        snapshot, place = self._kept.get(id, (None, None))
        if snapshot is not None and snapshot.revision == revision:
            return snapshot
        if id == EXAMPLE_ID:
            snapshot = exchange.from_json(EXAMPLE.read_text("utf-8"), id=id, revision=revision, bundled=True)
        else:
            news = self._news(id, place)
            snapshot, place = reading.joined(snapshot, news), news.place
        others = {name: other for name, other in self._kept.items() if name != id}
        self._kept = dict(list((others | {id: (snapshot, place)}).items())[-SNAPSHOTS_KEPT:])
        return snapshot

    def news(self, id: str, since: Place | None = None) -> News:
        """What is new in a comparison since the place where an earlier look ended; KeyError where there is no such one.

        For who keeps tallies of his own and looks often: it makes no frames.
        """
        if id != EXAMPLE_ID:
            return self._news(id, since)
        snapshot = self.snapshot(id)
        place = Place(resumed=(), metric=len(snapshot.metrics), histogram=len(snapshot.histograms))
        frames = (snapshot.metrics, snapshot.histograms) if since != place else (snapshot.metrics[:0],) * 2
        metrics, histograms = (list(frame.itertuples(index=False, name=None)) for frame in frames)
        return News(header=snapshot, metrics=metrics, histograms=histograms, anew=since != place, place=place)

    def results(self, id: str) -> tuple[Header, list[tuple]]:
        """A comparison and (seed, arm, epoch, step, name, value) of what tells where it ended; KeyError if none."""
        if id == EXAMPLE_ID:
            news = self.news(id)
            return news.header, news.metrics
        with moment(self.engine) as connection:
            return reading.results(connection, reading.number(id), self.home / "runs")

    def _news(self, id: str, since: Place | None) -> News:
        with moment(self.engine) as connection:
            return reading.news(connection, reading.number(id), self.home / "runs", since)

    def export(self, id: str) -> str:
        """The snapshot as JSON text, from which `samviz.runs.exchange.from_json` makes the same snapshot."""
        return exchange.to_json(self.snapshot(id))

    @contextmanager
    def checkpoints(self, id: str) -> Iterator[dict[int, Path]]:
        """Seed -> the newest checkpoint of its run, for those that have one."""
        with ExitStack() as stack:
            found = {}
            for run in self.header(id).runs if id != EXAMPLE_ID else ():
                folder = checkpoint_folder(self.engine, self.home, run.id)
                if names := folder.names():
                    found[run.seed] = stack.enter_context(folder.path(names[-1]))
            yield found

    def take_in(self, bundle: Bundle, person: str = "") -> str:
        """Keep a comparison that was read from a bundle as one of this store's; returns its id. Nothing is started.

        Runs that had not ended rest. Raises ValueError where a checkpoint is damaged or the disk's limit is met, and
        then has stored nothing.
        """
        limits.check_disk(limits.read(self.home), self.usage().total)
        return str(importing.take_in(self.engine, self.home, bundle, person))

    def _check_import(self, connection: Connection, number: int) -> None:
        """What came from elsewhere may neither name code to run here nor go beyond what may be started here."""
        columns = [comparisons_table.c[name] for name in ("origin", "spec", "person")]
        row = connection.execute(select(*columns).where(comparisons_table.c.id == number)).one()
        if row.origin == "import":
            check_listed(row.spec["recipe"]["network"])
            self._check_limits(Comparison.from_dict(row.spec), "app", row.person, len(row.spec["seeds"]))

    def job(self, job: int) -> JobView:
        """How a calibration or a download stands; KeyError where there is no such job."""
        with self.engine.connect() as connection:
            return reading.job(connection, job)

    def estimate(self, job: int) -> Estimate:
        """What a calibration came to, as far as it is; KeyError where there is no such job."""
        view = self.job(job)
        result = view.result or {}
        return Estimate(
            state=view.state,
            seconds_per_run=result.get("seconds_per_run"),
            seconds=result.get("seconds"),
            device=result.get("device", ""),
            error=view.error,
        )

    def folder(self, run: int) -> Path:
        """Where the run with this id keeps its log and its checkpoint."""
        return run_folder(self.home, run)


def _own(id: str) -> int:
    """The number of a comparison that can be changed."""
    if id == EXAMPLE_ID:
        raise ValueError("The bundled example ships with samviz: it can be neither cancelled nor deleted.")
    return reading.number(id)


def _data_folder() -> str | None:
    """This process's SAMVIZ_DATA for the job, since whoever starts its worker may have another one."""
    folder = os.environ.get("SAMVIZ_DATA")
    return str(Path(folder).expanduser().absolute()) if folder else None


def _require_images(comparison: Comparison) -> None:
    status = {status.key: status for status in data.status()}[comparison.recipe.dataset]
    if not status.ready:
        raise ValueError(status.note)
