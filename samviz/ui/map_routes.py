"""What the maps below the Trajectories page draw, computed here: pure GETs, each answer with a header and arrays."""

from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from samviz.spec.maps import MapSettings, SweepSettings
from samviz.spec.trajectories import TrajectorySettings
from samviz.ui.curve_pictures import sweep, valley_sharpness
from samviz.ui.map_pictures import Message, basin_map
from samviz.ui.toy_routes import CACHE, pack


def _answer(settings: type, message: Callable[[Any], Message]) -> Callable[[Request], Response]:
    """A route that reads these settings from the address: the packed message, or 400 and what is wrong."""

    def route(request: Request) -> Response:
        try:
            s = settings.from_query({key: request.query_params.getlist(key) for key in request.query_params})
        except ValueError as error:
            return JSONResponse({"problem": str(error)}, status_code=400)
        header, arrays = message(s)
        header["sizes"] = {name: array.size for name, array in arrays.items()}
        body = pack(header, list(arrays.values()))
        return Response(body, media_type="application/octet-stream", headers=CACHE)

    return route


def map_routes() -> list[Route]:
    """The routes of the maps, the sweeps and the valley."""
    return [
        Route("/api/toy/map", _answer(MapSettings, basin_map)),
        Route("/api/toy/sweep", _answer(SweepSettings, sweep)),
        Route("/api/toy/valley", _answer(TrajectorySettings, valley_sharpness)),
    ]
