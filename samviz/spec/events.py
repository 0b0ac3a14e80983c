"""What training tells the outside: a stream of small facts, without any knowledge of where they are kept."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Scalar:
    """One number of one arm after `step` updates, in epoch `epoch` (counted from 1; step 0 is the start)."""

    arm: str
    """`Arm.key`."""
    epoch: int
    step: int
    name: str
    value: float


@dataclass(frozen=True, slots=True)
class Histogram:
    """Counts of one kind of parameter over common bins; values beyond the ends are counted in the end bins."""

    arm: str
    epoch: int
    step: int
    name: str
    """gamma or beta of the norm layers, or weight/TYPE: log10 |w| of another type of layer."""
    low: float
    high: float
    counts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Diverged:
    """The loss of an arm stopped being finite: the arm rests, the others go on."""

    arm: str
    epoch: int
    step: int


@dataclass(frozen=True, slots=True)
class Failed:
    """There was not enough memory for an arm: the arm rests, the others go on."""

    arm: str
    epoch: int
    step: int
    reason: str
    """One sentence."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Everything that is needed to go on after `epoch`: plain containers and tensors, for torch.save."""

    epoch: int
    step: int
    state: Any


Event = Scalar | Histogram | Diverged | Failed | Checkpoint
