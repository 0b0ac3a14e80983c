"""Every HTTP address beside Streamlit's own. All are pure GETs: nothing can be changed through them."""

from pathlib import Path

import plotly
from starlette.routing import BaseRoute, Mount
from starlette.staticfiles import StaticFiles

from samviz.ui.components import Assets
from samviz.ui.document import document_routes
from samviz.ui.live_routes import live_routes
from samviz.ui.toy_routes import toy_routes

_PLOTLY = Path(plotly.__file__).parent / "package_data"


def routes() -> list[BaseRoute]:
    """The app's routes: documents, browser modules, plotly.js, and the data of the interactive pages."""
    return [
        *document_routes(),
        *toy_routes(),
        *live_routes(),
        Mount("/assets", Assets()),
        Mount("/vendor", StaticFiles(directory=_PLOTLY)),
    ]
