"""How far the runs of a sweep are trained and measured, and asking for the measurements that are missing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from samviz.figures.gap import MEASURES, with_radii
from samviz.runs import UNFINISHED, MeasurementView, Store, SweepView
from samviz.spec.measurement import SharpnessOf

Known = Mapping[str, Sequence[MeasurementView]]
"""Id of a comparison -> what was asked about it, the newest first."""


@dataclass(frozen=True, kw_only=True)
class Standing:
    """Where the runs of a sweep stand. A run is its comparison's id and its seed."""

    wanted: dict[tuple[str, int], SharpnessOf]
    """Of each run that has finished, what is to be measured."""
    found: dict[tuple[str, int], MeasurementView]
    """Of each run about which just that was asked, where it stands."""

    @property
    def results(self) -> dict[tuple[str, int], Any]:
        """What measurements came to."""
        return {run: one.result for run, one in self.found.items() if one.state == "finished"}

    @property
    def waiting(self) -> list[MeasurementView]:
        """What is queued or under way."""
        return [one for one in self.found.values() if one.state in UNFINISHED]

    @property
    def stopped(self) -> list[MeasurementView]:
        """What was cancelled or failed."""
        return [one for one in self.found.values() if one.state not in ("finished", *UNFINISHED)]

    @property
    def left(self) -> list[tuple[str, int]]:
        """Runs about which nothing was asked, or in vain."""
        stopped = {one.id for one in self.stopped}
        return [run for run in self.wanted if run not in self.found or self.found[run].id in stopped]


def looked_up(store: Store, id: str) -> tuple[SweepView, Known]:
    """A sweep, and what was asked about those of its comparisons that have a finished run."""
    view = store.sweep(id)
    ended = [member for _, member, header in view.members if any(run.state == "finished" for run in header.runs)]
    return view, store.measurements_of(ended)


def last_asked(known: Known) -> SharpnessOf | None:
    """What was asked last that is of the kinds of `MEASURES`, with any radii."""
    asked = [one for several in known.values() for one in several if _of_kind(one)]
    return max(asked, key=lambda one: one.created).measurement if asked else None


def _of_kind(one: MeasurementView) -> bool:
    asked = one.measurement
    if not isinstance(asked, SharpnessOf) or len(asked.measures) != len(MEASURES):
        return False
    return with_radii([measure.rho for measure in asked.measures]) == asked.measures


def standing_of(view: SweepView, known: Known, asked: SharpnessOf) -> Standing:
    """Where the runs stand with what is `asked`, of all arms of each."""
    wanted, found = {}, {}
    for point, id, header in view.members:
        mine = replace(asked, arms=tuple(arm.key for arm in view.sweep.arms(point).values()))
        wanted |= {(id, run.seed): mine for run in header.runs if run.state == "finished"}
        for one in reversed(known.get(id, ())):  # the newest last, which counts
            if one.measurement == mine and (id, one.seed) in wanted:
                found[id, one.seed] = one
    return Standing(wanted=wanted, found=found)


def measure(store: Store, standing: Standing, person: str) -> None:
    """Queue what is left, one measurement a run; ValueError as `Store.measure`."""
    for id, seed in standing.left:
        store.measure(id, seed, standing.wanted[id, seed], person)
