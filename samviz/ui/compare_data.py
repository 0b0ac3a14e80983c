"""The numbers of the comparisons that people look at: each row is read once, and all sessions share it."""

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from threading import RLock
from typing import Protocol

from samviz.figures.compare import Source
from samviz.figures.sweep import Swept, sweep_data
from samviz.figures.tally import Tally
from samviz.runs import News, Place, Store

KEPT = 16
"""Comparisons whose numbers are kept."""


class Readable(Protocol):
    """The part of the store that is needed here."""

    def revision(self, id: str) -> str: ...

    def news(self, id: str, since: Place | None) -> News: ...


@dataclass
class _Kept:
    place: Place
    source: Source


class Numbers:
    """The last comparisons that were asked for. Thread-safe: while somebody reads, nothing changes."""

    def __init__(self, store: Readable) -> None:
        self._store = store
        self._lock = RLock()
        self._kept: OrderedDict[str, _Kept] = OrderedDict()

    @contextmanager
    def reading(self, ids: Sequence[str]) -> Iterator[list[Source]]:
        """The comparisons as they are now, in this order; KeyError where there is no such one."""
        with self._lock:
            yield [self._source(id) for id in ids]

    def _source(self, id: str) -> Source:
        revision = self._store.revision(id)
        kept = self._kept.pop(id, None)
        if kept is None or kept.source.header.revision != revision:
            news = self._store.news(id, kept and kept.place)
            tally = Tally(news.header.comparison) if kept is None or news.anew else kept.source.tally
            tally.add(news.metrics, news.histograms)
            kept = _Kept(news.place, Source(header=news.header, tally=tally))
        self._kept[id] = kept
        while len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        return kept.source


@lru_cache(maxsize=1)
def numbers(store: Store) -> Numbers:
    """Those of the app's store."""
    return Numbers(store)


def swept(store: Store, id: str) -> Swept:
    """What a sweep has come to; KeyError where there is none."""
    view = store.sweep(id)
    members = [(point, comparison, header.state) for point, comparison, header in view.members]
    rows = store.sweep_metrics(id)[["comparison", "seed", "arm", "name", "epoch", "value"]]
    return sweep_data(view.sweep, members, rows.itertuples(index=False, name=None))
