"""What the store holds, as far as the Papers page asks for it: each comparison is read once until it changes."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import lru_cache
from threading import RLock

from samviz.figures.networks import MeasuredGrid, comparable, networks_of
from samviz.figures.papers_evidence import chosen
from samviz.figures.sweep import Swept, sweep_data
from samviz.papers.outcomes import Outcome, outcome, with_sharpness
from samviz.runs import UNFINISHED, Header, Store, SweepSummary
from samviz.spec import Point

MOST = 200
"""Comparisons, and sweeps, that are looked at: the newest."""


class Outcomes:
    """The outcomes of a store's comparisons and sweeps. Thread-safe."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = RLock()
        self._headers: dict[str, Header] = {}
        self._outcomes: dict[str, Outcome] = {}
        self._sweeps: dict[str, _Swept] = {}

    def headers(self) -> list[Header]:
        """Of all comparisons, the newest first and the bundled example last: they are read in no time."""
        with self._lock:
            found = {}
            for summary in self._store.comparisons()[:MOST]:
                try:
                    kept = self._headers.get(summary.id)
                    if kept is None or kept.revision != self._store.revision(summary.id):
                        kept = self._store.header(summary.id)
                except KeyError:  # deleted meanwhile
                    continue
                found[summary.id] = kept
            self._headers = found
            return list(found.values())

    def comparisons(self, networks: Collection[str]) -> list[Outcome]:
        """Of those that train one of these networks."""
        wanted = [one for one in self.headers() if one.comparison.recipe.network in networks]
        return [self.outcome(header.id) for header in wanted]

    def outcome(self, id: str) -> Outcome:
        """One comparison; KeyError where there is none."""
        with self._lock:
            kept = self._outcomes.get(id)
            if kept is None or kept.header.revision != self._store.revision(id):
                kept = self._outcomes[id] = outcome(*self._store.results(id))
            return kept

    def measured(self, ids: Iterable[str]) -> list[Outcome]:
        """Comparisons with what was measured of their sharpness; KeyError where there is none."""
        found = self._store.measurements_of(ids)
        return [with_sharpness(self.outcome(id), views) for id, views in found.items()]

    def sweeps(self) -> list[tuple[str, Swept, Header]]:
        """(id, what it has come to, header of its first comparison), the newest first; only those that have any."""
        return [(id, one.data, one.header) for id, one in self._all_sweeps().items()]

    def chosen(self) -> list[Outcome]:
        """Each sweep's arms at their chosen points, as one comparison; of those that have any."""
        return [one.chosen for one in self._all_sweeps().values() if one.chosen is not None]

    def grids(self) -> list[MeasuredGrid]:
        """The grids whose networks can be compared, with what was measured of these, the newest first."""
        swept = {id: one for id, one in self._all_sweeps().items() if comparable(one.data.sweep)}
        found = self._store.measurements_of(member for one in swept.values() for _, member in one.members)
        return [
            MeasuredGrid(
                id=id,
                sweep=one.data.sweep,
                header=one.header,
                networks=networks_of(one.data.sweep, one.members, one.rows, found),
            )
            for id, one in swept.items()
        ]

    def _all_sweeps(self) -> dict[str, "_Swept"]:
        with self._lock:
            found = {}
            for summary in self._store.sweeps()[:MOST]:
                kept = self._sweeps.get(summary.id)
                if kept is None or kept.progress != summary.progress or summary.state in UNFINISHED:
                    kept = self._swept(summary)
                if kept is not None:
                    found[summary.id] = kept
            self._sweeps = found
            return found

    def _swept(self, summary: SweepSummary) -> "_Swept | None":
        try:
            view = self._store.sweep(summary.id)
            frame = self._store.sweep_metrics(summary.id)
        except KeyError:  # deleted meanwhile
            return None
        if not view.members:
            return None
        rows = list(frame[["comparison", "seed", "arm", "name", "epoch", "value"]].itertuples(index=False, name=None))
        data = sweep_data(view.sweep, [(point, id, header.state) for point, id, header in view.members], rows)
        header = view.members[0][2]
        return _Swept(
            progress=summary.progress,
            members=[(point, id) for point, id, _ in view.members],
            rows=rows,
            data=data,
            header=header,
            chosen=chosen(summary.id, data, header, rows),
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class _Swept:
    """A sweep as it was read when so much of it had run."""

    progress: float
    members: list[tuple[Point, str]]
    """With the id of each point's comparison."""
    rows: list[tuple]
    """What its arms have come to: `Store.sweep_metrics`."""
    data: Swept
    header: Header
    """Of its first comparison."""
    chosen: Outcome | None


@lru_cache(maxsize=4)
def outcomes(store: Store) -> Outcomes:
    """The one of this store, for all sessions."""
    return Outcomes(store)
