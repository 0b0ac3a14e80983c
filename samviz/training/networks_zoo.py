"""The networks themselves: pytorchcv's, fitted to images of 32x32 and any number of classes, and what it has not.

Convolutions start as in He et al. 2015 (normal, by fan out), which is what fb.resnet.torch has and the published code
of ResNeXt, DenseNet and PyramidNet took over; gamma starts at 1 and beta at 0, and both are trained everywhere.
"""

import torch
from pytorchcv.models.common import conv3x3_block
from pytorchcv.models.densenet_cifar import CIFARDenseNet
from pytorchcv.models.pyramidnet_cifar import get_pyramidnet_cifar
from pytorchcv.models.resnet_cifar import CIFARResNet
from pytorchcv.models.resnext_cifar import get_resnext_cifar
from pytorchcv.models.wrn_cifar import get_wrn_cifar
from torch import Tensor, nn


def resnet(blocks: int, classes: int, *, widths: tuple[int, ...] = (16, 32, 64), stem_stride: int = 1) -> nn.Module:
    """ResNet with a 3x3 stem and `blocks` basic blocks a stage (He et al. 2016, section 4.2), with projections.

    A stem of stride 2 halves the resolution of everything behind it.
    """
    stages = [[width] * blocks for width in widths]
    network = CIFARResNet(stages, widths[0], bottleneck=False, num_classes=classes)
    network.features.init_block.conv.stride = (stem_stride, stem_stride)
    return _fitted(network)


def wide_resnet(depth: int, factor: int, classes: int) -> nn.Module:
    """WRN-depth-factor without dropout (Zagoruyko & Komodakis 2016, Table 1)."""
    return _fitted(get_wrn_cifar(classes, depth, factor))


def resnext29_32x4d(classes: int) -> nn.Module:
    """ResNeXt-29 with 32 groups of width 4 (Xie et al. 2017, section 5.3, in the size of SAM-ON Table 1)."""
    return _fitted(get_resnext_cifar(classes, 29, cardinality=32, bottleneck_width=4))


def densenet121(classes: int) -> nn.Module:
    """DenseNet-121 (Huang et al. 2017, Table 1) with a 3x3 stem of 64 channels that keeps the resolution."""
    stages, channels, growth = [], 64, 32
    for units in (6, 12, 24, 16):
        stages.append([channels + growth * unit for unit in range(1, units + 1)])
        channels = stages[-1][-1] // 2  # what the transition behind the stage leaves
    return _fitted(CIFARDenseNet(stages, 64, bottleneck=True, num_classes=classes))


def pyramidnet272(classes: int) -> nn.Module:
    """PyramidNet of 272 layers with bottlenecks and alpha 200 (Han et al. 2017, Table 4), without ShakeDrop."""
    network = get_pyramidnet_cifar(10, 272, alpha=200, bottleneck=True)  # it takes 10 or 100 classes only
    network.output = nn.Linear(network.output.in_features, classes)
    return _fitted(network)


def vgg19_bn(classes: int) -> nn.Module:
    """VGG-19 (Simonyan & Zisserman 2015, configuration E) with BatchNorm and one linear layer for 32x32 images."""
    layers: list[nn.Module] = []
    channels = 3
    for width, convolutions in ((64, 2), (128, 2), (256, 4), (512, 4), (512, 4)):
        for _ in range(convolutions):
            layers.append(conv3x3_block(channels, width))
            channels = width
        layers.append(nn.MaxPool2d(2))
    return _he_normal(nn.Sequential(*layers, nn.Flatten(), nn.Linear(channels, classes)))


def resnet9(classes: int) -> nn.Module:
    """The nine layers of Page 2018, "How to train your ResNet", part 4 and on (github.com/davidcpage/cifar10-fast)."""
    return _he_normal(
        nn.Sequential(
            conv3x3_block(3, 64),
            conv3x3_block(64, 128),
            nn.MaxPool2d(2),
            Residual(conv3x3_block(128, 128), conv3x3_block(128, 128)),
            conv3x3_block(128, 256),
            nn.MaxPool2d(2),
            conv3x3_block(256, 512),
            nn.MaxPool2d(2),
            Residual(conv3x3_block(512, 512), conv3x3_block(512, 512)),
            nn.MaxPool2d(4),
            nn.Flatten(),
            EighthLinear(512, classes, bias=False),
        )
    )


class Residual(nn.Sequential):
    """A chain of layers, added to its input."""

    def forward(self, x: Tensor) -> Tensor:
        return x + super().forward(x)


class EighthLinear(nn.Linear):
    """A linear layer whose output is divided by 8: Page's logits, which keep large learning rates stable."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x) / 8


class VisionTransformer(nn.Module):
    """The ViT of SAM-ON section 4.2 for 32x32 images: patches of 4x4, a class token, 12 pre-norm layers, MLP ratio 4.

    Appendix A.1 has the sizes of image and patch. SAM-ON takes timm's VisionTransformer: hence the initial weights, eps
    1e-6 in LayerNorm, and no dropout.
    """

    def __init__(self, width: int, heads: int, classes: int) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, width, kernel_size=4, stride=4)
        self.token = nn.Parameter(1e-6 * torch.randn(1, 1, width))
        self.positions = nn.Parameter(nn.init.trunc_normal_(torch.empty(1, 1 + 8 * 8, width), std=0.02))
        self.layers = nn.Sequential(*(_encoder_layer(width, heads) for _ in range(12)))
        self.norm = nn.LayerNorm(width, eps=1e-6)
        self.dropout = nn.Identity()
        self.head = nn.Linear(width, classes)
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.trunc_normal_(module.weight, std=0.02)
                nn.init.zeros_(module.bias)
            elif isinstance(module, nn.MultiheadAttention):
                nn.init.trunc_normal_(module.in_proj_weight, std=0.02)  # its bias starts at 0

    def forward(self, x: Tensor) -> Tensor:
        patches = self.patches(x).flatten(2).transpose(1, 2)
        tokens = torch.cat([self.token.expand(len(x), -1, -1), patches], dim=1)
        return self.head(self.dropout(self.norm(self.layers(tokens + self.positions)[:, 0])))


def _encoder_layer(width: int, heads: int) -> nn.Module:
    return nn.TransformerEncoderLayer(
        width,
        heads,
        dim_feedforward=4 * width,
        dropout=0.0,
        activation="gelu",
        layer_norm_eps=1e-6,
        batch_first=True,
        norm_first=True,
    )


def drop_features(network: nn.Module, p: float) -> None:
    """Leave out a share p of the features before the classifier in training (Srivastava et al. 2014).

    `network` is one of this file's. Its weights keep their names, so that a state with dropout fits one without.
    """
    if isinstance(network, VisionTransformer):
        network.dropout = nn.Dropout(p)
    elif isinstance(network, nn.Sequential):
        network[-2] = nn.Sequential(network[-2], nn.Dropout(p))  # what flattens the features; the classifier is last
    else:
        network.features.add_module("dropout", nn.Dropout(p))


def _fitted(network: nn.Module) -> nn.Module:
    """A network of pytorchcv with our initial weights, and an average over the last map of any size (there of 8x8)."""
    network.features.final_pool = nn.AdaptiveAvgPool2d(1)
    return _he_normal(network)


def _he_normal(network: nn.Module) -> nn.Module:
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
    return network
