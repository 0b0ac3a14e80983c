"""The document of a page opened by its own address.

Streamlit's document looks for its server below that address first and finds it at the root second: two failed
requests in the browser's console on every cold deep link. Told where the server is, it asks there at once.
"""

from pathlib import Path

import streamlit as st
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route

PAGES = Path(__file__).parents[2] / "pages"

DOCUMENT = Path(st.__file__).parent / "static" / "index.html"
SERVER = "<script>window.__streamlit = { BACKEND_BASE_URL: location.origin };</script>"


def document_routes() -> list[Route]:
    """One route a page, home apart, whose address is the root."""
    html = DOCUMENT.read_text("utf-8").replace("<head>", f"<head>{SERVER}", 1)

    async def document(_: Request) -> HTMLResponse:
        return HTMLResponse(html, headers={"Cache-Control": "no-cache"})

    return [Route(f"/{page.stem}", document) for page in sorted(PAGES.glob("*.py")) if page.stem != "home"]
