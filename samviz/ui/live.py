"""What the live page shows of a comparison, as JSON: built once for each revision and shared by everyone who looks.

Somebody who chooses other measures gets a page of his own, made of parts that are shared: of each chart there is one
text a revision, however many pages it is on.
"""

import gzip
import json
import math
import time
from base64 import b64encode
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import asdict, dataclass
from threading import Lock
from typing import Any, Protocol

from samviz.figures import palette
from samviz.figures.curves import curves_data, curves_figure
from samviz.figures.histograms import (
    HISTOGRAMS,
    histograms_data,
    histograms_figure,
    mean_texts,
    when_text,
)
from samviz.figures.layers import LAYERS, layers_data, layers_figure
from samviz.figures.measures import AXES, MEASURES, Axis, axes, axis_data, offered
from samviz.figures.results import Spread, conclusion, divergences, results_data
from samviz.figures.tally import Tally
from samviz.runs.views import Header, News, Place, RunView
from samviz.ui.live_choice import Choice

KEPT = 16
"""Comparisons whose last page is kept; one is some 50 KB."""
CHOICES_KEPT = 64
"""Pages of one revision that are kept."""
LOG_LINES = 20
_WITHIN_EPOCHS = {"batch_loss", "lr"}
"""What training tells several times an epoch."""
_LAYER_NAMES = tuple(f"{name}/" for name in LAYERS)


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
    """The last pages of each comparison. Thread-safe: of many who ask at once, one builds and the others wait."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._lock = Lock()
        self._builders: OrderedDict[str, Builder] = OrderedDict()

    def page(self, id: str, choice: Choice | None = None, age: float = 0.0) -> Page:
        """The page, at most `age` seconds behind the store; KeyError where there is no such comparison."""
        return self._built(id, choice or Choice(), age)

    def layers(self, id: str, name: str, age: float = 0.0) -> Page:
        """The maps by layer of a measure; its revision is that of the comparison when the last number came to them."""
        return self._built(id, name, age)

    def at_hand(self, id: str, what: Choice | str, age: float) -> Page | None:
        """The same, if it is there already: the store is not asked, and nobody waited for."""
        builder = self._builders.get(id)
        return builder and builder.recent(what, time.monotonic() - age)

    def _built(self, id: str, what: Choice | str, age: float) -> Page:
        since = time.monotonic() - age
        builder = self._builder(id)
        page = builder.recent(what, since)
        if page is None:
            with builder.lock:
                # Whoever held the lock may have looked meanwhile: of a crowd, one asks the store.
                if builder.current < since:
                    looked, revision = time.monotonic(), self._source.revision(id)
                    if builder.revision != revision:
                        builder.add(self._source.news(id, builder.place))
                    builder.current = looked
                page = builder.page(what)
        return page

    def _builder(self, id: str) -> "Builder":
        if id not in self._builders:
            self._source.revision(id)  # KeyError where there is no such comparison: an id alone takes no room
        with self._lock:
            builder = self._builders.pop(id, None) or Builder()
            self._builders[id] = builder
            while len(self._builders) > KEPT:
                self._builders.popitem(last=False)
        return builder


class Builder:
    """Builds the pages of one comparison, and goes through each row of it once."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.place: Place | None = None
        self.current = -math.inf
        """When the store was last found to have nothing newer, by time.monotonic."""
        self._kept: tuple[str, dict[Choice | str, Page]] = "", {}
        """The revision, and its pages; never changed but replaced, since it is read without the lock."""
        self._texts: dict[tuple, Any] = {}
        """The parts of the pages of this revision, as JSON."""
        self._xs: list[tuple[list, str]] = []
        """The x of the traces of a chart, and the same as JSON: most charts have those of another one."""
        self._axes: dict[str, Axis] = {}
        self._layers_revision = ""

    @property
    def revision(self) -> str:
        """Of what has been taken in."""
        return self._kept[0]

    def recent(self, what: Choice | str, since: float) -> Page | None:
        """The page, if there is one that was up to date at a moment since then; needs no lock."""
        return self._kept[1].get(what) if self.current >= since else None

    def add(self, news: News) -> None:
        """Take in what came since `place`."""
        self._header = news.header
        if self.place is None or news.anew:
            self._tally = Tally(news.header.comparison)
        self._tally.add(news.metrics, news.histograms)
        told = {metric[4] for metric in news.metrics} - _WITHIN_EPOCHS
        if news.anew or any(name.startswith(_LAYER_NAMES) for name in told):
            self._layers_revision = news.header.revision
        # Most refreshes of a long run find no epoch more: its charts are as they were.
        same = not (news.anew or told or news.histograms)
        self._texts = {key: text for key, text in self._texts.items() if same and _lasts(key)}
        if not same:
            self._xs, self._axes = [], {}
        self._kept = news.header.revision, {}
        self.place = news.place

    def page(self, what: Choice | str) -> Page:
        """The page for a choice, or the maps by layer of a measure."""
        revision, pages = self._kept
        if what not in pages:
            pages = (pages if len(pages) < CHOICES_KEPT else {}) | {what: self._compressed(what)}
            self._kept = revision, pages
        return pages[what]

    def _compressed(self, what: Choice | str) -> Page:
        if isinstance(what, str):
            revision, text = self._layers_revision, self._text(layers_view, what)
        else:
            revision, head = self.revision, self._text(head_view)
            figures, xs = zip(*(self._curve(name, what.axis) for name in what.curves), strict=True)
            different = list(dict.fromkeys(xs))
            parts = {
                "choice": _json(asdict(what)),
                "layers": _json(self._layers_revision),
                "figures": f"[{','.join(figures)}]",
                "xs": f"[{','.join(different)}]",
                "alongs": _json([different.index(x) for x in xs]),
                "histograms": self._text(histograms_view, what.histogram),
            }
            text = ",".join([head[:-1], *(f'"{key}":{part}' for key, part in parts.items())]) + "}"
        return Page(revision, gzip.compress(text.encode(), compresslevel=2, mtime=0))

    def _text(self, view: Callable[..., Any], *choice: str) -> str:
        key = (view, *choice)
        if key not in self._texts:
            self._texts[key] = _json(view(self._header, self._tally, *choice))
        return self._texts[key]

    def _curve(self, name: str, axis: str) -> tuple[str, str]:
        """A chart without the x of its traces, and these alone: a page has those that are alike once."""
        key = (curves_figure, name, axis)
        if key not in self._texts:
            along = self._axes.get(axis) or self._axes.setdefault(axis, axis_data(self._tally, axis))
            figure = curves_figure(curves_data(self._tally, name, along), name, along)
            xs = [trace.pop("x") for trace in figure["data"]]
            self._texts[key] = _json({"name": name} | figure), self._xs_text(xs)
        return self._texts[key]

    def _xs_text(self, xs: list) -> str:
        for known, text in self._xs:
            if known == xs:
                return text
        self._xs.append((xs, _json(xs)))
        return self._xs[-1][1]


