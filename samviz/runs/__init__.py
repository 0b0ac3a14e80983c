"""Comparisons as they are kept and worked off: the store, and the processes behind it. Nothing here imports torch
but the worker.

    store = open_store()
    id = store.submit(comparison)             # returns at once; a process of its own works it off
    store.snapshot(id).metrics                # every number so far, tidy: seed, arm, epoch, step, name, value
    store.cancel(id)
"""

from samviz.runs.engine import StoreError
from samviz.runs.reading import UnknownError
from samviz.runs.store import Store, open_store, resume
from samviz.runs.views import (
    HISTOGRAM_COLUMNS,
    METRIC_COLUMNS,
    STATES,
    UNFINISHED,
    Estimate,
    Header,
    JobView,
    MeasurementView,
    News,
    Place,
    RunView,
    Snapshot,
    Summary,
    SweepSummary,
    SweepView,
)

__all__ = [
    "HISTOGRAM_COLUMNS",
    "METRIC_COLUMNS",
    "STATES",
    "UNFINISHED",
    "Estimate",
    "Header",
    "JobView",
    "MeasurementView",
    "News",
    "Place",
    "RunView",
    "Snapshot",
    "Store",
    "StoreError",
    "Summary",
    "SweepSummary",
    "SweepView",
    "UnknownError",
    "open_store",
    "resume",
]
