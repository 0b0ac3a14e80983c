"""Rank correlation of sharpness with the gap: against scipy, and which kinds of sharpness make a pair."""

from dataclasses import replace

import numpy as np
import plotly.graph_objects as go
import pytest
from scipy.stats import kendalltau

from samviz.figures.networks import MeasuredGrid, Network
from samviz.figures.papers_claims import judge
from samviz.figures.papers_correlation import FEWEST, pair_charts, pairs_of
from samviz.papers.outcomes import Measured
from samviz.spec import Arm
from samviz.spec.measure import Measure
from samviz.spec.sweep import Point
from tests.figures.grid import GRID
from tests.papers.known import header

SPHERE = Measured(Measure(variant="sam", rho=0.1, normalized=False), 512, 128)
ELLIPSOID = Measured(Measure(variant="elementwise_l2", rho=0.5, normalized=False), 512, 128)
CUBOID = Measured(Measure(normalized=False), 512, 128)


def networks(n: int, sphere: float, adaptive: float) -> list[Network]:
    """Networks whose sharpness follows the gap with so much weight, and chance otherwise."""
    random = np.random.default_rng(2)
    found = []
    for seed in range(n):
        gap = float(random.normal())
        a, b = (weight * gap + (1 - weight) * float(random.normal()) for weight in (sphere, adaptive))
        found.append(
            Network(
                point=Point(lr=0.1, rho=None, arms=("sgd",)),
                seed=seed,
                arm="sgd",
                test_loss=gap + 1,
                test_accuracy=50.0,
                train_accuracy=90.0,
                train_loss={(512, 128): 1.0},
                sharpness={SPHERE: a, ELLIPSOID: b},
            )
        )
    return found


def grid(networks: list[Network]) -> MeasuredGrid:
    return MeasuredGrid(id="7", sweep=GRID, header=header([Arm()]), networks=tuple(networks))


def state(*grids: list[Network]) -> str:
    judged = judge([], grids=[grid(networks) for networks in grids])
    return next(one.state for one in judged if one.claim.key == "asam-correlation")


def test_the_claim_is_judged_by_the_interval_of_the_difference() -> None:
    assert state(networks(40, sphere=0.1, adaptive=0.95)) == "confirmed"
    assert state(networks(40, sphere=0.95, adaptive=0.1)) == "contradicted"
    assert state(networks(40, sphere=0.5, adaptive=0.5)) == "open"
    assert state(networks(FEWEST - 1, sphere=0.1, adaptive=0.95)) == "untested"
    assert state() == "untested"


def test_a_pair_differs_in_the_region_s_shape_alone() -> None:
    (pair,) = pairs_of(networks(12, 0.2, 0.8))
    assert (pair.plain, pair.adaptive) == (SPHERE, ELLIPSOID)
    gap = [network.test_loss - 1 for network in pair.networks]
    for kind, tau in zip((SPHERE, ELLIPSOID), pair.taus, strict=True):
        assert tau == pytest.approx(kendalltau([network.sharpness[kind] for network in pair.networks], gap).statistic)
    assert pair.low <= pair.taus[1] - pair.taus[0] <= pair.high
    otherwise = [
        replace(ELLIPSOID, images=256),
        replace(ELLIPSOID, measure=replace(ELLIPSOID.measure, search="one_step")),
        CUBOID,  # p = infinity
        replace(ELLIPSOID, measure=replace(ELLIPSOID.measure, variant="layerwise_l2")),
    ]
    for kind in otherwise:
        changed = [
            replace(one, sharpness={SPHERE: one.sharpness[SPHERE], kind: one.sharpness[ELLIPSOID]})
            for one in networks(12, 0.2, 0.8)
        ]
        assert pairs_of(changed) == []


def test_where_all_are_alike_there_is_no_rank() -> None:
    alike = [replace(one, sharpness=one.sharpness | {SPHERE: 0.5}) for one in networks(12, 0.2, 0.8)]
    assert pairs_of(alike) == []


def test_only_networks_that_have_all_three_are_drawn() -> None:
    first, *others = networks(12, 0.2, 0.8)
    known = [replace(first, train_loss={}), *others]
    (pair,) = pairs_of(known)
    assert list(pair.networks) == others
    charts = pair_charts(grid(known), [pair, pair])
    assert len({chart.name for chart in charts}) == 4, "a chart is found again by its name"
    for chart, kind, tau in zip(charts, (SPHERE, ELLIPSOID), pair.taus, strict=False):
        go.Figure(chart.figure)
        (points,) = [trace for trace in chart.figure["data"] if trace["x"]]
        assert points["x"] == [network.sharpness[kind] for network in others]
        assert points["y"] == [network.test_loss - 1 for network in others]
        assert chart.title.endswith(f"τ = {tau:.3f}")