def _lasts(key: tuple) -> bool:
    """Whether this part of a page stays the same within an epoch."""
    return key[0] is not head_view and not _WITHIN_EPOCHS.intersection(key[1:])


def _json(plain: Any) -> str:
    return json.dumps(plain, separators=(",", ":"), allow_nan=False)


def head_view(header: Header, tally: Tally) -> dict[str, Any]:
    """All that the page draws but for the charts, as plain JSON values, without a theme's colors."""
    comparison = header.comparison
    labels, looks = comparison.labels, palette.looks(comparison.arms)
    results = results_data(tally)
    return {
        "id": header.id,
        "revision": header.revision,
        "name": comparison.name,
        "state": header.state,
        "bundled": header.bundled,
        "data": header.data_label,
        "epochs": comparison.epochs,
        "progress": sum(run.progress for run in header.runs) / len(header.runs),
        "runs": [_run(run) for run in header.runs],
        "arms": [
            {
                "key": arm.key,
                "label": labels[arm.key],
                "color": looks[arm.key].color,
                "dash": looks[arm.key].dash,
            }
            for arm in comparison.arms
        ],
        "offered": {
            "curves": [
                [name, MEASURES[name].title, MEASURES[name].note, MEASURES[name].group] for name in offered(tally)
            ],
            "axes": [[name, AXES[name]] for name in axes(tally)],
            "histograms": [
                [name, f"{symbol} of the norm layers"] for name, symbol in HISTOGRAMS.items() if name in tally.bins
            ],
            # Before anything is measured, there is room for what will be.
            "layers": [
                [name, title]
                for name, (title, _) in LAYERS.items()
                if tally.has_layers(name) or not tally.has("test_loss")
            ],
        },
        "diverged": divergences(results),
        "results": [
            {
                "key": result.key,
                "rho": result.rho or None,
                "final": _spread(result.final, 1),
                "best": _spread(result.best, 1),
                "gap": _spread(result.gap, 1),
                "seconds": _spread(result.seconds, 2),
                "n": result.final.n,
                "diverged": [divergence.seed for divergence in result.diverged],
            }
            for result in results
        ],
        "conclusion": conclusion(comparison, results),
    }


def histograms_view(header: Header, tally: Tally, name: str) -> dict[str, Any] | None:
    """The figure at the latest epoch, and what changes in it from epoch to epoch: the slider needs no server."""
    data = histograms_data(tally, name)
    if data is None:
        return None
    indices, labels = range(len(data.epochs)), header.comparison.labels.values()
    width = 2 if data.counts.max() < 2**16 else 4
    return {
        "name": name,
        "figure": histograms_figure(data, header.comparison),
        "epochs": data.epochs.tolist(),
        # (epochs, arms, bins) as bytes: writing twenty thousand numbers as text would take half of a refresh's time.
        "counts": b64encode(data.counts.astype(f"<u{width}").tobytes()).decode(),
        "width": width,
        "bins": data.counts.shape[2],
        "tops": data.tops.tolist(),
        "whens": [when_text(data, at) for at in indices],
        "texts": [mean_texts(data, labels, at) for at in indices],
    }


def layers_view(header: Header, tally: Tally, name: str) -> dict[str, Any] | None:
    """A map for each arm, and the scale of their colors."""
    data = layers_data(tally, name)
    if data is None:
        return None
    labels = header.comparison.labels
    return {
        "name": name,
        "scale": {"label": data.title, "low": data.low, "high": data.high},
        "colors": palette.DIVERGING,
        "maps": {arm.key: layers_figure(data, k, labels[arm.key]) for k, arm in enumerate(header.comparison.arms)},
    }


def _run(run: RunView) -> dict[str, Any]:
    failed = run.state == "failed"
    return {
        "seed": run.seed,
        "state": run.state,
        "reason": run.reason,
        "since": run.since,
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
