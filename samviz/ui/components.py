"""Browser components: plain JavaScript modules of `assets/`, loaded from a route and not sent with every message."""

import os
from hashlib import sha256
from pathlib import Path

import streamlit as st
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope
from streamlit.components.v2.types import ComponentRenderer

ASSETS = Path(__file__).parents[2] / "assets"


def version() -> str:
    """A digest of all modules and styles, part of their addresses: no browser runs an old one beside a new one."""
    digest = sha256()
    for path in sorted([*ASSETS.glob("*.js"), *ASSETS.glob("*.css")]):
        digest.update(path.name.encode() + path.read_bytes())
    return f"v{digest.hexdigest()[:12]}"


class Assets(StaticFiles):
    """Serves `assets/`: VERSION/FILE may be kept for good, FILE is asked for again each time (by its ETag).

    A module imports its neighbors by relative addresses, so they carry the same version.
    """

    def __init__(self) -> None:
        super().__init__(directory=ASSETS)
        self._version = version()

    async def get_response(self, path: str, scope: Scope) -> Response:
        head, _, rest = path.partition(os.sep)
        versioned = len(head) == len(self._version) and head.startswith("v") and rest != ""
        response = await super().get_response(rest if versioned else path, scope)
        fresh = versioned and head == self._version
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable" if fresh else "no-cache"
        return response


def component(name: str, *styles: str) -> ComponentRenderer:
    """Register the component whose module is assets/NAME.js and whose styles are assets/STYLE.css and assets/NAME.css.

    The module's default export is called with Streamlit's component object on every change of `data`; it keeps its
    instance in a WeakMap keyed by `parentElement` and may return a clean-up function.
    """
    files = [ASSETS / f"{style}.css" for style in (*styles, name)]
    # Streamlit takes a one-line string for a path, so both strings have more than one line. The module that Streamlit
    # makes of this text has a blob address, against which "/assets" does not resolve: hence the full address.
    return st.components.v2.component(
        f"samviz_{name}",
        html="<div class='samviz'></div>",
        css="\n".join(file.read_text("utf-8") for file in files if file.is_file()) or None,
        js=f"""
const module = await import(new URL("/assets/{version()}/{name}.js", location.origin));
export default module.default;
""",
    )
