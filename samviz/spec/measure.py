"""One kind of sharpness: the region, its radius, and how the largest loss in it is looked for."""

from dataclasses import asdict, dataclass, fields, replace
from math import inf
from typing import Any

from samviz.spec import check
from samviz.spec.arm import SCOPES
from samviz.variants import VARIANTS, Variant

SEARCHES = {"one_step": "one step", "ascent": "n steps of projected ascent", "autopgd": "AutoPGD"}
"""How the largest loss in a region is looked for, and what that is called."""
_SHAPES = {
    "sam": "sphere",
    "elementwise_l2": "elementwise",
    "elementwise_l2_orig": "elementwise, T = 1 for biases",
    "elementwise_linf": "elementwise",
    "layerwise_l2": "layerwise",
    "filterwise_l2": "filterwise",
    "fisher": "Fisher",
}
"""Of a variant, what its region is called where the radius and p are told beside it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Measure:
    """One kind of sharpness; by default that of SAM-ON Table 7: elementwise, p infinity, AutoPGD, normalized logits."""

    variant: str = "elementwise_linf"
    """Key of `VARIANTS`: the shape of the region."""
    rho: float = 0.005
    """Radius of the region, in the units of ||T_w^-1 eps||_p."""
    p: float | None = None
    """2 or infinity, which may be written "inf"; None takes the variant's."""
    eta: float | None = None
    """Stabilizer; None takes the variant's."""
    scope: str = "all"
    """Which parameters are perturbed: all, norm_only or no_norm, as far as they are trainable."""
    search: str = "autopgd"
    """Key of `SEARCHES`."""
    steps: int = 20
    """Steps of an ascent or of AutoPGD; without effect on one step."""
    normalized: bool = True
    """Whether the loss is that of logits divided by their norm (SAM-ON appendix D), or the plain cross-entropy."""

    def __post_init__(self) -> None:
        check.choice("variant", self.variant, VARIANTS)
        object.__setattr__(self, "rho", check.number("rho", self.rho, 0, 100))
        if self.p == "inf":
            object.__setattr__(self, "p", inf)
        if self.p not in (None, 2, inf):
            raise check.wrong("p", "2 or inf", self.p)
        if self.eta is not None:
            object.__setattr__(self, "eta", check.number("eta", self.eta, 0, 100))
        check.choice("scope", self.scope, SCOPES)
        check.choice("search", self.search, SEARCHES)
        check.integer("steps", self.steps, 1, 1000)
        check.flag("normalized", self.normalized)

    @property
    def model(self) -> Variant:
        """The variant with p and eta as they are here."""
        variant = VARIANTS[self.variant]
        p, eta = variant.p if self.p is None else self.p, variant.eta if self.eta is None else self.eta
        return replace(variant, p=p, eta=eta)

    @property
    def region_label(self) -> str:
        """What the region is called: "elementwise, p = inf, ρ 0.005"."""
        model = self.model
        parts = [_SHAPES.get(self.variant, model.label), f"p = {model.p:g}", f"ρ {self.rho:g}"]
        if model.eta > 0:
            parts.append(f"η {model.eta:g}")
        if self.scope != "all":
            parts.append(SCOPES[self.scope])
        return ", ".join(parts)

    @property
    def label(self) -> str:
        """What it is called: "elementwise, p = inf, ρ 0.005: AutoPGD, 20 steps"."""
        search = {"one_step": "1 step", "ascent": f"{self.steps} steps", "autopgd": f"AutoPGD, {self.steps} steps"}
        return f"{self.region_label}: {search[self.search]}"

    @property
    def loss_label(self) -> str:
        """What the loss is called."""
        return "normalized logits" if self.normalized else "cross-entropy"

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON, which has no infinity: such a p is "inf"."""
        return asdict(self) | {"p": "inf" if self.p == inf else self.p}

    @classmethod
    def from_dict(cls, data: Any) -> "Measure":
        """Read a measure; raises ValueError in one sentence that names the field, the value and what is allowed."""
        return cls(**check.mapping("measure", data, [f.name for f in fields(cls)]))
