"""Along a rescaling the sphere's sharpness moves, what ASAM Theorem 1 promises stays, and the reasons are right."""

from dataclasses import asdict, replace
from math import inf

import pytest
import torch
from torch import nn

from samviz.sharpness import Curves, Measure, Progress, rescaling_curves
from samviz.sharpness.reasons import reason
from samviz.variants import VARIANTS, Role
from tests.sharpness.networks import images, plain, residual, trained
from tests.sharpness.test_rescale import case

FACTORS = (0.1, 1.0, 10.0)
ONE = {"search": "one_step", "normalized": False}
MEASURES = {
    "sphere": Measure(variant="sam", rho=0.05, **ONE),
    "ellipsoid": Measure(variant="elementwise_l2", rho=0.3, **ONE),
    "cuboid": Measure(variant="elementwise_linf", rho=0.01, steps=4),
    "ascent": Measure(variant="elementwise_l2", rho=0.3, search="ascent", steps=3),
    "eta": Measure(variant="elementwise_l2", eta=0.1, rho=0.3, **ONE),
    "original": Measure(variant="elementwise_l2_orig", eta=0.0, rho=0.3, **ONE),
    "filterwise": Measure(variant="filterwise_l2", eta=0.0, rho=0.3, **ONE),
    "layerwise": Measure(variant="layerwise_l2", rho=0.05, **ONE),
    "fisher": Measure(variant="fisher", rho=0.05, **ONE),
}


