"""What has to be trained for each of the papers' figures that needs it.

A recipe takes the paper's settings where the text names them. What it does not name (which radii, sparsities, batch
sizes or epochs a figure goes through) is ours, and the figure's note says so.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import cache

from samviz.spec import PRESETS, RADII, Arm, Comparison, Recipe, Sweep, default_rho
from samviz.spec.grids import GRIDS
from samviz.variants import VARIANTS

SEEDS = (0, 1, 2)
"""As many as SAM-ON trains in Table 1; the text names none for its figures."""


def _recipe(network: str, dataset: str, **changes: object) -> Recipe:
    """The settings of SAM-ON appendix A.1 on another network and data set."""
    preset = PRESETS["sam_on_vit" if network.startswith("vit") else "sam_on"].comparison.recipe
    augmentation = "autoaugment" if network.startswith("vit") else "crop_flip"
    return replace(preset, network=network, dataset=dataset, **{"augmentation": augmentation} | changes)


def _arm(variant: str, scope: str, recipe: Recipe, **more: object) -> Arm:
    """An arm with the radius of SAM-ON Table 8."""
    family = "vit" if recipe.network.startswith("vit") else "resnet"
    return Arm(variant=variant, scope=scope, rho=default_rho(variant, scope, recipe.dataset, family), **more)


def _rho_sweeps(figure: str, network: str, variants: tuple[str, ...], scopes: tuple[str, ...]) -> tuple[Sweep, ...]:
    """One sweep a variant over all the radii that Table 8 searched for it."""
    recipe = _recipe(network, "cifar100")
    family = "vit" if network.startswith("vit") else "resnet"
    found = []
    for variant in variants:
        arms = (Arm(), *(_arm(variant, scope, recipe) for scope in scopes))
        radii = {rho for scope in scopes for rho in RADII[variant, scope, "cifar100", family].searched}
        name = f"{figure}: {VARIANTS[variant].label}"
        base = Comparison(name=name, recipe=recipe, arms=arms, seeds=SEEDS)
        found.append(Sweep(name=name, base=base, rho=tuple(sorted(radii))))
    return tuple(found)


def _masked(dynamic: bool) -> tuple[Arm, ...]:
    """SAM, SAM-ON and masks; rho 0.1 for all masks on CIFAR-10 (SAM-ON appendix B.3)."""
    recipe = _recipe("resnet18", "cifar10")
    kinds = ("fisher", "dynamic") if dynamic else ("fisher",)
    return (
        *(_arm("sam", scope, recipe) for scope in ("all", "norm_only")),
        Arm(variant="sam", rho=0.1, mask="random", sparsity=0.9993),
        *(Arm(variant="sam", rho=0.1, mask=kind, sparsity=s) for kind in kinds for s in (0.5, 0.9, 0.99, 0.9993)),
    )


def _asam_2() -> tuple[Sweep, ...]:
    return (GRIDS["gap"].sweep,)


def _asam_4() -> tuple[Sweep, ...]:
    recipe = replace(PRESETS["asam"].comparison.recipe, network="wrn16_4")
    arms = (
        Arm(variant="elementwise_linf", rho=0.01, eta=0.01),
        Arm(variant="elementwise_l2", rho=0.5, eta=0.01),
        Arm(variant="elementwise_l2_orig", rho=0.5),
        Arm(variant="filterwise_l2", rho=0.5),
    )
    base = Comparison(name="ASAM Fig. 4", recipe=recipe, arms=arms, seeds=SEEDS)
    radii = [digit * 10.0**power for power in range(-5, 1) for digit in (1, 2, 5)]
    return (Sweep(name="ASAM Fig. 4", base=base, rho=tuple(float(f"{r:g}") for r in radii if 5e-5 <= r <= 2)),)


def _sam_on_3() -> tuple[Comparison, ...]:
    left = Comparison(
        name="SAM-ON Fig. 3 left", recipe=_recipe("resnet18", "cifar10"), arms=_masked(dynamic=False), seeds=SEEDS
    )
    recipe = _recipe("wrn28_10", "cifar100")
    arms = tuple(_arm("sam", scope, recipe) for scope in ("all", "norm_only"))
    right = (
        Comparison(
            name=f"SAM-ON Fig. 3 right, batches of {batch}, m {m}",
            recipe=replace(recipe, batch_size=batch, m=None if m == batch else m),
            arms=arms,
            seeds=SEEDS,
        )
        for batch, m in ((128, 128), (128, 32), (512, 512), (512, 128))
    )
    return left, *right


def _gamma(number: int, variants: tuple[str, ...]) -> tuple[Comparison, ...]:
    recipe = _recipe("wrn28_10", "cifar100")
    arms = tuple(_arm(variant, scope, recipe) for variant in variants for scope in ("all", "norm_only"))
    return (Comparison(name=f"SAM-ON Fig. {number}", recipe=recipe, arms=(Arm(), *arms), seeds=SEEDS),)


def _sam_on_5() -> tuple[Comparison, ...]:
    """Both directions in one comparison, so that all arms are paired."""
    recipe = _recipe("wrn28_10", "cifar100")
    windows = [{"first_epoch": epoch + 1} for epoch in (100, 150)] + [{"last_epoch": epoch} for epoch in (100, 150)]
    arms = [_arm("sam", scope, recipe, **window) for window in ({}, *windows) for scope in ("all", "norm_only")]
    return (Comparison(name="SAM-ON Fig. 5", recipe=recipe, arms=(Arm(), *arms), seeds=SEEDS),)


def _sam_on_9() -> tuple[Comparison, ...]:
    recipe = _recipe("resnet18", "cifar10")
    return (Comparison(name="SAM-ON Fig. 9", recipe=recipe, arms=_masked(dynamic=True), seeds=SEEDS),)


def _sam_on_10() -> tuple[Comparison, ...]:
    recipe = _recipe("wrn28_10", "cifar100")
    arms = tuple(_arm("sam", "all", recipe, trained=trained) for trained in ("all", "fix_norm"))
    return (Comparison(name="SAM-ON Fig. 10", recipe=recipe, arms=arms, seeds=SEEDS),)


_SCOPES = ("all", "norm_only", "no_norm")
_VARIANTS = ("sam", "elementwise_l2", "elementwise_l2_orig", "elementwise_linf", "layerwise_l2", "fisher")

RECIPES: dict[str, Callable[[], tuple[Comparison | Sweep, ...]]] = {
    "asam-2": cache(_asam_2),
    "asam-4": cache(_asam_4),
    "sam-on-1": cache(lambda: _rho_sweeps("SAM-ON Fig. 1", "wrn28_10", ("sam",), _SCOPES)),
    "sam-on-2": cache(lambda: _rho_sweeps("SAM-ON Fig. 2", "vit_s", ("sam",), _SCOPES)),
    "sam-on-3": cache(_sam_on_3),
    "sam-on-4": cache(lambda: _gamma(4, ("sam",))),
    "sam-on-5": cache(_sam_on_5),
    "sam-on-6": cache(lambda: _rho_sweeps("SAM-ON Fig. 6", "wrn28_10", _VARIANTS, _SCOPES)),
    "sam-on-7": cache(lambda: _rho_sweeps("SAM-ON Fig. 7", "vit_s", _VARIANTS, _SCOPES)),
    "sam-on-8": cache(lambda: _gamma(8, ("sam", "elementwise_l2", "elementwise_linf", "layerwise_l2"))),
    "sam-on-9": cache(_sam_on_9),
    "sam-on-10": cache(_sam_on_10),
}
"""Key of a figure -> its recipes."""
