"""The published tables as data: all of them, picked cells, and the totals and agreements that the papers print."""

from math import inf, isnan, nan

import pandas as pd
import pytest

from samviz import papers
from samviz.papers.wins import OWN_ALL, gains, wins
from samviz.spec import DATASETS, MASKS, NETWORKS, RADII, SCOPES
from samviz.variants import VARIANTS

ROWS = {
    "asam": {1: 24, 2: 24, 3: 24, 4: 6, 5: 6, 6: 15},
    "sam-on": {
        1: 78, 2: 10, 3: 52, 4: 9, 5: 6, 6: 5, 7: 15, 8: 36, 9: 57, 10: 36, 11: 78, 12: 7, 13: 6, 14: 40,
    },
}  # fmt: skip
"""Cells of each table, counted in the papers."""

SUMS = {
    ("asam", 2): 2287.67,
    ("asam", 3): 1857.06,
    ("asam", 4): 507.56,
    ("asam", 6): 1293.29,
    ("sam-on", 1): 6297.55,
    ("sam-on", 2): 775.80,
    ("sam-on", 3): 4140.26,
    ("sam-on", 4): 735.82,
    ("sam-on", 6): 415.35,
    ("sam-on", 7): 417.466,
    ("sam-on", 11): 7513.48,
    ("sam-on", 12): 579.89,
    ("sam-on", 13): 427.32,
    ("sam-on", 14): 826.387,
}
"""Of all numbers that stand before a ± in a table of the papers' text (with those that have none), whatever the column:
taken from the text in another way than the cells were."""


def cell(paper: str, number: int, **where: object) -> pd.Series:
    """The one row that agrees."""
    frame = papers.table(paper, number)
    for column, value in where.items():
        frame = frame[frame[column] == value]
    assert len(frame) == 1, (where, len(frame))
    return frame.iloc[0]


def test_all_twenty_tables_are_there_with_all_their_cells() -> None:
    found = {paper: {} for paper in papers.PAPERS}
    for one in papers.tables():
        found[one.paper][one.number] = len(papers.table(one.paper, one.number))
    assert found == ROWS
    assert len(papers.cells()) == sum(sum(rows.values()) for rows in ROWS.values())


@pytest.mark.parametrize("one", papers.tables(), ids=lambda one: one.name)
def test_each_table_is_tidy_and_says_what_its_numbers_are(one: papers.Table) -> None:
    frame = papers.table(one.paper, one.number)
    assert list(frame.columns) == papers.COLUMNS
    assert all([one.caption, one.section, one.spread])
    assert set(frame["metric"]) <= set(one.metrics)
    assert set(frame["unit"]) == {one.metrics[name].unit for name in frame["metric"]}
    assert set(frame["variant"]) <= {"", *VARIANTS}
    assert set(frame["scope"]) <= {"", *SCOPES}
    assert set(frame["mask"]) <= {"", *MASKS}
    assert not frame.duplicated(["dataset", "network", "augmentation", "label_noise", "method", "scope", "mask",
                                 "sparsity", "rho", "radius", "p", "metric"]).any()  # fmt: skip
    named = set(frame["network"]) | set(frame["dataset"])
    assert {name for name in named if name.islower()} <= {"", "cifar10/cifar100", *NETWORKS, *DATASETS}


