"""What is measured of a stored checkpoint: its sharpness, its sharpness along a rescaling, or a slice of its loss."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from itertools import pairwise
from math import log10
from typing import Any, ClassVar

from samviz.spec import check
from samviz.spec.arm import SCOPES
from samviz.spec.measure import Measure

SEAMS = {
    "before_norm": "layers before a BatchNorm, times any a > 0: its statistics take it back",
    "after_norm": "gamma and beta of norm layers times a, and what reads them divided by a",
    "layers": "consecutive layers, the first one times a and the next one divided by a",
}
"""Where a network can be rescaled without changing its function, and what is done there."""
SPREADS = {
    "common": "one factor a for all",
    "layers": "a random factor for each layer, from 1/a to a",
    "nodes": "a random factor for each channel, from 1/a to a",
}
"""How the factors come from one number a; random ones are drawn evenly in their logarithm."""
DIRECTIONS = {
    "random": "random, filter by filter as long as the weights",
    "gradient": "along the gradient, as long as the weights",
    "line": "from this checkpoint to the other one",
}
VECTORS = {
    "zero": "gamma, beta and biases stay where they are",
    "scaled": "gamma, beta and biases move, too, each vector as far as it is long",
}
"""What a random direction does with parameters that have no filters (Li et al. 2018 published both)."""
STATISTICS = {
    "kept": "BatchNorm keeps the running statistics of this checkpoint",
    "interpolated": "BatchNorm's running statistics are mixed along the line between the two checkpoints",
    "estimated": "BatchNorm's statistics are estimated anew on these images at every point",
}
MOST_MEASURES = 40
MOST_FACTORS = 101
FEWEST_IMAGES = 10
"""As of a recipe."""
MOST_IMAGES = 50_000


@dataclass(frozen=True, kw_only=True, slots=True)
class SharpnessOf:
    """The sharpness of several arms of one run, each by several measures."""

    kind: ClassVar[str] = "sharpness"
    arms: tuple[str, ...]
    """Keys of the arms."""
    measures: tuple[Measure, ...]
    images: int = 2048
    """Train images that it is measured on (SAM-ON appendix D)."""
    m: int = 128
    """Images that climb together."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "arms", check.sequence("arms", self.arms, 1, 40))
        _check_measures(self)
        _check_images(self)

    @property
    def needs(self) -> tuple[str, ...]:
        """The arms whose weights are looked at."""
        return self.arms


@dataclass(frozen=True, kw_only=True, slots=True)
class RescalingOf:
    """Every sharpness of one arm along a rescaling that leaves its function as it is."""

    kind: ClassVar[str] = "rescaling"
    arm: str
    """Key of the arm."""
    measures: tuple[Measure, ...]
    factors: tuple[float, ...] = tuple(round(10 ** (k / 8), 6) for k in range(-8, 9))
    """The numbers a."""
    seams: tuple[str, ...] | None = None
    """Keys of `SEAMS`; None for all that the network has."""
    spread: str = "common"
    """Key of `SPREADS`."""
    images: int = 512
    """Train images that it is measured on."""
    m: int = 128
    """Images that climb together."""

    def __post_init__(self) -> None:
        _check_measures(self)
        given = check.sequence("factors", self.factors, 1, MOST_FACTORS)
        factors = tuple(check.number("factors", a, 1e-4, 1e4) for a in given)
        if any(after <= before for before, after in pairwise(factors)):
            raise check.wrong("factors", "numbers that rise", list(factors))
        object.__setattr__(self, "factors", factors)
        if self.seams is not None:
            seams = check.sequence("seams", self.seams, 1, len(SEAMS))
            for key in seams:
                check.choice("seams", key, SEAMS)
            object.__setattr__(self, "seams", seams)
        check.choice("spread", self.spread, SPREADS)
        _check_images(self)

    @property
    def needs(self) -> tuple[str, ...]:
        """The arms whose weights are looked at."""
        return (self.arm,)


