"""The lab page."""

import streamlit as st

st.title("Lab")
