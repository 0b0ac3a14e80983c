"""Which of the papers' claims one's own runs confirm or contradict, worked out from what the store holds.

What one comparison says is in `papers_evidence`. A claim is confirmed where something speaks for it and nothing
against it, contradicted the other way round, open where the runs disagree or nothing is settled, and not yet tested
where no run has the arms. One in twenty intervals leaves the truth out, so with many comparisons one or the other may
speak by chance. All differences in the recipe are listed: what is confirmed is the sentence, on other data and networks
than the paper's.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from samviz.figures.networks import MeasuredGrid
from samviz.figures.papers_evidence import Evidence
from samviz.figures.papers_evidence import evidence as evidence_of
from samviz.figures.sweep import Swept
from samviz.papers.claims import CLAIMS, Claim
from samviz.papers.outcomes import Outcome
from samviz.runs import Header

STATES = {
    "confirmed": "confirmed",
    "contradicted": "contradicted",
    "open": "not settled",
    "untested": "not yet tested",
}
"""What one's own runs say of a claim, and that in words."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Judged:
    """A claim, and where it stands."""

    claim: Claim
    state: str
    """Key of `STATES`."""
    evidence: list[Evidence] = field(default_factory=list)


def judge(
    outcomes: Sequence[Outcome],
    sweeps: Sequence[tuple[str, Swept, Header]] = (),
    grids: Sequence[MeasuredGrid] = (),
) -> list[Judged]:
    """All claims in the papers' order.

    `outcomes` are of comparisons, and of sweeps at their chosen points (`chosen`); `sweeps` are (id, what it has come
    to, header of one of its comparisons); `grids` are those whose networks were measured.
    """
    return [_judged(claim, list(evidence_of(claim, outcomes, sweeps, grids))) for claim in CLAIMS]


def _judged(claim: Claim, evidence: list[Evidence]) -> Judged:
    said = {one.says for one in evidence}
    if not evidence:
        state = "untested"
    elif "for" in said and "against" not in said:
        state = "confirmed"
    elif "against" in said and "for" not in said:
        state = "contradicted"
    else:
        state = "open"
    order = {"for": 0, "against": 1, "open": 2}
    return Judged(claim=claim, state=state, evidence=sorted(evidence, key=lambda one: order[one.says]))


def counts(judged: Sequence[Judged]) -> dict[str, int]:
    """State -> how many claims are in it."""
    return {state: sum(one.state == state for one in judged) for state in STATES}
