"""Sharpness against the gap over a sweep: which numbers are compared, the table, the sentences and valid figures."""

from dataclasses import replace
from math import nan

import plotly.graph_objects as go
import pytest

from samviz.figures.gap import (
    MEASURES,
    Correlation,
    correlation_data,
    correlation_figure,
    correlation_notes,
    correlation_table,
    rate_looks,
    varied,
    with_radii,
)
from samviz.spec import PRESETS, Arm, Comparison
from samviz.spec.sweep import Point, Sweep

BASE = Comparison(name="Grid", recipe=replace(PRESETS["quick"].comparison.recipe, epochs=5), arms=(Arm(),))
GRID = Sweep(name="Grid", base=BASE, lr=(0.1, 0.2, 0.4), batch_size=(32, 64), dropout=(0.25,))


def loss(point: Point) -> float:
    """Of the train images: the smaller, the larger lr is, and a little smaller with large batches."""
    return 2 - point.lr - point.batch_size / 1000


def sharpness(point: Point) -> tuple[float, float, float, float]:
    """In the order of the gap, against it, by lr alone, and against it within a learning rate only."""
    return 2 - loss(point), loss(point), point.lr, point.lr - point.batch_size / 1000


def members(sweep: Sweep) -> list[tuple[Point, str]]:
    return [(point, str(k)) for k, point in enumerate(sweep.points(), start=1)]


def told(sweep: Sweep) -> list[tuple]:
    """Test loss 3, train accuracy 90 and test accuracy 50 of all at the end, and other numbers before."""
    ends = {"test_loss": 3.0, "train_accuracy": 90.0, "test_accuracy": 50.0}
    return [
        (id, seed, arm.key, name, epoch, value if epoch == 5 else -1.0)
        for point, id in members(sweep)
        for arm in sweep.arms(point).values()
        for seed in sweep.base.seeds
        for epoch in (4, 5)
        for name, value in ends.items()
    ]


def results(sweep: Sweep) -> dict:
    return {
        (id, seed): {
            "arms": {
                arm.key: [{"value": value, "loss": loss(point)} for value in sharpness(point)]
                for arm in sweep.arms(point).values()
            },
            "epoch": 5,
        }
        for point, id in members(sweep)
        for seed in sweep.base.seeds
    }


def data(sweep: Sweep = GRID, of: int | None = None) -> Correlation:
    return correlation_data(sweep, members(sweep), told(sweep), dict(list(results(sweep).items())[:of]))


def test_the_gap_is_that_of_the_measured_weights_and_the_labs() -> None:
    found = data()
    assert (len(found.networks), found.lost) == (6, 0)
    for (point, _), network in zip(members(GRID), found.networks, strict=True):
        assert (network.point, network.seed, network.arm) == (point, 0, "sgd")
        assert network.gaps == {"loss": pytest.approx(3 - loss(point)), "accuracy": 40.0}
        assert network.sharpness == sharpness(point)


def test_the_table_has_the_lines_of_asam_and_only_what_varies() -> None:
    table = correlation_table(data(), "loss")
    assert [line[0] for line in table] == ["Batch size", "Learning rate", "Ψ, their mean", "τ, over all networks"]
    assert [line[1].removeprefix("granulated tau, ") for line in table] == [
        "mini-batch size", "learning rate", "average", "Kendall tau",
    ]  # fmt: skip
    batch, lr, mean, tau = (line[2] for line in table)
    assert batch == [1, -1, None, -1]
    assert lr == [1, -1, 1, 1]
    assert mean == [1, -1, None, 0]
    assert tau[:2] == [1, -1]
    assert tau[2] == pytest.approx(12 / (12 * 15) ** 0.5)  # 3 of 15 pairs tie in lr
    assert tau[3] == pytest.approx((12 - 3) / 15)


