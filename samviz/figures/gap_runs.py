"""How far the runs of a sweep are trained and measured, and what their sharpness has to do with their gap so far."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from samviz.figures.gap import IMAGES, MEASURES, Correlation, M, correlation_data, with_radii
from samviz.figures.networks import networks_of
from samviz.runs import UNFINISHED, MeasurementView, Store, SweepView
from samviz.spec.measurement import SharpnessOf

Known = Mapping[str, Sequence[MeasurementView]]
"""Id of a comparison -> what was asked about it, the newest first."""
COMPARABLE = "the id of a grid over two of batch size, learning rate, weight decay, dropout and radius"
"""What a sweep must be; see `samviz.figures.networks.comparable`."""


@dataclass(frozen=True, kw_only=True)
class Standing:
    """Where the runs of a sweep stand. A run is its comparison's id and its seed."""

    runs: int
    """That the sweep has in all."""
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

    @property
    def share(self) -> float:
        """How much of the whole sweep is measured, 0 to 1."""
        return (len(self.results) + sum(one.progress for one in self.waiting)) / self.runs

    @property
    def line(self) -> str:
        """How many runs are trained, measured and waiting: a sentence."""
        waiting = f"; waiting or under way: {len(self.waiting)}" if self.waiting else ""
        return f"{len(self.wanted)} of {self.runs} runs have finished; measured: {len(self.results)}{waiting}."

    @property
    def trouble(self) -> str:
        """What was cancelled or failed, in a sentence or two; empty where nothing was."""
        if not self.stopped:
            return ""
        n, why = len(self.stopped), next((one.reason for one in self.stopped if one.reason), "")
        return f"{n} measurement{'s were' if n > 1 else ' was'} cancelled or failed. {why}".strip()


def looked_up(store: Store, id: str) -> tuple[SweepView, Known]:
    """A sweep, and what was asked about those of its comparisons that have a finished run."""
    view = store.sweep(id)
    ended = [member for _, member, header in view.members if any(run.state == "finished" for run in header.runs)]
    return view, store.measurements_of(ended)


def last_asked(known: Known) -> SharpnessOf:
    """What was asked last that is of the kinds of `MEASURES`, with any radii; `MEASURES` themselves where nothing was.

    Of the arms that it names nothing follows: `standing_of` asks about all arms of each run.
    """
    asked = [one for several in known.values() for one in several if _of_kind(one)]
    if not asked:
        return SharpnessOf(arms=("any",), measures=MEASURES, images=IMAGES, m=M)
    return max(asked, key=lambda one: one.created).measurement


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
    return Standing(runs=view.sweep.runs, wanted=wanted, found=found)


def correlation_of(store: Store, view: SweepView, known: Known, asked: SharpnessOf) -> Correlation:
    """What the sharpness that is `asked` has to do with the gap, over the networks that are trained and measured."""
    rows = store.sweep_metrics(view.id).itertuples(index=False, name=None)
    members = [(point, member) for point, member, _ in view.members]
    return correlation_data(view.sweep, networks_of(view.sweep, members, rows, known), asked)
