"""The live page's data: GET /api/comparisons/ID/live and .../layers, answered from pages that all viewers share.

Each is made once for a revision of the comparison and a choice of what is shown; both are in its ETag.
"""

import gzip
from collections.abc import Callable

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from samviz.runs import open_store
from samviz.ui.crowd import Crowd
from samviz.ui.live import Cache, Page
from samviz.ui.live_choice import Choice, layers_name

REFRESH = "X-Refresh-Seconds"
"""Header of an answer: when this viewer may ask again."""


def live_routes() -> list[BaseRoute]:
    """The routes, with a cache of their own."""
    cache: Cache | None = None
    crowd = Crowd()

    async def answer(request: Request, read: Callable, page: Callable[..., Page], age: float = 0.0) -> Response:
        nonlocal cache
        id = request.path_params["id"]
        try:
            choice = read({key: request.query_params.getlist(key) for key in request.query_params})
        except ValueError as error:
            return JSONResponse({"error": str(error)}, status_code=400)
        try:
            # In a thread, so reading the store holds up nobody's page; what a crowd shares needs none.
            cache = cache or await run_in_threadpool(lambda: Cache(open_store()))
            found = cache.at_hand(id, choice, age) or await run_in_threadpool(page, cache, id, choice, age)
        except KeyError:
            return JSONResponse({"error": f"There is no comparison {id!r}."}, status_code=404)
        etag = f'"{found.revision}~{choice}"'
        headers = {"ETag": etag, "Cache-Control": "no-cache", "Vary": "Accept-Encoding"}
        if request.headers.get("if-none-match", "") == etag:
            return Response(status_code=304, headers=headers)
        if "gzip" in request.headers.get("accept-encoding", ""):
            headers["Content-Encoding"] = "gzip"
            return Response(found.body, media_type="application/json", headers=headers)
        return Response(gzip.decompress(found.body), media_type="application/json", headers=headers)

    async def live(request: Request) -> Response:
        wait, age = crowd.turn()
        response = await answer(request, Choice.from_query, Cache.page, age)
        response.headers[REFRESH] = f"{wait:.2f}"
        return response

    async def layers(request: Request) -> Response:
        return await answer(request, layers_name, Cache.layers)

    return [Route("/api/comparisons/{id}/live", live), Route("/api/comparisons/{id}/layers", layers)]
