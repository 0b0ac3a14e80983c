"""The Trajectories page: SAM and ASAM walk down |w1 ReLU(w2) - c| (ASAM section 5.1, Fig. 3)."""

import streamlit as st

from samviz.ui.guide import glossary
from samviz.ui.toy_pages import trajectories

with st.container(key="introduction"):
    st.title("Trajectories")
    st.markdown(
        "The loss $|w_1\\,\\mathrm{ReLU}(w_2) - c|$ is zero along the red valley. Each step of SAM first climbs to the "
        "worst nearby point $w + \\varepsilon$ and then descends from $w$ with the gradient found there. "
        "**Drag a start point**, or play the steps one by one."
    )
trajectories()
glossary()
with st.expander("Notes and sources"):
    st.markdown(
        """
- The opening picture is ASAM section 5.1, Fig. 3 (Kwon et al. 2021): starts (0.2, 0.05) and (0.3, 0.033), SAM with
  ρ = 0.05. The paper names no ρ for ASAM, no learning rate and no number of steps there, and draws no SGD:
  ρ = 0.5, 0.003 and 5000 are ours.
- A cross marks the exact worst point of the region around w, with a ring where several points are as bad; the arrow
  leads to w + ε, which is the worst of the loss's first-order approximation. For the sharpness curves and the maps, the
  sphere has SAM's ρ and the ellipsoid ASAM's, whatever method the path is of.
- The curves' distance to the valley is |w₁w₂ − c| / ‖w‖, to first order; the maps walk up to 500 steps a start in
  detail, and say so.
- On the valley, SAM's first-order sharpness is ρ‖w‖, least where w₁ = w₂; the paper says "maximized". So SAM slides
  along the valley toward (0.2, 0.2). ASAM's sharpness is the same everywhere on it, and ASAM has no reason to slide.
- From (0.3, 0.033) a sphere of radius 0.05 reaches into the dead half-plane w₂ < 0. There the gradient is zero, and
  SAM does not move. With η = 0, ASAM's ε is along w, w + ε = (1 ± ρ/√2) w, and never gets there while ρ < √2.
- A constant learning rate makes every method oscillate across the valley, and the oscillation itself slides along it.
  Raise the learning rate to 0.05: even plain descent ends near (0.2, 0.2). The lr decay takes the oscillation away.
- ρ is a length in the plane for SAM and Fisher-SAM, and a fraction of the weights' size for the ASAM family: so each
  method keeps a ρ of its own.
- With one weight a layer, the layerwise and filterwise variants and both elementwise ℓ₂ variants differ only in η.
"""
    )
