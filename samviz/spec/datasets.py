"""The data sets that a recipe can name."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Dataset:
    """Images of 32x32 pixels in three colors, uint8."""

    label: str
    classes: tuple[str, ...]
    train_size: int
    test_size: int


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
