"""What the rest of the house sees of comparisons: read-only views, the same for stored and for bundled ones."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from samviz.spec import Comparison, Point, Sweep
from samviz.spec.measurement import Measurement

if TYPE_CHECKING:  # half a second that workers and supervisors need not spend
    import pandas as pd

STATES = ("queued", "running", "paused", "finished", "cancelled", "failed")
"""The states of a run. `lost` is found out by lease and turned into queued (to resume) or failed."""

UNFINISHED = ("queued", "running")
"""The states of what is not over yet; what is paused waits for somebody."""

METRIC_COLUMNS = ["seed", "arm", "epoch", "step", "name", "value"]
HISTOGRAM_COLUMNS = ["seed", "arm", "epoch", "name", "low", "high", "counts"]


@dataclass(frozen=True, kw_only=True)
class RunView:
    """One seed of a comparison."""

    id: int
    seed: int
    state: str
    """One of `STATES`."""
    reason: str
    """Why it is in this state, in words; empty where the state says it all."""
    since: float = 0.0
    """Seconds since 1970, UTC: when it came into this state; 0 where that is not known."""
    progress: float
    """Share of the steps done, 0 to 1."""
    attempt: int
    """Times it was started."""
    started: float | None
    """Seconds since 1970, UTC."""
    finished: float | None
    host: str = ""
    """The machine that looks after it, "" before the first start and on a cluster."""
    machine: dict[str, str]
    """Device, processor and versions that it ran on; empty before it starts."""
    error: str
    """Traceback of a failed run, else empty."""
    log_tail: str
    """Last lines of the worker's log."""


@dataclass(frozen=True, kw_only=True)
class Summary:
    """A line of the list of comparisons."""

    id: str
    name: str
    created: float
    """Seconds since 1970, UTC."""
    state: str
    """running if any run runs, else queued, paused, failed, cancelled, finished: the first that a run is in."""
    progress: float
    arms: tuple[str, ...]
    """Labels."""
    seeds: tuple[int, ...]
    dataset: str
    network: str
    classes: int | None = None
    """How many classes are told apart; None for all that the data set has."""
    bundled: bool = False
    """Ships with samviz: cannot be deleted."""


@dataclass(frozen=True, kw_only=True)
class Header:
    """What is known of one comparison at one moment, but for its numbers."""

    id: str
    comparison: Comparison
    state: str
    created: float
    runs: tuple[RunView, ...]
    data_label: str
    """What the images were, with their origin: "CIFAR-10 (JPEG copy)"."""
    revision: str
    """Changes whenever anything in the snapshot changes: an ETag."""
    person: str = ""
    """Who asked for it; "" for the person at the machine."""
    note: str = ""
    """What people wrote about it."""
    sweep: str | None = None
    """The sweep that it is a point of."""
    bundled: bool = False


@dataclass(frozen=True, kw_only=True)
class Snapshot(Header):
    """All that is known of one comparison at one moment."""

    metrics: pd.DataFrame = field(repr=False)
    """Rows of METRIC_COLUMNS; arm is `Arm.key`."""
    histograms: pd.DataFrame = field(repr=False)
    """Rows of HISTOGRAM_COLUMNS; counts is a tuple of ints over equal bins from low to high."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """How far somebody has read in a comparison's rows."""

    resumed: tuple[int, ...]
    """Of each run, the last attempt that dropped rows; when this changes, everything has to be read again."""
    metric: int
    histogram: int
    epochs: int = 0
    """Of the comparison: when it was given more, everything has to be read again, too."""


@dataclass(frozen=True, kw_only=True)
class News:
    """What is new since a place: plain tuples, since a frame takes longer to make than a live page's refresh may."""

    header: Header
    metrics: list[tuple]
    """In the order of METRIC_COLUMNS."""
    histograms: list[tuple]
    """In the order of HISTOGRAM_COLUMNS."""
    anew: bool
    """Whether these are all rows, from the start: what was read before no longer counts."""
    place: Place
    """Where to go on."""


@dataclass(frozen=True, kw_only=True)
class SweepView:
    """A sweep and its comparisons at one moment."""

    id: str
    sweep: Sweep
    created: float
    state: str
    """running while any run runs or the next ones are looked for, else queued, paused, failed, cancelled, finished."""
    reason: str
    """Why it failed, as far as that is the search's own fault."""
    person: str
    members: tuple[tuple[Point, str, Header], ...]
    """Point, id of its comparison and header, in the order in which they were asked for."""


@dataclass(frozen=True, kw_only=True)
class SweepSummary:
    """A line of the list of sweeps."""

    id: str
    name: str
    created: float
    state: str
    progress: float
    """Share of the runs that have ended, of all that there may be."""
    sweep: Sweep


@dataclass(frozen=True, kw_only=True)
class Usage:
    """The room that samviz takes on the disk, in bytes."""

    parts: dict[str, int]
    """What -> bytes."""
    most: int
    """How many it may take in all: then nothing new is started."""
    server: str
    """The address of the server that keeps the tables, whose room does not count here; "" where they are a file."""

    @property
    def total(self) -> int:
        return sum(self.parts.values())


@dataclass(frozen=True, kw_only=True)
class JobView:
    """A job that belongs to no comparison: an estimate being measured, or a download."""

    id: int
    kind: str
    """calibrate or download."""
    state: str
    """One of `STATES`."""
    reason: str
    progress: float
    """0 to 1."""
    result: Any
    """What it came to, as JSON; None before it has finished."""
    error: str
    """One sentence where it failed, else empty."""


@dataclass(frozen=True, kw_only=True)
class MeasurementView:
    """What was asked about a checkpoint, and what it came to."""

    id: str
    comparison: str
    seed: int
    measurement: Measurement
    created: float
    """Seconds since 1970, UTC."""
    job: int | None
    """That measures it, or has; None for what ships with samviz, and where only the job was lost."""
    state: str
    """One of `STATES`."""
    reason: str
    progress: float
    """0 to 1."""
    result: Any
    """What it came to, as JSON; None before it has finished."""
    weights: str = ""
    """SHA-256 of the checkpoint; "" where that is not known."""


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """How long a comparison will take here, from a few timed steps."""

    state: str
    """One of `STATES`; the figures are there once it is finished."""
    seconds_per_run: float | None
    """One seed: all arms, evaluations included."""
    seconds: float | None
    """All seeds, one after the other."""
    device: str
    """What was timed."""
    error: str
    """One sentence where it failed, else empty."""
