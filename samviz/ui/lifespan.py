"""What the app does when it starts and when it stops."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import streamlit as st

from samviz.runs import StoreError, resume
from samviz.ui.sockets import send_at_once

TEND_SECONDS = 5.0


@asynccontextmanager
async def lifespan(app: st.App) -> AsyncIterator[dict]:
    """Go on with what was queued or running when the last process that tended it ended."""
    tending = asyncio.create_task(_tend())
    send_at_once()
    yield {}
    tending.cancel()


async def _tend() -> None:
    """See to it that somebody works on what is unfinished, now and then: supervisor and worker may both be killed."""
    while True:
        # The toy pages work without a store, and the Lab page says what is wrong with it.
        with suppress(StoreError, OSError, sqlite3.Error):
            await asyncio.to_thread(resume)
        await asyncio.sleep(TEND_SECONDS)
