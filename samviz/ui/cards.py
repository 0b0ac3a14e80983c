"""The cards of the home page: a picture of each page, taken from the app itself, and the way there."""

from html import escape

import streamlit as st

from samviz.ui.components import ASSETS
from samviz.ui.document import PAGES

CARDS = {
    "trajectories": (
        "Trajectories",
        ":material/timeline:",
        "Drag a start point and watch SGD, SAM and ASAM walk down to the valley, step by step.",
    ),
    "regions": (
        "Regions",
        ":material/circle:",
        "Rescale the weights and see the sphere's sharpness change while the other two stay put.",
    ),
    "lab": (
        "Lab",
        ":material/science:",
        "Train a network with SGD, SAM, SAM-ON and no-norm side by side, and watch it live.",
    ),
    "compare": (
        "Compare",
        ":material/compare_arrows:",
        "See which arm is ahead, by how much, and whether that is more than chance between seeds.",
    ),
    "sharpness": (
        "Sharpness",
        ":material/straighten:",
        "Rescale a trained network without changing its function, and see which sharpness notices.",
    ),
    "papers": (
        "Papers",
        ":material/menu_book:",
        "Browse all tables of both papers, with your own runs beside them and what they say of the claims.",
    ),
}
"""Page -> title, icon, and what one does there."""
IN_A_ROW = 3

_STYLE = """<style>
.samviz-picture { display: block; width: 100%; aspect-ratio: 16 / 10; border-radius: 0.3rem; object-fit: contain; }
</style>"""


def cards() -> None:
    """One card a page, side by side where there is room."""
    st.html(_STYLE)
    dark = st.context.theme.type == "dark"
    columns = [column for _ in range(0, len(CARDS), IN_A_ROW) for column in st.columns(IN_A_ROW)]
    for column, (page, (title, icon, text)) in zip(columns, CARDS.items(), strict=True):
        with column.container(border=True, height="stretch"):
            if (name := _picture(page, dark)) is not None:
                st.html(f'<img class="samviz-picture" src="/assets/pictures/{name}" alt="{escape(title)} page">')
            st.page_link(PAGES / f"{page}.py", label=f"**{title}**", icon=icon)
            st.markdown(text)


def _picture(page: str, dark: bool) -> str | None:
    """The file in assets/pictures for this theme, or None in a copy without pictures."""
    name = f"{page}-card-{'dark' if dark else 'light'}.png"
    return name if (ASSETS / "pictures" / name).is_file() else None
