"""The papers' cells that come closest to one's own runs, with every difference in the recipe: they are never the same.

An arm matches the cells of its own method: the same variant, scope, kind of mask and trained parameters. Of each
table's cells those come closest that agree with the recipe in data set, network, augmentation and label noise, in this
order of weight. All else that differs, and what the paper does not name, is told in words.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from math import isnan, log
from typing import Any

from samviz.papers.settings import Settings
from samviz.papers.tables import about, cells
from samviz.runs.views import Header
from samviz.spec import DATASETS, NETWORKS, Arm, Recipe
from samviz.spec.arm import TRAINED
from samviz.spec.networks import network_label
from samviz.spec.recipe import AUGMENTATIONS, OPTIMIZERS, SCHEDULES
from samviz.variants import VARIANTS

METRICS = ("maximum test accuracy", "test accuracy")
"""What one's own test accuracies can be put beside."""
OPTIMIZER_OF = {"SGD": "sgd", "AdamW": "adamw"}
"""The papers' base methods -> the recipe's optimizer."""


@dataclass(frozen=True, kw_only=True)
class Match:
    """A cell of a paper, and what sets one's own arm apart from it."""

    arm: str
    """`Arm.key`."""
    cell: dict[str, Any] = field(repr=False)
    """A row of `cells()`."""
    differences: tuple[str, ...]
    """In words: "30 epochs, not 200". Never empty where the recipe is not the paper's."""
    unnamed: tuple[str, ...]
    """What the paper does not name and the run had to choose: "batches of 128"."""

    @property
    def source(self) -> str:
        """ "SAM-ON Table 1"."""
        return about(self.cell["paper"], self.cell["table"]).name


def matches(header: Header, paper: str | None = None, number: int | None = None) -> list[Match]:
    """The closest cell of each table for each arm of a comparison, the closest table first within an arm.

    `paper` and `number` choose a paper, or one table, alone. An arm whose method is in no table has none.
    """
    rows = [row for row in _rows() if paper in (None, row["paper"]) and number in (None, row["table"])]
    found = []
    for arm in header.comparison.arms:
        closest: dict[tuple[str, int], tuple[tuple, dict]] = {}
        for row in rows:
            if not same_method(arm, header.comparison.recipe, row):
                continue
            far, table = _distance(arm, header.comparison.recipe, row), (row["paper"], row["table"])
            if table not in closest or far < closest[table][0]:
                closest[table] = far, row
        for _, row in sorted(closest.values(), key=lambda pair: pair[0]):
            found.append(Match(arm=arm.key, cell=row, differences=differences(header, arm, row),
                               unnamed=unnamed(header, row)))  # fmt: skip
    return found


@cache
def _rows() -> list[dict[str, Any]]:
    """The cells that one's own test accuracies can be put beside."""
    frame = cells()
    return frame[frame["metric"].isin(METRICS)].to_dict("records")


def same_method(arm: Arm, recipe: Recipe, row: dict[str, Any]) -> bool:
    """Whether the cell is of the arm's method; of the base optimizer alone, the recipe's."""
    if arm.variant is None:
        plain = OPTIMIZER_OF.get(row["method"]) == recipe.optimizer
        return plain and arm.trained == (row["trained"] or "all")
    return (arm.variant, arm.scope, arm.mask or "", arm.trained) == (
        row["variant"], row["scope"], row["mask"], row["trained"] or "all",
    )  # fmt: skip


def _distance(arm: Arm, recipe: Recipe, row: dict[str, Any]) -> tuple:
    """Comparable: the less, the closer."""
    noise = 0.0 if isnan(row["label_noise"]) else row["label_noise"]
    sparsity = abs((arm.sparsity or 0.0) - (0.0 if isnan(row["sparsity"]) else row["sparsity"]))
    return (
        _dataset(recipe) != row["dataset"],
        _network_distance(recipe.network, row["network"]),
        recipe.augmentation != row["augmentation"],
        abs(recipe.label_noise - noise),
        sparsity if arm.mask else 0.0,
        abs(arm.rho - row["rho"]) if arm.variant and not isnan(row["rho"]) else 0.0,
    )


