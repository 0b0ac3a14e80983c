"""What the Trajectories and Regions pages draw, computed here and fetched while a hand moves: pure GETs.

Paths are sent as one binary message, since a number costs 4 bytes there and about 9 as text:
the length of the header (uint32, little-endian), the header (JSON, padded to a multiple of 4 bytes), and the
arrays that it lists (float32), one after the other.
"""

import json

import numpy as np
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from samviz.spec import check
from samviz.spec.regions import RegionSettings
from samviz.spec.trajectories import PLAIN, TrajectorySettings
from samviz.toy import REGIONS, Outcome
from samviz.toy.along import distance, position, sharpness_along, spread
from samviz.toy.ascent import half_widths
from samviz.ui.toy_pictures import landscape, regions
from samviz.ui.toy_steps import written_step
from samviz.ui.walks import Together, rules, walk_all, walks
from samviz.variants import VARIANTS

PANEL_POINTS = 240
"""Steps of a path at which its sharpness is told."""

MOST_PIXELS = 4_000_000
"""Of a path's frame up to which a table of all of them is faster than sorting."""

CACHE = {"Cache-Control": "public, max-age=600"}
"""Every answer follows from its address alone."""


def thin(points: np.ndarray, cell: float) -> np.ndarray:
    """The steps of a path (n, 2) that show on a screen with pixels of size `cell`: lines with NaN between them.

    Only a step into a pixel that the path has not been to shows; so a path that swings about its way for thousands
    of steps keeps those that paint the swing. Ends with the last finite point.
    """
    finite = np.isfinite(points).all(axis=1)
    points = points if finite.all() else points[: max(int(np.argmin(finite)), 1)]
    into = np.zeros(len(points), dtype=bool)
    with np.errstate(over="ignore", invalid="ignore"):  # a path may end far away
        x, y = np.floor(points.T / cell)
        into[_first_visits(x, y)] = True
    into[0], into[-1] = False, len(points) > 1
    steps = np.flatnonzero(into)
    broken = np.diff(steps, prepend=-1) > 1
    pieces = np.full((len(steps), 3, 2), np.nan)
    pieces[:, 1], pieces[:, 2] = points[steps - 1], points[steps]
    wanted = np.stack([broken, broken, np.ones_like(broken)], axis=1)
    wanted[:1, 0] = False
    return pieces[wanted] if len(steps) else points[:1]


