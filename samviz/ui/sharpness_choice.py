"""What somebody has chosen to see on the Sharpness page, as it stands in its address."""

from dataclasses import dataclass, replace

from samviz.figures.networks import GAPS
from samviz.spec import check
from samviz.ui.state import State

VIEWS = {
    "rescaling": "Scale invariance",
    "sharpness": "Sharpness of the arms",
    "slice": "Loss slices",
    "gap": "Generalization gap",
}
"""The parts of the page and what they are called; of a measurement's kind each, but for the last."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Choice(State):
    """A state of the page; an address leaves out what is as it is here."""

    PAGE = "Sharpness"

    id: str = ""
    """Of the comparison; "" is the one that was measured last."""
    view: str = "rescaling"
    seed: str = ""
    """Of the run; "" is the first one."""
    shown: str = ""
    """Id of the measurement; "" is the newest of this view."""
    sweep: str = ""
    """Id of the sweep whose gaps are looked at; "" is the newest that can be."""
    gap: str = "loss"
    """Key of `GAPS`: of what the gap is."""

    def __post_init__(self) -> None:
        check.choice("view", self.view, VIEWS)
        check.choice("gap", self.gap, GAPS)
        if self.seed and not (self.seed.isascii() and self.seed.isdecimal()):
            raise check.wrong("seed", "a whole number", self.seed)

    def changed(self, name: str, value: str) -> "Choice":
        """The state with one part changed; a measurement is one of its comparison, seed and view."""
        forgotten = {"id": {"seed": "", "shown": ""}, "shown": {}}.get(name, {"shown": ""})
        return replace(self, **forgotten, **{name: value})
