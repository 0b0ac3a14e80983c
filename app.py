"""samviz: the table of contents. `streamlit run app.py` serves the pages and the routes listed here."""

from pathlib import Path

import streamlit as st
from starlette.middleware import Middleware

from samviz.ui.guard import Guard
from samviz.ui.lifespan import lifespan
from samviz.ui.routes import routes

app = st.App(
    Path(__file__).parent / "samviz" / "ui" / "router.py",
    routes=routes(),
    lifespan=lifespan,
    middleware=[Middleware(Guard)],
)
