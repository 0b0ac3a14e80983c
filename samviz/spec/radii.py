"""SAM-ON Table 8 as data: the radii that the paper searched and the ones that it used."""

from dataclasses import dataclass
from itertools import product
from math import inf

from samviz.spec import check
from samviz.variants import VARIANTS

TABLE = "SAM-ON Table 8"

SETTINGS = (("cifar10", "resnet"), ("cifar100", "resnet"), ("cifar10", "vit"), ("cifar100", "vit"))
"""Data set and family of networks, as Table 8 has its columns; the two of ViTs are one column there."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Radius:
    """A radius to start from, in the units of ||T_w^-1 eps||_p."""

    rho: float
    searched: tuple[float, ...]
    """The values that the paper tried, rho among them; empty where it tried none."""
    source: str
    """The table, or why the value is ours."""

    @property
    def published(self) -> bool:
        """Whether the paper itself marks this value."""
        return self.source == TABLE


_TABLE_8 = """
sam                 all        0.05 0.1* 0.25          | 0.05 0.1* 0.5 1     | 0.025 0.05 0.1* 0.25 0.5
sam                 norm_only  0.1 0.5* 1              | 0.1 0.5 1* 5        | 1 2.5 5 10* 25
elementwise_l2      all        0.5 1 2* 3 5            | 0.5 1* 2.5 5 10     | 0.5 1 2.5* 5 10
elementwise_l2      norm_only  0.5 1 2 3* 5            | 0.5 1 2.5* 5 10     | 1 2.5 5 10* 25
elementwise_l2_orig all        0.1 0.5* 1 5 10         | 0.5 1* 2.5 5        | 0.5 1 2.5* 5 10
elementwise_l2_orig norm_only  0.1 0.5* 1 5 10         | 0.5 1* 2.5 5        | 1 2.5 5 10* 25
elementwise_linf    all        0.001 0.005* 0.01 0.05  | 0.001 0.005 0.01* 0.05 | 0.0005 0.001 0.0025* 0.005 0.01
elementwise_linf    norm_only  0.01 0.025* 0.05 0.1    | 0.01 0.05* 0.1 0.5  | 0.025 0.05 0.1* 0.25 0.5
layerwise_l2        all        0.005 0.01 0.025* 0.05 0.1 | 0.001 0.01* 0.05 0.1 | 0.001 0.0025 0.005* 0.01 0.025
layerwise_l2        norm_only  0.05 0.1 0.25* 0.5 1    | 0.1 0.2* 0.5 1      | 0.05 0.1 0.25 0.5* 1
fisher              all        0.05 0.1* 0.5 1 5       | 0.05 0.1* 0.5 1     | 0.05 0.1* 0.5 1 5
fisher              norm_only  0.1 0.5* 1 5 10         | 0.1 0.5 1 5 10      | 0.1 0.5 1 5 10*
"""
"""As printed, * for bold, but for one cell: Fisher, all, ViT reads "0.05, 5 0.1, 0.5, 1, 5", with a 5 astray."""

_FISHER_ON_CIFAR100 = Radius(
    rho=1.0,
    searched=(0.1, 0.5, 1.0, 5.0, 10.0),
    source="ours: Table 8 marks no value here; SAM-ON's, since Fisher and SAM share their radii in the other columns",
)


def _radii() -> dict[tuple[str, str, str, str], Radius]:
    radii = {}
    for line in _TABLE_8.strip().splitlines():
        variant, scope, rest = line.split(maxsplit=2)
        resnet10, resnet100, vit = rest.split("|")
        for (dataset, family), cell in zip(SETTINGS, (resnet10, resnet100, vit, vit), strict=True):
            used = [float(x.rstrip("*")) for x in cell.split() if x.endswith("*")]
            searched = tuple(float(x.rstrip("*")) for x in cell.split())
            radii[variant, scope, dataset, family] = (
                Radius(rho=used[0], searched=searched, source=TABLE) if used else _FISHER_ON_CIFAR100
            )
    without_row = [key for key in VARIANTS if (key, "all", *SETTINGS[0]) not in radii]
    for key, scope, setting in product(without_row, ("all", "norm_only"), SETTINGS):
        like = "elementwise_linf" if VARIANTS[key].p == inf else "elementwise_l2_orig"
        radii[key, scope, *setting] = Radius(
            rho=radii[like, scope, *setting].rho,
            searched=(),
            source=f"ours: Table 8 has no row for it; that of {like}",
        )
    for (variant, scope, dataset, family), radius in list(radii.items()):
        if scope == "all":
            radii[variant, "no_norm", dataset, family] = Radius(
                rho=radius.rho, searched=(), source="ours: Table 8 has no row for no-norm; that of all"
            )
    return radii


RADII = _radii()
"""(variant, scope, data set, family of networks) -> Radius."""


def default_rho(variant: str, scope: str, dataset: str = "cifar10", family: str = "resnet") -> float:
    """The radius of SAM-ON Table 8, or ours where that has none: `RADII` says which.

    `variant` is a key of VARIANTS, `scope` all, norm_only or no_norm, `dataset` cifar10 or cifar100 and `family` resnet
    or vit. Raises ValueError otherwise.
    """
    names = zip(("variant", "scope", "dataset", "family"), (variant, scope, dataset, family), strict=True)
    for i, (field, value) in enumerate(names):
        check.choice(field, value, tuple(dict.fromkeys(key[i] for key in RADII)))
    return RADII[variant, scope, dataset, family].rho
