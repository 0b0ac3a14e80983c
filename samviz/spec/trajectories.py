"""The settings of the Trajectories page and of the maps below it, and their form in the page's address."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from samviz.spec import check
from samviz.spec.fields import (
    GUIDE_MARKS,
    TARGET,
    Field,
    as_text,
    check_guide,
    eta_field,
    guide_marks,
    parse_numbers,
    rho_field,
    table,
    texts_of,
    validated,
)
from samviz.variants import VARIANTS

PLAIN = "sgd"
"""The key of plain gradient descent beside the keys of `VARIANTS`."""


METHODS = (PLAIN, *VARIANTS)
"""Every method of the toy, in the order in which they are listed and drawn."""


MOST_STARTS = 8


START_LIMIT = 2.0
"""Each coordinate of a start lies in [-START_LIMIT, START_LIMIT]."""


SPEEDS = (0.1, 0.2, 0.5, 1, 2, 5, 10)
"""Of the player; at speed 1 a path of any length takes ten seconds."""


VIEW_LIMIT = 1000.0
"""Each edge of a window on the plane lies in [-VIEW_LIMIT, VIEW_LIMIT]."""


_UNSCALED = {"sam", "fisher"}
"""Variants whose T does not grow with w: their radius is a length in the plane."""


TRAJECTORY_FIELDS = table(
    *(
        rho_field(key, v.label, *((0.05, 0.3) if key in _UNSCALED else (0.5, 2)))
        if v.p == 2
        else rho_field(key, v.label, 0.35, 2)
        for key, v in VARIANTS.items()
    ),
    *(eta_field(key, v.label, v.eta, 1000 if key == "fisher" else 0.5) for key, v in VARIANTS.items() if key != "sam"),
    Field(
        key="lr",
        label="learning rate",
        help="Length of a descent step for a gradient of length 1.",
        low=0.0001,
        high=1,
        step=0.02,
        default=0.003,
        log=True,
    ),
    Field(
        key="steps",
        label="steps",
        help="Number of descent steps.",
        low=10,
        high=10_000,
        step=0.02,
        default=5000,
        log=True,
        whole=True,
    ),
    Field(
        key="decay",
        label="lr decay",
        help="0 keeps the learning rate; 1 lowers it linearly to zero over the steps.",
        low=0,
        high=1,
        step=0.01,
        default=0,
    ),
    TARGET,
)


MAPS = ("basins", "sweep", "valley")
"""The maps below the Trajectories page, one of which is in sight."""


DETAILS = {50: 8000, 100: 2000, 200: 500, 400: 500}
"""Starts along an edge of a map -> the most steps that each walks: about a third of a second, a whole one at 400."""


QUANTITIES = {
    "kind": "what happens",
    "position": "where on the valley it ends",
    "sharpness": "sharpness at the end",
    "step": "steps to the valley",
}
"""What a map can show -> how it is called on screen."""


SWEEPS = tuple(
    f"{parameter}.{method}"
    for method in METHODS
    for parameter in ("rho", "eta", "lr")
    if parameter == "lr" or f"{parameter}.{method}" in TRAJECTORY_FIELDS
)
"""Every parameter of every method that can be swept."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TrajectorySettings:
    """What the Trajectories page shows. The defaults are ASAM section 5.1, Fig. 3."""

    starts: tuple[tuple[float, float], ...] = ((0.2, 0.05), (0.3, 0.033))
    """1 to MOST_STARTS start points (w1, w2)."""
    variants: tuple[str, ...] = (PLAIN, "sam", "elementwise_l2")
    """Keys of METHODS, each at most once."""
    values: Mapping[str, float] = field(default_factory=dict)
    """Numbers by the keys of TRAJECTORY_FIELDS; those left out take their defaults."""
    at: int | None = None
    """Half steps that the player has taken, two a step, the ascent first; None is the end."""
    speed: float = 1
    """Of the player, one of SPEEDS."""
    loop: bool = False
    """Whether the player starts anew at the end."""
    view: tuple[float, float, float, float] | None = None
    """The window x0, x1, y0, y1 that the plane shows; None is the opening one."""
    range: tuple[int, int] | None = None
    """First and last step that the curves along the paths show; None is all."""
    follow: tuple[int, str] | None = None
    """Start (from 1) and method of the path whose step is magnified and written out; None takes the first."""
    map: str = ""
    """Which of MAPS is open; "" is none."""
    quantity: str = "kind"
    """What the basin maps show, a key of QUANTITIES."""
    detail: int = 200
    """Of the basin maps, a key of DETAILS."""
    pair: tuple[str, str] | None = None
    """The two methods of the difference map; None is SAM and ASAM, or the first two."""
    sweep: str | None = None
    """What is swept, one of SWEEPS; None is the first radius."""
    lesson: int | None = None
    """The step of the lesson that is shown, from 1."""
    lecture: str = ""
    """How an audience is shown the page, one of LECTURES, or "" for a reader at a desk."""

    def __post_init__(self) -> None:
        starts = []
        for start in check.sequence("starts", self.starts, 1, MOST_STARTS):
            pair = check.sequence("a start", start, 2, 2)
            starts.append(tuple(check.number("starts", x, -START_LIMIT, START_LIMIT) for x in pair))
        variants = check.sequence("variants", self.variants, 1, len(METHODS))
        for key in variants:
            check.choice("variants", key, METHODS)
            if variants.count(key) > 1:
                raise ValueError(f"variants must name each variant once, but {key} comes {variants.count(key)} times.")
        object.__setattr__(self, "starts", tuple(starts))
        object.__setattr__(self, "variants", tuple(sorted(variants, key=METHODS.index)))
        object.__setattr__(self, "values", validated(TRAJECTORY_FIELDS, self.values))
        if self.at is not None:
            check.integer("at", self.at, 0, 2 * int(self.values["steps"]))
        if self.speed not in SPEEDS:
            raise check.wrong("speed", "one of " + ", ".join(map(as_text, SPEEDS)), self.speed)
        check.flag("loop", self.loop)
        if self.view is not None:
            edges = check.sequence("view", self.view, 4, 4)
            x0, x1, y0, y1 = (check.number("view", edge, -VIEW_LIMIT, VIEW_LIMIT) for edge in edges)
            if not (x0 < x1 and y0 < y1):
                raise check.wrong("view", "x0,x1,y0,y1 with x0 < x1 and y0 < y1", ",".join(map(as_text, edges)))
            object.__setattr__(self, "view", (x0, x1, y0, y1))
        if self.range is not None:
            steps = int(self.values["steps"])
            first, last = (check.integer("range", x, 0, steps) for x in check.sequence("range", self.range, 2, 2))
            if not first < last:
                raise check.wrong("range", "first,last with first < last", f"{first},{last}")
        if self.follow is not None:
            start, method = self.follow
            check.integer("follow", start, 1, len(self.starts))
            check.choice("follow", method, self.variants)
        if self.map:
            check.choice("map", self.map, MAPS)
        check.choice("quantity", self.quantity, QUANTITIES)
        check.choice("detail", self.detail, DETAILS)
        for method in check.sequence("pair", self.pair, 2, 2) if self.pair is not None else ():
            check.choice("pair", method, METHODS)
        check.choice("sweep", self.sweep, (None, *SWEEPS))
        check_guide(self.lesson, self.lecture)

    @classmethod
    def from_query(cls, query: Mapping[str, Sequence[str]]) -> "TrajectorySettings":
        """Read an address, e.g. `starts=0.2,0.05;0.3,0.033&variants=sgd,sam&rho.sam=0.05&lr=0.003&at=20`.

        Raises ValueError in one sentence that names the field, the value and what is allowed.
        """
        texts = texts_of(query, ["starts", "variants", *TRAJECTORY_FIELDS, *_MARKS], "Trajectories")
        given: dict[str, Any] = {
            "values": {key: row.parse(texts[key]) for key, row in TRAJECTORY_FIELDS.items() if key in texts}
        }
        if "starts" in texts:
            given["starts"] = _parse_starts(texts["starts"])
        if "variants" in texts:
            given["variants"] = tuple(texts["variants"].split(","))
        given |= {key: read(texts[key]) for key, read in _MARKS.items() if texts.get(key)}
        return cls(**given)

    def to_query(self) -> dict[str, str]:
        """All settings as text, by the keys of the address."""
        return {
            "starts": ";".join(",".join(map(as_text, start)) for start in self.starts),
            "variants": ",".join(self.variants),
            **{key: as_text(value) for key, value in self.values.items()},
        }

    def marks(self) -> dict[str, str]:
        """How far the player is and what is looked at, as text, by the keys of the address; no path depends on it."""
        return {
            "at": "" if self.at is None else str(self.at),
            "speed": as_text(self.speed),
            "loop": "1" if self.loop else "",
            "view": "" if self.view is None else ",".join(map(as_text, self.view)),
            "range": "" if self.range is None else "{},{}".format(*self.range),
            "follow": "" if self.follow is None else f"{self.follow[0]}:{self.follow[1]}",
            "map": self.map,
            "quantity": self.quantity,
            "detail": str(self.detail),
            "pair": ",".join(self.pair or ()),
            "sweep": self.sweep or "",
            **guide_marks(self.lesson, self.lecture),
        }

    def rho(self, variant: str) -> float:
        return self.values[f"rho.{variant}"]

    def eta(self, variant: str) -> float:
        return self.values.get(f"eta.{variant}", 0.0)


