"""The live page's data: GET /api/comparisons/ID/live, answered from one page a revision that all viewers share."""

import gzip

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from samviz.runs import open_store
from samviz.ui.live import Cache


def live_routes() -> list[BaseRoute]:
    """The route, with a cache of its own."""
    cache: Cache | None = None

    # Not async: Starlette runs it in a thread, so reading the store holds up nobody's page.
    def live(request: Request) -> Response:
        nonlocal cache
        cache = cache or Cache(open_store())
        id = request.path_params["id"]
        try:
            page = cache.page(id)
        except KeyError:
            return JSONResponse({"error": f"There is no comparison {id!r}."}, status_code=404)
        headers = {"ETag": f'"{page.revision}"', "Cache-Control": "no-cache", "Vary": "Accept-Encoding"}
        if request.headers.get("if-none-match", "") == headers["ETag"]:
            return Response(status_code=304, headers=headers)
        if "gzip" in request.headers.get("accept-encoding", ""):
            headers["Content-Encoding"] = "gzip"
            return Response(page.body, media_type="application/json", headers=headers)
        return Response(gzip.decompress(page.body), media_type="application/json", headers=headers)

    return [Route("/api/comparisons/{id}/live", live)]
