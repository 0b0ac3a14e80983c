"""What people take home from the toy pages, by the same addresses: paths as CSV, the animation, lines of Python.

Pure GETs. A wrong value is status 400 with one sentence: a file must never hold anything but what was asked for.
"""

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from io import StringIO
from typing import Any

import numpy as np
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from samviz.spec import check
from samviz.spec.regions import RegionSettings
from samviz.spec.trajectories import TrajectorySettings
from samviz.ui.toy_animation import animation
from samviz.ui.toy_code import regions_code, trajectories_code
from samviz.ui.toy_routes import CACHE, walks

COLUMNS = ("start", "method", "step", "w1", "w2", "perturbed_w1", "perturbed_w2", "loss")
"""Of the CSV: w before the step (starts are counted from 1, steps from 0) and w + eps, where its gradient was taken."""

PAGES = {"trajectories": TrajectorySettings, "regions": RegionSettings}
"""The settings of each page that has lines of Python."""

Query = dict[str, Sequence[str]]
Settings = TrajectorySettings | RegionSettings


def _answering(read: Callable[[Query], Any], answer: Callable[[Any], Response]) -> Callable[[Request], Response]:
    """A route that answers to the settings that `read` makes of an address, and refuses those that are wrong."""

    def route(request: Request) -> Response:
        try:
            settings = read({key: request.query_params.getlist(key) for key in request.query_params})
        except ValueError as error:
            return JSONResponse({"problem": str(error)}, status_code=400)
        return answer(settings)

    return route


def _file(name: str) -> Mapping[str, str]:
    return {**CACHE, "Content-Disposition": f'attachment; filename="{name}"'}


def _table(s: TrajectorySettings) -> Iterator[str]:
    """The lines of the CSV, path by path; floats in full, so that they read back as the same numbers."""
    text = StringIO()
    csv.writer(text).writerow(COLUMNS)
    yield text.getvalue()
    for index, variant, path, _ in walks(s):
        text = StringIO()
        writer, steps = csv.writer(text), len(path.perturbed)
        rows = np.hstack([path.points[:-1], path.perturbed, path.loss[:-1, None]]).tolist()
        writer.writerows((index + 1, variant, step, *row) for step, row in enumerate(rows))
        writer.writerow((index + 1, variant, steps, *path.points[-1].tolist(), "", "", float(path.loss[-1])))
        yield text.getvalue()


def paths_csv(s: TrajectorySettings) -> Response:
    """Every step of every path. After the last step there is no w + eps: those two cells are empty."""
    return StreamingResponse(_table(s), media_type="text/csv", headers=_file("trajectories.csv"))


def animation_html(s: TrajectorySettings) -> Response:
    """The paths as one file that plays without a network."""
    return HTMLResponse(animation(s), headers=_file("trajectories.html"))


def _of_page(query: Query) -> Settings:
    """The settings of the `page` that an address names."""
    pages = query.pop("page", [None])
    if len(pages) > 1:
        raise ValueError(f"page must be given once, but it is given {len(pages)} times.")
    return PAGES[check.choice("page", pages[0], PAGES)].from_query(query)


def code(s: Settings) -> Response:
    """The lines of Python that give the numbers and the picture of a page."""
    lines = trajectories_code(s) if isinstance(s, TrajectorySettings) else regions_code(s)
    return JSONResponse({"code": lines}, headers=CACHE)


def toy_export_routes() -> list[Route]:
    """The routes of what can be taken home."""
    read = TrajectorySettings.from_query
    return [
        Route("/api/toy/paths.csv", _answering(read, paths_csv)),
        Route("/api/toy/animation.html", _answering(read, animation_html)),
        Route("/api/toy/code", _answering(_of_page, code)),
    ]
