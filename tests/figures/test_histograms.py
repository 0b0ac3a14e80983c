"""Histograms: pooled over seeds, means from the bins, valid plotly figures."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest

from samviz.figures.histograms import Histograms, histograms_data, histograms_figure
from samviz.runs.views import HISTOGRAM_COLUMNS
from samviz.spec import Arm, Comparison, Recipe
from tests import synthetic

SPEC = Comparison(name="h", recipe=Recipe(epochs=3), arms=(Arm(), Arm(variant="sam", rho=0.1)), seeds=(0, 1))
SAM = SPEC.arms[1].key


def frame(*rows: tuple) -> pd.DataFrame:
    """(seed, arm, epoch, counts) as gamma over four bins from -1 to 3."""
    return pd.DataFrame(
        [(seed, arm, epoch, "gamma", -1.0, 3.0, counts) for seed, arm, epoch, counts in rows],
        columns=HISTOGRAM_COLUMNS,
    )


def pooled(rows: pd.DataFrame, comparison: Comparison) -> Histograms | None:
    return histograms_data(synthetic.tally(rows, comparison))


def test_seeds_are_pooled_and_the_mean_is_that_of_the_bins() -> None:
    data = pooled(frame((0, "sgd", 0, (0, 0, 4, 0)), (1, "sgd", 0, (0, 4, 0, 0)), (0, SAM, 1, (1, 0, 0, 1))), SPEC)
    assert data.epochs.tolist() == [0, 1]
    assert data.counts[0, 0].tolist() == [0, 4, 4, 0]
    assert data.counts[1, 1].tolist() == [1, 0, 0, 1]
    assert data.seeds.tolist() == [[2, 0], [0, 1]]
    assert data.centers.tolist() == [-0.5, 0.5, 1.5, 2.5]
    assert data.mean[0, 0] == 1.0
    assert data.mean[1, 1] == 1.0
    assert np.isnan(data.mean[0, 1])


def test_nothing_yet_is_none_and_other_names_do_not_count() -> None:
    assert pooled(pd.DataFrame(columns=HISTOGRAM_COLUMNS), SPEC) is None
    assert histograms_data(synthetic.tally(frame((0, "sgd", 0, (1, 0, 0, 0))), SPEC), "beta") is None


def test_bins_that_differ_are_refused() -> None:
    rows = frame((0, "sgd", 0, (1, 0, 0, 0)), (1, "sgd", 0, (1, 0, 0, 0)))
    rows.loc[1, "high"] = 4.0
    with pytest.raises(ValueError, match="gamma must have common bins"):
        pooled(rows, SPEC)


def test_the_figure_is_valid_and_shows_the_epoch_asked_for() -> None:
    spec = synthetic.comparison(2, epochs=5)
    data = pooled(synthetic.histograms(spec), spec)
    for epoch in (0, 3, None):
        at = 5 if epoch is None else epoch
        figure = go.Figure(histograms_figure(data, spec, epoch))
        assert f"epoch {at}" in figure.layout.title.text
        for k, trace in enumerate(figure.data):
            assert list(trace.y) == data.counts[at, k].tolist()
        assert figure.data[3].yaxis == "y4"


def test_the_axis_stands_still_while_epochs_are_scrubbed() -> None:
    spec = synthetic.comparison(1, epochs=5)
    data = pooled(synthetic.histograms(spec), spec)
    ranges = {tuple(histograms_figure(data, spec, epoch)["layout"]["xaxis"]["range"]) for epoch in range(6)}
    assert len(ranges) == 1
