"""One measure of arms of several comparisons over the training, on one axis."""

from dataclasses import replace

import numpy as np

from samviz.figures.compare import Side, Source
from samviz.figures.curves import Curve, curves_data, curves_figure
from samviz.figures.measures import AXES, MEASURES, Axis, axes, axis_data, offered
from samviz.figures.parts import Chart

SECONDS = {"training time (s)": 1, "training time (min)": 60, "training time (h)": 3600}
"""Title of an axis of time -> its unit in seconds."""


def sources_of(sides: list[Side]) -> list[Source]:
    """The comparisons of the sides, each once."""
    return list({side.source.id: side.source for side in sides}.values())


def measures_of(sides: list[Side]) -> list[str]:
    """The measures that one of the comparisons has a number of, in the order of `MEASURES`."""
    known = {name for source in sources_of(sides) for name in offered(source.tally)}
    return [name for name in MEASURES if name in known]


def axes_of(sides: list[Side]) -> list[str]:
    """The axes that all of the comparisons have numbers for."""
    known = [axes(source.tally) for source in sources_of(sides)]
    return [name for name in AXES if all(name in own for own in known)]


def curves_chart(sides: list[Side], measure: str, axis: str) -> Chart:
    """The curves of the sides; KeyError for a measure or an axis that there is not."""
    sources = sources_of(sides)
    along = dict(
        zip([source.id for source in sources], _common([axis_data(s.tally, axis) for s in sources]), strict=True)
    )
    drawn: dict[str, Curve] = {}
    for source in sources:
        for curve in curves_data(source.tally, measure, along[source.id]):
            drawn[f"{source.id}~{curve.key}"] = curve
    curves = [_as(drawn[side.key], side) for side in sides if side.key in drawn]
    about = MEASURES[measure]
    figure = curves_figure(curves, measure, next(iter(along.values())))
    return Chart(
        name="curves",
        title=f"{about.title} over {AXES[axis].lower()}",
        figure=figure,
        height=360,
        wide=True,
        note="; ".join(filter(None, [about.note, "bands: ± standard deviation over the seeds"])),
    )


def _as(curve: Curve, side: Side) -> Curve:
    """A curve of one comparison with the name and the look that it has among those of others."""
    return replace(curve, key=side.key, label=side.plotted(), color=side.look.color, dash=side.look.dash)


def _common(own: list[Axis]) -> list[Axis]:
    """The same axes in one unit and of one length."""
    title = max((axis.title for axis in own), key=lambda title: SECONDS.get(title, 0))
    scales = [SECONDS.get(axis.title, 1) / SECONDS.get(title, 1) for axis in own]
    end = max(axis.end * scale for axis, scale in zip(own, scales, strict=True))
    decimals = max(axis.decimals + int(np.ceil(-np.log10(scale))) for axis, scale in zip(own, scales, strict=True))
    return [
        replace(axis, title=title, end=end, decimals=decimals, seeds=axis.seeds * scale, mean=axis.mean * scale)
        for axis, scale in zip(own, scales, strict=True)
    ]