PICKED = [
    ("asam", 2, {"network": "densenet121", "label": "ASAM, original-all"}, 93.33, 0.04, 5),
    ("asam", 2, {"network": "vgg19_bn", "label": "SAM-all"}, 94.60, nan, 1),
    ("asam", 2, {"network": "wrn28_10", "label": "SGD"}, 96.34, 0.12, 5),
    ("asam", 3, {"network": "pyramidnet272", "label": "SAM-all"}, 89.36, 0.20, 3),
    ("asam", 3, {"network": "vgg19_bn", "label": "SAM-all"}, 73.52, 1.74, 4),
    ("asam", 4, {"label": "SAM-all", "metric": "maximum top-5 test accuracy"}, 92.97, 0.07, 3),
    ("asam", 5, {"label": "Adam", "metric": "test BLEU"}, 34.86, 0.01, 3),
    ("asam", 6, {"label_noise": 0.8, "label": "ASAM, original-all"}, 67.69, 1.34, 3),
    ("sam-on", 1, {"network": "wrn28_10", "augmentation": "crop_flip", "label": "SAM-ON"}, 84.19, 0.2, 3),
    ("sam-on", 1, {"network": "wrn28_10", "augmentation": "autoaugment", "label": "ASAM, layerwise-ON"}, 85.95, 0.1, 3),
    ("sam-on", 1, {"network": "resnext29_32x4d", "augmentation": "autoaugment", "label": "SGD"}, 80.31, 0.3, 3),
    ("sam-on", 3, {"dataset": "cifar100", "network": "vit_t", "label": "ASAM, original-ON"}, 71.25, 0.3, None),
    ("sam-on", 3, {"dataset": "cifar10", "network": "vit_s", "label": "AdamW"}, 90.34, 0.0, None),
    ("sam-on", 11, {"network": "resnet56", "augmentation": "autoaugment", "label": "ASAM-ON"}, 94.82, 0.2, None),
    ("sam-on", 12, {"label": "SSAM-D (99.95 % sparse)"}, 81.01, 0.1, None),
    ("sam-on", 13, {"network": "ResNet-101", "label": "SAM-all (ρ 0.05)"}, 79.27, nan, None),
    ("sam-on", 14, {"network": "resnext29_32x4d", "label": "ASAM, l-infinity-all", "radius": 0.005}, 0.203, 0.021, 3),
    ("sam-on", 14, {"network": "wrn28_10", "label": "SAM-ON", "radius": 0.007}, 0.585, 0.018, 3),
]  # fmt: skip


@pytest.mark.parametrize(("paper", "number", "where", "value", "spread", "n"), PICKED)
def test_picked_cells(paper: str, number: int, where: dict, value: float, spread: float, n: int | None) -> None:
    found = cell(paper, number, **where)
    assert found["value"] == value
    assert found["spread"] == spread or (isnan(found["spread"]) and isnan(spread))
    assert (None if found["n"] is pd.NA else found["n"]) == n


@pytest.mark.parametrize(("which", "total"), SUMS.items())
def test_sums_over_all_cells(which: tuple[str, int], total: float) -> None:
    assert papers.table(*which)["value"].sum() == pytest.approx(total, abs=1e-6)


def test_asam_prints_the_averages_of_its_granulated_coefficients() -> None:
    frame = papers.table("asam", 1)
    for (_, _), group in frame.groupby(["method", "p"]):
        parts = group[group["metric"].str.startswith("granulated") & ~group["metric"].str.endswith("average")]
        average = group.loc[group["metric"].str.endswith("average"), "value"].item()
        assert len(parts) == 4
        assert parts["value"].mean() == pytest.approx(average, abs=0.00051)


def test_the_factors_of_table_5_follow_from_its_times() -> None:
    minutes = {
        row["label"]: row["value"] for _, row in papers.table("sam-on", 5).iterrows() if row["unit"] == "minutes"
    }
    for label in minutes:
        factor = cell("sam-on", 5, label=label, metric="factor")["value"]
        low, high = ((minutes[label] + a) / (minutes["SGD"] - a) for a in (-0.005, 0.005))
        assert low <= factor <= high


def test_tables_agree_where_they_print_the_same_cell() -> None:
    table_1 = {"network": "wrn28_10", "augmentation": "crop_flip"}
    for label in ("SAM-all", "SAM-ON"):
        one = cell("sam-on", 1, label=label, **table_1)
        for number in (6, 12):
            again = cell("sam-on", number, label=label)
            assert (again["value"], again["spread"]) == (one["value"], one["spread"])
    seven, fourteen = papers.table("sam-on", 7), papers.table("sam-on", 14)
    twenty = fourteen[(fourteen["network"] == "wrn28_10") & (fourteen["radius"] == 0.005)]
    assert seven[seven["metric"] == "sharpness, 20 steps"]["value"].tolist() == twenty["value"].tolist()
    six, twelve = (papers.table("sam-on", number) for number in (6, 12))
    assert six["value"].tolist() == twelve["value"].tolist()[: len(six)]


@pytest.mark.parametrize("number", [1, 3, 11])
def test_bold_marks_the_better_of_each_pair(number: int) -> None:
    frame = papers.table("sam-on", number)
    pairs = frame[frame["variant"] != ""].groupby(["dataset", "network", "augmentation", "variant"])
    for _, pair in pairs:
        assert len(pair) == 2
        assert pair.loc[pair["bold"], "value"].tolist() == [pair["value"].max()]


