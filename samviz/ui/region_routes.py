"""What the Regions page draws below its panels, computed here and fetched while a hand moves: pure GETs."""

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from samviz.spec.regions import RegionSettings
from samviz.ui.invariance_table import invariance
from samviz.ui.space_picture import space
from samviz.ui.toy_routes import CACHE, read_settings


def _answering(picture: Callable[[RegionSettings], dict]) -> Callable[[Request], Response]:
    """A route that sends what `picture` makes of the address; of a wrong address the defaults, and what is wrong."""

    def route(request: Request) -> Response:
        settings, problem = read_settings(request, RegionSettings)
        return JSONResponse({"problem": problem, **picture(settings)}, headers=CACHE)

    return route


def region_routes() -> list[Route]:
    """The table of invariance and the picture in space."""
    return [Route("/api/toy/invariance", _answering(invariance)), Route("/api/toy/space", _answering(space))]
