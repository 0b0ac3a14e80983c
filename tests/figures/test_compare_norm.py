"""gamma and beta side by side: shares over common bins, magnitudes by type of layer, ridgelines, maps, and sweeps."""

from dataclasses import replace

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest

from samviz.figures.compare import Side, sides_of
from samviz.figures.compare_norm import Counts, folded, norm_section, norms_figure
from samviz.figures.compare_rho import of_variant, rho_section
from samviz.figures.ridgeline import ROWS
from samviz.figures.sweep import sweep_data
from samviz.runs.views import HISTOGRAM_COLUMNS
from samviz.spec import Arm, Sweep
from tests import synthetic
from tests.figures.test_compare import source

EPOCHS = 20


@pytest.fixture(scope="module")
def sides() -> list[Side]:
    return sides_of([source(synthetic.comparison(2, EPOCHS))])


def chart(sides: list[Side], name: str, kind: str = "gamma", log: bool = False):
    (found,) = [chart for chart in norm_section(sides, kind, log).charts if chart.name == name]
    return found


@pytest.mark.parametrize("kind", ["gamma", "beta"])
def test_overlaid_histograms_are_the_shares_at_the_end(sides: list[Side], kind: str) -> None:
    rows = synthetic.histograms(sides[0].source.comparison)
    for side, trace in zip(sides, chart(sides, f"overlay-{kind}", kind).figure["data"], strict=True):
        own = rows[(rows["arm"] == side.arm.key) & (rows["name"] == kind) & (rows["epoch"] == EPOCHS)]
        counts = np.sum(own["counts"].to_list(), axis=0)
        assert trace["y"] == pytest.approx((100 * counts / counts.sum()).tolist(), abs=1e-3)
        assert trace["x"][0] == pytest.approx(own["low"].iloc[0] + 0.025)


def test_the_logarithmic_axis_is_taken_on_demand_and_leaves_empty_bins_out(sides: list[Side]) -> None:
    assert "type" not in chart(sides, "overlay-gamma").figure["layout"]["yaxis"]
    log = chart(sides, "overlay-gamma", log=True).figure
    assert log["layout"]["yaxis"]["type"] == "log"
    assert all(value is None or value > 0 for trace in log["data"] for value in trace["y"])


def test_other_bins_are_left_out_and_named() -> None:
    spec = synthetic.comparison(2, 3)
    other = source(replace(spec, name="Other"), "2")
    low, high = other.tally.bins["gamma"]
    other.tally.bins["gamma"] = (low, high + 1)
    section = norm_section(sides_of([source(spec), other]), "gamma", False)
    assert len(section.charts[0].figure["data"]) == 4
    assert sum("has other bins than the rest" in note for note in section.notes) == 4


def test_magnitudes_are_folded_at_zero() -> None:
    found = folded(Counts(low=-1.0, high=3.0, epoch=1, counts=np.array([1, 2, 10, 20, 30, 40, 50, 60])))
    assert found.counts.tolist() == [12, 21, 30, 40, 50, 60]
    assert found.edges.tolist() == [0, 0.5, 1, 1.5, 2, 2.5, 3]
    wide = folded(Counts(low=-2.0, high=1.0, epoch=1, counts=np.array([1, 2, 3])))
    assert (wide.counts.tolist(), wide.high) == ([5, 1], 2.0)


def test_weights_by_type_of_layer_are_drawn_where_there_are_histograms_of_them(sides: list[Side]) -> None:
    names = {chart.name for chart in norm_section(sides, "gamma", False).charts}
    assert {"type-gamma", "type-beta", "type-norms"} <= names
    assert "type-weight-conv" not in names
    spec = synthetic.comparison(1, 2)
    counts = tuple([0] * 30 + [5, 20, 5] + [0] * 47)
    rows = [(0, arm.key, 2, "weight/conv", -5.0, 1.0, counts) for arm in spec.arms]
    with_weights = source(spec)
    with_weights.tally.add([], synthetic.tuples(pd.DataFrame(rows, columns=HISTOGRAM_COLUMNS)))
    own = sides_of([with_weights])
    figure = go.Figure(chart(own, "type-weight-conv").figure)
    assert figure.data[0].y[31] == pytest.approx(100 * 20 / 30, abs=1e-3)
    assert figure.data[0].x[31] == pytest.approx(-5 + 31.5 * 6 / 80)
    ticks = figure.layout.xaxis
    assert [float(text) for text in ticks.ticktext] == pytest.approx([10**value for value in ticks.tickvals], rel=0.05)
    assert len(ticks.tickvals) >= 3
    assert not norm_section(own, "gamma", False).notes


