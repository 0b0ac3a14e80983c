"""The networks that a recipe can name."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Network:
    """A network that `samviz.training.networks` can build."""

    label: str
    note: str


NETWORKS = {
    "resnet8": Network(label="ResNet-8", note="small, for CPUs: three stages of one block, 16 to 64 channels"),
    "resnet8_half": Network(label="ResNet-8, half size", note="ResNet-8 on half the resolution: a quarter of the work"),
    "resnet20": Network(label="ResNet-20", note="He et al. 2016, 16 to 64 channels"),
    "wrn16_4": Network(label="WRN-16-4", note="Zagoruyko & Komodakis 2016, 64 to 256 channels"),
}
