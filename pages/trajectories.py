"""The trajectories page."""

import streamlit as st

st.title("Trajectories")
