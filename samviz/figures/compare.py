"""Arms of one or several comparisons side by side: who they are, how they look, and where they ended."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from html import escape

import numpy as np

from samviz.figures import palette
from samviz.figures.paired import Difference, difference
from samviz.figures.tally import Tally
from samviz.runs import Header, News
from samviz.spec import Arm, Comparison, Recipe

ENDS = {"last": "last epoch", "best": "best epoch"}
"""The epochs that an arm can be judged at."""

JUDGES = {"validation_accuracy": "validation accuracy", "test_accuracy": "test accuracy"}
"""What the best epoch can be chosen by."""

JUDGED = {
    "validation_accuracy": "on train images that are held out, so the test accuracy there is an honest one",
    "test_accuracy": "which means that it was chosen with the test set, and flatters",
}
"""What the choice of the best epoch does to its test accuracy."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """One comparison with all its numbers."""

    header: Header
    tally: Tally

    @property
    def id(self) -> str:
        return self.header.id

    @property
    def comparison(self) -> Comparison:
        return self.header.comparison

    @classmethod
    def of(cls, news: News) -> "Source":
        """From all rows of a comparison (`store.news(id)`)."""
        return cls(header=news.header, tally=Tally(news.header.comparison).add(news.metrics, news.histograms))


@dataclass(frozen=True, kw_only=True, slots=True)
class Side:
    """One arm of one of the comparisons."""

    source: Source
    arm: Arm
    label: str
    """The arm's, with the comparison's name where there are several."""
    look: palette.Look

    @property
    def key(self) -> str:
        """ID~ARM: unique among all sides."""
        return side_key(self.source.id, self.arm.key)

    def plotted(self, most: int = 60) -> str:
        """The label in a figure, where plotly would take some of what people type for markup or formulas."""
        return escape(shortened(self.label, most), quote=False).replace("$", "&#36;")

    @property
    def index(self) -> int:
        """Of the arm, in its comparison and its tally."""
        return self.source.comparison.arms.index(self.arm)

    @property
    def last(self) -> int:
        """The last epoch of the arm."""
        return self.arm.epochs(self.source.comparison.recipe.epochs)


def side_key(id: str, arm: str) -> str:
    """How an arm of a comparison is called in an address."""
    return f"{id}~{arm}"


def sides_of(sources: Sequence[Source], keys: Iterable[str] = ()) -> list[Side]:
    """The arms with these keys, all where there is none, in the order of the comparisons and their arms.

    An arm has its own color. The first comparison's arms have their own dash, too; the others' take what is free.
    """
    wanted, taken, found = set(keys), set(), []
    for source in sources:
        comparison = source.comparison
        looks = palette.looks(comparison.arms)
        name = f" · {shortened(comparison.name)}" if len(sources) > 1 else ""
        if name and sum(other.comparison.name == comparison.name for other in sources) > 1:
            name += f" ({source.id})"
        for arm in comparison.arms:
            look = _free(looks[arm.key], taken)
            taken.add(look)
            label = comparison.labels[arm.key] + name
            side = Side(source=source, arm=arm, label=label, look=look)
            if not wanted or side.key in wanted:
                found.append(side)
    return found


def legend(sides: Iterable[Side]) -> list[dict[str, str]]:
    """The arms as a legend takes them: key, label, color, dash."""
    return [{"key": side.key, "label": side.label, "color": side.look.color, "dash": side.look.dash} for side in sides]


def shortened(text: str, most: int = 24) -> str:
    """The beginning of a text that is too long."""
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}…"


def _free(own: palette.Look, taken: set[palette.Look]) -> palette.Look:
    others = (replace(own, dash=dash) for dash in palette.DASHES)
    return next((look for look in (own, *others) if look not in taken), own)


def reference_of(sides: Sequence[Side], key: str = "") -> Side:
    """The side with this key, or the first base optimizer alone, or else the first side."""
    named = [side for side in sides if side.key == key]
    plain = [side for side in sides if side.arm.variant is None]
    return (named or plain or list(sides))[0]


@dataclass(frozen=True, kw_only=True, slots=True)
class Ended:
    """Test accuracies in percent of the seeds that have finished the arm's epochs: seed -> value."""

    last: dict[int, float]
    """After the last epoch."""
    best: dict[int, float]
    """After the epoch that `judge` is highest at."""
    epochs: dict[int, int]
    """Which epoch that is."""
    judge: str
    """Key of `JUDGES`: validation accuracy where images are held out."""

    def at(self, end: str) -> dict[int, float]:
        """Those of a key of `ENDS`."""
        return self.last if end == "last" else self.best


def ended(side: Side) -> Ended:
    """Where an arm's seeds ended, and what they had been at best."""
    tally, k, last = side.source.tally, side.index, side.last
    held_out = side.source.comparison.recipe.validation_size > 0
    judge = "validation_accuracy" if held_out else "test_accuracy"
    test, judged = tally.measure("test_accuracy")[k], tally.measure(judge)[k]
    done = np.isfinite(test[:, last]) & np.isfinite(judged[:, last])
    finals, best, epochs = {}, {}, {}
    for s in done.nonzero()[0].tolist():
        seed = side.source.comparison.seeds[s]
        epochs[seed] = int(np.nanargmax(np.where(np.isfinite(test[s]), judged[s], np.nan)))
        finals[seed], best[seed] = float(test[s, last]), float(test[s, epochs[seed]])
    return Ended(last=finals, best=best, epochs=epochs, judge=judge)


def unpaired(side: Side, reference: Side) -> str:
    """Why the seeds of two arms cannot be paired; "" where the same seed gave both the same weights and batches."""
    one, other = side.source, reference.source
    if one.id == other.id:
        return ""
    if differing := recipe_differences(one.comparison.recipe, other.comparison.recipe):
        return f"the recipes differ in {', '.join(differing)}"
    if one.header.data_label != other.header.data_label:
        return f"the images are not the same: {one.header.data_label} and {other.header.data_label}"
    if not set(one.comparison.seeds) & set(other.comparison.seeds):
        return "they have no seed in common"
    return ""


def recipe_differences(one: Recipe, other: Recipe) -> list[str]:
    """The fields in which two recipes differ, in words."""
    names = [field.name for field in fields(Recipe) if getattr(one, field.name) != getattr(other, field.name)]
    return [name.replace("_", " ") for name in names]


def compared(side: Side, reference: Side, end: str) -> Difference:
    """The paired difference of two arms at an end, a key of `ENDS`; no seeds where they are not paired."""
    if unpaired(side, reference):
        return Difference((), ())
    return difference(ended(side).at(end), ended(reference).at(end))
