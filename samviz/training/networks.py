"""The networks that a recipe can name. All have normalization layers with a trainable gamma and beta."""

import torch
from torch import Tensor, nn

from samviz.spec import NETWORKS, check


def build(name: str, classes: int, seed: int) -> nn.Module:
    """A freshly initialized network of `NETWORKS` for images (N, 3, 32, 32) -> logits (N, classes), on the CPU.

    The weights depend on the name, the number of classes and the seed alone; torch's own random state is left as it is.
    """
    check.choice("network", name, NETWORKS)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return _BUILDERS[name](classes)


def resnet(blocks: int, classes: int, stem_stride: int = 1) -> nn.Sequential:
    """ResNet of depth 6 * blocks + 2 for 32x32 images (He et al. 2016, section 4.2), with projections (option B).

    A first convolution of stride 2 halves the resolution of everything behind it.
    """
    widths = (16, 32, 64)
    layers: list[nn.Module] = [_conv3x3(3, 16, stem_stride), nn.BatchNorm2d(16), nn.ReLU()]
    channels = 16
    for stage, width in enumerate(widths):
        for block in range(blocks):
            layers.append(BasicBlock(channels, width, stride=2 if stage > 0 and block == 0 else 1))
            channels = width
    return _initialized(nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, classes)))


def wide_resnet(depth: int, factor: int, classes: int) -> nn.Sequential:
    """WRN-depth-factor without dropout (Zagoruyko & Komodakis 2016, Table 1); depth is 6 * blocks + 4."""
    blocks = (depth - 4) // 6
    layers: list[nn.Module] = [_conv3x3(3, 16)]
    channels = 16
    for stage, width in enumerate((16 * factor, 32 * factor, 64 * factor)):
        for block in range(blocks):
            layers.append(PreActivationBlock(channels, width, stride=2 if stage > 0 and block == 0 else 1))
            channels = width
    head = [nn.BatchNorm2d(channels), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, classes)]
    return _initialized(nn.Sequential(*layers, *head))


class BasicBlock(nn.Module):
    """Two 3x3 convolutions, each followed by BatchNorm, and a shortcut around both (He et al. 2016, Fig. 2)."""

    def __init__(self, channels: int, width: int, stride: int) -> None:
        super().__init__()
        self.residual = nn.Sequential(
            _conv3x3(channels, width, stride),
            nn.BatchNorm2d(width),
            nn.ReLU(),
            _conv3x3(width, width),
            nn.BatchNorm2d(width),
        )
        self.shortcut = nn.Identity()
        if stride != 1 or channels != width:
            self.shortcut = nn.Sequential(nn.Conv2d(channels, width, 1, stride, bias=False), nn.BatchNorm2d(width))

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(self.residual(x) + self.shortcut(x))


class PreActivationBlock(nn.Module):
    """BatchNorm and ReLU before each 3x3 convolution; a projection reads the activated input."""

    def __init__(self, channels: int, width: int, stride: int) -> None:
        super().__init__()
        self.activation = nn.Sequential(nn.BatchNorm2d(channels), nn.ReLU())
        self.residual = nn.Sequential(
            _conv3x3(channels, width, stride), nn.BatchNorm2d(width), nn.ReLU(), _conv3x3(width, width)
        )
        self.projection = nn.Conv2d(channels, width, 1, stride, bias=False) if channels != width else None

    def forward(self, x: Tensor) -> Tensor:
        activated = self.activation(x)
        return self.residual(activated) + (x if self.projection is None else self.projection(activated))


def _conv3x3(channels: int, width: int, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(channels, width, 3, stride, padding=1, bias=False)


def _initialized(network: nn.Sequential) -> nn.Sequential:
    """Convolutions as in He et al. 2015 (by fan out); the rest as torch has it: gamma 1, beta 0."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
    return network


_BUILDERS = {
    "resnet8": lambda classes: resnet(1, classes),
    "resnet8_half": lambda classes: resnet(1, classes, stem_stride=2),
    "resnet20": lambda classes: resnet(3, classes),
    "wrn16_4": lambda classes: wide_resnet(16, 4, classes),
}
