"""Rank correlation of sharpness with the gap: against scipy, and which kinds of sharpness make a pair."""

from dataclasses import replace

import numpy as np
import plotly.graph_objects as go
import pytest
from scipy.stats import kendalltau

from samviz.figures.papers_claims import judge
from samviz.figures.papers_correlation import FEWEST, correlation_figure, correlations
from samviz.papers.outcomes import Measured, Outcome
from samviz.spec import Arm
from samviz.spec.measure import Measure
from tests.papers.known import outcome

PLAIN = Arm()
SPHERE = Measured(Measure(variant="sam", rho=0.1), 512, 128)
ELLIPSOID = Measured(Measure(variant="elementwise_l2", rho=0.5), 512, 128)
CUBOID = Measured(Measure(), 512, 128)


def networks(n: int, sphere: float, adaptive: float) -> list[Outcome]:
    """Networks whose sharpness follows the gap with so much weight, and chance otherwise."""
    random = np.random.default_rng(2)
    found = []
    for k in range(n):
        gap = float(random.normal())
        a, b = (weight * gap + (1 - weight) * random.normal() for weight in (sphere, adaptive))
        one = outcome({PLAIN: [gap]}, measure="gap", id=str(k))
        found.append(replace(one, sharpness={SPHERE: {PLAIN.key: {0: a}}, ELLIPSOID: {PLAIN.key: {0: b}}}))
    return found


def state(*grids: list[Outcome]) -> str:
    judged = judge([], grids=[(str(k), "Grid", grid) for k, grid in enumerate(grids)])
    return next(one.state for one in judged if one.claim.key == "asam-correlation")


def test_the_claim_is_judged_by_the_interval_of_the_difference() -> None:
    assert state(networks(40, sphere=0.1, adaptive=0.95)) == "confirmed"
    assert state(networks(40, sphere=0.95, adaptive=0.1)) == "contradicted"
    assert state(networks(40, sphere=0.5, adaptive=0.5)) == "open"
    assert state(networks(FEWEST - 1, sphere=0.1, adaptive=0.95)) == "untested"
    assert state() == "untested"


def test_a_pair_differs_in_the_region_s_shape_alone() -> None:
    (pair,) = correlations(networks(12, 0.2, 0.8))
    assert (pair.plain, pair.adaptive) == (SPHERE, ELLIPSOID)
    assert pair.taus[0] == pytest.approx(kendalltau(pair.values[0], pair.gap).statistic)
    assert pair.low <= pair.taus[1] - pair.taus[0] <= pair.high
    otherwise = [
        replace(ELLIPSOID, images=256),
        replace(ELLIPSOID, measure=replace(ELLIPSOID.measure, search="one_step")),
        CUBOID,  # p = infinity
        replace(ELLIPSOID, measure=replace(ELLIPSOID.measure, variant="layerwise_l2")),
    ]
    for kind in otherwise:
        changed = [
            replace(one, sharpness={kind if old == ELLIPSOID else old: values for old, values in one.sharpness.items()})
            for one in networks(12, 0.2, 0.8)
        ]
        assert correlations(changed) == []


def test_where_all_are_alike_there_is_no_rank() -> None:
    alike = [replace(one, sharpness=one.sharpness | {SPHERE: {PLAIN.key: {0: 0.5}}}) for one in networks(12, 0.2, 0.8)]
    assert correlations(alike) == []


def test_only_networks_that_have_all_three_are_drawn() -> None:
    all_of_them = networks(12, 0.2, 0.8)
    without = replace(all_of_them[0], values={})
    (pair,) = correlations([without, *all_of_them[1:]])
    assert len(pair.gap) == 11
    figure = correlation_figure(pair)
    go.Figure(figure)
    assert [trace["x"] for trace in figure["data"]] == pair.values.tolist()
    assert all(trace["y"] == pair.gap.tolist() for trace in figure["data"])
    assert f"τ = {pair.taus[1]:.3f}" in figure["layout"]["xaxis2"]["title"]["text"]