def _first_visits(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Where a path of pixels (x, y) is in one for the first time."""
    left, low = x.min(), y.min()
    width, height = x.max() - left + 1, y.max() - low + 1
    if not width * height <= MOST_PIXELS:
        return np.unique(x + 2.0**26 * y, return_index=True)[1]  # one number a pixel, exact up to 2^26 either way
    flat = (x - left + width * (y - low)).astype(np.intp)
    visited = np.empty(int(width * height), dtype=np.intp)
    visited[flat[::-1]] = np.arange(len(flat))[::-1]  # of several entries for one place the last one stays
    return visited[flat]


def pack(header: dict, arrays: list[np.ndarray]) -> bytes:
    """The binary message of this module."""
    text = json.dumps(header, separators=(",", ":"), allow_nan=False).encode()
    text += b" " * (-len(text) % 4)
    with np.errstate(over="ignore"):
        body = [np.asarray(a, dtype="<f4").tobytes() for a in arrays]
    return b"".join([len(text).to_bytes(4, "little"), text, *body])


def read_settings(request: Request, settings: type[TrajectorySettings] | type[RegionSettings]):
    """The settings of an address and no problem, or the defaults and what is wrong in one sentence."""
    try:
        return settings.from_query({key: request.query_params.getlist(key) for key in request.query_params}), None
    except ValueError as error:
        return settings(), str(error)


def paths(request: Request) -> Response:
    """Every step of all paths: w, w + eps, loss, distance and position, and the half widths of the region."""
    s, problem = read_settings(request, TrajectorySettings)
    c = s.values["c"]
    listed, arrays = [], []
    for index, variant, path, end in walks(s):
        parts = {"points": path.points, "loss": path.loss}
        parts |= {"distance": distance(path.points, c), "position": position(path.points)}
        if variant != PLAIN:
            rho, eta = s.rho(variant), s.eta(variant)
            parts["perturbed"] = path.perturbed
            parts["half_widths"] = half_widths(path.points[:-1], VARIANTS[variant], rho, eta, c)
        arrays += parts.values()
        listed.append(_listed(index, variant, end, parts))
    header = {"problem": problem, "settings": s.to_query(), "marks": s.marks(), "paths": listed}
    return _message(pack(header, arrays))


async def moving_paths(request: Request) -> Response:
    """The paths as lines alone, thinned for a screen with pixels of the given size, while a control moves."""
    s, problem = read_settings(request, TrajectorySettings)
    return _message(await _moving.ask((s, problem, max(request.path_params["cell"], 1e-9))))


def _thinned(jobs: list[tuple[TrajectorySettings, str | None, float]]) -> list[bytes]:
    """The messages to people who are dragging at this moment."""
    found = walk_all((start, by) for s, _, _ in jobs for _, start, by in rules(s))
    messages = []
    for s, problem, cell in jobs:
        listed, arrays = [], []
        for index, start, by in rules(s):
            path, end = found[start, by]
            arrays.append(thin(path.points, cell))
            listed.append(_listed(index, by.variant, end, {"points": arrays[-1]}))
        header = {"problem": problem, "settings": s.to_query(), "marks": s.marks(), "paths": listed}
        messages.append(pack(header, arrays))
    return messages


_moving = Together(_thinned)


def _listed(index: int, variant: str, end: Outcome, parts: dict[str, np.ndarray]) -> dict:
    """A path's entry in the header of a message."""
    sizes = {name: part.size for name, part in parts.items()}
    return {"start": index, "variant": variant, "kind": end.kind, "text": end.sentence, "sizes": sizes}


def _message(body: bytes) -> Response:
    return Response(body, media_type="application/octet-stream", headers=CACHE)


def step(request: Request) -> Response:
    """The step that the player is at (`at`, in half steps), of every path: table rows and exact worst points."""
    s, problem = read_settings(request, TrajectorySettings)
    at = int(s.values["steps"]) if s.at is None else s.at // 2
    told = [{"start": i, "variant": v, **written_step(s, v, path, at)} for i, v, path, _ in walks(s)]
    return JSONResponse({"problem": problem, "step": at, "paths": told}, headers=CACHE)


def sharpness(request: Request) -> Response:
    """Sharpness along all paths between two steps, exact and to first order, in SAM's sphere and ASAM's ellipsoid.

    At most PANEL_POINTS steps of each path; the radii are those of `sam` and `elementwise_l2`.
    """
    s, problem = read_settings(request, TrajectorySettings)
    steps, c = int(s.values["steps"]), s.values["c"]
    first = min(request.path_params["first"], steps - 1)
    chosen = spread(first, max(first + 1, min(request.path_params["last"], steps)), PANEL_POINTS)
    listed, arrays = [], [chosen]
    for index, variant, path, _ in walks(s):
        w, sizes = path.points[chosen], {}
        for region in ("sphere", "ellipsoid"):
            model = REGIONS[region]
            exact, linear = sharpness_along(region, w, s.rho(model), s.eta(model), c)
            arrays += [exact, linear]
            sizes |= {region: exact.size, f"{region}_first": linear.size}
        listed.append({"start": index, "variant": variant, "sizes": sizes})
    return _message(pack({"problem": problem, "paths": listed, "sizes": {"steps": chosen.size}}, arrays))


def _number(key: str, text: str, low: float, high: float) -> float:
    """Read a number from an address; raise ValueError with the text as it stands there if it is none."""
    try:
        value: float | str = float(text)
    except ValueError:
        value = text
    return check.number(key, value, low, high)


def plane(request: Request) -> Response:
    """Loss contours, filled areas and the valley in a window: c, x0, x1, y0, y1, and the losses of the contours."""
    try:
        at = [_number("at", text, 0, 1e6) for text in request.query_params.getlist("at")[:20]]
        c, x0, x1, y0, y1 = (
            _number(key, request.query_params.get(key, ""), -1000, 1000) for key in ("c", "x0", "x1", "y0", "y1")
        )
        if not (c > 0 and x0 < x1 and y0 < y1):
            raise ValueError("A window has c > 0, x0 < x1 and y0 < y1.")
    except ValueError as error:
        return JSONResponse({"problem": str(error)}, status_code=400)
    return JSONResponse(landscape(c, (x0, x1, y0, y1), at or None), headers=CACHE)


def region_picture(request: Request) -> Response:
    """The three regions around w and Aw, their worst points, contours and the table."""
    settings, problem = read_settings(request, RegionSettings)
    known = {"problem": problem, "settings": settings.to_query(), "marks": settings.marks()}
    return JSONResponse({**known, **regions(settings)}, headers=CACHE)


def toy_routes() -> list[Route]:
    """The routes of the Trajectories and Regions pages."""
    return [
        Route("/api/toy/paths", paths),
        Route("/api/toy/paths/{cell:float}", moving_paths),
        Route("/api/toy/step", step),
        Route("/api/toy/sharpness/{first:int}/{last:int}", sharpness),
        Route("/api/toy/plane", plane),
        Route("/api/toy/regions", region_picture),
    ]
