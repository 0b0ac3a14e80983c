"""The Regions page: which maximization regions survive a rescaling of the weights (ASAM Fig. 1)."""

import streamlit as st

from samviz.ui.guide import glossary
from samviz.ui.toy_pages import regions

with st.container(key="introduction"):
    st.title("Regions")
    st.markdown(
        "Scaling one weight up and the other down, $A = \\mathrm{diag}(a, 1/a)$, leaves the loss "
        "$|w_1\\,\\mathrm{ReLU}(w_2) - c|$ exactly as it was. **Move the slider**: the fixed sphere around $w' = Aw$ "
        "reaches another maximum loss than the one around $w$, while cuboid and ellipsoid move with the weights and "
        "touch the same red contour."
    )
regions()
glossary()
with st.expander("Notes and sources"):
    st.markdown(
        """
- The opening picture is ASAM Fig. 1 (Kwon et al. 2021): w = (1, 1) and w′ = (3, 1/3). The figure names neither ρ nor
  a loss; ρ = 0.5 for all three regions and the loss of its section 5.1 are ours.
- Sphere: ‖ε‖₂ ≤ ρ (SAM). Cuboid: ‖T⁻¹ε‖∞ ≤ ρ, ellipsoid: ‖T⁻¹ε‖₂ ≤ ρ, both with T = diag(|wᵢ| + η) (ASAM). Every
  panel can have any of these T, Fisher-SAM's T = (1 + ηgᵢ²)^(−1/2), and any p from 1 to ∞, as ASAM Eq. 4 allows; the
  papers show no p but 2 and ∞.
- On this toy every layer is a single weight. So the norm of a layer or a filter is |wᵢ|, and elementwise, filterwise
  and layerwise normalization coincide. Only a network with several nodes a layer tells them apart: see the table.
- Well above the valley and with η = 0 the largest product w₁w₂ is w₁w₂(1 + ρ·2^(−1/p))² in every region with T = |w|,
  whatever a is: (1 + ρ)² times w₁w₂ in the cuboid, (1 + ρ/√2)² in the ellipsoid. In the sphere it depends on w.
- η > 0 breaks the invariance a little, since |wᵢ| + η does not scale with wᵢ: try it.
- The worst point is exact. The dashed arrow is the step that an optimizer takes: it maximizes the loss's first-order
  approximation at w, and is not the same. Where several points tie, each has a cross; the line leads
  to the nearest.
- The table under the panels tries ASAM Definition 1 and Theorem 1; the networks, the rescalings and the sharpness that
  it compares are ours: the exact maximum on the toy with the A of the slider, elsewhere the loss after one ascent step
  and its first-order value. A thousand rescalings can refute a claim, and cannot prove it.
- ASAM lists filterwise normalization as a normalization operator. That is true where whole filters are scaled. But
  different factors on the filters of a layer are undone by different factors on the input channels of each filter of
  the next, and the norm of a filter does not follow those. ASAM itself excludes layerwise normalization.
- ASAM section 3 wants T = 1 for biases, so that translations do not change the sharpness. Rescaling then does.
- The toy with three weights is ours. Its regions stand around w = (1, 1, 1), with a radius of their own, and the c of
  the panels.
"""
    )
