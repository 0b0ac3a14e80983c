"""Browser components: plain JavaScript modules of `assets/`, loaded from a route and not sent with every message."""

from hashlib import sha256
from pathlib import Path

import streamlit as st
from streamlit.components.v2.types import ComponentRenderer

ASSETS = Path(__file__).parents[2] / "assets"


def version() -> str:
    """A short digest of all modules and styles: part of their addresses, so that a browser never keeps an old one."""
    digest = sha256()
    for path in sorted([*ASSETS.glob("*.js"), *ASSETS.glob("*.css")]):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def component(name: str) -> ComponentRenderer:
    """Register the component whose module is assets/NAME.js and whose style, if any, is assets/NAME.css.

    The module's default export is called with Streamlit's component object on every change of `data`; it keeps its
    instance in a WeakMap keyed by `parentElement` and may return a clean-up function.
    """
    style = ASSETS / f"{name}.css"
    # Streamlit takes a one-line string for a path, so both strings have more than one line.
    return st.components.v2.component(
        f"samviz_{name}",
        html="<div class='samviz'></div>",
        css=style.read_text("utf-8") if style.is_file() else None,
        js=f"""
import mount from "/assets/{name}.js?v={version()}";
export default mount;
""",
    )
