"""What somebody has chosen to compare and to see, read from the address of the Compare page and written into it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from samviz.figures.compare import ENDS
from samviz.figures.histograms import HISTOGRAMS
from samviz.figures.measures import AXES, MEASURES
from samviz.spec import check

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
class Choice:
    """A state of the page; an address leaves out what is as it is here."""

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

    @classmethod
    def from_query(cls, query: Mapping[str, Sequence[str]]) -> "Choice":
        """Read an address; ValueError in one sentence where something in it is wrong, unknown or there twice."""
        texts: dict[str, Any] = {}
        for name, values in check.mapping(
            "The address of the Compare page", query, [f.name for f in fields(cls)]
        ).items():
            if len(values) != 1:
                raise ValueError(f"{name} must be given once, but it is given {len(values)} times.")
            listed = tuple(part for part in values[0].split(",") if part)
            texts[name] = listed if name in _LISTS else values[0]
        return cls(**texts)

    def to_query(self) -> dict[str, str]:
        """The address of this state."""
        plain, query = Choice(), {}
        for field in fields(self):
            if (value := getattr(self, field.name)) != getattr(plain, field.name):
                query[field.name] = ",".join(value) if field.name in _LISTS else value
        return query

    def changed(self, name: str, value: Any) -> "Choice":
        """The state with one part changed; other comparisons have other arms."""
        listed = tuple(value) if name in _LISTS else value
        if name != "comparisons":
            return replace(self, **{name: listed})
        kept = self.reference if self.reference.partition("~")[0] in listed else ""
        return replace(self, comparisons=listed, arms=(), reference=kept)


CHOICES = {
    "view": VIEWS,
    "end": ENDS,
    "measure": MEASURES,
    "axis": AXES,
    "kind": HISTOGRAMS,
    "scale": SCALES,
}
"""What has a list of values, and that list."""
