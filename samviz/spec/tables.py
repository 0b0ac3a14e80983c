"""The data sets and networks that a recipe can name."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Dataset:
    """Images of 32x32 pixels in three colors, uint8."""

    label: str
    classes: tuple[str, ...]
    train_size: int
    test_size: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Network:
    """A network that `samviz.training.networks` can build."""

    label: str
    note: str


DATASETS = {
    "builtin": Dataset(
        label="Built-in shapes",
        classes=("disc", "ring", "square", "frame", "triangle", "cross", "star", "stripes", "checks", "dots"),
        train_size=4000,
        test_size=2000,
    ),
    "cifar10": Dataset(
        label="CIFAR-10",
        classes=("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"),
        train_size=50_000,
        test_size=10_000,
    ),
}

NETWORKS = {
    "resnet8": Network(label="ResNet-8", note="small, for CPUs: three stages of one block, 16 to 64 channels"),
    "resnet8_half": Network(label="ResNet-8, half size", note="ResNet-8 on half the resolution: a quarter of the work"),
    "resnet20": Network(label="ResNet-20", note="He et al. 2016, 16 to 64 channels"),
    "wrn16_4": Network(label="WRN-16-4", note="Zagoruyko & Komodakis 2016, 64 to 256 channels"),
}
