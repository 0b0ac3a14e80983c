"""The settings of the Trajectories and Regions pages, and their form in a page's address.

One table of fields drives the controls on screen, the validation and the tests.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import Any

from samviz.spec import check
from samviz.spec.lesson import LECTURES, LESSON, parse_lecture, parse_lesson
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

CAMERA_LIMIT = 10.0

VIEW_LIMIT = 1000.0
"""Each edge of a window on the plane lies in [-VIEW_LIMIT, VIEW_LIMIT]."""

REGION_NAMES = ("sphere", "cuboid", "ellipsoid")
"""The maximization regions of ASAM Fig. 1: what the three panels show at first, and their names in addresses."""

OPERATORS = {"identity": "sam", "elementwise": "elementwise_l2", "fisher": "fisher"}
"""The T_w that the toy can tell apart, and the variants that search with them at p = 2. Every layer of the toy is one
weight, so that elementwise, filterwise and layerwise normalization are the same there."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Shape:
    """What shapes a region {eps : ||T_w^-1 eps||_p <= rho} beside its radius."""

    T: str
    """A key of OPERATORS."""
    p: float
    """In [1, infinity]."""

    def __post_init__(self) -> None:
        check.choice("T", self.T, OPERATORS)
        if not isinstance(self.p, int | float) or isinstance(self.p, bool) or not self.p >= 1:
            raise check.wrong("p", "a number from 1 to infinity", self.p)

    @property
    def variant(self) -> str:
        """The key of the variant with this T_w, and with this p if there is one."""
        base = VARIANTS[OPERATORS[self.T]]
        same = (key for key, v in VARIANTS.items() if v.operator is base.operator and v.p == self.p)
        return next(same, base.key)


