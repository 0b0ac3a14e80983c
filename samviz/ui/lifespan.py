"""What the app does when it starts and when it stops."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import streamlit as st

from samviz.runs import StoreError, resume
from samviz.ui.sockets import send_at_once


@asynccontextmanager
async def lifespan(app: st.App) -> AsyncIterator[dict]:
    """Go on with what was queued or running when the last process that tended it ended."""
    with suppress(StoreError):  # the toy pages work without a store, and the Lab page says what is wrong with it
        resume()
    send_at_once()
    yield {}