def test_what_is_left_out_is_said() -> None:
    notes = " ".join(correlation_notes(data(), "loss"))
    assert notes.startswith("6 networks. Where sharpness had nothing to do with the gap, τ over so many would lie")
    assert "That is few: below 20 networks" in notes
    assert "Batch size, Sharpness, p = ∞: 3 groups are left out, where all are alike in sharpness or in" in notes
    assert "Pairs that tie, of 15: 3, Sharpness, p = ∞. τ is Kendall's τ-b." in notes
    part = correlation_notes(data(of=3), "loss")
    assert "Batch size: 3 groups are left out, where one network stands alone." in part
    assert "Batch size: no coefficient, and so no mean." in part
    assert correlation_notes(data(of=1), "loss") == [
        "A rank correlation needs at least two networks, but 1 can be compared yet."
    ]
    all_tied = " ".join(correlation_notes(data(), "accuracy"))
    assert "Learning rate: 2 groups are left out, where all are alike in sharpness or in the gap." in all_tied
    assert "Pairs that tie, of 15: 15." in all_tied
    assert "Learning rate: no coefficient, and so no mean." in all_tied


@pytest.mark.parametrize("number", [None, nan])
def test_a_network_without_finite_numbers_is_left_out_and_counted(number: float | None) -> None:
    spoiled = results(GRID)
    spoiled["2", 0]["arms"]["sgd"][3]["value"] = number
    rows = [row for row in told(GRID) if row[0] != "4" or row[3] != "test_loss"]
    found = correlation_data(GRID, members(GRID), rows, spoiled)
    assert (len(found.networks), found.lost) == (4, 2)
    assert "2 networks are left out: some loss or sharpness of theirs is not finite." in correlation_notes(
        found, "loss"
    )


def test_groups_hold_seed_and_arm_fixed() -> None:
    arms = (Arm(), Arm(variant="sam", rho=0.1))
    sweep = replace(GRID, base=replace(BASE, arms=arms, seeds=(0, 1)), rho=(0.1, 0.2))
    found = data(sweep)
    assert varied(sweep) == ("batch_size", "lr", "rho")
    assert len(found.networks) == 6 * 2 * (1 + 2)
    granulated = found.agreement(0, "loss").granulated
    assert (granulated["lr"].groups, granulated["batch_size"].groups) == (2 * 2 * 3, 3 * 2 * 3)
    assert granulated["rho"].tied == 6 * 2  # the numbers of this test do not depend on rho
    assert granulated["rho"].alone == 6 * 2  # the base optimizer alone has none
    assert "Groups hold the arm fixed; τ is over all arms." in correlation_notes(found, "loss")


def test_a_search_has_no_groups() -> None:
    search = replace(GRID, lr=(0.1, 0.2), batch_size=(), dropout=(), search="optuna", trials=3)
    assert varied(search) == ()


def test_other_radii_make_the_same_kinds() -> None:
    measures = with_radii((0.1, 1, 0.002, 0.01))
    assert [measure.rho for measure in measures] == [0.1, 1, 0.002, 0.01]
    assert with_radii([measure.rho for measure in MEASURES]) == MEASURES
    assert [measure.model.p for measure in measures] == [2, 2, float("inf"), float("inf")]
    assert not any(measure.normalized for measure in measures)


@pytest.mark.parametrize("gap", ["loss", "accuracy"])
@pytest.mark.parametrize("k", range(4))
def test_a_point_a_network_colored_by_learning_rate(k: int, gap: str) -> None:
    found = data()
    figure = correlation_figure(found, k, gap)
    go.Figure(figure)
    looks = rate_looks(GRID)
    assert [(trace["meta"], trace["marker"]["color"]) for trace in figure["data"]] == [
        (look["key"], look["color"]) for look in looks
    ]
    assert len({look["color"] for look in looks}) == 3
    for trace, lr in zip(figure["data"], GRID.lr, strict=True):
        mine = [network for network in found.networks if network.point.lr == lr]
        assert trace["x"] == [network.sharpness[k] for network in mine]
        assert trace["y"] == [network.gaps[gap] for network in mine]
    assert figure["data"][0]["text"][0].startswith("lr 0.1, batch size 32, dropout 0.25<br>sharpness ")
    assert figure["layout"]["xaxis"]["type"] == "log"


def test_a_sharpness_that_is_not_positive_has_a_linear_axis() -> None:
    found = data()
    below = replace(found, networks=(replace(found.networks[0], sharpness=(0.0, 1, 1, 1)), *found.networks[1:]))
    assert correlation_figure(below, 0, "loss")["layout"]["xaxis"]["type"] == "linear"
