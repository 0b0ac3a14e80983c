"""The settings of the Regions page, and their form in the page's address."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import inf

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

CAMERA_LIMIT = 10.0


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


def _rescaling(key: str, label: str, help: str, default: float, most: float) -> Field:
    return Field(key=key, label=label, help=help, low=1 / most, high=most, step=0.01, default=default, log=True)


REGION_FIELDS = table(
    _rescaling("a", "rescale a", "A = diag(a, 1/a) leaves the loss as it is, since w₁·w₂ does not change.", 3, 5),
    *(rho_field(name, name, 0.5, 1) for name in REGION_NAMES),
    *(eta_field(name, name, 0, 1) for name in REGION_NAMES),
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
    TARGET,
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
        check_guide(self.lesson, self.lecture)
        object.__setattr__(self, "values", validated(REGION_FIELDS, self.values))
        object.__setattr__(self, "shapes", {**SHAPES, **self.shapes})

    @classmethod
    def from_query(cls, query: Mapping[str, Sequence[str]]) -> "RegionSettings":
        """Read an address, e.g. `a=3&rho.sphere=0.5&T.sphere=elementwise&p.sphere=1`.

        Raises ValueError in one sentence that names the field, the value and what is allowed.
        """
        chosen = [f"{what}.{name}" for name in REGION_NAMES for what in ("T", "p")]
        texts = texts_of(query, [*REGION_FIELDS, *chosen, "space.region", "space", "camera", *GUIDE_MARKS], "Regions")
        return cls(
            values={key: row.parse(texts[key]) for key, row in REGION_FIELDS.items() if key in texts},
            shapes={name: _parse_shape(name, texts) for name in REGION_NAMES},
            space=texts.get("space.region", "sphere"),
            open={"1": True, "0": False}[check.choice("space", texts.get("space") or "0", ("0", "1"))],
            camera=parse_numbers("camera", texts["camera"], "x,y,z") if texts.get("camera") else None,
            **{key: read(texts[key]) for key, read in GUIDE_MARKS.items() if texts.get(key)},
        )

    def to_query(self) -> dict[str, str]:
        """All settings as text, by the keys of the address."""
        shapes = {f"{what}.{name}": getattr(s, what) for name, s in self.shapes.items() for what in ("T", "p")}
        return {
            **{key: as_text(value) for key, value in self.values.items()},
            **{key: value if isinstance(value, str) else as_text(value) for key, value in shapes.items()},
            "space.region": self.space,
        }

    def marks(self) -> dict[str, str]:
        """What is looked at, as text, by the keys of the address."""
        camera = "" if self.camera is None else ",".join(map(as_text, self.camera))
        return {"space": "1" if self.open else "", "camera": camera, **guide_marks(self.lesson, self.lecture)}

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
    T, p = texts.get(f"T.{name}", SHAPES[name].T), texts.get(f"p.{name}", as_text(SHAPES[name].p))
    check.choice(f"T.{name}", T, OPERATORS)
    try:
        return Shape(T=T, p=float(p))
    except ValueError:
        raise check.wrong(f"p.{name}", "a number from 1 to infinity", p) from None
