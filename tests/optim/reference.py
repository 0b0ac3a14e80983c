"""SAM written once more, one number at a time and from the papers alone: slow, plain and independent of the package."""

from math import inf, sqrt

import torch
from torch import Tensor, nn


class BatchNormNet(nn.Module):
    """A convolution, BatchNorm, a residual join and a linear layer, in float64; names tell nothing about types."""

    NORM = frozenset({"second.0.weight", "second.0.bias"})
    BIASES = frozenset({"second.0.bias", "third.bias", "normal.bias"})
    CONVOLUTIONS = frozenset({"first.weight", "third.weight"})

    def __init__(self, seed: int = 0) -> None:
        super().__init__()
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            self.first = nn.Conv2d(3, 4, 3, padding=1, bias=False)
            self.second = nn.Sequential(nn.BatchNorm2d(4), nn.ReLU())
            self.third = nn.Conv2d(4, 4, 3, padding=1)
            self.normal = nn.Linear(4, 5)  # "norm" in the name of what is none
            scatter(self)

    def forward(self, x: Tensor) -> Tensor:
        x = self.second(self.first(x))
        return self.normal((x + self.third(x)).mean(dim=(2, 3)))


class LayerNormNet(nn.Module):
    """One block of a transformer on three tokens, in float64."""

    NORM = frozenset(f"{layer}.{name}" for layer in ("before", "between", "after") for name in ("weight", "bias"))
    BIASES = frozenset(
        f"{layer}.bias"
        for layer in ("embed", "before", "attend.out_proj", "between", "mlp.0", "mlp.2", "after", "head")
    ) | {"attend.in_proj_bias"}
    CONVOLUTIONS = frozenset()

    def __init__(self, seed: int = 0) -> None:
        super().__init__()
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            self.embed = nn.Linear(36, 6)
            self.before = nn.LayerNorm(6)
            self.attend = nn.MultiheadAttention(6, 2, batch_first=True)
            self.between = nn.LayerNorm(6)
            self.mlp = nn.Sequential(nn.Linear(6, 8), nn.GELU(), nn.Linear(8, 6))
            self.after = nn.LayerNorm(6)
            self.head = nn.Linear(6, 5)
            scatter(self)

    def forward(self, x: Tensor) -> Tensor:
        x = self.embed(x.flatten(2))
        y = self.before(x)
        x = x + self.attend(y, y, y, need_weights=False)[0]
        x = x + self.mlp(self.between(x))
        return self.head(self.after(x).mean(dim=1))


NETS = {"BatchNorm": BatchNormNet, "LayerNorm": LayerNormNet}


def scatter(net: nn.Module) -> None:
    """Move every parameter off its initial value: gamma 1 and beta 0 hide mistakes."""
    net.to(torch.float64)
    with torch.no_grad():
        for w in net.parameters():
            w += 0.2 * torch.randn(w.shape, dtype=w.dtype)


def batch(step: int, n: int = 8) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(step)
    x = torch.randn(n, 3, 6, 6, generator=generator, dtype=torch.float64)
    return x, torch.randint(0, 5, (n,), generator=generator)


def perturbed_names(net: nn.Module, scope: str) -> list[str]:
    names = [name for name, _ in net.named_parameters()]
    return [n for n in names if scope == "all" or (n in net.NORM) == (scope == "norm_only")]


