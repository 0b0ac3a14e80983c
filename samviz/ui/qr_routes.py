"""QR codes of the app's own pages, for the phones of an audience: a pure GET."""

from io import BytesIO

import segno
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from samviz.ui.public import share

QUIET = 4
"""Empty squares around the code: what readers ask for."""


def code(request: Request) -> Response:
    """The QR code of `path`, e.g. /api/qr.svg?path=/regions%3Fa=3: black on white, whatever the theme."""
    try:
        address = share(request.query_params.get("path", ""), request.headers.get("host", ""))
    except ValueError as error:
        return JSONResponse({"problem": str(error)}, status_code=400)
    svg = BytesIO()
    made = segno.make(address, error="m", micro=False)
    made.save(svg, kind="svg", border=QUIET, dark="black", light="white", title=address, omitsize=True, xmldecl=False)
    return Response(svg.getvalue(), media_type="image/svg+xml", headers={"Cache-Control": "no-cache"})


def qr_routes() -> list[Route]:
    """The route of the QR codes."""
    return [Route("/api/qr.svg", code)]
