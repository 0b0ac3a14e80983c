"""The script that Streamlit runs for every session: the pages and their addresses."""

import streamlit as st

from samviz.ui import state
from samviz.ui.components import ASSETS
from samviz.ui.document import PAGES

# An icon of our own: Streamlit fetches the others from another host.
st.set_page_config(page_title="samviz", page_icon=str(ASSETS / "icon.svg"), layout="wide")
# Streamlit leaves 96 pixels above a page's title: what a page shows first should be in sight.
# In the lecture view (assets/lecture.js), all is larger, and the picture comes before what introduces it.
st.html("""<style>
.stMainBlockContainer { padding-top: 4rem; }
html.samviz-lecture { font-size: clamp(16px, 1.05vw, 32px); }
.samviz-lecture .st-key-introduction { display: none; }
</style>""")
page = st.navigation(
    [
        st.Page(PAGES / "home.py", title="Home", icon=":material/home:", default=True),
        st.Page(PAGES / "trajectories.py", title="Trajectories", icon=":material/timeline:"),
        st.Page(PAGES / "regions.py", title="Regions", icon=":material/circle:"),
        st.Page(PAGES / "lab.py", title="Lab", icon=":material/science:"),
        st.Page(PAGES / "compare.py", title="Compare", icon=":material/compare_arrows:"),
        st.Page(PAGES / "sharpness.py", title="Sharpness", icon=":material/straighten:"),
        st.Page(PAGES / "papers.py", title="Papers", icon=":material/menu_book:"),
    ],
    position="top",
)
state.leave(page.title)
page.run()
