"""The sharpness of networks: against values worked out by hand, and nothing of it left behind."""

import json
from dataclasses import replace
from math import inf

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from samviz.optim import maximizer, select
from samviz.sharpness import Measure, Progress, Sharpness, sharpness
from samviz.sharpness.frozen import normalized_cross_entropy
from samviz.training.networks_zoo import VisionTransformer
from samviz.variants import VARIANTS
from tests.sharpness.networks import CLASSES, images, residual, trained

ONE_STEP = Measure(variant="elementwise_l2", rho=0.3, search="one_step", normalized=False)


def measured(model: nn.Module, measures: list[Measure], n: int = 64, **settings) -> list[Sharpness]:
    *told, result = sharpness(model, *images(n), measures, **{"m": 32} | settings)
    assert all(isinstance(event, Progress) for event in told)
    done = [event.done for event in told]
    assert done == sorted(set(done))
    assert done[-1] == told[-1].total
    return result


def state(model: nn.Module) -> list[Tensor]:
    return [x.clone() for x in model.state_dict().values()]


@pytest.mark.parametrize("scope", ["all", "norm_only", "no_norm"])
@pytest.mark.parametrize("variant", list(VARIANTS))
def test_one_step_is_the_mean_rise_over_the_batches(variant: str, scope: str):
    model = trained(residual()).eval()
    x, y = images()
    rises = []
    for part, labels in zip(x.split(32), y.split(32), strict=True):
        chosen = select(model, scope)
        loss = cross_entropy(model(part), labels)
        g = torch.autograd.grad(loss, list(chosen))
        with torch.no_grad():
            eps = maximizer(list(chosen), g, list(chosen.values()), VARIANTS[variant], 0.3)
            for w, e in zip(chosen, eps, strict=True):
                w += e
            rises.append(float(cross_entropy(model(part), labels) - loss))
            for w, e in zip(chosen, eps, strict=True):
                w -= e
    measure = replace(ONE_STEP, variant=variant, scope=scope)
    (found,) = measured(trained(residual()), [measure])
    assert found.batches == pytest.approx(rises)
    assert found.value == pytest.approx(sum(rises) / 2)
    assert found.loss == pytest.approx(float(cross_entropy(model(x), y).detach()))


def test_searches_are_ordered_and_a_larger_radius_is_sharper():
    model = trained(residual())
    measures = [Measure(rho=rho, search=s) for rho in (0.005, 0.05) for s in ("one_step", "ascent", "autopgd")]
    one, ascent, auto, *larger = (found.value for found in measured(model, measures))
    assert 0 < one < ascent <= auto * 1.001
    assert all(b > 2 * a for a, b in zip((one, ascent, auto), larger, strict=True))
    small = measured(model, [Measure(rho=0.0, search="autopgd")])
    assert small[0].value == 0


def test_one_step_of_an_ascent_is_one_step():
    model = trained(residual())
    for variant in ("elementwise_linf", "filterwise_l2"):
        found = [Measure(variant=variant, rho=0.02, search=s, steps=1) for s in ("one_step", "ascent")]
        a, b = measured(model, found)
        assert a.value == pytest.approx(b.value, rel=1e-9)


def test_the_normalized_loss_does_not_see_the_scale_or_a_shift_of_the_logits():
    logits, y = torch.randn(5, 4, generator=torch.Generator().manual_seed(0)), torch.tensor([0, 1, 2, 3, 0])
    here = normalized_cross_entropy(logits, y)
    torch.testing.assert_close(normalized_cross_entropy(7 * logits + 3, y), here)
    centered = logits - logits.mean(1, keepdim=True)
    by_hand = cross_entropy(centered / (centered**2).sum(1, keepdim=True).sqrt(), y)
    torch.testing.assert_close(here, by_hand)


def test_it_comes_out_the_same_again_alone_and_among_others_and_another_seed_starts_elsewhere():
    model = trained(residual())
    measure = Measure(rho=0.2, steps=3)
    (first,) = measured(model, [measure])
    _, again, _ = measured(model, [ONE_STEP, measure, replace(measure, variant="sam", p=2.0)])
    assert again == first
    (other,) = measured(model, [measure], seed=1)
    assert other.value != first.value


def test_at_the_highest_loss_there_is_nothing_to_climb():
    """Logits that are as wrong as they can be: every search of several steps comes back to w."""
    model = nn.Sequential(nn.Flatten(), nn.Linear(192, CLASSES, bias=False)).double()
    x, y = torch.ones(4, 3, 8, 8, dtype=torch.float64), torch.zeros(4, dtype=torch.long)
    model[1].weight.data = torch.eye(CLASSES, dtype=torch.float64)[0].neg()[:, None].repeat(1, 192)
    measures = [Measure(variant="sam", p=p, rho=0.1, search=s) for p in (2, inf) for s in ("ascent", "autopgd")]
    *_, found = sharpness(model, x, y, measures, m=4)
    assert [f.value for f in found] == [0] * 4


