"""The settings of the Trajectories and Regions pages, and their form in a page's address.

One table of fields drives the controls on screen, the validation and the tests.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from samviz.spec import check
from samviz.variants import VARIANTS

PLAIN = "sgd"
"""The key of plain gradient descent beside the keys of `VARIANTS`."""

METHODS = (PLAIN, *VARIANTS)
"""Every method of the toy, in the order in which they are listed and drawn."""

MOST_STARTS = 4
START_LIMIT = 2.0
"""Each coordinate of a start lies in [-START_LIMIT, START_LIMIT]."""

REGION_NAMES = ("sphere", "cuboid", "ellipsoid")
"""The maximization regions of ASAM Fig. 1."""


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
    Field(
        key="a",
        label="rescale a",
        help="A = diag(a, 1/a) leaves the loss as it is, since w₁·w₂ does not change.",
        low=0.2,
        high=5,
        step=0.01,
        default=3,
        log=True,
    ),
    *(_rho(name, name, 0.5, 1) for name in REGION_NAMES),
    *(_eta(name, name, 0, 1) for name in REGION_NAMES if name != "sphere"),
    *(
        Field(key=key, label=label, help="The weights before rescaling.", low=0.1, high=2, step=0.01, default=1)
        for key, label in (("w1", "w₁"), ("w2", "w₂"))
    ),
    _TARGET,
)


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

    @classmethod
    def from_query(cls, query: Mapping[str, Sequence[str]]) -> "TrajectorySettings":
        """Read an address, e.g. `starts=0.2,0.05;0.3,0.033&variants=sgd,sam&rho.sam=0.05&lr=0.003`.

        Raises ValueError in one sentence that names the field, the value and what is allowed.
        """
        texts = _single(query, ["starts", "variants", *TRAJECTORY_FIELDS], "Trajectories")
        given: dict[str, Any] = {
            "values": {key: row.parse(texts[key]) for key, row in TRAJECTORY_FIELDS.items() if key in texts}
        }
        if "starts" in texts:
            given["starts"] = _parse_starts(texts["starts"])
        if "variants" in texts:
            given["variants"] = tuple(texts["variants"].split(","))
        return cls(**given)

    def to_query(self) -> dict[str, str]:
        """All settings as text, by the keys of the address."""
        return {
            "starts": ";".join(",".join(map(_text, start)) for start in self.starts),
            "variants": ",".join(self.variants),
            **{key: _text(value) for key, value in self.values.items()},
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


@dataclass(frozen=True, kw_only=True, slots=True)
class RegionSettings:
    """What the Regions page shows. The defaults are ASAM Fig. 1; its radii are not named there: ours."""

    values: Mapping[str, float] = field(default_factory=dict)
    """Numbers by the keys of REGION_FIELDS; those left out take their defaults."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", _numbers(REGION_FIELDS, self.values))

    @classmethod
    def from_query(cls, query: Mapping[str, Sequence[str]]) -> "RegionSettings":
        """Read an address, e.g. `a=3&rho.sphere=0.5`; raises ValueError in one sentence."""
        texts = _single(query, REGION_FIELDS, "Regions")
        return cls(values={key: REGION_FIELDS[key].parse(text) for key, text in texts.items()})

    def to_query(self) -> dict[str, str]:
        """All settings as text, by the keys of the address."""
        return {key: _text(value) for key, value in self.values.items()}

    def rho(self, region: str) -> float:
        return self.values[f"rho.{region}"]

    def eta(self, region: str) -> float:
        return self.values.get(f"eta.{region}", 0.0)
