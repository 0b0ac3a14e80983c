"""What differs between the curves of a comparison: the method of one arm."""

from dataclasses import asdict, dataclass, fields
from math import inf, isinf
from typing import Any

from samviz.spec import check
from samviz.spec.mask import MASKS, Mask
from samviz.variants import VARIANTS

SCOPES = {"all": "all", "norm_only": "ON", "no_norm": "no-norm"}
"""Which parameters the ascent perturbs, and the papers' name for it (SAM-ON section 4)."""

TRAINED = {"all": "all", "fix_norm": "fix-norm", "norm_only": "only-norm"}
"""Which parameters train: all, all but gamma and beta (SAM-ON B.4), or these alone (B.5)."""

MOST_EPOCHS_FACTOR = 10


@dataclass(frozen=True, kw_only=True, slots=True)
class Arm:
    """The base optimizer alone (variant None), or a variant of SAM on a scope or under a mask."""

    variant: str | None = None
    """Key of `VARIANTS`; None trains with the base optimizer alone."""
    scope: str = "all"
    """Which parameters are perturbed: all, norm_only (SAM-ON) or no_norm."""
    rho: float = 0.0
    """Radius of the region, in the units of ||T_w^-1 eps||_p; 0 without a variant."""
    eta: float | None = None
    """Stabilizer; None takes the variant's default."""
    p: float | None = None
    """Norm of the region, from 1 to infinity ("inf" in JSON); None takes the variant's default."""
    mask: str | None = None
    """Key of `MASKS`: single coordinates of all parameters are perturbed; None perturbs the scope."""
    sparsity: float | None = None
    """Share of coordinates that the mask leaves alone."""
    first_epoch: int = 1
    """The epoch in which the ascent begins; the base optimizer alone trains before (SAM-ON section 5.4)."""
    last_epoch: int | None = None
    """The epoch in which the ascent is made for the last time; None goes on to the end."""
    trained: str = "all"
    """Which parameters train: all, fix_norm (gamma 1, beta 0) or norm_only."""
    epochs_factor: int = 1
    """Trains for so many times the recipe's epochs: SGD for twice as many costs what SAM does (ASAM section 5.2)."""

    def __post_init__(self) -> None:
        check.choice("variant", self.variant, [None, *VARIANTS])
        check.choice("scope", self.scope, SCOPES)
        check.choice("trained", self.trained, TRAINED)
        check.integer("epochs_factor", self.epochs_factor, 1, MOST_EPOCHS_FACTOR)
        rho = check.number("rho", self.rho, 0, 100)
        if self.variant is None and self._ascent() != _NO_ASCENT:
            raise ValueError(
                "An arm without a variant is the base optimizer alone: it takes no scope, rho, eta, p, mask, sparsity, "
                "first_epoch or last_epoch."
            )
        if self.variant is not None and rho == 0:
            raise ValueError("rho must be a number above 0 and up to 100 for an arm with a variant, but it is 0.")
        object.__setattr__(self, "rho", rho)
        if self.eta is not None:
            object.__setattr__(self, "eta", check.number("eta", self.eta, 0, 100))
        if self.p is not None:
            object.__setattr__(self, "p", _norm(self.p))
        self._check_mask()
        check.integer("first_epoch", self.first_epoch, 1, 10_000)
        if self.last_epoch is not None:
            check.integer("last_epoch", self.last_epoch, self.first_epoch, 10_000)
        if (self.trained, self.scope) in (("fix_norm", "norm_only"), ("norm_only", "no_norm")):
            raise ValueError(
                f"scope must hold parameters that train, but it is {self.scope}: trained is {self.trained}."
            )

    def _ascent(self) -> tuple:
        """What only an arm with an ascent has."""
        return (
            self.rho, self.scope, self.eta, self.p, self.mask, self.sparsity, self.first_epoch, self.last_epoch,
        )  # fmt: skip

    def _check_mask(self) -> None:
        if (self.mask is None) != (self.sparsity is None):
            raise ValueError("mask and sparsity must be given together, but one of them is missing.")
        if self.mask is None:
            return
        if self.scope != "all":
            raise ValueError(f"scope must be all where there is a mask, but it is {self.scope}.")
        object.__setattr__(self, "sparsity", Mask(kind=self.mask, sparsity=self.sparsity).sparsity)

    def epochs(self, epochs: int) -> int:
        """How many epochs this arm trains, where the recipe has `epochs`."""
        return self.epochs_factor * epochs

    def ascends(self, epoch: int) -> bool:
        """Whether the ascent is made in this epoch, counted from 1."""
        in_time = self.first_epoch <= epoch and (self.last_epoch is None or epoch <= self.last_epoch)
        return self.variant is not None and in_time

    @property
    def window(self) -> str:
        """The epochs of the ascent in words; empty where it is made in all of them."""
        if self.last_epoch is not None:
            return f"epochs {self.first_epoch} to {self.last_epoch}"
        return f"from epoch {self.first_epoch}" if self.first_epoch > 1 else ""

    @property
    def key(self) -> str:
        """A stable name, unique for each setting of an arm; metric rows are stored under it."""
        parts = ["sgd"] if self.variant is None else [self.variant, self.scope, f"rho={self.rho:g}"]
        parts += [f"{name}={value:g}" for name in ("eta", "p") if (value := getattr(self, name)) is not None]
        if self.mask is not None:
            parts.append(f"{self.mask}={self.sparsity:.10g}")
        if self.window:
            parts.append(f"epochs={self.first_epoch}-{self.last_epoch or ''}")
        if self.trained != "all":
            parts.append(f"trained={self.trained}")
        if self.epochs_factor != 1:
            parts.append(f"x{self.epochs_factor}")
        return ":".join(parts)

    @property
    def label(self) -> str:
        """The name on screen, as the SAM-ON paper writes it: SGD, SAM-all, SAM-ON, SAM no-norm, SSAM-F, SGD x2."""
        name = "SGD"
        if self.mask is not None:
            name = MASKS[self.mask] if self.variant == "sam" else f"{VARIANTS[self.variant].label}, {MASKS[self.mask]}"
        elif self.variant is not None:
            joint = " " if self.scope == "no_norm" else "-"
            name = f"{VARIANTS[self.variant].label}{joint}{SCOPES[self.scope]}"
        if self.trained != "all":
            name += f", {TRAINED[self.trained]}"
        return name if self.epochs_factor == 1 else f"{name} \u00d7{self.epochs_factor}"

    @property
    def details(self) -> str:
        """The settings that the label does not tell, to keep two arms of one label apart: "rho 0.1, eta 0.01"."""
        parts = [f"rho {self.rho:g}"] if self.variant is not None else []
        parts += [f"{name} {value:g}" for name in ("eta", "p") if (value := getattr(self, name)) is not None]
        if self.sparsity is not None:
            parts.append(f"{100 * self.sparsity:.6g} % sparse")
        return ", ".join([*parts, self.window] if self.window else parts)

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON, which has no infinity: such a p is "inf"."""
        return asdict(self) | {"p": "inf" if self.p is not None and isinf(self.p) else self.p}

    @classmethod
    def from_dict(cls, data: Any) -> "Arm":
        """Read an arm; raises ValueError in one sentence that names the field, the value and what is allowed."""
        return cls(**check.mapping("arm", data, [f.name for f in fields(cls)]))


_NO_ASCENT = (0.0, "all", None, None, None, None, 1, None)


def _norm(p: Any) -> float:
    """A norm from 1 to infinity; "inf" is infinity."""
    if p == "inf":
        return inf
    if not isinstance(p, int | float) or isinstance(p, bool) or not (1 <= p <= 1e300 or p == inf):
        raise check.wrong("p", "a number from 1 on, or inf", p)
    return float(p)
