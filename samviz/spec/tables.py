"""The data sets and networks that a recipe can name, and the radii of the SAM-ON paper."""

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

_TABLE_8 = {
    ("sam", "all"): 0.1,
    ("sam", "norm_only"): 0.5,
    ("elementwise_l2", "all"): 2.0,
    ("elementwise_l2", "norm_only"): 3.0,
    ("elementwise_l2_orig", "all"): 0.5,
    ("elementwise_l2_orig", "norm_only"): 0.5,
    ("elementwise_linf", "all"): 0.005,
    ("elementwise_linf", "norm_only"): 0.025,
    ("layerwise_l2", "all"): 0.025,
    ("layerwise_l2", "norm_only"): 0.25,
    ("fisher", "all"): 0.1,
    ("fisher", "norm_only"): 0.5,
    # SAM-ON Table 8 has no row for filterwise: these values are ours, those of the original elementwise ASAM.
    ("filterwise_l2", "all"): 0.5,
    ("filterwise_l2", "norm_only"): 0.5,
}


def default_rho(variant: str, scope: str) -> float:
    """The radius of SAM-ON Table 8 for CIFAR-10 and ResNets (bold values); no-norm takes the one of `all`."""
    return _TABLE_8[variant, "norm_only" if scope == "norm_only" else "all"]
