"""Slices against losses that are evaluated one by one, and regions against where their norm is rho."""

import json
from copy import deepcopy
from dataclasses import asdict
from math import hypot

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from samviz.optim import select
from samviz.sharpness import Measure, Progress, Region, Slice, loss_slice
from samviz.sharpness.directions import filter_normalized
from samviz.sharpness.slices import BATCH
from samviz.variants import VARIANTS
from tests.sharpness.networks import images, plain, residual, trained

SPHERE = Measure(variant="sam", rho=0.2)
ELLIPSOID = Measure(variant="elementwise_l2", rho=0.5)
CUBOID = Measure(variant="elementwise_linf", rho=0.05)


def sliced(model: nn.Module, directions=("random", "random"), n: int = 64, **settings) -> Slice:
    *told, result = loss_slice(model, *images(n), directions, **{"points": 5} | settings)
    assert all(isinstance(event, Progress) for event in told)
    done = [event.done for event in told]
    assert done == sorted(set(done))
    assert done[-1] == told[-1].total
    return result


def loss_at(model: nn.Module, moved: list[tuple[float, list[Tensor]]]) -> float:
    """The loss of a copy whose trainable parameters are moved by c d for each (c, d)."""
    model = deepcopy(model).eval()
    with torch.no_grad():
        for c, d in moved:
            for w, part in zip(select(model), d, strict=True):
                w += c * part
        x, y = images()
        return float(cross_entropy(model(x), y))


def weights(model: nn.Module) -> list[Tensor]:
    return [w.detach() for w in select(model)]


def test_a_plane_holds_the_loss_at_each_of_its_points():
    model = trained(residual())
    found = sliced(model, ranges=[(-1, 1), (-0.5, 1.5)])
    a, b = (filter_normalized(weights(model), f"0 {i}", "zero") for i in range(2))
    assert found.x == (-1, -0.5, 0, 0.5, 1)
    assert found.y == (-0.5, 0, 0.5, 1, 1.5)
    for i, j in ((0, 0), (1, 2), (3, 4), (4, 1)):
        assert found.loss[i][j] == pytest.approx(loss_at(model, [(found.x[j], a), (found.y[i], b)]))
    assert found.loss[1][2] == pytest.approx(loss_at(model, []))
    right = (model.eval()(images()[0]).argmax(1) == images()[1]).double().mean()
    assert found.accuracy[1][2] == pytest.approx(100 * float(right))


@pytest.mark.parametrize("vectors", ["zero", "scaled"])
def test_every_filter_of_a_random_direction_is_as_long_as_that_of_the_weights(vectors: str):
    w = weights(trained(residual()))
    d = filter_normalized(w, "seed", vectors)
    assert any(wi.ndim == 4 for wi in w)
    for wi, di in zip(w, d, strict=True):
        if wi.ndim > 1:
            for f, df in zip(wi, di, strict=True):
                assert float(df.norm()) == pytest.approx(float(f.norm()))
        else:
            assert float(di.norm()) == pytest.approx(float(wi.norm()) if vectors == "scaled" else 0)
    again, other = filter_normalized(w, "seed", vectors), filter_normalized(w, "other", vectors)
    assert all(torch.equal(x, y) for x, y in zip(d, again, strict=True))
    assert not torch.equal(d[0], other[0])


def test_along_the_gradient_the_loss_rises_fastest():
    model = trained(residual()).eval()
    x, y = images()
    g = torch.autograd.grad(cross_entropy(model(x), y), list(select(model)))
    size = float(torch.cat([w.flatten() for w in weights(model)]).norm())
    scale = size / float(torch.cat([t.flatten() for t in g]).norm())
    found = sliced(model, ("gradient",), ranges=[(-0.01, 0.01)])
    expected = [loss_at(model, [(c * scale, list(g))]) for c in found.x]
    assert found.loss == (pytest.approx(expected),)
    assert found.lengths[0] == pytest.approx(size)
    assert found.y == (0,)
    random = sliced(model, ("random",), ranges=[(-0.01, 0.01)], vectors="scaled")
    assert found.loss[0][-1] - found.loss[0][0] > 3 * abs(random.loss[0][-1] - random.loss[0][0])


@pytest.mark.parametrize(("statistics", "exact_there"), [("kept", False), ("interpolated", True)])
def test_a_line_leads_from_one_checkpoint_to_the_other(statistics: str, exact_there: bool):
    here, there = trained(residual(), 20), trained(residual(), 60)
    ranges = [(0, 1)]
    found = sliced(here, ("line",), other=there, ranges=ranges, statistics=statistics)
    assert found.loss[0][0] == pytest.approx(loss_at(here, []))
    assert (found.loss[0][-1] == pytest.approx(loss_at(there, []), rel=1e-9)) == exact_there
    middle = deepcopy(here)
    for name, value in middle.state_dict().items():
        if value.dtype.is_floating_point and (statistics == "interpolated" or "running" not in name):
            value.lerp_(there.state_dict()[name], 0.5)
    assert found.loss[0][2] == pytest.approx(loss_at(middle, []))


def test_statistics_are_estimated_anew_at_every_point():
    """In one batch the estimate is that batch's own, which is what a network in training mode normalizes with."""
    model = trained(residual(), 20)
    d = filter_normalized(weights(model), "0 0", "zero")
    found = sliced(model, ("random",), statistics="estimated", ranges=[(-1, 1)])
    for x, loss in zip(found.x, found.loss[0], strict=True):
        copy = deepcopy(model).train()
        for module in copy.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.momentum = 1.0
        with torch.no_grad():
            for w, part in zip(select(copy), d, strict=True):
                w += x * part
            copy(images()[0])
        for module in copy.modules():  # the running variance is the unbiased one
            if isinstance(module, nn.BatchNorm2d):
                module.eval()
        assert float(loss) == pytest.approx(loss_at(copy, []))
    kept = sliced(model, ("random",), ranges=[(-1, 1)])
    assert kept.loss[0][0] != pytest.approx(found.loss[0][0], rel=1e-3)


