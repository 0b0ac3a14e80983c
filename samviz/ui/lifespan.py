"""What the app does when it starts and when it stops."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import streamlit as st

from samviz.runs import resume


@asynccontextmanager
async def lifespan(app: st.App) -> AsyncIterator[dict]:
    """Go on with what was queued or running when the last process that tended it ended."""
    resume()
    yield {}
