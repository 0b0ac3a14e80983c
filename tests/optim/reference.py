"""SAM written once more, one number at a time and from the papers alone: slow, plain and independent of the package."""

from math import inf, sqrt

import torch
from torch import Tensor, nn


class Net(nn.Module):
    """A convolution, BatchNorm, a residual join and a linear layer, in float64; names tell nothing about types."""

    def __init__(self, seed: int = 0) -> None:
        super().__init__()
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            self.first = nn.Conv2d(3, 4, 3, padding=1, bias=False, dtype=torch.float64)
            self.second = nn.Sequential(nn.BatchNorm2d(4, dtype=torch.float64), nn.ReLU())
            self.third = nn.Conv2d(4, 4, 3, padding=1, dtype=torch.float64)
            self.normal = nn.Linear(4, 5, dtype=torch.float64)  # "norm" in the name of what is none
            with torch.no_grad():
                self.second[0].weight += 0.3 * torch.randn(4, dtype=torch.float64)
                self.second[0].bias += 0.3 * torch.randn(4, dtype=torch.float64)

    def forward(self, x: Tensor) -> Tensor:
        x = self.second(self.first(x))
        return self.normal((x + self.third(x)).mean(dim=(2, 3)))


NORM = {"second.0.weight", "second.0.bias"}
BIASES = {"second.0.bias", "third.bias", "normal.bias"}
CONVOLUTIONS = {"first.weight", "third.weight"}


def batch(step: int, n: int = 8) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(step)
    x = torch.randn(n, 3, 6, 6, generator=generator, dtype=torch.float64)
    return x, torch.randint(0, 5, (n,), generator=generator)


def perturbed_names(net: nn.Module, scope: str) -> list[str]:
    names = [name for name, _ in net.named_parameters()]
    return [n for n in names if scope == "all" or (n in NORM) == (scope == "norm_only")]


def perturbation(
    names: list[str], w: dict[str, list], g: dict[str, list], shapes: dict, key: str, rho: float, eta: float
) -> dict[str, list[float]]:
    """eps of ASAM section 4 and SAM-ON Eq. 4 with T_w of SAM-ON Table 10 and ASAM Eq. 5, from flat lists of floats."""
    T: dict[str, list[float]] = {}
    for name in names:
        values, size = w[name], len(w[name])
        if key == "sam":
            T[name] = [1.0] * size
        elif key in {"elementwise_l2", "elementwise_linf"} or (key == "filterwise_l2" and name not in CONVOLUTIONS):
            T[name] = [abs(v) + eta for v in values]
        elif key == "elementwise_l2_orig":
            T[name] = [1.0] * size if name in BIASES else [abs(v) + eta for v in values]
        elif key == "layerwise_l2":
            T[name] = [sqrt(sum(v * v for v in values)) + eta] * size
        elif key == "filterwise_l2":
            per_filter = size // shapes[name][0]
            T[name] = []
            for f in range(shapes[name][0]):
                one = values[f * per_filter : (f + 1) * per_filter]
                T[name] += [sqrt(sum(v * v for v in one)) + eta] * per_filter
        else:
            assert key == "fisher"
            T[name] = [1 / sqrt(1 + eta * v * v) for v in g[name]]
    p = inf if key == "elementwise_linf" else 2
    if p == inf:
        return {n: [rho * t * ((v > 0) - (v < 0)) for t, v in zip(T[n], g[n], strict=True)] for n in names}
    norm = sqrt(sum((t * v) ** 2 for n in names for t, v in zip(T[n], g[n], strict=True)))
    return {n: [rho * t * t * v / norm for t, v in zip(T[n], g[n], strict=True)] for n in names}


def train(
    net: Net, steps: int, key: str, scope: str, rho: float, eta: float, lr: float, momentum: float, weight_decay: float
) -> list[float]:
    """Train `net` by SAM around SGD with momentum and weight decay; returns the losses at w."""
    parameters = dict(net.named_parameters())
    names = perturbed_names(net, scope)
    shapes = {n: tuple(w.shape) for n, w in parameters.items()}
    velocity: dict[str, Tensor] = {}
    losses = []
    for step in range(steps):
        x, y = batch(step)
        loss = nn.functional.cross_entropy(net(x), y)
        losses.append(float(loss.detach()))
        gradients = dict(zip(parameters, torch.autograd.grad(loss, list(parameters.values())), strict=True))
        before = {n: w.detach().clone() for n, w in parameters.items()}
        eps = perturbation(
            names,
            {n: before[n].flatten().tolist() for n in names},
            {n: gradients[n].flatten().tolist() for n in names},
            shapes,
            key,
            rho,
            eta,
        )
        with torch.no_grad():
            for n in names:
                parameters[n].add_(torch.tensor(eps[n], dtype=torch.float64).reshape(shapes[n]))
        loss = nn.functional.cross_entropy(net(x), y)
        second = dict(zip(parameters, torch.autograd.grad(loss, list(parameters.values())), strict=True))
        with torch.no_grad():
            for n, w in parameters.items():
                d = second[n] + weight_decay * before[n]
                velocity[n] = d if n not in velocity else momentum * velocity[n] + d
                w.copy_(before[n] - lr * velocity[n])
    return losses
