"""What the Trajectories and Regions pages draw, computed here and fetched while a hand moves: pure GETs.

Paths are sent as one binary message, since a number costs 4 bytes there and about 9 as text:
the length of the header (uint32, little-endian), the header (JSON, padded to a multiple of 4 bytes), and the
arrays that it lists (float32), one after the other.
"""

import json
from functools import lru_cache

import numpy as np
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from samviz.spec import check
from samviz.spec.toy import PLAIN, RegionSettings, TrajectorySettings
from samviz.toy import Outcome, Path, descend, outcome
from samviz.toy.ascent import half_widths
from samviz.ui.toy_pictures import landscape, regions
from samviz.variants import VARIANTS

CACHE = {"Cache-Control": "public, max-age=600"}
"""Every answer follows from its address alone."""


@lru_cache(maxsize=48)
def _path(
    variant: str, start: tuple[float, float], rho: float, eta: float, lr: float, steps: int, decay: float, c: float
) -> tuple[Path, Outcome]:
    """One path and its outcome, kept for a while: most requests change one path of many."""
    method = None if variant == PLAIN else variant
    path = descend(start, method, rho=rho, eta=eta, lr=lr, steps=steps, lr_decay=decay, target=c)
    return path, outcome(path, c)


def thin(points: np.ndarray, cell: float) -> np.ndarray:
    """The steps of a path (n, 2) that show on a screen with pixels of size `cell`: lines with NaN between them.

    Only a step into a pixel that the path has not been to shows; so a path that swings about its way for thousands
    of steps keeps those that paint the swing. Ends with the last finite point.
    """
    finite = np.isfinite(points).all(axis=1)
    points = points if finite.all() else points[: max(int(np.argmin(finite)), 1)]
    pixels = np.floor(points / cell) @ (1.0, 2.0**26)  # one number a pixel, exact up to 2^26 pixels either way
    _, first = np.unique(pixels, return_index=True)
    into = np.zeros(len(points), dtype=bool)
    into[first] = True
    into[0], into[-1] = False, len(points) > 1
    steps = np.flatnonzero(into)
    broken = np.diff(steps, prepend=-1) > 1
    pieces = np.full((len(steps), 3, 2), np.nan)
    pieces[:, 1], pieces[:, 2] = points[steps - 1], points[steps]
    wanted = np.stack([broken, broken, np.ones_like(broken)], axis=1)
    wanted[:1, 0] = False
    return pieces[wanted] if len(steps) else points[:1]


def pack(header: dict, arrays: list[np.ndarray]) -> bytes:
    """The binary message of this module."""
    text = json.dumps(header, separators=(",", ":"), allow_nan=False).encode()
    text += b" " * (-len(text) % 4)
    with np.errstate(over="ignore"):
        body = [np.asarray(a, dtype="<f4").tobytes() for a in arrays]
    return b"".join([len(text).to_bytes(4, "little"), text, *body])


def _read(request: Request, settings: type[TrajectorySettings] | type[RegionSettings]):
    """The settings of an address and no problem, or the defaults and what is wrong in one sentence."""
    try:
        return settings.from_query({key: request.query_params.getlist(key) for key in request.query_params}), None
    except ValueError as error:
        return settings(), str(error)


def _paths(request: Request, cell: float | None) -> Response:
    s, problem = _read(request, TrajectorySettings)
    lr, steps, decay, c = (s.values[key] for key in ("lr", "steps", "decay", "c"))
    listed, arrays = [], []
    for index, start in enumerate(s.starts):
        for variant in s.variants:
            rho, eta = (0.0, 0.0) if variant == PLAIN else (s.rho(variant), s.eta(variant))
            path, end = _path(variant, start, rho, eta, lr, steps, decay, c)
            parts = {"points": path.points if cell is None else thin(path.points, cell)}
            if cell is None:
                parts["loss"] = path.loss
                if variant != PLAIN:
                    parts["perturbed"] = path.perturbed
                    parts["half_widths"] = half_widths(path.points[:-1], VARIANTS[variant], rho, eta, c)
            arrays += parts.values()
            sizes = {name: part.size for name, part in parts.items()}
            listed.append({"start": index, "variant": variant, "kind": end.kind, "text": end.sentence, "sizes": sizes})
    header = {"problem": problem, "settings": s.to_query(), "paths": listed}
    return Response(pack(header, arrays), media_type="application/octet-stream", headers=CACHE)


def paths(request: Request) -> Response:
    """Every step of all paths: w, w + eps, loss, and the half widths of the region."""
    return _paths(request, None)


def moving_paths(request: Request) -> Response:
    """The paths as lines alone, thinned for a screen with pixels of the given size, while a control moves."""
    return _paths(request, max(request.path_params["cell"], 1e-9))


def plane(request: Request) -> Response:
    """Loss contours, filled areas and the valley in a window: c, x0, x1, y0, y1, and the losses of the contours."""
    try:
        at = [check.number("at", float(text), 0, 1e6) for text in request.query_params.getlist("at")[:20]]
        c, x0, x1, y0, y1 = (
            check.number(key, float(request.query_params.get(key, "nan")), -1000, 1000)
            for key in ("c", "x0", "x1", "y0", "y1")
        )
        if not (c > 0 and x0 < x1 and y0 < y1):
            raise ValueError("A window has c > 0, x0 < x1 and y0 < y1.")
    except ValueError as error:
        return JSONResponse({"problem": str(error)}, status_code=400)
    return JSONResponse(landscape(c, (x0, x1, y0, y1), at or None), headers=CACHE)


def region_picture(request: Request) -> Response:
    """The three regions around w and Aw, their worst points, contours and the table."""
    settings, problem = _read(request, RegionSettings)
    return JSONResponse({"problem": problem, "settings": settings.to_query(), **regions(settings)}, headers=CACHE)


def toy_routes() -> list[Route]:
    """The routes of the Trajectories and Regions pages."""
    return [
        Route("/api/toy/paths", paths),
        Route("/api/toy/paths/{cell:float}", moving_paths),
        Route("/api/toy/plane", plane),
        Route("/api/toy/regions", region_picture),
    ]
