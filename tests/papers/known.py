"""Headers and outcomes with known numbers, without a store."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from samviz.papers.outcomes import Outcome
from samviz.runs import Header
from samviz.spec import Arm, Comparison, Recipe
from tests import synthetic

RECIPE = Recipe(
    dataset="cifar10", network="resnet20", augmentation="crop_flip", epochs=200, label_smoothing=0.1, precision="fp32"
)
"""ASAM section 5.2 on ResNet-20."""
SAM, ON, NO_NORM = (Arm(variant="sam", scope=scope, rho=0.1) for scope in ("all", "norm_only", "no_norm"))


def header(
    arms: Sequence[Arm],
    recipe: Recipe = RECIPE,
    seeds: int = 5,
    label: str = "CIFAR-10",
    id: str = "1",
    name: str = "Mine",
    **run: object,
) -> Header:
    """A comparison that has finished."""
    comparison = Comparison(name=name, recipe=recipe, arms=tuple(arms), seeds=tuple(range(seeds)))
    runs = tuple(synthetic.run(seed, **run) for seed in comparison.seeds)
    return Header(id=id, comparison=comparison, state="finished", created=1.7e9, runs=runs, data_label=label,
                  revision="1")  # fmt: skip


def outcome(values: Mapping[Arm, Sequence[float]], measure: str = "test_accuracy", **more: object) -> Outcome:
    """Arm -> one value a seed."""
    seeds = max(map(len, values.values()))
    numbers = {(measure, arm.key): dict(enumerate(own)) for arm, own in values.items()}
    return Outcome(header=header(list(values), seeds=seeds, **more), values=numbers)


def changed(recipe: Recipe = RECIPE, **changes: object) -> Recipe:
    return replace(recipe, **changes)
