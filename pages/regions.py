"""The Regions page: which maximization regions survive a rescaling of the weights (ASAM Fig. 1)."""

import streamlit as st

from samviz.ui.toy_pages import regions

st.title("Regions")
st.markdown(
    "Scaling one weight up and the other down, $A = \\mathrm{diag}(a, 1/a)$, leaves the loss "
    "$|w_1\\,\\mathrm{ReLU}(w_2) - c|$ exactly as it was. **Move the slider**: the fixed sphere around $w' = Aw$ "
    "reaches another maximum loss than the one around $w$, while cuboid and ellipsoid move with the weights and "
    "touch the same red contour."
)
regions()
with st.expander("Notes and sources"):
    st.markdown(
        """
- The opening picture is ASAM Fig. 1 (Kwon et al. 2021): w = (1, 1) and w′ = (3, 1/3). The figure names neither ρ nor
  a loss; ρ = 0.5 for all three regions and the loss of its section 5.1 are ours.
- Sphere: ‖ε‖₂ ≤ ρ (SAM). Cuboid: ‖T⁻¹ε‖∞ ≤ ρ, ellipsoid: ‖T⁻¹ε‖₂ ≤ ρ, both with T = diag(|wᵢ| + η) (ASAM).
- Well above the valley the largest product w₁w₂ is w₁w₂(1 + ρ)² in the cuboid and w₁w₂(1 + ρ/√2)² in the ellipsoid,
  whatever a is. In the sphere it depends on w.
- η > 0 breaks the invariance a little, since |wᵢ| + η does not scale with wᵢ: try it.
- The worst point is exact. The dashed arrow is the step that an optimizer takes: it maximizes the loss's first-order
  approximation at w, and is not the same. Where several points tie, each has a cross; the line leads
  to the nearest.
"""
    )
