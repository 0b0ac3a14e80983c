"""Small trained networks and images of 8 x 8, so that a sharpness takes milliseconds."""

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

CLASSES = 4


def images(n: int = 64, size: int = 8, dtype: torch.dtype = torch.float64) -> tuple[Tensor, Tensor]:
    """Noise on four patterns (n, 3, size, size), and which of them it is."""
    generator = torch.Generator().manual_seed(1)
    patterns = torch.randn(CLASSES, 3, size, size, generator=generator)
    y = torch.arange(n) % CLASSES
    return (0.3 * patterns[y] + torch.randn(n, 3, size, size, generator=generator)).to(dtype), y


class Block(nn.Module):
    """A convolution with BatchNorm and ReLU, added to its input."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv, self.bn, self.relu = nn.Conv2d(width, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        return self.relu(self.bn(self.conv(x)) + x)


def residual() -> nn.Module:
    """Convolutions with BatchNorm around a shortcut."""
    return nn.Sequential(
        nn.Conv2d(3, 6, 3, padding=1, bias=False),
        nn.BatchNorm2d(6),
        nn.ReLU(inplace=True),
        Block(6),
        nn.AvgPool2d(2),
        nn.Conv2d(6, 8, 3, padding=1),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(8, CLASSES),
    )


def vgg() -> nn.Module:
    """Convolutions with BatchNorm one after the other, as in VGG; what is flattened has several pixels a channel."""

    def block(before: int, width: int) -> list[nn.Module]:
        conv = nn.Conv2d(before, width, 3, padding=1, bias=False)
        return [conv, nn.BatchNorm2d(width), nn.ReLU(inplace=True)]

    pool = nn.MaxPool2d(2)
    return nn.Sequential(*block(3, 6), *block(6, 6), pool, *block(6, 8), pool, nn.Flatten(), nn.Linear(8 * 4, CLASSES))


def plain() -> nn.Module:
    """No norm layers and no shortcuts; a grouped convolution, and a flattening of maps with several pixels."""
    return nn.Sequential(
        nn.Conv2d(3, 6, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(6, 8, 3, padding=1, groups=2),
        nn.LeakyReLU(0.1),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(8 * 4, 10),
        nn.ReLU(),
        nn.Linear(10, CLASSES),
    )


def trained(network: nn.Module, steps: int = 40, size: int = 8) -> nn.Module:
    """The network from the weights of a fixed seed, after some steps of SGD in float64."""
    generator = torch.Generator().manual_seed(2)
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            nn.init.kaiming_normal_(module.weight, generator=generator)
            if module.bias is not None:
                nn.init.normal_(module.bias, std=0.1, generator=generator)
    network = network.double().train()
    x, y = images(size=size)
    optimizer = torch.optim.SGD(network.parameters(), lr=0.05, momentum=0.9)
    for _ in range(steps):
        optimizer.zero_grad()
        cross_entropy(network(x), y).backward()
        optimizer.step()
    optimizer.zero_grad()
    return network
