"""A basin map from its address to its last byte, as the page asks for it: 500 steps a start, nothing from the cache."""

import time
from pathlib import Path

import numpy as np
from starlette.applications import Starlette

from samviz.spec.trajectories import METHODS
from samviz.ui.map_pictures import cached_ends
from samviz.ui.map_routes import map_routes
from tests.asgi import get
from tests.bench.table import Row

BUDGETS = {50: 0.1, 200: 0.6, 400: 3.0}
"""Starts along an edge -> seconds; the first is the coarse map that is shown at once."""


def measure(folder: Path, n: int = 5) -> list[Row]:
    """Every method in turn, n rounds; the figure is the median of the slowest method."""
    app, rows = Starlette(routes=map_routes()), []
    for edge, budget in BUDGETS.items():
        seconds = np.empty((n, len(METHODS)))
        for i in np.ndindex(seconds.shape):
            cached_ends.cache_clear()
            begun = time.perf_counter()
            answer = get(app, f"/api/toy/map?method={METHODS[i[1]]}&detail={max(edge, 200)}&n={edge}")
            seconds[i] = time.perf_counter() - begun
            assert answer.status == 200
        medians = np.median(seconds, axis=0)
        slowest = METHODS[int(medians.argmax())]
        rows.append(
            Row(
                what=f"{edge} × {edge} basin map, 500 steps, slowest method ({slowest}), median",
                budget=budget,
                figure=float(medians.max()),
                unit="s",
                spread=f"n={n}, all methods {seconds.min():.3g} to {seconds.max():.3g}",
            )
        )
    return rows