@dataclass(frozen=True, kw_only=True, slots=True)
class SliceOf:
    """The loss of one arm on a line or in a plane through its weights."""

    kind: ClassVar[str] = "slice"
    arm: str
    """Key of the arm."""
    directions: tuple[str, ...] = ("random", "random")
    """One or two keys of `DIRECTIONS`."""
    other: str | None = None
    """Key of the arm of the same run at whose weights a line ends; None where there is no line."""
    points: int = 21
    """Points along each direction."""
    reach: float | None = None
    """How far it goes to both sides, in multiples of a direction; None is 1.5 times as far as the regions reach. A line
    goes from -0.25 to 1.25 whatever this is."""
    regions: tuple[Measure, ...] = ()
    """Regions that are drawn in."""
    scope: str = "all"
    """Which parameters move."""
    vectors: str = "zero"
    """Key of `VECTORS`."""
    statistics: str = "kept"
    """Key of `STATISTICS`."""
    images: int = 512
    """Train images that the loss is taken over."""
    seed: int = 0
    """Where the random directions come from."""

    def __post_init__(self) -> None:
        directions = check.sequence("directions", self.directions, 1, 2)
        for key in directions:
            check.choice("directions", key, DIRECTIONS)
        if len(set(directions)) < len(directions) and set(directions) != {"random"}:
            raise check.wrong("directions", "two different ones, or two random ones", list(directions))
        object.__setattr__(self, "directions", directions)
        if ("line" in directions) != (self.other is not None):
            raise check.wrong("other", "an arm where there is a line, and none where there is not", self.other)
        if self.other is not None and self.other == self.arm:
            raise check.wrong("other", "another arm than that which the line begins at", self.other)
        check.integer("points", self.points, 2, 201)
        if self.reach is not None:
            object.__setattr__(self, "reach", check.number("reach", self.reach, 1e-6, 100))
        _check_measures(self, "regions", 0)
        check.choice("scope", self.scope, SCOPES)
        check.choice("vectors", self.vectors, VECTORS)
        check.choice("statistics", self.statistics, STATISTICS)
        if self.statistics == "interpolated" and self.other is None:
            raise check.wrong("statistics", "kept or estimated where there is no line", self.statistics)
        check.integer("images", self.images, FEWEST_IMAGES, MOST_IMAGES)
        check.integer("seed", self.seed, 0, 2**31 - 1)

    @property
    def needs(self) -> tuple[str, ...]:
        """The arms whose weights are looked at."""
        return (self.arm,) if self.other is None else (self.arm, self.other)


Measurement = SharpnessOf | RescalingOf | SliceOf
KINDS: dict[str, type] = {cls.kind: cls for cls in (SharpnessOf, RescalingOf, SliceOf)}


def to_dict(measurement: Measurement) -> dict[str, Any]:
    """As plain data for JSON, with its kind."""
    return {"kind": measurement.kind} | {f.name: _plain(getattr(measurement, f.name)) for f in fields(measurement)}


def from_dict(data: Any) -> Measurement:
    """Read a measurement; raises ValueError in one sentence that names the field, the value and what is allowed."""
    if not isinstance(data, Mapping):
        raise check.wrong("measurement", "an object with named fields", data)
    cls = KINDS[check.choice("kind", data.get("kind"), KINDS)]
    own = {key: value for key, value in data.items() if key != "kind"}
    own = dict(check.mapping("measurement", own, [f.name for f in fields(cls)]))
    for field in ("measures", "regions"):
        if field in own:
            own[field] = tuple(Measure.from_dict(m) for m in check.sequence(field, own[field], 0, MOST_MEASURES))
    for f in fields(cls):
        if f.default is MISSING and f.name not in own:
            raise ValueError(f"A measurement of the kind {cls.kind} must have the field {f.name}, but it has not.")
    return cls(**own)


def from_json(text: str) -> Measurement:
    """Read a text; raises ValueError in one sentence, also where the text is no JSON."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"The measurement must be a JSON text, but it could not be read: {error}.") from None
    return from_dict(data)


def factors_up_to(most: float, each_side: int = 8) -> tuple[float, ...]:
    """1/most to most with 1 in the middle, evenly in their logarithm, `each_side` on each side of it."""
    reach = log10(check.number("most", most, 1.01, 1e4))
    return tuple(round(10 ** (reach * k / each_side), 6) for k in range(-each_side, each_side + 1))


def _plain(value: Any) -> Any:
    if isinstance(value, Measure):
        return value.to_dict()
    return [_plain(entry) for entry in value] if isinstance(value, tuple) else value


def _check_measures(measurement: Measurement, field: str = "measures", fewest: int = 1) -> None:
    measures = check.sequence(field, getattr(measurement, field), fewest, MOST_MEASURES)
    for measure in measures:
        if not isinstance(measure, Measure):
            raise check.wrong(field, "measures", measure)
    if len(set(measures)) < len(measures):
        raise ValueError(f"{field} must differ from each other, but one is there twice.")
    object.__setattr__(measurement, field, measures)


def _check_images(measurement: SharpnessOf | RescalingOf) -> None:
    check.integer("images", measurement.images, FEWEST_IMAGES, MOST_IMAGES)
    check.integer("m", measurement.m, 1, measurement.images)