def test_the_text_s_sentences_on_averages_follow_from_the_tables() -> None:
    for number in (1, 3, 11):  # "On average, SAM-ON outperforms SAM-all for all considered SAM-variants"
        won = wins(gains(papers.table("sam-on", number), OWN_ALL))
        assert len(won) == 6
        assert (won["mean"] > 0).all()
    asam = wins(gains(papers.table("asam", 3), "SAM-all")).set_index("label").loc["ASAM, original-all"]
    assert (asam["wins"], asam["settings"]) == (8, 8)


def test_table_8_has_the_radii_that_samviz_starts_from() -> None:
    frame = papers.table("sam-on", 8)
    columns = {("cifar10", "ResNet"): ("cifar10", "resnet"), ("cifar100", "ResNet"): ("cifar100", "resnet"),
               ("cifar10/cifar100", "ViT"): ("cifar10", "vit")}  # fmt: skip
    unmarked = []
    for row in frame.to_dict("records"):
        radius = RADII[row["variant"], row["scope"], *columns[row["dataset"], row["network"]]]
        printed = tuple(float(text.strip("* ")) for text in row["cell"].replace("5 0.1*", "0.1*").split(","))
        assert printed == radius.searched
        if isnan(row["value"]):
            unmarked.append((row["label"], row["dataset"]))
        else:
            assert row["value"] == radius.rho
    assert unmarked == [("Fisher-SAM-ON", "cifar100")]


def test_the_radii_of_the_accuracies_are_those_of_table_8() -> None:
    for number, dataset in ((1, "cifar100"), (11, "cifar10")):
        for row in papers.table("sam-on", number).to_dict("records"):
            if row["variant"] and not isnan(row["rho"]):
                assert row["rho"] == RADII[row["variant"], row["scope"], dataset, "resnet"].rho
    frame = papers.table("sam-on", 1)
    assert set(frame[frame["rho"].isna()]["label"]) == {"SGD", "Fisher-SAM-ON"}


def test_table_10_defines_the_variants_as_samviz_has_them() -> None:
    for row in papers.table("sam-on", 10).to_dict("records"):
        if row["metric"] in ("p", "eta"):
            assert row["value"] == getattr(VARIANTS[row["variant"]], row["metric"])
    assert cell("sam-on", 10, label="ASAM, l-infinity-all", metric="p")["value"] == inf


def test_settings_are_those_of_the_text() -> None:
    asam, pyramid = papers.about("asam", 2).settings, papers.about("asam", 2).of("pyramidnet272")
    assert (asam.epochs, asam.epochs_plain, asam.batch_size, asam.m, asam.lr) == (200, 400, 128, 0, 0.1)
    assert (pyramid.epochs, pyramid.epochs_plain, pyramid.batch_size, pyramid.m, pyramid.lr) == (
        900,
        1800,
        256,
        32,
        0.05,
    )
    on, vit = papers.about("sam-on", 1).settings, papers.about("sam-on", 3).settings
    assert (on.epochs, on.batch_size, on.weight_decay, on.label_smoothing) == (200, None, 0.0005, 0.1)
    assert (vit.optimizer, vit.lr, vit.batch_size) == ("adamw", 0.0001, 64)
    assert on.words().startswith("200 epochs, no m-sharpness, SGD, learning rate 0.1, cosine schedule")
    assert papers.about("asam", 1).settings.words() == "not named in the text at hand"


def test_an_unknown_table_is_named_in_a_sentence() -> None:
    with pytest.raises(ValueError, match=r"^paper must be one of asam, sam-on, but it is 'gsam'\.$"):
        papers.table("gsam", 1)
    with pytest.raises(ValueError, match=r"^number must be one of 1, 2, 3, 4, 5, 6, but it is 7\.$"):
        papers.table("asam", 7)


def test_no_accuracy_is_counted_twice() -> None:
    once = papers.accuracies()
    assert {("sam-on", number) for number in (6, 7, 12, 14)}.isdisjoint(
        set(zip(once["paper"], once["table"], strict=True))
    )
    assert set(once["unit"]) == {"%"}
    assert not once.duplicated(["dataset", "network", "augmentation", "label_noise", "label", "metric", "cell"]).any()
