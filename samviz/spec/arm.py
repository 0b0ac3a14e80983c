"""What differs between the curves of a comparison: the method of one arm."""

from dataclasses import asdict, dataclass, fields
from typing import Any

from samviz.spec import check
from samviz.variants import VARIANTS

SCOPES = {"all": "all", "norm_only": "ON", "no_norm": "no-norm"}
"""Which parameters the ascent perturbs, and the papers' name for it (SAM-ON section 4)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Arm:
    """The base optimizer alone (variant None), or a variant of SAM on a scope."""

    variant: str | None = None
    """Key of `VARIANTS`; None trains with the base optimizer alone."""
    scope: str = "all"
    """Which parameters are perturbed: all, norm_only (SAM-ON) or no_norm."""
    rho: float = 0.0
    """Radius of the region, in the units of ||T_w^-1 eps||_p; 0 without a variant."""
    eta: float | None = None
    """Stabilizer; None takes the variant's default."""

    def __post_init__(self) -> None:
        check.choice("variant", self.variant, [None, *VARIANTS])
        check.choice("scope", self.scope, SCOPES)
        rho = check.number("rho", self.rho, 0, 100)
        if self.variant is None and (rho != 0 or self.scope != "all" or self.eta is not None):
            raise ValueError("An arm without a variant is the base optimizer alone: it takes no scope, rho or eta.")
        if self.variant is not None and rho == 0:
            raise ValueError("rho must be a number above 0 and up to 100 for an arm with a variant, but it is 0.")
        object.__setattr__(self, "rho", rho)
        if self.eta is not None:
            object.__setattr__(self, "eta", check.number("eta", self.eta, 0, 100))

    @property
    def key(self) -> str:
        """A stable name, unique for each setting of an arm; metric rows are stored under it."""
        if self.variant is None:
            return "sgd"
        eta = "" if self.eta is None else f":eta={self.eta:g}"
        return f"{self.variant}:{self.scope}:rho={self.rho:g}{eta}"

    @property
    def label(self) -> str:
        """The name on screen, as the SAM-ON paper writes it: SGD, SAM-all, SAM-ON, SAM no-norm."""
        if self.variant is None:
            return "SGD"
        joint = " " if self.scope == "no_norm" else "-"
        return f"{VARIANTS[self.variant].label}{joint}{SCOPES[self.scope]}"

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Any) -> "Arm":
        """Read an arm; raises ValueError in one sentence that names the field, the value and what is allowed."""
        return cls(**check.mapping("arm", data, [f.name for f in fields(cls)]))
