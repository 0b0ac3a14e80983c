"""The home page: what this is, in pictures and five sentences, with a way into each page."""

import streamlit as st

from samviz.ui.cards import cards
from samviz.ui.guide import entry

st.title("See sharpness-aware minimization at work", anchor=False)
st.markdown(
    "Training finds weights with a low loss; sharpness-aware minimization (SAM) looks for weights whose whole "
    "**neighborhood** has one. Each step first climbs to the worst point nearby, w + ε, and then descends from w with "
    "the gradient found there. What counts as nearby is the question: SAM takes a sphere, ASAM a region that scales "
    "with the weights, and SAM-ON moves the normalization layers alone. Here you can drag them across a loss of two "
    "weights, rescale their regions, and race them on images. All of it is computed in Python, by code that "
    "you can import."
)
entry()
cards()
st.caption(
    "Kwon et al., *ASAM: Adaptive Sharpness-Aware Minimization for Scale-Invariant Learning of Deep Neural Networks*, "
    "ICML 2021. Müller et al., *Normalization Layers Are All That Sharpness-Aware Minimization Needs*, NeurIPS 2023."
)
