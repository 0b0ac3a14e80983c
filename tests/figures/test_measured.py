"""What the Sharpness page draws and says, from measurements with made-up numbers."""

from itertools import pairwise

import plotly.graph_objects as go
import pytest

from samviz.figures.rescaling import rescaling_page
from samviz.figures.sharpness import sharpness_figure, sharpness_rows
from samviz.figures.slices import QUANTITIES, reaches, slice_figure
from samviz.spec.measurement import SliceOf
from tests import measured

LABELS = {"sgd": "SGD", "sam": "SAM-all"}
RESCALING, SHARPNESS, SLICE = measured.questions("sgd", "sam")


def test_a_rescaling_is_told_relative_to_a_of_1() -> None:
    page = rescaling_page(RESCALING, measured.answer(RESCALING), "SGD")
    sphere, cuboid = page["lines"]
    assert page["factors"][page["middle"]] == 1
    assert sphere["ratios"] == list(measured.FACTORS)
    assert (sphere["spread"], cuboid["spread"]) == (pytest.approx(100), 1)
    assert (sphere["stays"], cuboid["stays"]) == (False, True)
    assert sphere["dashed"]
    assert not cuboid["dashed"]
    first, moves, stays = page["summary"]
    assert first.startswith("SGD: a from 0.1 to 10 changes no logit by more than 3.0e-07 of the largest one")
    assert moves == "Moves most: sphere, p = 2, ρ 0.1: 1 step, its largest value is 100 times its smallest."
    assert "elementwise, p = inf, ρ 0.005" in stays


def test_what_has_no_value_has_no_ratio_and_is_not_called_unmoved() -> None:
    result = measured.answer(RESCALING)
    result["curves"][0]["values"] = [None, -0.1, 2.0, 2.0, 2.0]
    result["curves"][1]["values"] = [0.5, 0.5, 0.0, 0.5, 0.5]
    page = rescaling_page(RESCALING, result, "SGD")
    assert page["lines"][0]["ratios"] == [None, None, 1, 1, 1]
    assert page["lines"][1]["ratios"] == [None] * 5, "there is nothing to be relative to"
    assert [line["spread"] for line in page["lines"]] == [None, None]
    assert len(page["summary"]) == 1


def test_logits_whose_change_cannot_be_told_are_no_error() -> None:
    result = measured.answer(RESCALING) | {"logits_change": [1e-7, None, 0.0, None, 2e-7]}
    assert "nothing can be said of their change" in rescaling_page(RESCALING, result, "SGD")["summary"][0]


def test_sharpness_is_a_table_and_bars_with_the_deviation_of_the_batches() -> None:
    result = measured.answer(SHARPNESS)
    assert [values for _, values in sharpness_rows(SHARPNESS, result, LABELS)] == [{"SGD": 0.25, "SAM-all": 0.25}] * 2
    figure = sharpness_figure(SHARPNESS, result, LABELS, {"sgd": "#111111", "sam": "#222222"}, 1)
    (bars,) = go.Figure(figure).data
    assert tuple(bars.x) == ("SGD", "SAM-all")
    assert bars.error_y.array[0] == pytest.approx(0.1 / 2**0.5)


@pytest.mark.parametrize("quantity", QUANTITIES)
def test_a_plane_is_a_map_with_the_outline_of_each_region(quantity: str) -> None:
    result = measured.answer(SLICE)
    contour, here, outline = go.Figure(slice_figure(SLICE, result, quantity)).data
    assert [list(row) for row in contour.z] == result[quantity]
    assert (here.x[0], here.y[0]) == (0, 0)
    points = list(zip(outline.x, outline.y, strict=True))
    assert points[0] == points[-1], "it is closed"
    assert all(a != b for a, b in pairwise(points))
    assert reaches(SLICE, result) == "How far the regions reach: sphere, p = 2, ρ 0.1: ± 1 and ± 1."


def test_a_line_is_a_curve_with_a_mark_where_each_region_ends() -> None:
    asked = SliceOf(arm="sgd", directions=("gradient",), regions=(measured.SPHERE,), points=3)
    result = measured.answer(asked) | {"y": [0.0], "loss": [[3.0, 1.0, 2.0]], "cuts": [{"reach": [0.5], "outline": []}]}
    figure = go.Figure(slice_figure(asked, result))
    assert tuple(figure.data[0].y) == (3, 1, 2)
    assert sorted(shape.x0 for shape in figure.layout.shapes) == [-0.5, 0.5]
