"""Rank correlations of sharpness and the gap over a sweep: the table, the sentences and valid figures."""

from dataclasses import replace
from math import nan

import plotly.graph_objects as go
import pytest

from samviz.figures.gap import (
    MEASURES,
    Correlation,
    beside_asam,
    correlation_data,
    correlation_notes,
    correlation_table,
    with_radii,
)
from samviz.figures.gap_figure import gap_figure, rate_looks
from samviz.spec import Arm
from samviz.spec.sweep import Sweep
from tests.figures.grid import BASE, GRID, asked, networks


def data(sweep: Sweep = GRID, of: int | None = None) -> Correlation:
    return correlation_data(sweep, networks(sweep)[:of], asked())


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


def test_the_cells_of_asam_stand_beside_what_was_found_and_where_nothing_was() -> None:
    (name, batch), *_, (_, tau) = beside_asam(data(), "loss")
    assert (name, batch[:2]) == ("Batch size", [(1, 0.667), (-1, 0.696)]), "ASAM Table 1"
    assert [asam for _, asam in tau] == [0.174, 0.636, 0.257, 0.616]
    assert [own for _, cells in beside_asam(data(of=0), "loss") for own, _ in cells] == [None] * 16
    swept = replace(GRID, base=replace(BASE, arms=(Arm(variant="sam", rho=0.1),)), rho=(0.1, 0.2))
    assert [asam for name, cells in beside_asam(data(swept), "loss") if "Radius" in name for _, asam in cells] == [
        None
    ] * 4, "ASAM has no such line"


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


def test_a_network_without_finite_numbers_is_left_out_and_counted() -> None:
    first, second, third, *rest = networks()
    diverged = replace(first, test_loss=nan)
    kind = data().kinds[3]
    spoiled = replace(second, sharpness=second.sharpness | {kind: nan})
    asked_less = replace(third, sharpness={data().kinds[0]: 1.0})
    found = correlation_data(GRID, [diverged, spoiled, asked_less, *rest], asked())
    assert (len(found.networks), found.lost) == (3, 2)
    assert "2 networks are left out: some loss or sharpness of theirs is not finite." in correlation_notes(
        found, "loss"
    )


def test_groups_hold_seed_and_arm_fixed() -> None:
    arms = (Arm(), Arm(variant="sam", rho=0.1))
    sweep = replace(GRID, base=replace(BASE, arms=arms, seeds=(0, 1)), rho=(0.1, 0.2))
    found = data(sweep)
    assert found.varied == ("batch_size", "lr", "rho")
    granulated = found.agreement(0, "loss").granulated
    assert (granulated["lr"].groups, granulated["batch_size"].groups) == (2 * 2 * 3, 3 * 2 * 3)
    assert granulated["rho"].tied == 6 * 2  # the numbers of this test do not depend on rho
    assert granulated["rho"].alone == 6 * 2  # the base optimizer alone has none
    assert "Groups hold the arm fixed; τ is over all arms." in correlation_notes(found, "loss")


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
    kind = found.kinds[k]
    figure = gap_figure(GRID, found.networks, kind, gap)
    go.Figure(figure)
    looks = rate_looks(GRID)
    assert [(trace["meta"], trace["marker"]["color"]) for trace in figure["data"]] == [
        (look["key"], look["color"]) for look in looks
    ]
    assert len({look["color"] for look in looks}) == 3
    for trace, lr in zip(figure["data"], GRID.lr, strict=True):
        mine = [network for network in found.networks if network.point.lr == lr]
        assert trace["x"] == [network.sharpness[kind] for network in mine]
        assert trace["y"] == [network.gap(gap, kind) for network in mine]
    assert figure["data"][0]["text"][0].startswith("lr 0.1, batch size 32, dropout 0.25<br>sharpness ")
    assert figure["layout"]["xaxis"]["type"] == "log"


def test_a_sharpness_that_is_not_positive_has_a_linear_axis() -> None:
    first, *rest = networks()
    kind = data().kinds[0]
    below = replace(first, sharpness=first.sharpness | {kind: 0.0})
    assert gap_figure(GRID, [below, *rest], kind, "loss")["layout"]["xaxis"]["type"] == "linear"