@pytest.mark.parametrize("measure", [SPHERE, ELLIPSOID, CUBOID])
def test_a_region_reaches_as_far_as_its_norm_is_rho(measure: Measure):
    model = trained(residual())
    (cut,) = sliced(model, regions=[measure], vectors="scaled").cuts
    w, roles = weights(model), list(select(model).values())
    region = Region.around(w, w, roles, VARIANTS[measure.variant], measure.rho)
    a, b = (filter_normalized(w, f"0 {i}", "scaled") for i in range(2))
    for reach, d in zip(cut.reach, (a, b), strict=True):
        assert region.norm([reach * t for t in d]) == pytest.approx(measure.rho)
    for x, y in cut.outline:
        assert region.norm([x * s + y * t for s, t in zip(a, b, strict=True)]) == pytest.approx(measure.rho)
    assert len(cut.outline) == 64
    assert cut.outline[0] == pytest.approx((cut.reach[0], 0))
    assert cut.outline[32] == pytest.approx((-cut.reach[0], 0))
    assert all(hypot(*point) > 0 for point in cut.outline)


def test_a_slice_goes_beyond_its_regions_by_default():
    model = trained(residual())
    found = sliced(model, regions=[SPHERE, ELLIPSOID], vectors="scaled")
    for i, axis in enumerate((found.x, found.y)):
        assert axis[-1] == -axis[0] == pytest.approx(1.5 * max(cut.reach[i] for cut in found.cuts))
    assert sliced(model).x[-1] == 1
    line = sliced(model, ("line", "random"), other=trained(residual(), 10))
    assert (line.x[0], line.x[-1]) == (-0.25, 1.25)


def test_a_scope_moves_its_parameters_alone_and_a_region_elsewhere_is_not_entered():
    model = trained(residual())
    norms = Measure(variant="sam", scope="norm_only", rho=0.1)
    found = sliced(model, ("random",), scope="norm_only", vectors="scaled", regions=[SPHERE, norms])
    sphere, norms_only = found.cuts
    assert sphere.reach[0] == pytest.approx(2 * norms_only.reach[0])
    everything = sliced(model, ("random",), vectors="scaled", regions=[norms])
    assert everything.cuts[0].reach == (0,)


def test_several_batches_are_weighted_by_their_images():
    model = trained(residual()).eval()
    n = BATCH + 40
    x, y = images(n)
    found = sliced(model, ("gradient",), n=n, points=3, ranges=[(-0.1, 0.1)])
    loss = cross_entropy(model(x), y)
    assert found.loss[0][1] == pytest.approx(float(loss.detach()))
    g = torch.autograd.grad(loss, list(select(model)))
    size, length = (float(torch.cat([t.flatten() for t in v]).norm()) for v in (weights(model), g))
    with torch.no_grad():
        for w, slope in zip(select(model), g, strict=True):
            w += 0.1 * size / length * slope
        assert found.loss[0][2] == pytest.approx(float(cross_entropy(model(x), y)))
    assert found.images == n


def test_the_models_are_as_they_were_and_the_result_is_json():
    model, other = trained(residual()).train(), trained(residual(), 10)
    before = [[x.clone() for x in m.state_dict().values()] for m in (model, other)]
    running = loss_slice(model, *images(), ("line",), other=other, statistics="estimated")
    for _ in range(4):
        next(running)
    running.close()
    found = sliced(model, ("line", "gradient"), other=other, statistics="interpolated", regions=[ELLIPSOID])
    json.dumps(asdict(found), allow_nan=False)
    for m, saved in zip((model, other), before, strict=True):
        assert all(torch.equal(a, b) for a, b in zip(m.state_dict().values(), saved, strict=True))
    assert model.training
    assert all(w.grad is None for w in model.parameters())


def test_a_loss_that_is_not_finite_leaves_a_hole():
    model = trained(plain()).float()
    for w in model.parameters():
        w.data *= 1e5
    found = sliced(model, ("random",), ranges=[(-1e6, 1e6)], points=3)
    assert found.loss[0][0] is None
    assert found.loss[0][1] is not None


@pytest.mark.parametrize(
    ("directions", "settings", "sentence"),
    [
        ((), {}, "directions must be a list of 1 to 2 entries"),
        (("up",), {}, "directions must be one of random, gradient, line, but it is 'up'"),
        (("gradient", "gradient"), {}, "directions must be two different ones, or two random ones"),
        (("line",), {}, "directions must be those with a line where there is another network, and only there"),
        (("random",), {"other": plain()}, "directions must be those with a line where there is another network"),
        (("random",), {"statistics": "interpolated"}, "statistics must be kept or estimated where there is no line"),
        (("random",), {"points": 1}, "points must be a whole number from 2 to 201, but it is 1"),
        (("random",), {"ranges": [(1, -1)]}, "ranges must be a number from 1 to 1e.06, but it is -1"),
        (("random",), {"vectors": "all"}, "vectors must be one of zero, scaled, but it is 'all'"),
        (("random",), {"scope": "norm_only"}, "directions must not be 0, but random moves nothing"),
        (("line",), {"other": plain().double()}, "other must have the trainable parameters that the model has"),
    ],
)
def test_wrong_requests_are_told_in_a_sentence(directions: tuple, settings: dict, sentence: str):
    with pytest.raises(ValueError, match=sentence):
        for _ in loss_slice(residual().double(), *images(16), directions, **settings):
            pass
