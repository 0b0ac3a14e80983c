"""The optimizer against a plain independent writing of the papers' formulas, number by number."""

from math import inf

import pytest
import torch

from samviz.optim import SAM, Mask
from samviz.spec import SCOPES
from samviz.variants import VARIANTS
from tests.optim.helpers import SGD, closure, make, weights
from tests.optim.reference import NETS, batch, train

RADII = {"layerwise_l2": 0.05}
STEPS = 5


def radius(variant: str, p: float) -> float:
    return 0.02 if p == inf else RADII.get(variant, 0.3)


def assert_same(net: torch.nn.Module, other: torch.nn.Module, losses: list[float], expected: list[float]) -> None:
    assert losses == pytest.approx(expected, rel=1e-10)
    assert float((weights(net) - weights(other)).norm() / weights(other).norm()) < 1e-10


@pytest.mark.parametrize("net", NETS)
@pytest.mark.parametrize("p", [1, 1.5, 2, 3, inf])
@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize("variant", VARIANTS)
def test_every_variant_scope_and_norm_is_the_papers(variant: str, scope: str, p: float, net: str) -> None:
    rho = radius(variant, p)
    ours, optimizer = make(NETS[net](), rho, variant=variant, scope=scope, p=p)
    losses = [float(optimizer.step(closure(ours, step))) for step in range(STEPS)]
    other = NETS[net]()
    expected = train(other, STEPS, variant, scope, p, rho, VARIANTS[variant].eta, **SGD)
    assert_same(ours, other, losses, expected)


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_defaults_of_a_variant_and_an_eta_of_ones_own(variant: str) -> None:
    p, rho = VARIANTS[variant].p, radius(variant, VARIANTS[variant].p)
    for eta in (None, 0.2):
        ours, optimizer = make(rho=rho, variant=variant, eta=eta)
        losses = [float(optimizer.step(closure(ours, step))) for step in range(STEPS)]
        other = NETS["BatchNorm"]()
        expected = train(other, STEPS, variant, "all", p, rho, VARIANTS[variant].eta if eta is None else eta, **SGD)
        assert_same(ours, other, losses, expected)


@pytest.mark.parametrize("net", NETS)
def test_adamw_as_the_base(net: str) -> None:
    ours, other = NETS[net](), NETS[net]()
    optimizer = SAM(ours, torch.optim.AdamW(ours.parameters(), lr=0.01), variant="elementwise_l2", rho=0.5)
    losses = [float(optimizer.step(closure(ours, step))) for step in range(STEPS)]
    adamw = torch.optim.AdamW(other.parameters(), lr=0.01)
    assert_same(ours, other, losses, train(other, STEPS, "elementwise_l2", "all", 2, 0.5, 0.0, base=adamw))


def test_parameter_groups_keep_their_own_settings() -> None:
    ours, other = NETS["BatchNorm"](), NETS["BatchNorm"]()

    def base(net: torch.nn.Module) -> torch.optim.Optimizer:
        norm = [w for name, w in net.named_parameters() if name in net.NORM]
        rest = [w for name, w in net.named_parameters() if name not in net.NORM]
        return torch.optim.SGD([{"params": norm, "lr": 0.2}, {"params": rest, "weight_decay": 0.1}], lr=0.01)

    optimizer = SAM(ours, base(ours), rho=0.5)
    losses = [float(optimizer.step(closure(ours, step))) for step in range(STEPS)]
    assert_same(ours, other, losses, train(other, STEPS, "sam", "all", 2, 0.5, 0.0, base=base(other)))


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize("parts", [2, 4])
def test_m_sharpness_is_an_eps_for_each_sub_batch_and_the_mean_of_their_gradients(parts: int, scope: str) -> None:
    ours, optimizer = make(rho=0.5, variant="elementwise_l2", scope=scope)
    losses = []
    for step in range(STEPS):
        x, y = batch(step)
        closures = [
            lambda x=xi, y=yi: torch.nn.functional.cross_entropy(ours(x), y)
            for xi, yi in zip(x.chunk(parts), y.chunk(parts), strict=True)
        ]
        losses.append(float(optimizer.step(closures)))
    other = NETS["BatchNorm"]()
    expected = train(other, STEPS, "elementwise_l2", scope, 2, 0.5, 0.0, **SGD, parts=parts)
    assert_same(ours, other, losses, expected)


@pytest.mark.parametrize(("kind", "norm_over"), [("random", "live"), ("fisher", "all"), ("dynamic", "all")])
@pytest.mark.parametrize("variant", VARIANTS)
def test_a_mask_perturbs_its_live_coordinates_as_its_authors_have_it(variant: str, kind: str, norm_over: str) -> None:
    p, rho = VARIANTS[variant].p, radius(variant, VARIANTS[variant].p)
    ours, optimizer = make(rho=rho, variant=variant, mask=Mask(kind=kind, sparsity=0.7, seed=3))
    if kind != "random":
        optimizer.renew_mask([closure(ours, 100), closure(ours, 101)])
    names = [name for name, _ in ours.named_parameters()]
    live = dict(zip(names, (m.flatten().tolist() for m in optimizer.state_dict()["mask"]["live"]), strict=True))
    losses = [float(optimizer.step(closure(ours, step))) for step in range(STEPS)]
    other = NETS["BatchNorm"]()
    settings = {"live": live, "norm_over": norm_over}
    expected = train(other, STEPS, variant, "all", p, rho, VARIANTS[variant].eta, **SGD, **settings)
    assert_same(ours, other, losses, expected)
