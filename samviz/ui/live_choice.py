"""What somebody has chosen to see of a comparison, read from the address of the live page's data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from samviz.figures.histograms import HISTOGRAMS
from samviz.figures.layers import LAYERS
from samviz.figures.measures import AXES, MEASURES
from samviz.spec import check

CURVES = ("test_accuracy", "train_accuracy", "test_loss", "train_loss", "gamma_mean")
"""The measures of the curve charts, until somebody chooses others."""


@dataclass(frozen=True, slots=True)
class Choice:
    """The measure of each curve chart, what all of them are drawn over, and the kind of histogram."""

    curves: tuple[str, ...] = CURVES
    axis: str = "epoch"
    histogram: str = "gamma"

    def __post_init__(self) -> None:
        if len(self.curves) != len(CURVES):
            raise check.wrong("curves", f"{len(CURVES)} measures", ",".join(self.curves))
        for name in self.curves:
            check.choice("curves", name, MEASURES)
        check.choice("axis", self.axis, AXES)
        check.choice("histogram", self.histogram, HISTOGRAMS)

    def __str__(self) -> str:
        """A short text, part of an ETag."""
        return "~".join([*self.curves, self.axis, self.histogram])

    @classmethod
    def from_query(cls, query: Mapping[str, Sequence[str]]) -> "Choice":
        """Read curves=A,B,C,D,E, axis and histogram; ValueError in one sentence where one is wrong or unknown."""
        texts = {
            key: values[-1] for key, values in check.mapping("address", query, ("curves", "axis", "histogram")).items()
        }
        curves = tuple(texts.pop("curves").split(",")) if "curves" in texts else CURVES
        return cls(curves, **texts)


def layers_name(query: Mapping[str, Sequence[str]]) -> str:
    """Read of=MEASURE, the one to show by layer; ValueError in one sentence where it is wrong or unknown."""
    texts = check.mapping("address", query, ("of",)).get("of", ("gamma_mean",))
    return check.choice("of", texts[-1], LAYERS)
