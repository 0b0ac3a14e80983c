"""The plane at a glance: maps of where every start ends, the dead zone of the first step, and the whole valley."""

import numpy as np

from samviz.spec import check
from samviz.spec.trajectories import QUANTITIES
from samviz.toy import arguments
from samviz.toy.along import position
from samviz.toy.arguments import Axes
from samviz.toy.ascent import epsilon, first_order_sharpness
from samviz.toy.ends import Ends
from samviz.toy.loss import TARGET, partials
from samviz.toy.outcome import KINDS
from samviz.toy.regions import maximum

DIFFERENCES = ("same", "first", "second", "other")
"""How two kinds compare: the same; only the first is `valley`; only the second is; both are others."""

MOST_PIXELS = 1000
"""Along each edge of a map."""


def grid(axes: Axes, n: int) -> np.ndarray:
    """The middles of n by n pixels that fill the window: (n, n, 2), from the largest w2 down and with rising w1.

    Raises ValueError for arguments out of range.
    """
    x0, x1, y0, y1 = arguments.window(axes)
    part = (np.arange(check.integer("n", n, 1, MOST_PIXELS)) + 0.5) / n
    return np.stack(np.meshgrid(x0 + part * (x1 - x0), y1 - part * (y1 - y0)), axis=-1)


def quantity(found: Ends, name: str, radius: float = 0.05, target: float = TARGET) -> np.ndarray:
    """One of QUANTITIES of each end, floats (...).

    kind is the index into KINDS and step as in Ends. position is log(w1 / w2), and sharpness SAM's to first order with
    this radius, one measure for all methods; both are NaN but on the valley and where a path swings across it.
    Raises ValueError for arguments out of range.
    """
    check.choice("quantity", name, QUANTITIES)
    if name in ("kind", "step"):
        return getattr(found, name).astype(float)
    there = (found.kind == KINDS.index("valley")) | (found.kind == KINDS.index("oscillating"))
    value = np.full(there.shape, np.nan)
    points = found.points[there]
    if points.size:
        value[there] = (
            position(points) if name == "position" else first_order_sharpness("sam", points, radius, 0, target)
        )
    return value


def difference(first: np.ndarray, second: np.ndarray, name: str) -> np.ndarray:
    """How two maps of one quantity differ, floats (...): first - second, for kinds the index into DIFFERENCES."""
    if check.choice("quantity", name, QUANTITIES) != "kind":
        return first - second
    valley = KINDS.index("valley")
    cases = [first == second, first == valley, second == valley]
    return np.select(cases, [0.0, 1.0, 2.0], 3.0)


def dead_radius(
    w: np.ndarray, variant: str, eta: float | np.ndarray | None = None, target: float = TARGET
) -> np.ndarray:
    """The least rho for which w + eps is in the dead half-plane w2 <= 0, at w (..., 2): shape (...), inf if none is.

    eps is rho times a vector e that does not depend on rho, so it is -w2 / e2 wherever e2 < 0, that is below the valley
    at w1 > 0. There SAM has w2 ||w|| / w1: it does not move from where w2 < rho w1 / ||w||. ASAM with eta 0 has
    sqrt(2), since w + eps = (1 - rho / sqrt(2)) w; with the norm l-infinity it has w2 / (w2 + eta). 0 at w2 <= 0.
    eta may be an array that broadcasts to (...). Raises ValueError for arguments out of range.
    """
    w, target = arguments.points("w", w), arguments.target(target)
    model, default = arguments.model(variant, None)
    eta = arguments.sizes("eta", default if eta is None else eta, w.shape[:-1])
    x, y = np.moveaxis(w, -1, 0)
    _, e = epsilon(x, y, *partials(x, y, target), model, 1.0, eta)
    with np.errstate(all="ignore"):
        return np.where(y <= 0, 0.0, np.where(e < 0, -y / e, np.inf))


def dead_edge(rho: float, axes: Axes, target: float = TARGET, n: int = 200) -> np.ndarray:
    """The upper edge w2 = rho w1 / ||w|| of the zone that SAM does not move from, below the valley: a line (k, 2).

    Solved for w2 it is w2^2 = w1 (sqrt(w1^2 + 4 rho^2) - w1) / 2. k is at most n, 2 to 1000, and 0 outside the window.
    Raises ValueError for arguments out of range.
    """
    rho, target = arguments.size("rho", rho), arguments.target(target)
    _, x1, y0, y1 = arguments.window(axes)
    x = max(x1, 0.0) * np.linspace(0, 1, check.integer("n", n, 2, 1000)) ** 2  # dense where it bends
    with np.errstate(invalid="ignore"):
        y = rho * np.sqrt(2 * x / (np.hypot(x, 2 * rho) + x))  # without the difference, which rounds badly
    return np.stack([x, y], axis=-1)[(x * y <= target) & (y >= y0) & (y <= y1)]


def dead_from(
    start: np.ndarray, variant: str, parameter: str, values: np.ndarray, *, rho: float, eta: float, target: float
) -> list[float]:
    """Where the first step from start (2,) turns dead or alive as rho or eta goes through rising values (k,).

    Between two of the values it is interpolated, which is exact for rho. Raises ValueError for arguments out of range.
    """
    check.choice("parameter", parameter, ("rho", "eta"))
    starts = np.broadcast_to(arguments.points("start", start), (len(values), 2))
    radius = dead_radius(starts, variant, values if parameter == "eta" else eta, target)
    excess = (values if parameter == "rho" else rho) - radius  # dead from 0 on
    turns = np.flatnonzero((excess[1:] >= 0) != (excess[:-1] >= 0))
    part = excess[turns] / (excess[turns] - excess[turns + 1])
    return (values[turns] + part * (values[turns + 1] - values[turns])).tolist()


def valley_point(place: np.ndarray, target: float = TARGET) -> np.ndarray:
    """The point of the valley with log(w1 / w2) = place (...), shape (..., 2)."""
    half = np.asarray(place, dtype=float) / 2
    return np.sqrt(target) * np.exp(np.stack([half, -half], axis=-1))


def along_valley(
    place: np.ndarray, variant: str, rho: float, eta: float | None = None, target: float = TARGET
) -> tuple[np.ndarray, np.ndarray]:
    """Sharpness at the points of the valley with log(w1 / w2) = place (k,): exact and to first order, both (k,).

    SAM's is least at place 0. With eta 0 the elementwise variants have the same everywhere: to first order rho c
    sqrt(2), exactly c ((1 + rho / sqrt(2))^2 - 1); with l-infinity rho 2 c and c ((1 + rho)^2 - 1). Once a region
    reaches into the dead half-plane, the exact value is at least c. Raises ValueError for arguments out of range.
    """
    points = valley_point(place, arguments.target(target))
    exact = np.array([maximum(variant, w, rho, eta, target).loss for w in points])  # the loss there is 0
    return exact, first_order_sharpness(variant, points, rho, eta, target)