def _parse_starts(text: str) -> tuple[tuple[float, ...], ...]:
    """Read `w1,w2;w1,w2`; raise ValueError with the text if it is anything else."""
    try:
        starts = tuple(tuple(float(x) for x in pair.split(",")) for pair in text.split(";"))
    except ValueError:
        starts = ()
    if not 1 <= len(starts) <= MOST_STARTS or any(len(start) != 2 for start in starts):
        raise check.wrong("starts", f"1 to {MOST_STARTS} points written w1,w2;w1,w2", text)
    return starts


def _parse_at(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise check.wrong("at", "a whole number of half steps", text) from None


def _parse_speed(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise check.wrong("speed", "one of " + ", ".join(map(as_text, SPEEDS)), text) from None


def _parse_loop(text: str) -> bool:
    return {"1": True, "0": False}[check.choice("loop", text, ("0", "1"))]


def _parse_view(text: str) -> tuple[float, ...]:
    return parse_numbers("view", text, "x0,x1,y0,y1")


def _parse_range(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(x) for x in text.split(","))
    except ValueError:
        raise check.wrong("range", "first,last", text) from None


def _parse_detail(text: str) -> int:
    return int(check.choice("detail", text, tuple(map(str, DETAILS))))


def _parse_pair(text: str) -> tuple[str, ...]:
    return tuple(text.split(","))


def _parse_follow(text: str) -> tuple[int, str]:
    start, _, method = text.partition(":")
    if not start.isdecimal() or not method:
        raise check.wrong("follow", "a start and a method, as in 1:sam", text)
    return int(start), method


_MARKS = {
    "at": _parse_at,
    "speed": _parse_speed,
    "loop": _parse_loop,
    "view": _parse_view,
    "range": _parse_range,
    "follow": _parse_follow,
    "map": str,
    "quantity": str,
    "detail": _parse_detail,
    "pair": _parse_pair,
    "sweep": str,
    **GUIDE_MARKS,
}