def _network_distance(own: str, theirs: str) -> tuple:
    """The same network, else one of its family, the closest by its number of parameters."""
    if own == theirs or own not in NETWORKS or theirs not in NETWORKS:
        return own != theirs, False, 0.0
    mine, other = NETWORKS[own], NETWORKS[theirs]
    return True, mine.family != other.family, abs(log(mine.parameters / other.parameters))


def _dataset(recipe: Recipe) -> str:
    """The built-in images have ten classes, as CIFAR-10 has."""
    return "cifar10" if recipe.dataset == "builtin" else recipe.dataset


def differences(header: Header, arm: Arm, row: dict[str, Any], of_arm: bool = True) -> tuple[str, ...]:
    """What sets an arm of a comparison apart from a cell, each a few words; without `of_arm` in the recipe alone."""
    recipe, settings = header.comparison.recipe, about(row["paper"], row["table"]).of(row["network"])
    told = [*_of_images(header, row), *_of_training(recipe, arm, settings), *(_of_arm(arm, row) if of_arm else ())]
    if recipe.network != row["network"]:
        told.insert(0, f"{network_label(recipe.network)}, not {network_label(row['network'])}")
    told += _of_runs(header, row) + [f"without {one}" for one in settings.also]
    return tuple(told)


def recipe_differences(
    header: Header, paper: str, number: int, network: str | None = None, **others: Any
) -> tuple[str, ...]:
    """What sets a comparison's recipe apart from that of the closest cell of a table, or of one network in it.

    `others` are columns of the cell that are otherwise: a figure has its own data set, and no number of runs. Where no
    arm has an ascent, the epochs are those of the base optimizer alone.
    """
    rows = [row for row in _rows() if (row["paper"], row["table"]) == (paper, number)]
    rows = [row for row in rows if row["network"] == network] or rows
    arms = header.comparison.arms
    arm = next((arm for arm in arms if arm.variant is not None), arms[0])
    row = min(rows, key=lambda row: _distance(arm, header.comparison.recipe, row))
    own = {"network": network} if network is not None else {}
    return differences(header, arm, row | own | others, of_arm=False)


def _of_images(header: Header, row: dict[str, Any]) -> list[str]:
    recipe, told = header.comparison.recipe, []
    label = DATASETS[recipe.dataset].label
    if row["dataset"] is None:
        return [f"{header.data_label}, where the text at hand names no data set"]
    theirs = DATASETS[row["dataset"]].label if row["dataset"] in DATASETS else row["dataset"]
    if recipe.dataset != row["dataset"]:
        told.append(f"{header.data_label}, not {theirs}")
    elif header.data_label != label:
        told.append(f"{header.data_label}, not the official files")
    if recipe.classes is not None:
        told.append(f"{len(recipe.classes)} of its {len(DATASETS[recipe.dataset].classes)} classes")
    train, test = DATASETS[recipe.dataset].sizes(len(recipe.class_names))
    if recipe.images + recipe.validation_size < train:
        told.append(f"{recipe.images} train images of {train}")
    if recipe.test_images < test:
        told.append(f"{recipe.test_images} test images of {test}")
    noise = 0.0 if isnan(row["label_noise"]) else row["label_noise"]
    if abs(recipe.label_noise - noise) > 1e-9:
        told.append(f"{100 * recipe.label_noise:g} % label noise, not {100 * noise:g} %")
    if row["augmentation"] and recipe.augmentation != row["augmentation"]:
        told.append(f"augmentation {AUGMENTATIONS[recipe.augmentation]}, not {AUGMENTATIONS[row['augmentation']]}")
    if recipe.cutout:
        told.append(f"cutout of {recipe.cutout} pixels")
    return told


