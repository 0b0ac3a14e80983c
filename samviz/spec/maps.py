"""The settings of the maps below the Trajectories page: the page's own, and what a map or a sweep shows of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from samviz.spec import check
from samviz.spec.fields import Field
from samviz.spec.trajectories import (
    DETAILS,
    METHODS,
    QUANTITIES,
    START_LIMIT,
    SWEEPS,
    TRAJECTORY_FIELDS,
    TrajectorySettings,
)

WINDOW = (-0.25, 0.95, -0.15, 0.75)
"""x0, x1, y0, y1 of a map: wide enough that at the page's defaults each method gets stuck or swings somewhere."""

SHOWN = 3
"""The most maps side by side."""


@dataclass(frozen=True, kw_only=True, slots=True)
class MapSettings:
    """One map: where every start on a grid ends by one method, or how that differs between two."""

    page: TrajectorySettings = field(default_factory=TrajectorySettings)
    """Radii, learning rate, steps and target; its starts and variants do not matter here."""
    method: str = "sam"
    """A key of METHODS."""
    against: str | None = None
    """The method to compare it with; None shows `method` alone."""
    quantity: str = "kind"
    """A key of QUANTITIES."""
    detail: int = 200
    """A key of DETAILS, which limits the steps."""
    n: int = 200
    """Starts along an edge, from 10 to `detail`: a coarse map takes the steps of the fine one that follows it."""
    window: tuple[float, float, float, float] = WINDOW
    """x0, x1, y0, y1; each in [-START_LIMIT, START_LIMIT], so that every point can become a start."""

    def __post_init__(self) -> None:
        check.choice("method", self.method, METHODS)
        check.choice("against", self.against, (None, *METHODS))
        check.choice("quantity", self.quantity, QUANTITIES)
        check.choice("detail", self.detail, DETAILS)
        check.integer("n", self.n, 10, self.detail)
        edges = check.sequence("window", self.window, 4, 4)
        x0, x1, y0, y1 = (check.number("window", edge, -START_LIMIT, START_LIMIT) for edge in edges)
        if not (x0 < x1 and y0 < y1):
            raise check.wrong("window", "x0,x1,y0,y1 with x0 < x1 and y0 < y1", edges)
        object.__setattr__(self, "window", (x0, x1, y0, y1))

    @property
    def steps(self) -> int:
        """Steps of each start: the page's, but no more than the detail allows."""
        return min(int(self.page.values["steps"]), DETAILS[self.detail])

    @classmethod
    def from_query(cls, query: Mapping[str, Sequence[str]]) -> "MapSettings":
        """Read an address: that of the page and e.g. `method=sam&against=sgd&quantity=step&detail=200&n=50`.

        Raises ValueError in one sentence that names the field, the value and what is allowed.
        """
        texts, page = _split(query, ("method", "against", "quantity", "detail", "n", "window"))
        given: dict = {key: texts[key] for key in ("method", "against", "quantity") if key in texts}
        given |= {key: _whole(key, texts[key]) for key in ("detail", "n") if key in texts}
        if "detail" in given:
            given.setdefault("n", given["detail"])
        if "window" in texts:
            given["window"] = _edges(texts["window"])
        return cls(page=page, **given)


@dataclass(frozen=True, kw_only=True, slots=True)
class SweepSettings:
    """One parameter of one method, from end to end of its range, from the page's first start."""

    page: TrajectorySettings = field(default_factory=TrajectorySettings)
    parameter: str = "rho"
    """rho, eta or lr; with the method one of SWEEPS."""
    method: str = "sam"
    """A key of METHODS."""

    def __post_init__(self) -> None:
        check.choice("sweep", f"{self.parameter}.{self.method}", SWEEPS)

    @classmethod
    def from_query(cls, query: Mapping[str, Sequence[str]]) -> "SweepSettings":
        """Read an address: that of the page and e.g. `sweep=rho.sam`; raises ValueError in one sentence."""
        texts, page = _split(query, ("sweep",))
        parameter, method = check.choice("sweep", texts.get("sweep", "rho.sam"), SWEEPS).split(".")
        return cls(page=page, parameter=parameter, method=method)

    @property
    def field(self) -> Field:
        """The row of the page's table for this parameter."""
        return TRAJECTORY_FIELDS["lr" if self.parameter == "lr" else f"{self.parameter}.{self.method}"]

    @property
    def now(self) -> float:
        """What the page has it set to."""
        return self.page.values[self.field.key]


def _split(query: Mapping[str, Sequence[str]], own: Sequence[str]) -> tuple[dict[str, str], TrajectorySettings]:
    """The texts of a map's own fields, and the settings of the page it belongs to."""
    texts: dict[str, str] = {}
    for key in own:
        if key in query:
            if len(query[key]) != 1:
                raise ValueError(f"{key} must be given once, but it is given {len(query[key])} times.")
            texts[key] = query[key][0]
    return texts, TrajectorySettings.from_query({key: texts for key, texts in query.items() if key not in own})


def _whole(key: str, text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise check.wrong(key, "a whole number", text) from None


def _edges(text: str) -> tuple[float, ...]:
    try:
        return tuple(float(x) for x in text.split(","))
    except ValueError:
        raise check.wrong("window", "x0,x1,y0,y1", text) from None
