"""The regions page."""

import streamlit as st

st.title("Regions")
