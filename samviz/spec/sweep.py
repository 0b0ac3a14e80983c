"""A sweep: one comparison repeated over radii, learning rates and more, all combinations or as a search proposes."""

import json
from dataclasses import asdict, dataclass, fields, replace
from itertools import product
from typing import Any

from samviz.spec import check
from samviz.spec.arm import Arm
from samviz.spec.comparison import MOST_ARMS, Comparison
from samviz.spec.fields import parse_numbers

SEARCHES = {"grid": "Every combination", "optuna": "A search by Optuna"}
"""How the points are chosen, and what that is called on screen."""
MOST_POINTS = 200
"""Comparisons of one sweep."""
MOST_VALUES = 50
"""Radii, or learning rates, of one grid."""
RECIPE_FIELDS = ("batch_size", "weight_decay", "dropout")
"""Further fields of the recipe that a grid can vary; a search cannot."""
AXES = {"lr": "lr", "rho": "rho", "batch_size": "batch", "weight_decay": "wd", "dropout": "dropout"}
"""All that a sweep can vary, and what names call it."""
LONGEST_NAME = 40
"""So that the names of the points' comparisons, which tell the point as well, fit their 80 characters."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Point:
    """What one comparison of a sweep sets."""

    lr: float
    """Highest learning rate."""
    rho: float | None
    """Radius of all its arms; None leaves each arm its own, which the base optimizer alone has not."""
    arms: tuple[str, ...]
    """Keys of the base's arms that are trained here, in the base's order."""
    batch_size: int | None = None
    """None leaves the recipe's; so do the next two."""
    weight_decay: float | None = None
    dropout: float | None = None

    @property
    def settings(self) -> dict[str, float]:
        """What it changes of the recipe: field -> value."""
        own = {field: getattr(self, field) for field in RECIPE_FIELDS}
        return {"lr": self.lr} | {field: value for field, value in own.items() if value is not None}

    def to_dict(self) -> dict[str, Any]:
        return asdict(self) | {"arms": list(self.arms)}

    @classmethod
    def from_dict(cls, data: Any) -> "Point":
        """Read a point; raises ValueError in one sentence where it is none."""
        data = check.mapping("point", data, [f.name for f in fields(cls)])
        _require("point", data, ("lr", "rho", "arms"))
        arms = check.sequence("arms", data["arms"], 1, MOST_ARMS)
        rho = None if data["rho"] is None else _positive("rho", data["rho"])
        more = {field: data.get(field) for field in RECIPE_FIELDS}  # Recipe judges them
        return cls(lr=check.number("lr", data["lr"], 0, 100), rho=rho, arms=arms, **more)


