"""What somebody has chosen to compare and to see, as it stands in the address of the Compare page."""

from dataclasses import dataclass, replace
from typing import Any

from samviz.figures.compare import ENDS
from samviz.figures.histograms import HISTOGRAMS
from samviz.figures.measures import AXES, MEASURES
from samviz.spec import check
from samviz.ui.state import State

VIEWS = {
    "results": "Results",
    "curves": "Curves",
    "cost": "Cost",
    "norm": "γ and β",
    "network": "What is perturbed",
    "rho": "ρ curves",
}
"""The parts of the page and what they are called."""
SCALES = {"linear": "Linear", "log": "Logarithmic"}
MOST_COMPARISONS = 6
"""So that each arm's color goes round the dashes once at most."""
MOST_SWEEPS = 4
_LISTS = {"comparisons": MOST_COMPARISONS, "arms": 12 * MOST_COMPARISONS, "sweeps": MOST_SWEEPS}


@dataclass(frozen=True, kw_only=True, slots=True)
class Choice(State):
    """A state of the page; an address leaves out what is as it is here."""

    PAGE = "Compare"

    comparisons: tuple[str, ...] = ()
    """Ids; none is the newest one."""
    arms: tuple[str, ...] = ()
    """ID~ARM each; none is all of them."""
    reference: str = ""
    """ID~ARM; "" is the first base optimizer alone."""
    view: str = "results"
    end: str = "last"
    measure: str = "test_accuracy"
    axis: str = "epoch"
    kind: str = "gamma"
    scale: str = "linear"
    sweeps: tuple[str, ...] = ()
    """Ids; none is the newest one."""

    def __post_init__(self) -> None:
        for name, most in _LISTS.items():
            values = check.sequence(name, getattr(self, name), 0, most)
            if len(set(values)) < len(values):
                raise ValueError(f"{name} must differ from each other, but they are {', '.join(values)[:80]}.")
        for name, allowed in CHOICES.items():
            check.choice(name, getattr(self, name), allowed)

    def changed(self, name: str, value: Any) -> "Choice":
        """The state with one part changed; other comparisons have other arms."""
        if name != "comparisons":
            return replace(self, **{name: value})
        kept = self.reference if self.reference.partition("~")[0] in value else ""
        return replace(self, comparisons=value, arms=(), reference=kept)


CHOICES = {
    "view": VIEWS,
    "end": ENDS,
    "measure": MEASURES,
    "axis": AXES,
    "kind": HISTOGRAMS,
    "scale": SCALES,
}
"""What has a list of values, and that list."""
