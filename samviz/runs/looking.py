"""The store as whoever looks sees it: comparisons and their numbers, sweeps, measurements, jobs, the room they take."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from samviz.runs import exchange, limits, measuring, reading, sweeping
from samviz.runs.engine import FILE, connect, moment
from samviz.runs.places import bytes_in, checkpoint_folder, run_folder, shared_folder, shared_place
from samviz.runs.schema import jobs
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

if TYPE_CHECKING:
    import pandas as pd

EXAMPLE = Path(__file__).parents[2] / "assets" / "example.json"
"""The comparison that ships with samviz."""
EXAMPLE_ID = "example"
SNAPSHOTS_KEPT = 8


class Looking:
    """What the store of one folder holds; nothing here changes it, which is for `samviz.runs.Store`.

    Ids are short strings; the bundled example's is "example".
    """

    def __init__(self, home: Path) -> None:
        shared_place()  # a wrong one is told now, and not by what is missing later
        self.home = home
        self.engine = connect(home)
        self._kept: dict[str, tuple[Snapshot, Place | None]] = {}

    def close(self) -> None:
        """Close the connections; the store opens new ones when it is used again."""
        self.engine.dispose()

    # Comparisons

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

    def folder(self, run: int) -> Path:
        """Where the run with this id keeps its log and its checkpoint."""
        return run_folder(self.home, run)

    # Sweeps

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

    # Measurements

    def measurements(self, id: str) -> list[MeasurementView]:
        """What was measured of a comparison, the newest first; KeyError where there is no such comparison."""
        return measuring.bundled(id) if id == EXAMPLE_ID else measuring.views(self.engine, reading.number(id))

    def measurements_of(self, ids: Iterable[str]) -> dict[str, list[MeasurementView]]:
        """What was measured of many comparisons, each one's newest first, by one question; [] of a deleted one."""
        ids = list(ids)
        found = measuring.views_of(self.engine, [id for id in ids if id != EXAMPLE_ID])
        return {id: measuring.bundled(id) if id == EXAMPLE_ID else found[id] for id in ids}

    def measured_last(self) -> str:
        """The id of the comparison that was measured last; the bundled one's where none was."""
        return measuring.newest(self.engine) or EXAMPLE_ID

    # Jobs and room

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

    def queue(self) -> tuple[int, int]:
        """How many runs go on, and how many wait."""
        counts = select(jobs.c.state, func.count()).where(jobs.c.kind == "train")
        counts = counts.where(jobs.c.state.in_(UNFINISHED)).group_by(jobs.c.state)
        with self.engine.connect() as connection:
            found = dict(connection.execute(counts).all())
        return found.get("running", 0), found.get("queued", 0)

    def usage(self) -> Usage:
        """The room that all takes on this machine's disk, and how much it may take: ValueError as `limits.read`."""
        files = self.engine.dialect.name == "sqlite"
        tables = sum(path.stat().st_size for path in self.home.glob(f"{FILE}*")) if files else 0
        parts = {"tables": tables, "runs: checkpoints and logs": bytes_in(self.home / "runs")}
        if isinstance(shared := shared_folder(self.engine), Path):
            parts["checkpoints in SAMVIZ_CHECKPOINTS"] = bytes_in(shared)
        parts["data sets"] = bytes_in(self.home / "data")
        server = "" if files else self.engine.url.render_as_string(hide_password=True)
        return Usage(parts=parts, most=limits.read(self.home).most_bytes, server=server)
