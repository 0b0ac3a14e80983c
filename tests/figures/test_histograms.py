"""Histograms: pooled over seeds, means from the bins, valid plotly figures."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest

from samviz.figures import palette
from samviz.figures.histograms import MOST_TEXTS, Histograms, histograms_data, histograms_figure, mean_texts
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
        assert figure.layout.title.text == f"γ of the norm layers after epoch {at}, 2 seeds"
        for k, trace in enumerate(figure.data):
            assert list(trace.y) == data.counts[at, k].tolist()
            assert list(trace.x) == pytest.approx(data.centers)
            assert (trace.meta, trace.line.color) == (spec.arms[k].key, palette.looks(spec.arms)[trace.meta].color)
        assert len(figure.layout.annotations) == 4


def test_beta_has_bins_of_its_own() -> None:
    spec = synthetic.comparison(1, epochs=3)
    data = histograms_data(synthetic.tally(synthetic.histograms(spec), spec), "beta")
    assert (data.low, data.high, data.symbol) == (-2, 2, "β")
    figure = go.Figure(histograms_figure(data, spec))
    assert figure.layout.xaxis.title.text == "β"
    assert "β ≈" in figure.data[0].hovertemplate


def test_an_arm_that_has_trained_for_all_its_epochs_stays_as_it_ended() -> None:
    spec = Comparison(name="x2", recipe=Recipe(epochs=1), arms=(Arm(), Arm(epochs_factor=2)))
    rows = [(0, "sgd", 1, (1, 0, 0, 0)), (0, "sgd:x2", 1, (0, 1, 0, 0)), (0, "sgd:x2", 2, (0, 0, 1, 0))]
    data = pooled(frame(*rows), spec)
    assert data.epochs.tolist() == [0, 1, 2]
    assert data.counts.tolist()[1:] == [[[1, 0, 0, 0], [0, 1, 0, 0]], [[1, 0, 0, 0], [0, 0, 1, 0]]]
    assert data.seeds.tolist() == [[0, 0], [1, 1], [1, 1]]
    assert mean_texts(data, spec.labels.values(), 2) == ["SGD, mean -0.500 at its end, epoch 1", "SGD ×2, mean 1.500"]
    assert mean_texts(data, spec.labels.values(), 0) == ["SGD", "SGD ×2"]


def test_many_arms_are_outlines_without_texts() -> None:
    arms = tuple(Arm(variant="sam", rho=0.1 * (k + 1)) for k in range(MOST_TEXTS + 1))
    spec = Comparison(name="many", recipe=Recipe(epochs=1), arms=arms)
    figure = histograms_figure(pooled(synthetic.histograms(spec), spec), spec)
    assert figure["layout"]["annotations"] == []
    assert all(trace["fillcolor"].endswith(",0.0)") for trace in figure["data"])


def test_the_axis_stands_still_while_epochs_are_scrubbed() -> None:
    spec = synthetic.comparison(1, epochs=5)
    data = pooled(synthetic.histograms(spec), spec)
    ranges = {tuple(histograms_figure(data, spec, epoch)["layout"]["xaxis"]["range"]) for epoch in range(6)}
    assert len(ranges) == 1
