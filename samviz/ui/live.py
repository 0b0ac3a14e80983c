"""What the live page shows of a comparison, as JSON: built once for each revision and shared by everyone who looks."""

import gzip
import json
import math
from base64 import b64encode
from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock
from typing import Any, Protocol

from samviz.figures import palette
from samviz.figures.curves import MEASURES, curves_data, curves_figure
from samviz.figures.histograms import Histograms, histograms_data, histograms_figure, mean_text, title_text
from samviz.figures.results import Spread, conclusion, results_data
from samviz.figures.tally import Tally
from samviz.runs.views import Header, News, Place, RunView
from samviz.spec import Comparison

KEPT = 16
"""Comparisons whose last page is kept; one is some 50 KB."""
LOG_LINES = 20


class Source(Protocol):
    """The part of the store that is needed here."""

    def revision(self, id: str) -> str: ...

    def news(self, id: str, since: Place | None) -> News: ...


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
        self._pages: OrderedDict[str, Builder] = OrderedDict()

    def page(self, id: str) -> Page:
        """The page of the current revision; KeyError where there is no such comparison."""
        revision = self._source.revision(id)
        with self._lock:
            builder = self._pages.pop(id, None) or Builder()
            self._pages[id] = builder
            while len(self._pages) > KEPT:
                self._pages.popitem(last=False)
        page = builder.page
        if page is not None and page.revision == revision:
            return page
        with builder.lock:
            if builder.page is None or builder.page.revision != revision:
                builder.build(self._source.news(id, builder.place))
            return builder.page


class Builder:
    """Builds the pages of one comparison, and goes through each row of it once."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.page: Page | None = None
        self.place: Place | None = None
        self._tally: Tally | None = None

    def build(self, news: News) -> None:
        """Make the page of what is known by now; `news` is what came since `place`."""
        if self._tally is None or news.anew:
            self._tally = Tally(news.header.comparison)
        self._tally.add(news.metrics, news.histograms)
        self.place = news.place
        text = json.dumps(view(news.header, self._tally), separators=(",", ":"), allow_nan=False)
        self.page = Page(news.header.revision, gzip.compress(text.encode(), compresslevel=4, mtime=0))


def view(header: Header, tally: Tally) -> dict[str, Any]:
    """All that the page draws, as plain JSON values; figures are plotly's {data, layout}, without a theme's colors."""
    comparison = header.comparison
    recipe, labels = comparison.recipe, comparison.labels
    results = results_data(tally)
    histograms = histograms_data(tally)
    return {
        "id": header.id,
        "revision": header.revision,
        "name": comparison.name,
        "state": header.state,
        "bundled": header.bundled,
        "data": header.data_label,
        "epochs": recipe.epochs,
        "progress": sum(run.progress for run in header.runs) / len(header.runs),
        "runs": [_run(run) for run in header.runs],
        "arms": [
            {
                "key": arm.key,
                "label": labels[arm.key],
                "color": palette.color(arm.variant, arm.scope),
                "dash": palette.dash(arm.variant, arm.scope),
            }
            for arm in comparison.arms
        ],
        "figures": {name: curves_figure(curves_data(tally, name), name, recipe.epochs) for name in MEASURES},
        "histograms": None if histograms is None else _histograms(histograms, comparison),
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


def _histograms(data: Histograms, comparison: Comparison) -> dict[str, Any]:
    """The figure at the latest epoch, and what changes in it from epoch to epoch: the slider needs no server."""
    labels = comparison.labels.values()
    indices = range(len(data.epochs))
    width = 2 if data.counts.max() < 2**16 else 4
    return {
        "figure": histograms_figure(data, comparison),
        "epochs": data.epochs.tolist(),
        # (epochs, arms, bins) as bytes: writing twenty thousand numbers as text would take half of a refresh's time.
        "counts": b64encode(data.counts.astype(f"<u{width}").tobytes()).decode(),
        "width": width,
        "bins": data.counts.shape[2],
        "tops": data.tops.tolist(),
        "titles": [title_text(data, at) for at in indices],
        "texts": [[mean_text(*pair) for pair in zip(labels, row, strict=True)] for row in data.mean.tolist()],
    }
