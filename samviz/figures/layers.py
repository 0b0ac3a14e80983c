"""Mean gamma or beta of each norm layer over the epochs: a map an arm, all in the same colors."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from samviz.figures import palette
from samviz.figures.measures import round_up
from samviz.figures.tally import Tally, shown_epochs

LAYERS = {"gamma_mean": ("Mean γ by layer", 1.0), "beta_mean": ("Mean β by layer", 0.0)}
"""Measure -> its title, and the value at the start, which is the middle of the colors."""

MOST_VALUES = 8000
"""Of all arms together, as long as there are `FEWEST_EPOCHS`."""
FEWEST_EPOCHS = 8


@dataclass(frozen=True, kw_only=True, slots=True)
class Layers:
    """A measure of each norm layer, mean over the seeds."""

    title: str
    low: float
    """The ends of the colors: equally far from the value at the start."""
    high: float
    epochs: np.ndarray
    """(epochs,)"""
    values: np.ndarray
    """(arms, layers, epochs): NaN where no seed has come."""


def layers_data(tally: Tally, name: str) -> Layers | None:
    """A measure of `LAYERS` by layer; None where there is none yet."""
    title, middle = LAYERS[name]
    values = tally.layers(name)
    reached = np.flatnonzero(np.isfinite(values).any(axis=(0, 1)))
    if not reached.size:
        return None
    arms, layers, _ = values.shape
    epochs = shown_epochs(int(reached[-1]), max(MOST_VALUES // (arms * layers), FEWEST_EPOCHS))
    values = np.round(values[:, :, epochs], 3)
    span = round_up(max(float(np.nanmax(np.abs(values - middle))), 0.01))
    return Layers(title=title, low=round(middle - span, 6), high=round(middle + span, 6), epochs=epochs, values=values)


def layers_figure(data: Layers, arm: int, label: str) -> dict[str, Any]:
    """The map of the arm with this index, as a plain dictionary {data, layout}; the first layer is at the top."""
    values = data.values[arm]
    trace = {
        "type": "heatmap",
        "uid": "layers",
        "x": data.epochs.tolist(),
        "y": list(range(len(values))),
        "z": [[None if value != value else value for value in row] for row in values.tolist()],
        "zmin": data.low,
        "zmax": data.high,
        "colorscale": [[k / (len(palette.DIVERGING) - 1), color] for k, color in enumerate(palette.DIVERGING)],
        "showscale": False,
        "hovertemplate": "layer %{y}, epoch %{x}: %{z:.3f}<extra></extra>",
    }
    layout = {
        "title": {"text": label},
        "xaxis": {"title": {"text": "epoch"}},
        "yaxis": {"autorange": "reversed", "title": {"text": "norm layer", "standoff": 4}, "automargin": True},
        "hovermode": "closest",
    }
    return {"data": [trace], "layout": layout}