def test_whole_batches_only_and_each_on_its_own():
    model = trained(residual())
    x, y = images(90)
    *_, (whole,) = sharpness(model, x[:64], y[:64], [ONE_STEP], m=32)
    *_, (rest_left_out,) = sharpness(model, x, y, [ONE_STEP], m=32)
    assert rest_left_out == whole
    *_, (second,) = sharpness(model, x[32:64], y[32:64], [ONE_STEP], m=32)
    assert second.value == pytest.approx(whole.batches[1])
    *_, (halves,) = sharpness(model, x[:64], y[:64], [ONE_STEP], m=16)
    assert len(halves.batches) == 4
    assert halves.value > whole.value  # fewer images have more in common


def test_the_model_is_as_it_was_even_if_one_leaves_midway():
    model = trained(residual()).train()
    before, random = state(model), torch.get_rng_state()
    running = sharpness(model, *images(), [Measure(rho=0.1)], m=32)
    for _ in range(7):
        next(running)
    running.close()
    measured(model, [Measure(rho=0.1, steps=2), ONE_STEP])
    assert all(torch.equal(a, b) for a, b in zip(state(model), before, strict=True))
    assert model.training
    assert all(w.grad is None and w.requires_grad for w in model.parameters())
    assert torch.equal(torch.get_rng_state(), random)


def test_frozen_parameters_are_not_perturbed():
    model = trained(residual())
    for w in list(model.parameters())[1:]:
        w.requires_grad_(False)
    only, _ = measured(model, [replace(ONE_STEP, variant="sam"), replace(ONE_STEP, variant="sam", scope="no_norm")])
    for w in model.parameters():
        w.requires_grad_(True)
    (all_of_them,) = measured(model, [replace(ONE_STEP, variant="sam")])
    assert 0 < only.value < all_of_them.value


def test_a_loss_that_is_not_finite_leaves_no_number():
    model = trained(residual()).float()
    x, y = images(dtype=torch.float32)
    *_, (broken,) = sharpness(model, x * 1e38, y, [ONE_STEP], m=32)
    assert broken.value is None
    json.dumps(broken.value, allow_nan=False)


def test_a_vision_transformer_has_a_sharpness_too():
    model = VisionTransformer(8, 2, CLASSES).double()
    x, y = images(16, size=32)
    measures = [replace(ONE_STEP, scope="norm_only"), Measure(rho=0.01, steps=2, normalized=False)]
    *_, (norms, everything) = sharpness(model, x, y, measures, m=16)
    assert norms.value > 0
    assert everything.value > 0


def test_float32_agrees_with_float64():
    model = trained(residual())
    measures = [ONE_STEP, Measure(rho=0.05)]
    exact = measured(model, measures)
    single = measured(model.float(), measures)
    for a, b in zip(exact, single, strict=True):
        assert a.value == pytest.approx(b.value, rel=1e-3)


def test_measures_go_through_json():
    measure = Measure(variant="sam", p=inf, eta=0.5)
    assert Measure.from_dict(json.loads(json.dumps(measure.to_dict(), allow_nan=False))) == measure
    assert measure.model.p == inf
    assert Measure().model.p == inf
    assert Measure(variant="filterwise_l2").model.eta == 0.01


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"variant": "round"}, "variant must be one of sam, .*, but it is 'round'."),
        ({"rho": -0.1}, "rho must be a number from 0 to 100, but it is -0.1."),
        ({"p": 3}, "p must be 2 or inf, but it is 3."),
        ({"eta": "big"}, "eta must be a number from 0 to 100, but it is 'big'."),
        ({"scope": "some"}, "scope must be one of all, norm_only, no_norm, but it is 'some'."),
        ({"search": "luck"}, "search must be one of one_step, ascent, autopgd, but it is 'luck'."),
        ({"steps": 0}, "steps must be a whole number from 1 to 1000, but it is 0."),
        ({"normalized": 1}, "normalized must be true or false, but it is 1."),
    ],
)
def test_wrong_measures_are_told_in_a_sentence(settings: dict, sentence: str):
    with pytest.raises(ValueError, match=sentence):
        Measure(**settings)


def test_too_few_images_and_empty_scopes_are_told_in_a_sentence():
    with pytest.raises(ValueError, match=r"m must be a whole number from 1 to 64, but it is 128\."):
        next(sharpness(residual().double(), *images(), [ONE_STEP]))
    model = nn.Sequential(nn.Flatten(), nn.Linear(192, CLASSES)).double()
    with pytest.raises(ValueError, match="scope must be one that selects parameters of the model"):
        next(sharpness(model, *images(), [replace(ONE_STEP, scope="norm_only")], m=32))