def test_norms_by_type_are_means_over_the_seeds(sides: list[Side]) -> None:
    metrics = synthetic.metrics(sides[0].source.comparison)
    bars = norms_figure(sides)["data"][2]
    for x, y in zip(bars["x"], bars["y"], strict=True):
        name = {"convolutions": "conv", "linear layers": "linear", "norm layers": "norm"}[x]
        own = metrics[(metrics["arm"] == sides[2].arm.key) & (metrics["epoch"] == EPOCHS)]
        assert y == pytest.approx(own[own["name"] == f"weight_norm/{name}"]["value"].mean(), abs=1e-3)


def test_a_ridgeline_has_a_row_an_epoch_from_the_start_to_the_end(sides: list[Side]) -> None:
    figure = go.Figure(chart(sides, f"ridgeline-gamma-{sides[1].key}").figure)
    assert len(figure.data) == 2 * ROWS
    labels = list(figure.layout.yaxis.ticktext)
    assert (labels[0], labels[-1]) == ("0", str(EPOCHS))
    ridges = figure.data[1::2]
    assert [min(ridge.y) for ridge in ridges] == pytest.approx(range(ROWS - 1, -1, -1))
    peak = int(np.argmax(ridges[-1].y))
    rows = synthetic.histograms(sides[0].source.comparison)
    own = rows[(rows["arm"] == sides[1].arm.key) & (rows["name"] == "gamma") & (rows["epoch"] == EPOCHS)]
    counts = np.sum(own["counts"].to_list(), axis=0)
    assert ridges[-1].x[peak] == pytest.approx(-1 + (int(counts.argmax()) + 0.5) * 0.05)


def test_maps_by_layer_of_several_comparisons_have_one_scale() -> None:
    spec = synthetic.comparison(1, 4)
    metrics = synthetic.metrics(spec)
    metrics.loc[metrics["name"].str.startswith("gamma_mean/"), "value"] += 1
    sides = sides_of([source(spec), source(replace(spec, name="Other"), "2", metrics=metrics)])
    maps = [chart for chart in norm_section(sides, "gamma", False).charts if chart.group == "By layer"]
    assert len(maps) == 8
    assert len({(chart.figure["data"][0]["zmin"], chart.figure["data"][0]["zmax"]) for chart in maps}) == 1
    assert np.nanmax(np.array(maps[-1].figure["data"][0]["z"], float)) <= maps[-1].figure["data"][0]["zmax"]


def test_without_any_numbers_there_is_nothing_to_draw() -> None:
    spec = synthetic.comparison(1, 3)
    empty = source(spec, metrics=synthetic.metrics(spec, {}))
    empty.tally.bins.clear()
    assert norm_section(sides_of([empty]), "beta", True).charts == []


def test_rho_curves_are_a_chart_for_each_variant_with_the_base_optimizer_in_each() -> None:
    base = synthetic.comparison(1, 2)
    on = Arm(variant="elementwise_l2", scope="norm_only", rho=0.5)
    sweep = Sweep(name="Radii", base=replace(base, arms=(*base.arms, on)), rho=(0.1, 0.2))
    members = [(point, str(k), "finished") for k, point in enumerate(sweep.points())]
    rows = []
    for k, (point, id, _) in enumerate(members):
        for arm in sweep.arms(point).values():
            rows += [(id, 0, arm.key, "test_accuracy", 2, 50.0 + k + arm.rho)]
    data = sweep_data(sweep, members, rows)
    section = rho_section([("7", data)])
    assert [chart.name for chart in section.charts] == ["rho-7-sam", "rho-7-elementwise_l2"]
    labels = [{trace["name"] for trace in chart.figure["data"]} for chart in section.charts]
    assert labels == [{"SGD", "SAM-all", "SAM-ON", "SAM no-norm"}, {"SGD", "ASAM-ON"}]
    assert len(of_variant(data, "sam").rows) + len(of_variant(data, "elementwise_l2").rows) == len(data.rows) + 1
    assert rho_section([("7", sweep_data(sweep, members, []))]).charts == []
