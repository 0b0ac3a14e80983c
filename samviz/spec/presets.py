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


def default_arms() -> tuple[Arm, ...]:
    """SGD, SAM-all, SAM-ON and no-norm, with the radii of SAM-ON Table 8 for CIFAR-10 and ResNets."""
    return (Arm(), *(Arm(variant="sam", scope=scope, rho=default_rho("sam", scope)) for scope in SCOPES))


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
            arms=default_arms(),
        ),
    ),
    "lecture": Preset(
        label="Lecture",
        source="ours; radii from SAM-ON Table 8, noise level from ASAM section 5.4",
        note="Meant for one GPU, on which it has not been timed yet; long on a CPU: ask for the estimate first.",
        comparison=Comparison(
            name="Lecture comparison",
            recipe=Recipe(dataset="cifar10", train_size=10_000, label_noise=0.4, network="resnet20", epochs=30),
            arms=default_arms(),
        ),
    ),
    "paper": Preset(
        label="Paper",
        source="SAM-ON appendix A.1 and Table 8; batch size from ASAM section 5.2",
        note="The paper's settings with WRN-16-4 in place of WRN-28-10: hours on a GPU, weeks on a CPU.",
        comparison=Comparison(
            name="Paper settings",
            recipe=Recipe(
                dataset="cifar10",
                augmentation="crop_flip",
                network="wrn16_4",
                epochs=200,
                label_smoothing=0.1,
            ),
            arms=default_arms(),
            seeds=(0, 1, 2),
        ),
    ),
}