def perturbation(
    net: nn.Module, names: list[str], w: dict[str, list], g: dict[str, list], key: str, p: float, rho: float, eta: float
) -> dict[str, list[float]]:
    """eps of ASAM section 4 with T_w of SAM-ON Table 10 and ASAM Eq. 5, from flat lists of floats."""
    T: dict[str, list[float]] = {}
    for name in names:
        values, size = w[name], len(w[name])
        if key == "sam":
            T[name] = [1.0] * size
        elif key in {"elementwise_l2", "elementwise_linf"}:
            T[name] = [abs(v) + eta for v in values]
        elif key == "elementwise_l2_orig":
            T[name] = [1.0] * size if name in net.BIASES else [abs(v) + eta for v in values]
        elif key == "layerwise_l2":
            T[name] = [sqrt(sum(v * v for v in values)) + eta] * size
        elif key == "filterwise_l2":
            filters = net.get_parameter(name).shape[0] if name in net.CONVOLUTIONS else size
            length = size // filters
            T[name] = []
            for f in range(filters):
                one = values[f * length : (f + 1) * length]
                T[name] += [sqrt(sum(v * v for v in one)) + eta] * length
        else:
            assert key == "fisher"
            T[name] = [1 / sqrt(1 + eta * v * v) for v in g[name]]
    u = {n: [t * v for t, v in zip(T[n], g[n], strict=True)] for n in names}
    sizes = [abs(v) for n in names for v in u[n]]
    if p == 1:
        most = max(sizes)
        parts = sum(s == most for s in sizes)
        z = {n: [sign(v) * (abs(v) == most) / parts for v in u[n]] for n in names}
    elif p == inf:
        z = {n: [sign(v) for v in u[n]] for n in names}
    else:
        q = p / (p - 1)
        norm = sum(s**q for s in sizes) ** (1 / q)
        z = {n: [sign(v) * (abs(v) / norm) ** (q - 1) for v in u[n]] for n in names}
    return {n: [rho * t * v for t, v in zip(T[n], z[n], strict=True)] for n in names}


def sign(v: float) -> int:
    return (v > 0) - (v < 0)


def train(
    net: nn.Module,
    steps: int,
    key: str,
    scope: str,
    p: float,
    rho: float,
    eta: float,
    base: torch.optim.Optimizer | None = None,
    lr: float = 0.0,
    momentum: float = 0.0,
    weight_decay: float = 0.0,
    parts: int = 1,
    live: dict[str, list[bool]] | None = None,
    norm_over: str = "all",
) -> list[float]:
    """Train `net` by SAM around SGD with momentum and weight decay, or around `base`; returns the losses at w.

    With `parts`, every batch is cut in sub-batches with an eps each. `live` is a mask: eps is zero elsewhere, and with
    `norm_over` live the gradient is too before its norm is taken.
    """
    parameters = dict(net.named_parameters())
    names = perturbed_names(net, scope)
    velocity: dict[str, Tensor] = {}
    losses = []
    for step in range(steps):
        before = {n: w.detach().clone() for n, w in parameters.items()}
        total = {n: torch.zeros_like(w) for n, w in before.items()}
        loss_sum = 0.0
        x, y = batch(step)
        for xi, yi in zip(x.chunk(parts), y.chunk(parts), strict=True):
            loss = nn.functional.cross_entropy(net(xi), yi)
            loss_sum += float(loss.detach())
            gradients = dict(zip(parameters, torch.autograd.grad(loss, list(parameters.values())), strict=True))
            w = {n: before[n].flatten().tolist() for n in names}
            g = {n: gradients[n].flatten().tolist() for n in names}
            if live and norm_over == "live":
                g = {n: [v if m else 0.0 for v, m in zip(g[n], live[n], strict=True)] for n in names}
            eps = perturbation(net, names, w, g, key, p, rho, eta)
            if live:
                eps = {n: [v if m else 0.0 for v, m in zip(eps[n], live[n], strict=True)] for n in names}
            with torch.no_grad():
                for n in names:
                    parameters[n].add_(torch.tensor(eps[n], dtype=torch.float64).reshape(before[n].shape))
            loss = nn.functional.cross_entropy(net(xi), yi)
            second = torch.autograd.grad(loss, list(parameters.values()))
            with torch.no_grad():
                for (n, v), s in zip(parameters.items(), second, strict=True):
                    v.copy_(before[n])
                    total[n] += s / parts
        losses.append(loss_sum / parts)
        if base is not None:
            for n, v in parameters.items():
                v.grad = total[n]
            base.step()
            continue
        with torch.no_grad():
            for n, v in parameters.items():
                d = total[n] + weight_decay * before[n]
                velocity[n] = d if n not in velocity else momentum * velocity[n] + d
                v.copy_(before[n] - lr * velocity[n])
    return losses