SHAPES = {
    "sphere": Shape(T="identity", p=2),
    "cuboid": Shape(T="elementwise", p=inf),
    "ellipsoid": Shape(T="elementwise", p=2),
}
"""ASAM Fig. 1."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Field:
    """A number that can be set: its name in addresses, what it means, and what is allowed."""

    key: str
    label: str
    help: str
    low: float
    high: float
    step: float
    """Of the control; a logarithmic control multiplies by 1 + step instead."""
    default: float
    log: bool = False
    whole: bool = False

    def validate(self, value: Any) -> float:
        """Return the value as a number in [low, high] (an int if `whole`); raise ValueError otherwise."""
        if self.whole:
            return check.integer(self.key, value, int(self.low), int(self.high))
        return check.number(self.key, value, self.low, self.high)

    def parse(self, text: str) -> float:
        """Read the value from an address; raise ValueError with the text as it stands there if it is none."""
        try:
            value = int(text) if self.whole else float(text)
        except ValueError:
            value = text
        return self.validate(value)


def _table(*rows: Field) -> dict[str, Field]:
    return {row.key: row for row in rows}


def _rho(name: str, label: str, default: float, high: float) -> Field:
    return Field(
        key=f"rho.{name}",
        label=f"ρ {label}",
        help="Radius of the region, in units of ‖T⁻¹ε‖. 0 is plain descent.",
        low=0,
        high=high,
        step=high / 200,
        default=default,
    )


def _rescaling(key: str, label: str, help: str, default: float, most: float) -> Field:
    return Field(key=key, label=label, help=help, low=1 / most, high=most, step=0.01, default=default, log=True)


def _eta(name: str, label: str, default: float, high: float) -> Field:
    what = "Scale of g² in T" if name == "fisher" else "Stabilizer, added to the normalization operator T"
    return Field(
        key=f"eta.{name}", label=f"η {label}", help=f"{what}.", low=0, high=high, step=high / 200, default=default
    )


_TARGET = Field(
    key="c",
    label="target c",
    help="The loss is |w₁·ReLU(w₂) − c|.",
    low=0.005,
    high=0.2,
    step=0.001,
    default=0.04,
)

_UNSCALED = {"sam", "fisher"}
"""Variants whose T does not grow with w: their radius is a length in the plane."""

TRAJECTORY_FIELDS = _table(
    *(
        _rho(key, v.label, *((0.05, 0.3) if key in _UNSCALED else (0.5, 2)))
        if v.p == 2
        else _rho(key, v.label, 0.35, 2)
        for key, v in VARIANTS.items()
    ),
    *(_eta(key, v.label, v.eta, 1000 if key == "fisher" else 0.5) for key, v in VARIANTS.items() if key != "sam"),
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
    _TARGET,
)

REGION_FIELDS = _table(
    _rescaling("a", "rescale a", "A = diag(a, 1/a) leaves the loss as it is, since w₁·w₂ does not change.", 3, 5),
    *(_rho(name, name, 0.5, 1) for name in REGION_NAMES),
    *(_eta(name, name, 0, 1) for name in REGION_NAMES),
    *(
        Field(
            key=f"fisher.{name}",
            label=f"η Fisher {name}",
            help="Scale of g² in T = (1 + η g²)^(−1/2).",
            low=0.01,
            high=1000,
            step=0.02,
            default=VARIANTS["fisher"].eta,
            log=True,
        )
        for name in REGION_NAMES
    ),
    *(
        Field(key=key, label=label, help="The weights before rescaling.", low=0.1, high=2, step=0.01, default=1)
        for key, label in (("w1", "w₁"), ("w2", "w₂"))
    ),
    _TARGET,
    *(
        _rescaling(f"space.{key}", f"{key} in space", "A = diag(a, b, 1/(ab)) leaves the loss as it is.", default, 2)
        for key, default in (("a", 1.6), ("b", 1))
    ),
    Field(
        key="space.rho",
        label="ρ in space",
        help="Radius of the region in space.",
        low=0,
        high=0.9,
        step=0.005,
        default=0.5,
    ),
    Field(
        key="space.eta",
        label="η in space",
        help="Stabilizer, added to the normalization operator T.",
        low=0,
        high=1,
        step=0.005,
        default=0,
    ),
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


def _single(query: Mapping[str, Sequence[str]], known: Iterable[str], page: str) -> dict[str, str]:
    """One text a key; raise ValueError for unknown keys (Streamlit's own apart) and for keys that come twice."""
    known = list(known)
    texts: dict[str, str] = {}
    for key, values in query.items():
        if key.startswith("embed"):
            continue
        if key not in known:
            check.mapping(f"The address of the {page} page", {key: values}, known)
        if len(values) != 1:
            raise ValueError(f"{key} must be given once, but it is given {len(values)} times.")
        texts[key] = values[0]
    return texts


def _numbers(table: Mapping[str, Field], values: Mapping[str, float]) -> dict[str, float]:
    check.mapping("values", values, table)
    return {key: row.validate(values.get(key, row.default)) for key, row in table.items()}


def _text(value: float) -> str:
    return format(value, ".10g")


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
        object.__setattr__(self, "values", _numbers(TRAJECTORY_FIELDS, self.values))
        if self.at is not None:
            check.integer("at", self.at, 0, 2 * int(self.values["steps"]))
        if self.speed not in SPEEDS:
            raise check.wrong("speed", "one of " + ", ".join(map(_text, SPEEDS)), self.speed)
        check.flag("loop", self.loop)
        if self.view is not None:
            edges = check.sequence("view", self.view, 4, 4)
            x0, x1, y0, y1 = (check.number("view", edge, -VIEW_LIMIT, VIEW_LIMIT) for edge in edges)
            if not (x0 < x1 and y0 < y1):
                raise check.wrong("view", "x0,x1,y0,y1 with x0 < x1 and y0 < y1", ",".join(map(_text, edges)))
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
        _check_guide(self)

    @classmethod
    def from_query(cls, query: Mapping[str, Sequence[str]]) -> "TrajectorySettings":
        """Read an address, e.g. `starts=0.2,0.05;0.3,0.033&variants=sgd,sam&rho.sam=0.05&lr=0.003&at=20`.

        Raises ValueError in one sentence that names the field, the value and what is allowed.
        """
        texts = _single(query, ["starts", "variants", *TRAJECTORY_FIELDS, *_MARKS], "Trajectories")
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
            "starts": ";".join(",".join(map(_text, start)) for start in self.starts),
            "variants": ",".join(self.variants),
            **{key: _text(value) for key, value in self.values.items()},
        }

    def marks(self) -> dict[str, str]:
        """How far the player is and what is looked at, as text, by the keys of the address; no path depends on it."""
        return {
            "at": "" if self.at is None else str(self.at),
            "speed": _text(self.speed),
            "loop": "1" if self.loop else "",
            "view": "" if self.view is None else ",".join(map(_text, self.view)),
            "range": "" if self.range is None else "{},{}".format(*self.range),
            "follow": "" if self.follow is None else f"{self.follow[0]}:{self.follow[1]}",
            "map": self.map,
            "quantity": self.quantity,
            "detail": str(self.detail),
            "pair": ",".join(self.pair or ()),
            "sweep": self.sweep or "",
            **_guide_marks(self),
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


_GUIDE_MARKS = {"lesson": parse_lesson, "lecture": parse_lecture}


def _check_guide(settings: "TrajectorySettings | RegionSettings") -> None:
    if settings.lesson is not None:
        check.integer("lesson", settings.lesson, 1, len(LESSON))
    check.choice("lecture", settings.lecture, ("", *LECTURES))


def _guide_marks(settings: "TrajectorySettings | RegionSettings") -> dict[str, str]:
    return {"lesson": "" if settings.lesson is None else str(settings.lesson), "lecture": settings.lecture}


def _parse_at(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise check.wrong("at", "a whole number of half steps", text) from None


def _parse_speed(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise check.wrong("speed", "one of " + ", ".join(map(_text, SPEEDS)), text) from None


def _parse_loop(text: str) -> bool:
    return {"1": True, "0": False}[check.choice("loop", text, ("0", "1"))]


def _parse_view(text: str) -> tuple[float, ...]:
    return _parse_numbers("view", text, "x0,x1,y0,y1")


def _parse_range(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(x) for x in text.split(","))
    except ValueError:
        raise check.wrong("range", "first,last", text) from None


def _parse_numbers(field: str, text: str, form: str) -> tuple[float, ...]:
    try:
        return tuple(float(x) for x in text.split(","))
    except ValueError:
        raise check.wrong(field, form, text) from None


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
    **_GUIDE_MARKS,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class RegionSettings:
    """What the Regions page shows. The defaults are ASAM Fig. 1; its radii are not named there: ours."""

    values: Mapping[str, float] = field(default_factory=dict)
    """Numbers by the keys of REGION_FIELDS; those left out take their defaults."""
    shapes: Mapping[str, Shape] = field(default_factory=dict)
    """By REGION_NAMES; those left out are as in SHAPES."""
    space: str = "sphere"
    """The region that is shown in space, one of REGION_NAMES."""
    open: bool = False
    """Whether the picture in space is shown."""
    camera: tuple[float, float, float] | None = None
    """From where the picture in space is seen, each up to CAMERA_LIMIT either way; None is as at first."""
    lesson: int | None = None
    """The step of the lesson that is shown, from 1."""
    lecture: str = ""
    """How an audience is shown the page, one of LECTURES, or "" for a reader at a desk."""

    def __post_init__(self) -> None:
        check.mapping("shapes", self.shapes, REGION_NAMES)
        check.choice("space.region", self.space, REGION_NAMES)
        check.flag("open", self.open)
        for x in check.sequence("camera", self.camera, 3, 3) if self.camera is not None else ():
            check.number("camera", x, -CAMERA_LIMIT, CAMERA_LIMIT)
        _check_guide(self)
        object.__setattr__(self, "values", _numbers(REGION_FIELDS, self.values))
        object.__setattr__(self, "shapes", {**SHAPES, **self.shapes})

    @classmethod
    def from_query(cls, query: Mapping[str, Sequence[str]]) -> "RegionSettings":
        """Read an address, e.g. `a=3&rho.sphere=0.5&T.sphere=elementwise&p.sphere=1`.

        Raises ValueError in one sentence that names the field, the value and what is allowed.
        """
        chosen = [f"{what}.{name}" for name in REGION_NAMES for what in ("T", "p")]
        texts = _single(query, [*REGION_FIELDS, *chosen, "space.region", "space", "camera", *_GUIDE_MARKS], "Regions")
        return cls(
            values={key: row.parse(texts[key]) for key, row in REGION_FIELDS.items() if key in texts},
            shapes={name: _parse_shape(name, texts) for name in REGION_NAMES},
            space=texts.get("space.region", "sphere"),
            open={"1": True, "0": False}[check.choice("space", texts.get("space") or "0", ("0", "1"))],
            camera=_parse_numbers("camera", texts["camera"], "x,y,z") if texts.get("camera") else None,
            **{key: read(texts[key]) for key, read in _GUIDE_MARKS.items() if texts.get(key)},
        )

    def to_query(self) -> dict[str, str]:
        """All settings as text, by the keys of the address."""
        shapes = {f"{what}.{name}": getattr(s, what) for name, s in self.shapes.items() for what in ("T", "p")}
        return {
            **{key: _text(value) for key, value in self.values.items()},
            **{key: value if isinstance(value, str) else _text(value) for key, value in shapes.items()},
            "space.region": self.space,
        }

    def marks(self) -> dict[str, str]:
        """What is looked at, as text, by the keys of the address."""
        camera = "" if self.camera is None else ",".join(map(_text, self.camera))
        return {"space": "1" if self.open else "", "camera": camera, **_guide_marks(self)}

    def variant(self, region: str) -> str:
        """The key of the variant that searches the region, whose p `p` replaces."""
        return self.shapes[region].variant

    def p(self, region: str) -> float:
        return self.shapes[region].p

    def rho(self, region: str) -> float:
        return self.values[f"rho.{region}"]

    def eta(self, region: str) -> float:
        T = self.shapes[region].T
        return 0.0 if T == "identity" else self.values[f"{'fisher' if T == 'fisher' else 'eta'}.{region}"]


def _parse_shape(name: str, texts: Mapping[str, str]) -> Shape:
    """The T and p of a panel in an address; raise ValueError with the text as it stands there if it is wrong."""
    T, p = texts.get(f"T.{name}", SHAPES[name].T), texts.get(f"p.{name}", _text(SHAPES[name].p))
    check.choice(f"T.{name}", T, OPERATORS)
    try:
        return Shape(T=T, p=float(p))
    except ValueError:
        raise check.wrong(f"p.{name}", "a number from 1 to infinity", p) from None