def curves(model: nn.Module, measures: list[Measure], size: int = 8, factors=FACTORS, **settings) -> Curves:
    x, y = images(32 if size == 8 else 8, size=size)
    *told, result = rescaling_curves(model, x, y, factors, measures, m=len(y) // 2, **settings)
    assert all(isinstance(event, Progress) for event in told)
    done = [event.done for event in told]
    assert done == sorted(set(done))
    assert done[-1] == told[-1].total
    return result


def drawn(found: Curves) -> dict[str, float]:
    """The largest relative difference of each curve from its value at a = 1."""
    return {
        name: max(abs(value / curve.values[1] - 1) for value in curve.values)
        for name, curve in zip(MEASURES, found.curves, strict=True)
    }


@pytest.mark.parametrize("spread", ["common", "layers", "nodes"])
@pytest.mark.parametrize("name", ["residual", "vgg", "plain", "vit"])
def test_what_is_said_to_stay_stays_and_the_rest_moves(name: str, spread: str):
    """In float64 by all measures; those at a = 1 are those of the network itself."""
    model, x = case(name)
    size = x.shape[-1]
    found = curves(model, list(MEASURES.values()), size, spread=spread, seed=5)
    assert max(found.logits_change) < 1e-10
    moved = drawn(found)
    stays = {key for key, curve in zip(MEASURES, found.curves, strict=True) if curve.stays}
    wanted = {"ellipsoid", "cuboid", "ascent"}
    if spread != "nodes":
        wanted |= {"filterwise", "layerwise"}
    elif name == "vit":
        wanted |= {"filterwise"}  # the only filters are those of the patches, and they keep their scale
    assert stays == wanted
    for key, curve in zip(MEASURES, found.curves, strict=True):
        assert (moved[key] < 1e-8) == curve.stays, (key, moved[key], curve.reason)
        assert (curve.definition_error < 1e-9) == curve.stays


def test_the_sphere_moves_by_orders_of_magnitude():
    found = curves(trained(residual()), [MEASURES["sphere"]], factors=(0.03, 1.0, 30.0), kinds=["before_norm"])
    assert found.curves[0].spread > 30
    assert found.kinds == ("before_norm",)


def test_filters_with_factors_of_their_own_before_a_norm_leave_the_filterwise_sharpness():
    """Before a BatchNorm whole filters are scaled and nothing is divided, so that filterwise follows; layerwise not."""
    measures = [MEASURES["filterwise"], MEASURES["layerwise"]]
    found = curves(trained(residual()), measures, kinds=["before_norm"], spread="nodes")
    filterwise, layerwise = found.curves
    assert filterwise.stays
    assert filterwise.spread == pytest.approx(1, abs=1e-8)
    assert not layerwise.stays
    assert layerwise.spread > 1.01


def test_what_is_not_touched_stays_even_for_the_sphere():
    measures = [replace(MEASURES["sphere"], scope=scope) for scope in ("norm_only", "no_norm")]
    gamma, others = curves(trained(residual()), measures, kinds=["before_norm"]).curves
    assert gamma.stays
    assert gamma.spread == pytest.approx(1, abs=1e-8)
    assert gamma.reason == "A leaves everything that is perturbed as it is."
    assert others.spread > 10


def test_every_curve_has_its_reason():
    found = curves(trained(residual()), list(MEASURES.values()), spread="nodes")
    reasons = {key: curve.reason for key, curve in zip(MEASURES, found.curves, strict=True)}
    assert reasons["sphere"] == "T = 1 stays where it is when w is rescaled."
    assert reasons["ellipsoid"] == reasons["cuboid"] == "T is |w| itself, which is rescaled as w is."
    assert reasons["eta"] == "η = 0.1 is added to what scales with w, and does not scale itself."
    assert reasons["original"] == "Biases have T = 1, but A rescales them too."
    assert reasons["filterwise"].startswith("The norm of a filter follows a factor on the whole filter, but not")
    assert reasons["layerwise"].startswith("The norm of a layer follows one factor for all of it, but not")
    assert reasons["fisher"].startswith("A divides g")
    named = [MEASURES["layerwise"], MEASURES["original"], replace(MEASURES["layerwise"], eta=0.1)]
    layerwise, original, eta = (c.reason for c in curves(trained(residual()), named).curves)
    assert layerwise.startswith("T is the norm of a layer, which follows A")
    assert original == reasons["original"]
    assert eta == reasons["eta"]  # its norm would follow
    bias_free = nn.Sequential(nn.Conv2d(3, 6, 3, bias=False), nn.BatchNorm2d(6), nn.Flatten(), nn.Linear(216, 4))
    both = [replace(MEASURES["original"], eta=eta) for eta in (0.0, 0.1)]
    original, with_eta = curves(bias_free.double(), both, kinds=["before_norm"]).curves
    assert original.stays  # nothing that is rescaled is a bias
    assert with_eta.reason == reasons["eta"]


def test_the_error_of_definition_1_is_worked_out_by_hand():
    """Of Fisher's T = (1 + g^2)^(-1/2) at g = 3 and a = 4, where g becomes 3/4; of |w| + 1 at w = 2, where it is 9."""
    w, g, A = ([torch.tensor([v], dtype=torch.float64)] for v in (2.0, 3.0, 4.0))
    found = reason(VARIANTS["fisher"], w, g, [Role()], A)
    assert found.error == pytest.approx(1 - 0.8 / (4 * 10**-0.5))
    assert reason(replace(VARIANTS["elementwise_l2"], eta=1.0), w, g, [Role()], A).error == pytest.approx(3 / 12)
    assert reason(VARIANTS["elementwise_l2"], w, g, [Role()], A).stays


def test_float32_keeps_what_float64_keeps_to_its_own_rounding():
    model = trained(residual()).float()
    found = curves(model, [MEASURES["ellipsoid"], MEASURES["sphere"]])
    assert max(found.logits_change) < 1e-5
    ellipsoid, sphere = found.curves
    assert ellipsoid.stays
    assert ellipsoid.spread == pytest.approx(1, abs=1e-3)
    assert sphere.spread > 3


def test_the_model_is_as_it_was_even_if_one_leaves_midway():
    model = trained(residual()).train()
    before = [x.clone() for x in model.state_dict().values()]
    running = rescaling_curves(model, *images(32), FACTORS, [MEASURES["cuboid"]], m=16)
    for _ in range(20):
        next(running)
    running.close()
    assert all(torch.equal(a, b) for a, b in zip(model.state_dict().values(), before, strict=True))
    assert model.training


def test_the_result_is_plain_data():
    found = asdict(curves(trained(plain()), [MEASURES["cuboid"]]))
    assert found["factors"] == FACTORS
    assert found["images"] == 32
    assert found["curves"][0]["measure"]["variant"] == "elementwise_linf"
    assert found["curves"][0]["measure"]["p"] in (None, inf)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"factors": [0.0]}, "factors must be a number from 0.0001 to 10000, but it is 0.0."),
        ({"factors": []}, "factors must be a list of 1 to 1000 entries"),
        ({"kinds": ["sideways"]}, "kinds must be one of before_norm, after_norm, layers, but it is 'sideways'."),
        ({"spread": "wild"}, "spread must be one of common, layers, nodes, but it is 'wild'."),
        ({"m": 33}, "m must be a whole number from 1 to 32, but it is 33."),
        ({"measures": []}, "measures must be a list of 1 to 1000 entries"),
    ],
)
def test_wrong_requests_are_told_in_a_sentence(settings: dict, sentence: str):
    arguments = {"factors": FACTORS, "measures": [MEASURES["sphere"]], "m": 16} | settings
    with pytest.raises(ValueError, match=sentence):
        next(rescaling_curves(residual().double(), *images(32), **arguments))
