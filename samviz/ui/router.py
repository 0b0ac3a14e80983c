"""The script that Streamlit runs for every session: the pages and their addresses."""

from pathlib import Path

import streamlit as st

PAGES = Path(__file__).parents[2] / "pages"

st.set_page_config(page_title="samviz", page_icon=":material/landscape:", layout="wide")
st.navigation(
    [
        st.Page(PAGES / "home.py", title="Home", icon=":material/home:", default=True),
        st.Page(PAGES / "trajectories.py", title="Trajectories", icon=":material/timeline:"),
        st.Page(PAGES / "regions.py", title="Regions", icon=":material/circle:"),
        st.Page(PAGES / "lab.py", title="Lab", icon=":material/science:"),
    ],
    position="top",
).run()