def _of_training(recipe: Recipe, arm: Arm, settings: Settings) -> list[str]:
    told = []
    theirs = settings.epochs_plain if arm.variant is None else settings.epochs
    if theirs is not None and (own := arm.epochs(recipe.epochs)) != theirs:
        told.append(f"{own} epochs, not {theirs}")
    for name, form in (
        ("batch_size", "batches of {}"),
        ("lr", "learning rate {:g}"),
        ("momentum", "momentum {:g}"),
        ("weight_decay", "weight decay {:g}"),
        ("label_smoothing", "label smoothing {:g}"),
    ):
        own, theirs = getattr(recipe, name), getattr(settings, name)
        if theirs is not None and own != theirs:
            told.append(f"{form.format(own)}, not {theirs:g}")
    for name, names in (("optimizer", OPTIMIZERS), ("schedule", SCHEDULES)):
        own, theirs = getattr(recipe, name), getattr(settings, name)
        if theirs is not None and own != theirs:
            told.append(f"{names[own]}, not {names.get(theirs, theirs)}")
    if arm.variant is not None and settings.m is not None and (recipe.m or 0) != settings.m:
        told.append(f"m = {recipe.m or recipe.batch_size}, not {settings.m or 'the whole batch'}")
    if recipe.dropout:
        told.append(f"dropout {recipe.dropout:g}")
    if recipe.nesterov:
        told.append("Nesterov momentum")
    if recipe.warmup_epochs:
        told.append(f"{recipe.warmup_epochs} epochs of warm-up")
    if not recipe.decay_norm:
        told.append("no weight decay of γ and β")
    if recipe.extended:
        told.append("given more epochs after its end")
    return told


def _of_arm(arm: Arm, row: dict[str, Any]) -> list[str]:
    if arm.variant is None:
        return []
    told = []
    if not isnan(row["rho"]) and arm.rho != row["rho"]:
        told.append(f"ρ {arm.rho:g}, not {row['rho']:g}")
    for name in ("eta", "p"):
        own, theirs = getattr(arm, name), getattr(VARIANTS[arm.variant], name)
        if own is not None and own != theirs:
            told.append(f"{'η' if name == 'eta' else name} {own:g}, not {theirs:g}")
    if arm.mask is not None and abs(arm.sparsity - row["sparsity"]) > 5e-5:
        told.append(f"{100 * arm.sparsity:.6g} % sparse, not {100 * row['sparsity']:.6g} %")
    if arm.window:
        told.append(f"ascent {arm.window} only")
    if arm.trained != (row["trained"] or "all"):
        told.append(f"trains {TRAINED[arm.trained]}")
    return told


def _of_runs(header: Header, row: dict[str, Any]) -> list[str]:
    seeds, told = len(header.comparison.seeds), []
    if isinstance(row["n"], int) and seeds != row["n"]:
        told.append(f"{seeds} seed{'' if seeds == 1 else 's'}, not {row['n']} runs")
    if header.comparison.recipe.validation_size:
        told.append(f"{header.comparison.recipe.validation_size} train images held out")
    return told


def unnamed(header: Header, row: dict[str, Any]) -> tuple[str, ...]:
    """What the paper does not name of a cell, as the run has it."""
    recipe, settings = header.comparison.recipe, about(row["paper"], row["table"]).of(row["network"])
    told = []
    for name, form in (("batch_size", "batches of {}"), ("momentum", "momentum {:g}"), ("lr", "learning rate {:g}")):
        if getattr(settings, name) is None:
            told.append(form.format(getattr(recipe, name)))
    precisions = sorted({run.machine["precision"] for run in header.runs if "precision" in run.machine})
    told.append(f"precision {' and '.join(precisions) or recipe.precision}")
    if row["variant"] and isnan(row["rho"]):
        told.append("ρ")
    return tuple(told)


def best_table(found: Sequence[Match]) -> tuple[str, int] | None:
    """The paper and number of the table with the most of the arms; of these, the one that comes closest to them."""
    places: dict[tuple[str, int], list[int]] = {}
    ranks: dict[str, int] = {}
    for match in found:  # the closest first within an arm
        ranks[match.arm] = ranks.get(match.arm, -1) + 1
        places.setdefault((match.cell["paper"], match.cell["table"]), []).append(ranks[match.arm])
    return min(places, key=lambda table: (-len(places[table]), sum(places[table])), default=None)


def shared(found: Sequence[Match]) -> tuple[str, ...]:
    """The differences that all of these have, in the first one's order."""
    return tuple(one for one in found[0].differences if all(one in m.differences for m in found)) if found else ()
