"""Comparisons to start from: where their settings come from, and what to expect of them."""

from dataclasses import dataclass

from samviz.spec.arm import SCOPES, Arm
from samviz.spec.comparison import Comparison
from samviz.spec.radii import default_rho
from samviz.spec.recipe import Recipe


@dataclass(frozen=True, kw_only=True, slots=True)
class Preset:
    """A named starting point."""

    label: str
    source: str
    """Where the settings come from."""
    note: str
    """What to expect, caveats included."""
    comparison: Comparison


def scope_arms(dataset: str = "cifar10", family: str = "resnet") -> tuple[Arm, ...]:
    """The base optimizer, SAM-all, SAM-ON and no-norm, with the radii of SAM-ON Table 8."""
    radii = {scope: default_rho("sam", scope, dataset, family) for scope in SCOPES}
    return (Arm(), *(Arm(variant="sam", scope=scope, rho=rho) for scope, rho in radii.items()))


def asam_arms(sam: float, asam: float) -> tuple[Arm, ...]:
    """SGD for twice the epochs, SAM and ASAM (eta 0.01, biases not normalized), as ASAM section 5.2 compares them."""
    return Arm(epochs_factor=2), Arm(variant="sam", rho=sam), Arm(variant="elementwise_l2_orig", rho=asam)


_CIFAR10 = Recipe(dataset="cifar10", augmentation="crop_flip", epochs=200, label_smoothing=0.1, network="resnet20")
"""What both papers share: SGD with momentum 0.9 and weight decay 0.0005, cosine from 0.1, label smoothing 0.1."""


def _changed(recipe: Recipe, **changes: object) -> Recipe:
    return Recipe.from_dict(recipe.to_dict() | changes)


PRESETS: dict[str, Preset] = {
    "quick": Preset(
        label="Quick",
        source="ours; radii from SAM-ON Table 8",
        note="Under a minute on two CPU cores. Generated images, some with wrong labels: SGD learns those by heart.",
        comparison=Comparison(
            name="Quick comparison",
            recipe=Recipe(
                dataset="builtin",
                train_size=2048,
                test_size=1000,
                label_noise=0.1,
                network="resnet8_half",
                epochs=12,
                batch_size=64,
            ),
            arms=scope_arms(),
        ),
    ),
    "cifar_cpu": Preset(
        label="CIFAR-10 on a CPU",
        source="ours; radii from SAM-ON Table 8, noise level from ASAM section 5.4",
        note="Few images with much label noise, so that a short run already overfits: SAM has something to gain.",
        comparison=Comparison(
            name="CIFAR-10 on a CPU",
            recipe=Recipe(
                dataset="cifar10", train_size=2000, test_size=2000, label_noise=0.4, network="resnet8", epochs=30
            ),
            arms=scope_arms(),
        ),
    ),
    "lecture": Preset(
        label="Lecture",
        source="ours; radii from SAM-ON Table 8",
        note="Meant for a minute on one GPU, where it has not been timed yet. Long on a CPU: ask for the estimate."
        " So short a run underfits: SAM trains slower there and may end behind SGD.",
        comparison=Comparison(
            name="Lecture comparison",
            recipe=Recipe(
                dataset="cifar10",
                augmentation="crop_flip",
                cutout=8,
                network="resnet9",
                epochs=8,
                batch_size=512,
                lr=0.4,
                nesterov=True,
                schedule="linear",
                warmup_epochs=2,
            ),
            arms=scope_arms(),
        ),
    ),
    "sam_on": Preset(
        label="SAM-ON",
        source="SAM-ON appendix A.1 and Table 8; batch size from ASAM section 5.2",
        note="The paper's settings, WRN-28-10 with AutoAugment on CIFAR-100: most of a day on a GPU for each seed.",
        comparison=Comparison(
            name="SAM-ON, WRN-28-10 on CIFAR-100",
            recipe=_changed(_CIFAR10, dataset="cifar100", augmentation="autoaugment", network="wrn28_10"),
            arms=scope_arms("cifar100"),
            seeds=(0, 1, 2),
        ),
    ),
    "sam_on_vit": Preset(
        label="SAM-ON, ViT",
        source="SAM-ON appendix A.1 and Table 8 (AdamW, learning rate 0.0001, batch size 64)",
        note="The paper's settings for ViT-T on CIFAR-10: hours on a GPU for each seed.",
        comparison=Comparison(
            name="SAM-ON, ViT-T on CIFAR-10",
            recipe=_changed(
                _CIFAR10, augmentation="autoaugment", network="vit_t", batch_size=64, optimizer="adamw", lr=1e-4
            ),
            arms=scope_arms("cifar10", "vit"),
            seeds=(0, 1, 2),
        ),
    ),
    "asam": Preset(
        label="ASAM",
        source="ASAM section 5.2 (without its random resize, of which it gives no range)",
        note="The paper's settings for ResNet-20, SGD for twice the epochs: hours on a GPU for each seed.",
        comparison=Comparison(
            name="ASAM, ResNet-20 on CIFAR-10", recipe=_CIFAR10, arms=asam_arms(0.05, 0.5), seeds=(0, 1, 2, 3, 4)
        ),
    ),
    "asam_noise": Preset(
        label="ASAM, label noise",
        source="ASAM sections 5.2 and 5.4, Table 6 at 40 %",
        note="The paper's settings for ResNet-32 with 40 % wrong labels: hours on a GPU for each seed.",
        comparison=Comparison(
            name="ASAM, ResNet-32, 40 % label noise",
            recipe=_changed(_CIFAR10, network="resnet32", label_noise=0.4),
            arms=asam_arms(0.05, 0.5),
            seeds=(0, 1, 2),
        ),
    ),
}
