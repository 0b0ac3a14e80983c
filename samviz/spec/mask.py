"""Sparse perturbations, the rivals of SAM-ON: which kind of mask, and how much of it is zero."""

from dataclasses import dataclass

from samviz.spec import check

MASKS = {"random": "random mask", "fisher": "SSAM-F", "dynamic": "SSAM-D"}
"""How the live coordinates are chosen, and the papers' name for it (SAM-ON section 5.1 and appendix B.3)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Mask:
    """A 0-1 mask over all parameters: only its live coordinates are perturbed."""

    kind: str
    """random (SAM-ON section 5.1), fisher (SSAM-F of Mi et al. 2022) or dynamic (their SSAM-D)."""
    sparsity: float
    """The share of coordinates that are not perturbed, in [0, 1)."""
    seed: int = 0
    """Seed of the mask's random draws; with the number of renewals it determines each of them."""

    def __post_init__(self) -> None:
        check.choice("mask", self.kind, MASKS)
        sparsity = check.number("sparsity", self.sparsity, 0, 1)
        if sparsity == 1:
            raise check.wrong("sparsity", "a number of at least 0 and below 1", self.sparsity)
        object.__setattr__(self, "sparsity", sparsity)
        check.integer("seed", self.seed, 0, 2**31 - 1)
