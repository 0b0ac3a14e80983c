"""What the app does when it starts and when it stops."""

import asyncio
import sqlite3
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import streamlit as st

from samviz.runs import StoreError, resume
from samviz.ui.sockets import send_at_once

try:
    import resource
except ImportError:  # Windows, which has no such limit
    resource = None

TEND_SECONDS = 5.0
MOST_FILES = 10_240 if sys.platform == "darwin" else 65_536
"""Of the app, connections among them. macOS takes no larger number, whatever it says to allow; elsewhere the limit may
be a billion, and each connection takes memory."""


@asynccontextmanager
async def lifespan(app: st.App) -> AsyncIterator[dict]:
    """Go on with what was queued or running when the last process that tended it ended."""
    open_many()
    tending = asyncio.create_task(_tend())
    send_at_once()
    yield {}
    tending.cancel()


def open_many() -> None:
    """Let this process hold as many connections as it may: by default it is 1024, and the next ones wait unanswered.

    What it starts may then open as many files; the limit that nobody but the system's owner can raise stays.
    """
    if resource is None:
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = MOST_FILES if hard == resource.RLIM_INFINITY else min(MOST_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < most:
        with suppress(ValueError, OSError):  # the app starts with the limit that there is
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


async def _tend() -> None:
    """See to it that somebody works on what is unfinished, now and then: supervisor and worker may both be killed."""
    while True:
        # The toy pages work without a store, and the Lab page says what is wrong with it.
        with suppress(StoreError, OSError, sqlite3.Error):
            await asyncio.to_thread(resume)
        await asyncio.sleep(TEND_SECONDS)
