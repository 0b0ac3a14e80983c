"""What the app does when it starts and when it stops."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import streamlit as st

from samviz.runs import resume
from samviz.ui.sockets import send_at_once


@asynccontextmanager
async def lifespan(app: st.App) -> AsyncIterator[dict]:
    """Go on with what was queued or running when the last process that tended it ended."""
    resume()
    send_at_once()
    yield {}