@dataclass(frozen=True, kw_only=True, slots=True)
class Sweep:
    """A base comparison, and what it is swept over.

    A grid trains the arms with an ascent in one comparison for each combination of its values, in lockstep; the base
    optimizer alone knows no radius and gets one comparison for each combination of the others. A search, over radii and
    learning rates, goes its own way for each arm, so each of its trials is a comparison with one arm.
    """

    name: str
    """What the list shows; 1 to 40 characters."""
    base: Comparison
    """The comparison that is repeated: its recipe, arms and seeds."""
    rho: tuple[float, ...] = ()
    """Radii of every arm with an ascent: the values of a grid, or the lowest and the highest of a search. Empty leaves
    each arm its own."""
    lr: tuple[float, ...] = ()
    """Learning rates, likewise; empty leaves the recipe's."""
    batch_size: tuple[int, ...] = ()
    """Images a step, of a grid; empty leaves the recipe's. So do the next two."""
    weight_decay: tuple[float, ...] = ()
    dropout: tuple[float, ...] = ()
    search: str = "grid"
    """Key of `SEARCHES`."""
    trials: int | None = None
    """Trials of a search for each arm, 1 to 200; None for a grid."""
    seed: int = 0
    """Where the random draws of a search begin."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", check.text("name", self.name, LONGEST_NAME))
        if not isinstance(self.base, Comparison):
            raise ValueError(f"base must be a comparison, but it is {type(self.base).__name__}.")
        check.choice("search", self.search, SEARCHES)
        check.integer("seed", self.seed, 0, 2**31 - 1)
        for field in ("rho", "lr"):
            object.__setattr__(self, field, self._values(field, getattr(self, field)))
        for field in RECIPE_FIELDS:
            object.__setattr__(self, field, self._recipe_values(field, getattr(self, field)))
        if not self.axes:
            more = ", ".join(RECIPE_FIELDS)
            raise ValueError(f"rho or lr must have values to sweep over, or one of {more}, but all are empty.")
        if self.rho:
            self._check_arms()
        if self.search == "grid":
            if self.trials is not None:
                raise check.wrong("trials", "left out of a grid", self.trials)
        else:
            check.integer("trials", self.trials, 1, MOST_POINTS)
        if self.size > MOST_POINTS:
            raise ValueError(f"A sweep must have at most {MOST_POINTS} comparisons, but these are {self.size}.")

    def _values(self, field: str, values: Any) -> tuple[float, ...]:
        values = tuple(_positive(field, value) for value in check.sequence(field, values, 0, MOST_VALUES))
        if self.search != "grid" and values and not (len(values) == 2 and values[0] < values[1]):
            raise check.wrong(field, "the lowest and the highest value of a search", list(values))
        return _differing(field, values)

    def _recipe_values(self, field: str, values: Any) -> tuple[float, ...]:
        """Values that the base's recipe takes; what is allowed is its own business."""
        values = check.sequence(field, values, 0, MOST_VALUES)
        if values and self.search != "grid":
            raise check.wrong(field, "left out of a search", list(values))
        return _differing(field, tuple(getattr(replace(self.base.recipe, **{field: v}), field) for v in values))

    def _check_arms(self) -> None:
        """Raise ValueError unless there are arms with a radius, each once whatever the radius."""
        keys = [replace(arm, rho=self.rho[0]).key for arm in self.base.arms if _ascends(arm)]
        if not keys:
            raise check.wrong("rho", "left empty where no arm has an ascent", list(self.rho))
        for arm in self.base.arms:
            if _ascends(arm) and keys.count(replace(arm, rho=self.rho[0]).key) > 1:
                raise ValueError(f"arms must differ in more than rho, which is swept, but {arm.label} is there twice.")

    @property
    def axes(self) -> tuple[str, ...]:
        """Keys of `AXES` that have values here."""
        return tuple(axis for axis in AXES if getattr(self, axis))

    @property
    def judge(self) -> str:
        """The measure that a point is judged by after its last epoch.

        Validation accuracy where images are held out. Else test accuracy, and then what is best is chosen with the
        test set: its accuracy flatters.
        """
        return "validation_accuracy" if self.base.recipe.validation_size else "test_accuracy"

    @property
    def labels(self) -> dict[str, str]:
        """Key of a base's arm -> name on screen, which tells no radius where that is swept."""
        labels = self.base.labels
        if self.rho:
            for arm in self.base.arms:
                own = f"(rho {arm.rho:g}"
                labels[arm.key] = labels[arm.key].replace(f"{own}, ", "(").removesuffix(f" {own})")
        return labels

    @property
    def size(self) -> int:
        """How many comparisons this comes to; of a search, at most."""
        if self.search == "grid":
            return len(self.points())
        return sum(self.budget(arm.key) for arm in self.base.arms)

    @property
    def runs(self) -> int:
        """How many runs this comes to: one a comparison and seed; of a search, at most."""
        return self.size * len(self.base.seeds)

    def points(self) -> tuple[Point, ...]:
        """All points of a grid, in the order in which they are run; a search has none ahead of its proposals."""
        if self.search != "grid":
            return ()
        parts = [(None, self.base.arms)]
        if self.rho:
            climbing = [arm for arm in self.base.arms if _ascends(arm)]
            plain = [arm for arm in self.base.arms if not _ascends(arm)]
            parts = ([(None, plain)] if plain else []) + [(rho, climbing) for rho in self.rho]
        more = product(*(getattr(self, field) or (None,) for field in RECIPE_FIELDS))
        return tuple(
            Point(lr=lr, rho=rho, arms=tuple(arm.key for arm in arms), **dict(zip(RECIPE_FIELDS, own, strict=True)))
            for own, lr, (rho, arms) in product(more, self.lr or (self.base.recipe.lr,), parts)
        )

    def ranges(self, arm: str) -> dict[str, tuple[float, float]]:
        """What a search varies for the arm with this key: lr and rho -> lowest and highest, as far as they vary."""
        ranges = {"lr": self.lr} if self.lr else {}
        if self.rho and _ascends(self._arm(arm)):
            ranges["rho"] = self.rho
        return ranges

    def budget(self, arm: str) -> int:
        """Trials of a search for the arm with this key: one where nothing of it varies."""
        return (self.trials or 1) if self.ranges(arm) else 1

    def arms(self, point: Point) -> dict[str, Arm]:
        """Key of a base's arm -> the arm as it is trained at a point, under whose own key the numbers are stored."""
        arms = {key: self._arm(key) for key in point.arms}
        if point.rho is not None:
            arms = {key: replace(arm, rho=point.rho) for key, arm in arms.items()}
        return arms

    def comparison(self, point: Point) -> Comparison:
        """The comparison of one point; its name tells the point."""
        arms = tuple(self.arms(point).values())
        told = ((AXES[axis], getattr(point, axis)) for axis in AXES)
        name = f"{self.name}: " + ", ".join(f"{axis} {value:g}" for axis, value in told if value is not None)
        if len(arms) == 1 < len(self.base.arms):
            name += f", {self.labels[point.arms[0]]}"
        return Comparison(
            name=name if len(name) <= 80 else name[:79] + "…",
            recipe=replace(self.base.recipe, **point.settings),
            arms=arms,
            seeds=self.base.seeds,
        )

    def _arm(self, key: str) -> Arm:
        found = {arm.key: arm for arm in self.base.arms}
        return found[check.choice("arms", key, found)]

    def to_dict(self) -> dict[str, Any]:
        return {field.name: getattr(self, field.name) for field in fields(self)} | {
            "base": self.base.to_dict(),
            **{axis: list(getattr(self, axis)) for axis in AXES},
        }

    def to_json(self) -> str:
        return json.dumps(self.to_dict(), indent=2)

    @classmethod
    def from_dict(cls, data: Any) -> "Sweep":
        """Read a sweep; raises ValueError in one sentence that names the field, the value and what is allowed."""
        data = check.mapping("sweep", data, [f.name for f in fields(cls)])
        _require("sweep", data, ("name", "base"))
        return cls(**{**data, "base": Comparison.from_dict(data["base"])})

    @classmethod
    def from_json(cls, text: str) -> "Sweep":
        """Read a file; raises ValueError in one sentence, also where the text is no JSON."""
        try:
            data = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise ValueError(f"The sweep must be a JSON text, but it could not be read: {error}.") from None
        return cls.from_dict(data)


def parse_values(field: str, text: str) -> tuple[float, ...]:
    """ "0.05, 0.1" -> (0.05, 0.1), and nothing -> (); ValueError where there is something else."""
    values = parse_numbers(field, text, "numbers with commas between them") if text.strip() else ()
    whole = field == "batch_size" and all(value.is_integer() for value in values)
    return tuple(map(int, values)) if whole else values


def _ascends(arm: Arm) -> bool:
    return arm.variant is not None


def _differing(field: str, values: tuple[Any, ...]) -> tuple[Any, ...]:
    """The values, unless two of them are called the same in names and keys: ValueError then."""
    if len({f"{value:g}" for value in values}) < len(values):
        raise ValueError(f"{field} must have values that differ from each other, but they are {list(values)}.")
    return values


def _positive(field: str, value: Any) -> float:
    """A number above 0 and up to 100: both axes are logarithmic."""
    if isinstance(value, int | float) and not isinstance(value, bool) and not value > 0:
        raise check.wrong(field, "a number above 0 and up to 100", value)
    return check.number(field, value, 0, 100)


def _require(what: str, data: Any, names: Any) -> None:
    for name in names:
        if name not in data:
            raise ValueError(f"{what} must have the field {name}, but it has {', '.join(data) or 'none'}.")
