"""A comparison: one recipe, the arms that share it, and the seeds that repeat it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from samviz.spec import check
from samviz.spec.arm import Arm
from samviz.spec.recipe import OPTIMIZERS, Recipe

MOST_ARMS = 12
MOST_SEEDS = 20


@dataclass(frozen=True, kw_only=True, slots=True)
class Comparison:
    """Recipe + arms + seeds. Each seed is one run: all arms in lockstep from the same weights on the same batches."""

    name: str
    """What the list shows."""
    recipe: Recipe
    """What the arms share."""
    arms: tuple[Arm, ...]
    """What differs, 1 to 12 arms, each once."""
    seeds: tuple[int, ...] = (0,)
    """One run a seed, 1 to 20 seeds, each once."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", check.text("name", self.name, 80))
        if not isinstance(self.recipe, Recipe):
            raise ValueError(f"recipe must be a recipe, but it is {type(self.recipe).__name__}.")
        arms = check.sequence("arms", self.arms, 1, MOST_ARMS)
        seeds = check.sequence("seeds", self.seeds, 1, MOST_SEEDS)
        for seed in seeds:
            check.integer("seed", seed, 0, 2**31 - 1)
        if len(set(seeds)) < len(seeds):
            raise ValueError(f"seeds must differ from each other, but they are {list(seeds)}.")
        keys = [arm.key for arm in arms]
        for arm in arms:
            if keys.count(arm.key) > 1:
                details = f" ({arm.details})" if arm.details else ""
                raise ValueError(f"arms must differ from each other, but {self._label(arm)}{details} is there twice.")
            if arm.first_epoch > (last := arm.epochs(self.recipe.epochs)):
                raise ValueError(
                    f"first_epoch must be at most {last}, the epochs of {arm.label}, but it is {arm.first_epoch}."
                )
            if self.recipe.extended and arm.epochs_factor != 1:
                raise ValueError(
                    f"epochs_factor must be 1 in a training that was given more epochs, but for {arm.label} it is "
                    f"{arm.epochs_factor:g}: its epochs and those of the others are not the same ones."
                )
        object.__setattr__(self, "arms", arms)
        object.__setattr__(self, "seeds", seeds)

    @property
    def labels(self) -> dict[str, str]:
        """Arm key -> name on screen; where two arms share a label, their other settings tell them apart."""
        labels = [self._label(arm) for arm in self.arms]
        return {
            arm.key: f"{label} ({arm.details})" if labels.count(label) > 1 and arm.details else label
            for arm, label in zip(self.arms, labels, strict=True)
        }

    def _label(self, arm: Arm) -> str:
        """An arm's own label, where the base optimizer alone goes by the recipe's name for it."""
        if arm.variant is None:
            return OPTIMIZERS[self.recipe.optimizer] + arm.label.removeprefix(OPTIMIZERS["sgd"])
        return arm.label

    @property
    def epochs(self) -> int:
        """Epochs of a run: those of the arm that trains for the longest."""
        return max(arm.epochs(self.recipe.epochs) for arm in self.arms)

    @property
    def steps(self) -> int:
        """Updates of the arm that trains for the longest."""
        return self.epochs * self.recipe.steps_per_epoch

    def progress(self, step: int) -> float:
        """Share of a run's updates that are done when each arm has made `step` of its own, or all of them."""
        steps = [arm.epochs(self.recipe.epochs) * self.recipe.steps_per_epoch for arm in self.arms]
        return sum(min(step, n) for n in steps) / sum(steps)

    def to_dict(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "recipe": self.recipe.to_dict(),
            "arms": [arm.to_dict() for arm in self.arms],
            "seeds": list(self.seeds),
        }

    def to_json(self, versions: Mapping[str, str] | None = None) -> str:
        """A recipe file; `versions` says what it was made with or run on, for who reads it later."""
        return json.dumps(self.to_dict() | ({"versions": dict(versions)} if versions else {}), indent=2)

    @classmethod
    def from_dict(cls, data: Any) -> "Comparison":
        """Read a comparison; raises ValueError in one sentence that names the field, the value and what is allowed."""
        data = check.mapping("comparison", data, [*(f.name for f in fields(cls)), "versions"])
        versions = data.get("versions", {})
        check.mapping("versions", versions, versions)
        for field in ("name", "recipe", "arms"):
            if field not in data:
                raise ValueError(f"comparison must have the field {field}, but it has {', '.join(data) or 'none'}.")
        arms = check.sequence("arms", data["arms"], 1, MOST_ARMS)
        return cls(
            name=data["name"],
            recipe=Recipe.from_dict(data["recipe"]),
            arms=tuple(Arm.from_dict(arm) for arm in arms),
            seeds=data.get("seeds", (0,)),
        )

    @classmethod
    def from_json(cls, text: str) -> "Comparison":
        """Read a recipe file; raises ValueError in one sentence, also where the text is no JSON."""
        try:
            data = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise ValueError(f"The recipe must be a JSON text, but it could not be read: {error}.") from None
        return cls.from_dict(data)
