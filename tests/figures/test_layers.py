"""Maps by layer: means over the seeds that have come, colors around the start, thinned in epochs, valid figures."""

import numpy as np
import plotly.graph_objects as go
import pytest

from samviz.figures.layers import FEWEST_EPOCHS, LAYERS, MOST_VALUES, layers_data, layers_figure
from samviz.figures.tally import Tally
from samviz.spec import Arm, Comparison, Recipe
from tests import synthetic

SPEC = Comparison(name="l", recipe=Recipe(epochs=3), arms=(Arm(), Arm(variant="sam", rho=0.1)), seeds=(5, 6))


def row(seed: int, arm: int, epoch: int, layer: int, value: float) -> tuple:
    return (seed, SPEC.arms[arm].key, epoch, epoch * 10, f"gamma_mean/{layer}", value)


def test_layers_are_means_over_the_seeds_that_have_come() -> None:
    rows = [
        row(5, 0, 0, 0, 1.0),
        row(5, 0, 0, 1, 1.0),
        row(5, 0, 1, 0, 0.8),
        row(6, 0, 1, 0, 0.6),
        row(5, 1, 1, 1, 1.2),
    ]
    data = layers_data(Tally(SPEC).add(rows, []), "gamma_mean")
    assert data.epochs.tolist() == [0, 1]
    np.testing.assert_array_equal(data.values, [[[1, 0.7], [1, np.nan]], [[np.nan, np.nan], [np.nan, 1.2]]])
    assert (data.low, data.high) == (0.7, 1.3)
    assert data.title == "Mean γ by layer"


def test_layers_agree_with_a_plain_groupby() -> None:
    spec = synthetic.comparison(3, epochs=6)
    frame = synthetic.metrics(spec, {0: 6, 1: 6, 2: 4}, layers=5)
    data = layers_data(synthetic.tally(frame, spec), "beta_mean")
    assert data.values.shape == (4, 5, 7)
    for k, arm in enumerate(spec.arms):
        for layer in range(5):
            own = frame[(frame["arm"] == arm.key) & (frame["name"] == f"beta_mean/{layer}")]
            np.testing.assert_allclose(data.values[k, layer], own.groupby("epoch")["value"].mean(), atol=5.1e-4)
    assert data.low == -data.high
    assert np.abs(data.values).max() <= data.high


def test_nothing_yet_is_none() -> None:
    assert layers_data(Tally(SPEC), "gamma_mean") is None
    assert layers_data(synthetic.tally(synthetic.metrics(SPEC, layers=0), SPEC), "gamma_mean") is None


@pytest.mark.parametrize("name", LAYERS)
def test_figures_are_valid_and_alike_in_color(name: str) -> None:
    data = layers_data(Tally(SPEC).add([row(5, 0, 0, 0, 1.0), row(5, 0, 1, 0, 0.8)], []), "gamma_mean")
    first, second = (go.Figure(layers_figure(data, arm, f"arm {arm}")) for arm in (0, 1))
    assert list(map(list, first.data[0].z)) == [[1.0, 0.8]]
    assert list(map(list, second.data[0].z)) == [[None, None]]
    assert (first.data[0].zmin, first.data[0].zmax) == (second.data[0].zmin, second.data[0].zmax) == (0.8, 1.2)
    assert first.layout.yaxis.autorange == "reversed"
    spec = synthetic.comparison(2, 3)
    go.Figure(layers_figure(layers_data(synthetic.tally(synthetic.metrics(spec), spec), name), 3, "SAM no-norm"))


def test_a_deep_network_and_a_long_run_are_thinned_in_epochs() -> None:
    spec = Comparison(name="deep", recipe=Recipe(epochs=200), arms=(Arm(),))
    for layers in (5, 57, 1500):
        rows = [(0, "sgd", epoch, 0, f"gamma_mean/{k}", 1.0) for epoch in (0, 163) for k in range(layers)]
        data = layers_data(Tally(spec).add(rows, []), "gamma_mean")
        assert data.values.shape[1] == layers
        assert data.epochs[-1] == 163
        assert len(data.epochs) <= max(MOST_VALUES / layers, FEWEST_EPOCHS) + 2
