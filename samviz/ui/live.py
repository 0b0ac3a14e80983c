"""What the live page shows of a comparison, as JSON: built once for each revision and shared by everyone who looks."""

import gzip
import json
import math
from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock
from typing import Any, Protocol

from samviz.figures import palette
from samviz.figures.cubes import cubes
from samviz.figures.curves import MEASURES, curves_data, curves_figure
from samviz.figures.histograms import Histograms, histograms_data, histograms_figure, mean_text, title_text, top_count
from samviz.figures.results import Spread, conclusion, results_data
from samviz.runs.views import RunView, Snapshot

KEPT = 16
"""Comparisons whose last page is kept; one is some 50 KB."""
LOG_LINES = 20


class Source(Protocol):
    """The part of the store that is needed here."""

    def revision(self, id: str) -> str: ...

    def snapshot(self, id: str) -> Snapshot: ...


@dataclass(frozen=True, slots=True)
class Page:
    """One answer: `body` is gzipped JSON."""

    revision: str
    body: bytes


class Cache:
    """The last page of each comparison. Thread-safe: of many who ask at once, one builds and the others wait for it."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._lock = Lock()
        self._pages: OrderedDict[str, tuple[Lock, Page | None]] = OrderedDict()

    def page(self, id: str) -> Page:
        """The page of the current revision; KeyError where there is no such comparison."""
        revision = self._source.revision(id)
        with self._lock:
            building, page = self._pages.pop(id, (Lock(), None))
            self._pages[id] = building, page
            while len(self._pages) > KEPT:
                self._pages.popitem(last=False)
        if page is not None and page.revision == revision:
            return page
        with building:
            with self._lock:
                page = self._pages.get(id, (building, None))[1]
            if page is None or page.revision != revision:
                snapshot = self._source.snapshot(id)
                text = json.dumps(view(snapshot), separators=(",", ":"), allow_nan=False)
                page = Page(snapshot.revision, gzip.compress(text.encode(), compresslevel=5, mtime=0))
                with self._lock:
                    self._pages[id] = building, page
        return page


def view(snapshot: Snapshot) -> dict[str, Any]:
    """All that the page draws, as plain JSON values; figures are plotly's {data, layout}, without a theme's colors."""
    comparison = snapshot.comparison
    recipe = comparison.recipe
    values = cubes(snapshot.metrics, comparison)
    results = results_data(values, comparison)
    histograms = histograms_data(snapshot.histograms, comparison)
    return {
        "id": snapshot.id,
        "revision": snapshot.revision,
        "name": comparison.name,
        "state": snapshot.state,
        "bundled": snapshot.bundled,
        "data": snapshot.data_label,
        "epochs": recipe.epochs,
        "progress": sum(run.progress for run in snapshot.runs) / len(snapshot.runs),
        "runs": [_run(run) for run in snapshot.runs],
        "arms": [
            {
                "key": arm.key,
                "label": comparison.labels[arm.key],
                "color": palette.color(arm.variant, arm.scope),
                "dash": palette.dash(arm.variant, arm.scope),
            }
            for arm in comparison.arms
        ],
        "figures": {
            name: curves_figure(curves_data(values, comparison, name), name, recipe.epochs) for name in MEASURES
        },
        "histograms": None if histograms is None else _histograms(histograms, snapshot),
        "results": [
            {
                "key": result.key,
                "rho": result.rho or None,
                "final": _spread(result.final, 1),
                "best": _spread(result.best, 1),
                "gap": _spread(result.gap, 1),
                "seconds": _spread(result.seconds, 2),
                "n": result.final.n,
                "diverged": list(result.diverged.items()),
            }
            for result in results
        ],
        "conclusion": conclusion(comparison, results),
    }


def _run(run: RunView) -> dict[str, Any]:
    failed = run.state == "failed"
    return {
        "seed": run.seed,
        "state": run.state,
        "reason": run.reason,
        "progress": round(run.progress, 4),
        "started": run.started,
        "finished": run.finished,
        "device": run.machine.get("device", ""),
        "error": run.error if failed else "",
        "log": "\n".join(run.log_tail.splitlines()[-LOG_LINES:]) if failed else "",
    }


def _spread(spread: Spread, decimals: int) -> str:
    """Mean, and standard deviation where there is one, as shown."""
    if math.isnan(spread.mean):
        return ""
    sd = "" if math.isnan(spread.sd) else f" ± {spread.sd:.{decimals}f}"
    return f"{spread.mean:.{decimals}f}{sd}"


def _histograms(data: Histograms, snapshot: Snapshot) -> dict[str, Any]:
    """The figure at the latest epoch, and what changes in it from epoch to epoch: the slider needs no server."""
    labels = snapshot.comparison.labels.values()
    indices = range(len(data.epochs))
    return {
        "figure": histograms_figure(data, snapshot.comparison),
        "epochs": data.epochs.tolist(),
        "counts": data.counts.tolist(),
        "tops": [top_count(data, at) for at in indices],
        "titles": [title_text(data, at) for at in indices],
        "texts": [[mean_text(label, mean) for label, mean in zip(labels, row, strict=True)] for row in data.mean],
    }
