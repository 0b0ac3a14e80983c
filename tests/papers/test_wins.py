"""Who wins how often: counted again by a plain loop, with signs, ties and cells that have no partner."""

from math import hypot

import pandas as pd
import pytest

from samviz import papers
from samviz.papers.wins import OWN_ALL, gains, references, wins


def test_gains_over_the_same_variant_s_all_by_a_plain_loop() -> None:
    frame = papers.table("sam-on", 11)
    expected = {}
    for row in frame.to_dict("records"):
        for other in frame.to_dict("records"):
            same = all(row[name] == other[name] for name in ("network", "augmentation", "variant"))
            if same and (row["scope"], other["scope"]) == ("norm_only", "all"):
                key = row["network"], row["augmentation"], row["label"]
                expected[key] = row["value"] - other["value"], hypot(row["spread"], other["spread"])
    gained = gains(frame, OWN_ALL)
    found = {(r["network"], r["augmentation"], r["label"]): (r["gain"], r["gain_spread"]) for _, r in gained.iterrows()}
    assert len(expected) == 36
    assert found.keys() == expected.keys()
    for key, numbers in expected.items():
        assert found[key] == pytest.approx(numbers)


def test_counts_and_means_of_wins() -> None:
    won = wins(gains(papers.table("sam-on", 4), OWN_ALL)).set_index("label")
    assert won.loc["SAM-ON", ["settings", "wins", "ties", "losses"]].tolist() == [1, 0, 1, 0]
    assert won.loc["ASAM, layerwise-ON", ["settings", "wins", "ties", "losses"]].tolist() == [1, 0, 0, 1]
    assert won.loc["ASAM-ON", "mean"] == pytest.approx(0.02)
    sgd = wins(gains(papers.table("asam", 2), "SGD")).set_index("label").loc["ASAM, original-all"]
    assert (sgd["wins"], sgd["settings"]) == (8, 8)
    assert (sgd["least"], sgd["most"]) == pytest.approx((0.24, 2.33))


def test_less_sharpness_and_less_time_are_gains() -> None:
    frame = papers.table("sam-on", 7)
    sharp = gains(frame[frame["metric"] == "sharpness, 20 steps"], "SGD").set_index("label")["gain"]
    assert sharp["SAM-all"] == pytest.approx(0.201 - 0.139)
    assert sharp["SAM-ON"] == pytest.approx(0.201 - 0.296)
    time = papers.table("sam-on", 5)
    faster = gains(time[time["metric"] == "time per epoch"], "SAM-all").set_index("label")["gain"]
    assert faster["SAM-ON"] == pytest.approx(1.36 - 1.13)


def test_adaptive_sharpness_is_compared_at_the_same_p() -> None:
    gained = gains(papers.table("asam", 1), "sharpness")
    tau = gained[gained["metric"] == "Kendall tau"].set_index("p")["gain"]
    assert tau.to_dict() == pytest.approx({2.0: 0.636 - 0.174, float("inf"): 0.616 - 0.257})


def test_only_what_has_a_partner_is_offered_and_anything_else_refused() -> None:
    assert references(papers.table("asam", 2)) == ["SGD", "SAM-all", "ASAM, original-all"]
    assert references(papers.table("sam-on", 8)) == []  # radii: neither end is better
    for one in papers.tables():
        frame = papers.table(one.paper, one.number)
        for reference in references(frame):
            assert isinstance(gains(frame, reference), pd.DataFrame)
            assert len(gains(frame, reference))
    with pytest.raises(ValueError, match="reference must be one of SGD, SAM-all"):
        gains(papers.table("asam", 2), "GSAM")
