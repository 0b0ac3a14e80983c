"""The field's terms, one sentence each: for the expander of the toy pages and for the words of the lesson."""

import re
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Term:
    """A term and what it means here."""

    name: str
    definition: str
    """One sentence."""
    source: str
    """Where the term stands, or that it is ours."""
    words: tuple[str, ...] = ()
    """Other words that stand for it in a text."""


GLOSSARY: dict[str, Term] = {
    term.name: term
    for term in (
        Term(
            name="sharpness",
            definition="How far the loss can rise within the radius ρ around the weights: "
            "the largest L(w + ε) − L(w) with ‖ε‖₂ ≤ ρ.",
            source="ASAM Eq. 2",
            words=("sharper",),
        ),
        Term(
            name="adaptive sharpness",
            definition="Sharpness in a region that scales with the weights, ‖T⁻¹ε‖ₚ ≤ ρ, "
            "so that it stays the same under every rescaling that keeps the loss.",
            source="ASAM Definition 2 and Theorem 1",
        ),
        Term(
            name="perturbation ε",
            definition="What is added to the weights before the gradient for the descent is taken: "
            "the point of the region with the largest linearized loss.",
            source="ASAM section 4, SAM-ON Eq. 4",
            words=("ε", "perturbs"),
        ),
        Term(
            name="radius ρ",
            definition="The size of the maximization region: "
            "a length in the space of the weights for SAM, a multiple of the weights' own size for ASAM.",
            source="ASAM Eq. 1 and Eq. 4",
            words=("ρ", "radius"),
        ),
        Term(
            name="stabilizer η",
            definition="A small number added to the normalization operator, so that weights near 0 are perturbed too, "
            "at the price of some scale invariance.",
            source="ASAM section 3",
            words=("η",),
        ),
        Term(
            name="normalization operator T_w",
            definition="A map that follows every rescaling A which keeps the loss, T_Aw = A T_w: "
            "for single weights, diag(|w₁|, …, |wₖ|).",
            source="ASAM Definition 1",
            words=("T",),
        ),
        Term(
            name="maximization region",
            definition="The perturbations among which the largest loss is looked for: "
            "a sphere, a cuboid or an ellipsoid.",
            source="ASAM section 2 and Fig. 1",
            words=("sphere", "ellipsoid", "cuboid"),
        ),
        Term(
            name="variant",
            definition="A perturbation model, that is a choice of T_w, norm p and η: "
            "SAM, ASAM, layerwise, Fisher and others.",
            source="SAM-ON section 3.2",
        ),
        Term(
            name="scope",
            definition="Which parameters are perturbed: all, the normalization layers alone (SAM-ON), "
            "or all but those (no-norm).",
            source="SAM-ON section 4",
            words=("SAM-ON", "SAM-all"),
        ),
        Term(
            name="dead half-plane",
            definition="The weights with w₂ ≤ 0, where ReLU lets nothing through: "
            "the loss is c there and the gradient 0.",
            source="ours, for the loss of ASAM section 5.1",
        ),
        Term(
            name="valley",
            definition="The minimizers of the toy's loss, w₁w₂ = c with w₂ > 0, where the loss is 0.",
            source="ASAM section 5.1",
        ),
        Term(
            name="generalization gap",
            definition="The expected loss on new data minus the loss on the training data; "
            "the Lab shows it as train accuracy minus test accuracy.",
            source="ASAM section 2",
        ),
        Term(
            name="γ and β",
            definition="The trainable factor and shift of a normalization layer, γ (x − μ)/σ + β.",
            source="SAM-ON section 3.1",
            words=("γ", "β"),
        ),
    )
}
"""By name, in the order in which they are listed."""

BY_WORD: dict[str, Term] = {word: term for term in GLOSSARY.values() for word in (term.name, *term.words)}
"""Every word that a text may mark."""

_MARKED = re.compile(r"\[([^\]]+)\]")


def pieces(text: str) -> list[tuple[str, Term | None]]:
    """A text whose terms stand in brackets, as in "the [radius] ρ", cut into plain pieces and terms.

    Raises KeyError for a marked word that stands for no term.
    """
    parts = _MARKED.split(text)
    return [(part, BY_WORD[part] if i % 2 else None) for i, part in enumerate(parts) if part]
