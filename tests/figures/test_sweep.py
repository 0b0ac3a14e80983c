"""A sweep's table and figure: means and deviations over finished seeds, what is chosen, valid plotly figures."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import pairwise
from math import inf, log10, nan

import numpy as np
import plotly.graph_objects as go
import pytest

from samviz.figures import palette
from samviz.figures.sweep import Row, Swept, sweep_conclusion, sweep_data, sweep_table
from samviz.figures.sweep_figure import MARGIN, MOST_PANELS, round_ticks, sweep_figure
from samviz.spec import PRESETS, Arm
from samviz.spec.sweep import Point, Sweep

BASE = replace(PRESETS["quick"].comparison, seeds=(0, 1, 2))
SGD, ALL, ON, NO_NORM = (arm.key for arm in BASE.arms)
LAST = BASE.recipe.epochs
HELD_OUT = replace(BASE, recipe=replace(BASE.recipe, train_size=1500, validation_size=100))


def grid(**changes) -> Sweep:
    return Sweep(**{"name": "Radii", "base": BASE, "rho": (0.2, 0.05, 0.1), "lr": (0.1,)} | changes)


def members(sweep: Sweep, state: str = "finished") -> list[tuple[Point, str, str]]:
    return [(point, str(k), state) for k, point in enumerate(sweep.points(), start=1)]


def hill(key: str, lr: float, rho: float | None, seed: int) -> float:
    """An accuracy that is highest at rho 0.1 and lr 0.1; seeds lie 1 apart."""
    return (
        60 + seed + [SGD, ALL, ON, NO_NORM].index(key) - 4 * log10((rho or 0.1) / 0.1) ** 2 - 3 * log10(lr / 0.1) ** 2
    )


def measured(
    sweep: Sweep, points: Iterable[tuple[Point, str, str]], accuracy: Callable = hill, seeds: int = 3
) -> list[tuple]:
    """Rows of the first seeds of each point: a last epoch, and a better one before it."""
    rows = []
    for point, id, _ in points:
        for key, arm in sweep.arms(point).items():
            last = arm.epochs(LAST)
            for seed in sweep.base.seeds[:seeds]:
                value = accuracy(key, point.lr, point.rho, seed)
                rows.append((id, seed, arm.key, "test_accuracy", last - 3, value + 0.5))
                rows.append((id, seed, arm.key, "test_accuracy", last, value))
                if sweep.base.recipe.validation_size:
                    rows.append((id, seed, arm.key, "validation_accuracy", last, value - 2))
    return rows


def found(sweep: Sweep, accuracy: Callable = hill, seeds: int = 3) -> Swept:
    return sweep_data(sweep, members(sweep), measured(sweep, members(sweep), accuracy, seeds))


def traces(figure: dict, key: str) -> list[dict]:
    return [trace for trace in figure["data"] if trace["meta"] == key]


def test_a_row_is_an_arm_at_a_point_with_numpys_mean_and_deviation() -> None:
    data = found(grid())
    assert [(row.key, row.rho, row.comparison) for row in data.rows] == [
        (SGD, None, "1"),
        *((key, rho, id) for key in (ALL, ON, NO_NORM) for rho, id in ((0.05, "3"), (0.1, "4"), (0.2, "2"))),
    ]
    row = data.of(ON)[0]
    values = [hill(ON, 0.1, 0.05, seed) for seed in (0, 1, 2)]
    assert (row.label, row.lr, row.n, row.diverged, row.state) == ("SAM-ON", 0.1, 3, 0, "finished")
    assert row.mean == row.judged == pytest.approx(np.mean(values))
    assert row.sd == pytest.approx(np.std(values, ddof=1))
    assert row.best == pytest.approx(np.mean(values) + 0.5)


def test_seeds_count_once_they_have_come_to_the_end_of_their_arm() -> None:
    sweep = grid(base=replace(BASE, arms=(Arm(epochs_factor=2), BASE.arms[1])), rho=(0.3,))
    plain, climbing = sweep.points()
    rows = [
        ("1", 0, "sgd:x2", "test_accuracy", LAST, 50.0),
        ("1", 1, "sgd:x2", "test_accuracy", 2 * LAST, 52.0),
        ("2", 0, "sam:all:rho=0.3", "test_accuracy", LAST - 1, 53.0),
        ("2", 1, "sam:all:rho=0.3", "diverged", 4, 250.0),
        ("2", 2, "sam:all:rho=0.3", "test_accuracy", LAST, nan),
        ("9", 0, "sam:all:rho=0.3", "test_accuracy", LAST, 99.0),
    ]
    data = sweep_data(sweep, [(plain, "1", "running"), (climbing, "2", "running")], rows)
    assert data.rows == (
        Row(comparison="1", key="sgd:x2", label="SGD ×2", lr=0.1, rho=None, n=1, mean=52.0, sd=None, best=52.0,
            judged=52.0, diverged=0, state="running"),
        Row(comparison="2", key=ALL, label="SAM-all", lr=0.1, rho=0.3, n=0, mean=None, sd=None, best=None,
            judged=None, diverged=1, state="diverged"),
    )  # fmt: skip


def test_an_arm_that_ran_out_of_memory_says_so() -> None:
    sweep = grid(rho=(0.3,))
    rows = [("1", seed, "sgd", "failed", 1, 1.0) for seed in (0, 1, 2)]
    rows += [("2", 0, "sam:all:rho=0.3", "failed", 1, 1.0), ("2", 1, "sam:all:rho=0.3", "diverged", 1, 1.0)]
    data = sweep_data(sweep, members(sweep), rows)
    assert [row.state for row in data.rows] == ["failed", "diverged", "finished", "finished"]


def test_more_rows_than_the_last_and_the_highest_change_nothing() -> None:
    sweep = grid()
    rows = measured(sweep, members(sweep))
    more = [(id, seed, arm, name, epoch, 20.0 + epoch) for id, seed, arm, name, _, _ in rows for epoch in range(5)]
    infinite = [(*row[:4], 6, inf) for row in rows]
    assert sweep_data(sweep, members(sweep), [*more, *infinite, *rows]) == found(sweep)


def test_the_best_point_of_an_arm_is_chosen_where_all_seeds_have_finished() -> None:
    assert [(row.key, row.rho) for row in found(grid()).rows if row.chosen] == [(SGD, None)] + [
        (key, 0.1) for key in (ALL, ON, NO_NORM)
    ]
    assert not any(row.chosen for row in found(grid(), seeds=2).rows)


def test_held_out_images_choose_where_there_are_any() -> None:
    sweep = grid(base=HELD_OUT, rho=(0.1, 1.0))
    rows = [
        (id, seed, arm, name, epoch, 70.0 if name == "validation_accuracy" and arm.endswith("=1") else value)
        for id, seed, arm, name, epoch, value in measured(sweep, members(sweep))
    ]
    data = sweep_data(sweep, members(sweep), rows)
    (chosen,) = (row for row in data.of(ON) if row.chosen)
    assert (chosen.rho, chosen.judged) == (1.0, 70.0)
    assert chosen.mean < data.of(ON)[0].mean
    assert sweep_conclusion(data)[-1].startswith("Chosen by the accuracy on held-out train images")
    assert sweep_table(data)[0][-1] == "validation accuracy"


def test_the_table_reads_as_text() -> None:
    sweep = grid(rho=(0.1,), lr=(0.1, 1.0))
    rows = [row for row in measured(sweep, members(sweep)) if row[0] != "4"]
    rows += [("4", seed, "sam:all:rho=0.1", "diverged", 2, 100.0) for seed in (0, 1, 2)]
    table = sweep_table(sweep_data(sweep, members(sweep), rows))
    assert table[:5] == [
        ("arm", "lr", "rho", "test accuracy", "best epoch", "seeds", "diverged", "state"),
        ("SGD *", "0.1", "", "61.00 % ± 1.00", "61.50 %", "3", "", "finished"),
        ("SGD", "1", "", "58.00 % ± 1.00", "58.50 %", "3", "", "finished"),
        ("SAM-all *", "0.1", "0.1", "62.00 % ± 1.00", "62.50 %", "3", "", "finished"),
        ("SAM-all", "1", "0.1", "-", "-", "0", "3", "diverged"),
    ]


def test_the_conclusion_says_what_was_chosen_by_what_and_where_the_best_may_lie_beyond() -> None:
    data = found(grid(rho=(0.1, 0.2), base=replace(BASE, seeds=(0,))), seeds=1)
    beyond = "(the smallest rho tried: the best may lie beyond)"
    assert sweep_conclusion(data) == [
        "SGD: best at lr 0.1, test accuracy 60.00 %.",
        *(
            f"{label}: best at lr 0.1, rho 0.1, test accuracy {accuracy}.00 % {beyond}."
            for label, accuracy in (("SAM-all", 61), ("SAM-ON", 62), ("SAM no-norm", 63))
        ),
        "Chosen with the test set, which flatters: hold validation images out to choose by.",
        "One seed: small differences may be chance.",
    ]
    assert sweep_conclusion(sweep_data(grid(), members(grid(), "queued"), [])) == [
        "No point has finished all its seeds yet."
    ]


def test_a_curve_an_arm_over_rho_with_deviations_and_the_base_optimizer_as_a_level() -> None:
    figure = sweep_figure(found(grid()))
    (curve,) = traces(figure, ON)
    assert curve["x"] == [0.05, 0.1, 0.2]
    assert curve["y"] == [round(63 - 4 * log10(rho / 0.1) ** 2, 2) for rho in curve["x"]]
    assert curve["error_y"]["array"] == [1.0, 1.0, 1.0]
    assert curve["marker"]["symbol"] == ["circle", "star", "circle"]
    assert curve["mode"] == "lines+markers"
    look = palette.looks(BASE.arms)[ON]
    assert curve["line"] == {"color": look.color, "dash": look.dash, "width": 2}
    band, level = traces(figure, SGD)
    assert level["y"] == [61.0, 61.0]
    assert level["x"] == [0.05 / MARGIN, 0.2 * MARGIN]
    assert (min(band["y"]), max(band["y"])) == (60.0, 62.0)
    assert figure["layout"]["xaxis"]["type"] == "log"
    assert figure["layout"]["xaxis"]["ticktext"] == ["0.05", "0.1", "0.2"]
    assert curve["text"][0] == "<b>SAM-ON</b>, ρ 0.05, lr 0.1<br>62.64 % ± 1.00 (3 of 3 seeds)"


def test_points_with_seeds_to_come_are_hollow_and_single_seeds_have_no_bars() -> None:
    figure = sweep_figure(found(grid(), seeds=1))
    (curve,) = traces(figure, ALL)
    assert curve["marker"]["symbol"] == ["circle-open"] * 3
    assert "error_y" not in curve
    assert len(traces(figure, SGD)) == 1


def test_a_point_is_whole_when_its_other_seeds_have_diverged() -> None:
    sweep = grid()
    rows = [row for row in measured(sweep, members(sweep)) if row[:3] != ("4", 2, "sam:norm_only:rho=0.1")]
    rows.append(("4", 2, "sam:norm_only:rho=0.1", "diverged", 3, 150.0))
    data = sweep_data(sweep, members(sweep), rows)
    curve, cross = traces(sweep_figure(data), ON)
    assert curve["marker"]["symbol"] == ["star", "circle", "circle"]
    assert curve["text"][1].endswith("62.50 % ± 0.71 (2 of 3 seeds)<br>1 of 3 seeds diverged")
    assert cross["x"] == [0.1]
    assert data.of(ON)[1].state == "finished"


def test_diverged_points_are_crosses_at_the_bottom_each_arms_on_a_line_of_its_own() -> None:
    sweep = grid()
    rows = [row for row in measured(sweep, members(sweep)) if row[0] not in ("1", "2")]
    lost = ["sgd", "sam:all:rho=0.2", "sam:norm_only:rho=0.2"]
    rows += [("1" if arm == "sgd" else "2", seed, arm, "diverged", 2, 100.0) for arm in lost for seed in (0, 1, 2)]
    figure = sweep_figure(sweep_data(sweep, members(sweep), rows))
    crosses = {trace["meta"]: trace for trace in figure["data"] if trace["yaxis"] == "y2"}
    assert {key: trace["x"] for key, trace in crosses.items()} == {SGD: [0.05 / MARGIN], ALL: [0.2], ON: [0.2]}
    assert crosses[ALL]["y"] != crosses[ON]["y"]
    assert crosses[ALL]["text"] == ["<b>SAM-all</b>, ρ 0.2, lr 0.1<br>3 of 3 seeds diverged"]
    assert figure["layout"]["yaxis2"]["range"] == [0, 1]
    assert traces(figure, ALL)[0]["x"] == [0.05, 0.1]
    named = [(trace["meta"], trace["yaxis"]) for trace in figure["data"] if trace["showlegend"]]
    assert named == [(SGD, "y2"), (ALL, "y"), (ON, "y"), (NO_NORM, "y")]


def test_a_few_learning_rates_have_a_panel_each_and_share_the_accuracies() -> None:
    sweep = grid(lr=(0.3, 0.03, 0.1))
    figure = sweep_figure(found(sweep))
    assert [trace["xaxis"] for trace in traces(figure, ON)] == ["x", "x2", "x3"]
    assert {trace["yaxis"] for trace in figure["data"]} == {"y"}
    assert [note["text"] for note in figure["layout"]["annotations"]] == ["lr 0.03", "lr 0.1", "lr 0.3"]
    stars = [trace["xaxis"] for trace in traces(figure, ON) if "star" in trace["marker"]["symbol"]]
    assert stars == ["x2"]
    assert [trace["meta"] for trace in figure["data"] if trace["showlegend"]] == [SGD, ALL, ON, NO_NORM]
    ends = [figure["layout"][name]["domain"] for name in ("xaxis", "xaxis2", "xaxis3")]
    assert ends[0][0] == 0
    assert ends[2][1] == pytest.approx(1, abs=1e-3)
    assert all(a[1] < b[0] for a, b in pairwise(ends))


def test_of_many_learning_rates_the_best_is_drawn_for_each_radius() -> None:
    rates = (0.01, 0.03, 0.1, 0.3, 1.0)
    assert len(rates) > MOST_PANELS

    def moving(key: str, lr: float, rho: float | None, seed: int) -> float:
        """The smaller the radius, the larger the best learning rate."""
        return 60 - 3 * log10(lr * (rho or 0.1) / 0.01) ** 2 + seed

    sweep = grid(lr=rates, rho=(0.03, 0.1, 0.3))
    there = [member for member in members(sweep) if (member[0].lr, member[0].rho) != (0.01, 0.03)]
    figure = sweep_figure(sweep_data(sweep, there, measured(sweep, there, moving)))
    (curve,) = traces(figure, ON)
    assert curve["x"] == [0.03, 0.1, 0.3]
    assert [text.split("<br>")[0].split(", ")[-1] for text in curve["text"]] == ["lr 0.3", "lr 0.1", "lr 0.03"]
    assert [trace["xaxis"] for trace in figure["data"]] == ["x"] * len(figure["data"])


def test_where_learning_rates_alone_are_swept_they_are_the_axis_of_all_arms() -> None:
    sweep = grid(rho=(), lr=(0.01, 0.1, 1.0))
    figure = sweep_figure(found(sweep, lambda key, lr, rho, seed: hill(key, lr, None, seed)))
    for key in (SGD, ALL, ON, NO_NORM):
        (curve,) = traces(figure, key)
        assert curve["x"] == [0.01, 0.1, 1.0]
    assert figure["layout"]["xaxis"]["title"]["text"] == "learning rate"
    assert "ρ 0.5" in traces(figure, ON)[0]["text"][0]


def test_the_trials_of_a_search_are_points_without_lines() -> None:
    sweep = Sweep(name="Search", base=BASE, rho=(0.01, 1), lr=(0.01, 1), search="optuna", trials=9)
    tried = [
        (Point(lr=0.1 + 0.01 * k, rho=None if key == SGD else 0.05 * (k + 1), arms=(key,)), f"{k}{key}", "finished")
        for k in range(3)
        for key in (SGD, ON)
    ]
    figure = sweep_figure(sweep_data(sweep, tried, measured(sweep, tried)))
    (points,) = traces(figure, ON)
    assert points["mode"] == "markers"
    assert points["x"] == pytest.approx([0.05, 0.1, 0.15])
    assert traces(figure, SGD)[-1]["text"][0].startswith("<b>SGD</b>, lr 0.1<br>")
    assert figure["layout"]["xaxis"]["tickvals"] == [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0]


MORE = {"rho": (), "lr": (), "weight_decay": (0, 0.001), "dropout": (0, 0.25, 0.5)}


def wide(key: str, lr: float, rho: float | None, seed: int) -> float:
    return 50.0 + seed


def test_further_fields_have_columns_and_tell_what_was_chosen() -> None:
    sweep = grid(**MORE, base=replace(BASE, arms=(Arm(),)))
    rows = [
        (id, seed, "sgd", "test_accuracy", LAST, 50 + seed + 10 * point.dropout - 1000 * point.weight_decay)
        for point, id, _ in members(sweep)
        for seed in (0, 1, 2)
    ]
    data = sweep_data(sweep, members(sweep), rows)
    assert [(row.weight_decay, row.dropout, row.batch_size) for row in data.rows] == [
        (decay, dropout, None) for decay in (0, 0.001) for dropout in (0, 0.25, 0.5)
    ]
    table = sweep_table(data)
    assert table[0][:6] == ("arm", "lr", "rho", "weight decay", "dropout", "test accuracy")
    assert table[3][:6] == ("SGD *", "0.1", "", "0", "0.5", "56.00 % ± 1.00")
    assert sweep_conclusion(data)[0] == (
        "SGD: best at lr 0.1, weight decay 0, dropout 0.5, test accuracy 56.00 % ± 1.00 "
        "(the largest dropout tried: the best may lie beyond)."
    )


def test_values_that_may_be_0_stand_evenly_and_what_else_varies_has_panels() -> None:
    sweep = grid(**MORE)
    figure = sweep_figure(found(sweep, wide))
    curve = traces(figure, ON)[0]
    assert (curve["x"], curve["xaxis"]) == (["0", "0.001"], "x")
    assert curve["text"][1].startswith("<b>SAM-ON</b>, ρ 0.5, lr 0.1, weight decay 0.001, dropout 0<br>")
    assert [note["text"] for note in figure["layout"]["annotations"]] == ["dropout 0", "dropout 0.25", "dropout 0.5"]
    axis = figure["layout"]["xaxis"]
    assert (axis["type"], axis["categoryarray"], axis["title"]["text"]) == ("category", ["0", "0.001"], "weight decay")


def test_of_many_combinations_the_best_is_drawn_at_each_place() -> None:
    figure = sweep_figure(found(grid(rho=(0.1, 0.2), lr=(0.1, 0.2), batch_size=(32, 64, 128)), wide))
    assert traces(figure, ON)[0]["x"] == [0.1, 0.2]
    assert [note["text"] for note in figure["layout"]["annotations"]] == ["at the best values of all else"]


@pytest.mark.parametrize(
    "data",
    [
        found(grid()),
        found(grid(**MORE), wide),
        found(grid(rho=(), lr=(), batch_size=(32, 64)), wide),
        found(grid(), seeds=2),
        found(grid(lr=(0.03, 0.1, 0.3))),
        found(grid(lr=(0.01, 0.03, 0.1, 0.3, 1.0))),
        found(grid(rho=(), lr=(0.01, 0.1)), lambda key, lr, rho, seed: hill(key, lr, None, seed)),
        found(grid(rho=tuple(k / 40 for k in range(1, 41)))),
        sweep_data(grid(), members(grid(), "queued"), []),
        sweep_data(grid(), [], []),
    ],
)
def test_plotly_takes_every_figure(data: Swept) -> None:
    figure = sweep_figure(data)
    made = go.Figure(figure)
    assert len(made.data) == len(figure["data"])
    assert len({trace["uid"] for trace in figure["data"]}) == len(figure["data"])
    assert len(figure["layout"]["xaxis"].get("tickvals", ())) <= 32
    # Nothing of its own behind the page's colors, light or dark.
    assert made.layout.paper_bgcolor == made.layout.plot_bgcolor == "rgba(0,0,0,0)"


def test_a_short_axis_has_ticks_to_read_it_by() -> None:
    assert round_ticks((1.3, 4.5), 10) == [1.5, 2, 3, 4]
    assert round_ticks((0.13, 4.5), 10) == [0.2, 0.5, 1, 2]
    assert round_ticks((1e-3, 1e3), 7) == [1e-3, 1e-2, 0.1, 1, 10, 100, 1e3]
