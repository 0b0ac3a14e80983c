"""The networks that a recipe can name: what is known of them without building them."""

from dataclasses import dataclass
from typing import Any

from samviz.spec import check


@dataclass(frozen=True, kw_only=True, slots=True)
class Network:
    """A network that `samviz.training.build` can build; the counts are those for 10 classes and images of 32x32."""

    label: str
    note: str
    """What it is for, in a few words: menus show "label: note"."""
    source: str
    """Who published it."""
    family: str = "resnet"
    """resnet or vit: the columns of SAM-ON Table 8 that its radii come from."""
    parameters: int
    """Trainable numbers."""
    norm_parameters: int
    """Those among them that are a gamma or a beta of a normalization layer."""
    flops: int
    """Floating point operations of one image's forward pass, as `torch.utils.flop_counter` has them: 2 a multiply-add,
    in convolutions, linear layers and attention; norm layers, activations and additions are left out."""

    @property
    def norm_share(self) -> float:
        """The part of the parameters that SAM-ON perturbs, from 0 to 1."""
        return self.norm_parameters / self.parameters


NETWORKS = {
    "resnet8": Network(
        label="ResNet-8",
        note="small, for CPUs: three stages of one block, 16 to 64 channels",
        source="after He et al. 2016",
        parameters=78_042,
        norm_parameters=672,
        flops=25_003_264,
    ),
    "resnet8_half": Network(
        label="ResNet-8, half size",
        note="ResNet-8 on half the resolution: a quarter of the work",
        source="after He et al. 2016",
        parameters=78_042,
        norm_parameters=672,
        flops=6_251_776,
    ),
    "resnet9": Network(
        label="ResNet-9",
        note="for short runs on a GPU: 64 to 512 channels",
        source="Page 2018 (DAWNBench)",
        parameters=6_573_120,
        norm_parameters=4_480,
        flops=758_523_904,
    ),
    "resnet20": Network(
        label="ResNet-20",
        note="16 to 64 channels, in ASAM's tables",
        source="He et al. 2016",
        parameters=272_474,
        norm_parameters=1_568,
        flops=81_626_368,
    ),
    "resnet32": Network(
        label="ResNet-32",
        note="16 to 64 channels",
        source="He et al. 2016",
        parameters=466_906,
        norm_parameters=2_464,
        flops=138_249_472,
    ),
    "resnet56": Network(
        label="ResNet-56",
        note="16 to 64 channels, in the tables of ASAM and SAM-ON",
        source="He et al. 2016",
        parameters=855_770,
        norm_parameters=4_256,
        flops=251_495_680,
    ),
    "resnet18": Network(
        label="ResNet-18",
        note="64 to 512 channels, with a 3x3 stem; in SAM-ON Fig. 3",
        source="He et al. 2016",
        parameters=11_173_962,
        norm_parameters=9_600,
        flops=1_110_845_440,
    ),
    "wrn16_4": Network(
        label="WRN-16-4",
        note="64 to 256 channels",
        source="Zagoruyko & Komodakis 2016",
        parameters=2_748_890,
        norm_parameters=3_616,
        flops=785_224_704,
    ),
    "wrn28_2": Network(
        label="WRN-28-2",
        note="32 to 128 channels, in ASAM's tables",
        source="Zagoruyko & Komodakis 2016",
        parameters=1_467_610,
        norm_parameters=3_616,
        flops=428_706_304,
    ),
    "wrn28_10": Network(
        label="WRN-28-10",
        note="160 to 640 channels, in the tables of ASAM and SAM-ON",
        source="Zagoruyko & Komodakis 2016",
        parameters=36_479_194,
        norm_parameters=17_952,
        flops=10_486_657_536,
    ),
    "resnext29_32x4d": Network(
        label="ResNeXt-29, 32x4d",
        note="32 groups of channels, in the tables of ASAM and SAM-ON",
        source="Xie et al. 2017",
        parameters=4_775_754,
        norm_parameters=25_216,
        flops=1_548_111_872,
    ),
    "vgg19_bn": Network(
        label="VGG19-BN",
        note="no shortcuts, 64 to 512 channels, in ASAM's tables",
        source="Simonyan & Zisserman 2015",
        parameters=20_035_018,
        norm_parameters=11_008,
        flops=796_272_640,
    ),
    "densenet121": Network(
        label="DenseNet-121",
        note="growth 32, with a 3x3 stem; in ASAM's tables",
        source="Huang et al. 2017",
        parameters=6_956_298,
        norm_parameters=83_520,
        flops=1_776_701_440,
    ),
    "pyramidnet272": Network(
        label="PyramidNet-272",
        note="alpha 200, bottlenecks, in ASAM's tables",
        source="Han et al. 2017",
        parameters=26_210_842,
        norm_parameters=210_864,
        flops=8_977_556_352,
    ),
    "vit_t": Network(
        label="ViT-T",
        note="LayerNorm, patches of 4x4, width 192, in SAM-ON's tables",
        source="Dosovitskiy et al. 2021, Touvron et al. 2021",
        family="vit",
        parameters=5_362_762,
        norm_parameters=9_600,
        flops=730_215_168,
    ),
    "vit_s": Network(
        label="ViT-S",
        note="LayerNorm, patches of 4x4, width 384, in SAM-ON's tables",
        source="Dosovitskiy et al. 2021, Touvron et al. 2021",
        family="vit",
        parameters=21_342_346,
        norm_parameters=19_200,
        flops=2_840_618_496,
    ),
}
"""`python -m tests.bench.networks` counts the numbers anew."""


def network_label(name: str) -> str:
    """What a network is called on screen."""
    return NETWORKS[name].label if name in NETWORKS else name


def own_network(name: str) -> bool:
    """Whether `name` has the form of a network of one's own: dotted.module:function."""
    module, colon, function = name.partition(":")
    return bool(colon) and all(part.isidentifier() for part in (*module.split("."), function))


def check_network(name: Any) -> str:
    """Return `name` if it is a key of `NETWORKS` or has the form of a network of one's own; else raise ValueError.

    Whether there is such a module and function, only `samviz.training.build` finds out: it imports and calls them.
    """
    if isinstance(name, str) and (name in NETWORKS or own_network(name)):
        return name
    own = "from the terminal only, module:function for one of your own"
    raise check.wrong("network", f"one of {', '.join(NETWORKS)} or, {own}", name)


def check_listed(name: str) -> str:
    """Return `name` unless it is a network of one's own, which is code: raise ValueError then."""
    if own_network(name):
        raise check.wrong(
            "network", f"one of {', '.join(NETWORKS)} here (one's own starts from the terminal only)", name
        )
    return name
