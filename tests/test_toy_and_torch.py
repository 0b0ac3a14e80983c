"""The NumPy toy and the torch optimizer are two writings of one method: the same steps on the same loss."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from samviz.optim import SAM, maximizer
from samviz.toy import descend, gradient, one_step
from samviz.variants import VARIANTS, WEIGHT

STARTS = [(0.2, 0.05), (0.3, 0.033), (0.05, 0.4), (0.6, 0.3)]
RADII = {"sam": 0.05, "fisher": 0.05, "elementwise_linf": 0.2}
STEPS = 200


class Toy(torch.nn.Module):
    """|w1 ReLU(w2) - 0.04|, each weight a layer of its own (ASAM section 5.1)."""

    def __init__(self, start: tuple[float, float]) -> None:
        super().__init__()
        self.w1 = torch.nn.Parameter(torch.tensor(start[0], dtype=torch.float64))
        self.w2 = torch.nn.Parameter(torch.tensor(start[1], dtype=torch.float64))

    def forward(self) -> torch.Tensor:
        return (self.w1 * torch.relu(self.w2) - 0.04).abs()


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize(("eta", "p"), [(None, None), (0.02, None), (None, 4)])
def test_every_step_of_the_toy_is_a_step_of_the_optimizer(
    variant: str, start: tuple[float, float], eta: float | None, p: float | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    if p is not None:
        monkeypatch.setitem(VARIANTS, variant, replace(VARIANTS[variant], p=p))
    rho, lr = RADII.get(variant, 0.5), 0.01
    path = descend(start, variant, rho=rho, eta=eta, lr=lr, steps=STEPS)

    model = Toy(start)
    optimizer = SAM(model, torch.optim.SGD(model.parameters(), lr=lr), variant=variant, rho=rho, eta=eta)
    points, losses = [start], []
    for _ in range(STEPS):
        losses.append(float(optimizer.step(model).detach()))
        points.append((float(model.w1.detach()), float(model.w2.detach())))
    np.testing.assert_allclose(path.points, points, rtol=0, atol=1e-10)
    np.testing.assert_allclose(path.loss[:-1], losses, rtol=0, atol=1e-10)


@pytest.mark.parametrize("p", [1, 1.3, 2, 3, 10, np.inf])
@pytest.mark.parametrize("variant", VARIANTS)
def test_one_ascent_is_that_of_the_optimizer_for_every_p(variant: str, p: float) -> None:
    model = replace(VARIANTS[variant], p=p)
    for w in [*STARTS, (0.3, -0.1), (0.5, 0.5)]:
        weights, slopes = ([torch.tensor(x, dtype=torch.float64) for x in pair] for pair in (w, gradient(w)))
        expected = maximizer(weights, slopes, [WEIGHT, WEIGHT], model, 0.2)
        np.testing.assert_allclose(one_step(w, variant, 0.2, p=p), [float(e) for e in expected], rtol=1e-12)


@pytest.mark.parametrize("start", STARTS)
def test_plain_descent_is_sgd(start: tuple[float, float]) -> None:
    path = descend(start, None, lr=0.01, steps=STEPS)
    model = Toy(start)
    sgd = torch.optim.SGD(model.parameters(), lr=0.01)
    for point in path.points[1:]:
        sgd.zero_grad()
        model().backward()
        sgd.step()
        np.testing.assert_allclose(point, (float(model.w1.detach()), float(model.w2.detach())), rtol=0, atol=1e-12)
