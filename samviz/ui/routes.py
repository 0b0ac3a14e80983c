"""Every HTTP address beside Streamlit's own. All are pure GETs: nothing can be changed through them."""

from pathlib import Path

import plotly
from starlette.routing import BaseRoute, Mount
from starlette.staticfiles import StaticFiles

from samviz.ui.components import Assets
from samviz.ui.document import document_routes
from samviz.ui.live_routes import live_routes
from samviz.ui.map_routes import map_routes
from samviz.ui.qr_routes import qr_routes
from samviz.ui.region_routes import region_routes
from samviz.ui.toy_exports import toy_export_routes
from samviz.ui.toy_routes import toy_routes

_PLOTLY = Path(plotly.__file__).parent / "package_data"


def routes() -> list[BaseRoute]:
    """The app's routes: documents, browser modules, plotly.js, and the data of the interactive pages."""
    return [
        *document_routes(),
        *toy_routes(),
        *map_routes(),
        *toy_export_routes(),
        *region_routes(),
        *live_routes(),
        *qr_routes(),
        Mount("/assets", Assets()),
        Mount("/vendor", StaticFiles(directory=_PLOTLY)),
    ]
