"""The toy with three weights, L(w) = |w1 ReLU(w2) ReLU(w3) - c|: the regions of ASAM Fig. 1 in space (ours).

A = diag(a, b, 1 / (a b)) leaves the loss as it is. All is meant for w on the valley w1 w2 w3 = c or above it, where the
worst point is that of the largest product f: for every step u, f(w + |u|) - c >= |f(w + u) - c|, dead points and w1 < 0
included, and a region that holds w + u holds w + |u|.
"""

from math import inf, sqrt

import numpy as np

from samviz.spec import check
from samviz.toy import arguments
from samviz.toy.loss import TARGET
from samviz.toy.regions import REGIONS
from samviz.toy.search import crossing
from samviz.variants import VARIANTS, WEIGHT

FARTHEST = 1e6
"""The largest coordinate of a point that regions are drawn around."""


def loss(w: np.ndarray, target: float = TARGET) -> np.ndarray:
    """L at w (..., 3), shape (...). It is `target` wherever w2 <= 0 or w3 <= 0."""
    return abs(_product(w) - target)


def gradient(w: np.ndarray, target: float = TARGET) -> np.ndarray:
    """The gradient of L at w (..., 3), same shape, with ReLU'(0) = 0 and sign(0) = 0, as torch has them."""
    w = np.asarray(w, dtype=float)
    x, y, z = np.moveaxis(w, -1, 0)
    sign = np.sign(_product(w) - target) * ((y > 0) & (z > 0))
    return sign[..., None] * np.stack([y * z, x * z, x * y], axis=-1)


def half_widths(region: str, w: np.ndarray, rho: float, eta: float = 0.0, target: float = TARGET) -> np.ndarray:
    """rho T_w (3,), the half widths of one of REGIONS around w (3,), which lies on the valley or above it.

    Raises ValueError for arguments out of range.
    """
    variant = VARIANTS[REGIONS[check.choice("region", region, REGIONS)]]
    w = _checked(w, arguments.target(target))
    rho, eta = arguments.size("rho", rho), arguments.size("eta", eta)
    return rho * np.ones(3) * variant.operator(w, gradient(w, target), eta, WEIGHT)


def maximum(
    region: str, w: np.ndarray, rho: float, eta: float = 0.0, target: float = TARGET
) -> tuple[float, np.ndarray]:
    """The exact largest loss in the region around w (3,), and the one point (3,) that reaches it.

    Raises ValueError for arguments out of range.
    """
    widths = half_widths(region, w, rho, eta, target)
    w = np.asarray(w, dtype=float)
    box = VARIANTS[REGIONS[region]].p == inf
    worst = w + widths * (1.0 if box or rho == 0 else _farthest((w / widths).tolist()))
    return float(loss(worst, target)), worst


Mesh = tuple[np.ndarray, np.ndarray]
"""Vertices (n, 3) and triangles of their indices (m, 3)."""


def mesh(region: str, w: np.ndarray, rho: float, eta: float = 0.0, target: float = TARGET) -> Mesh:
    """The region's boundary around w (3,), on which all vertices lie.

    Raises ValueError for arguments out of range.
    """
    widths = half_widths(region, w, rho, eta, target)
    unit, triangles = (_CUBE, _CUBE_TRIANGLES) if VARIANTS[REGIONS[region]].p == inf else (_BALL, _BALL_TRIANGLES)
    return np.asarray(w) + widths * unit, triangles


def level_surface(product: float, top: float, n: int = 21) -> Mesh:
    """The surface w1 w2 w3 = product with all weights from 0 to top, w3 = product / (w1 w2), on n x n vertices.

    They are spaced evenly in log w1 and log w2, and end where w3 = top, so that the surface has a clean edge. Raises
    ValueError for arguments out of range.
    """
    n, top = check.integer("n", n, 2, 200), check.number("top", top, 1e-3, FARTHEST)
    product = check.number("product", product, 1e-9 * top**3, top**3)
    x = np.geomspace(product / top**2, top, n)
    y = np.geomspace(product / top / x, top, n, axis=1)
    x = np.broadcast_to(x[:, None], y.shape)
    return np.stack([x, y, product / (x * y)], axis=-1).reshape(-1, 3), _grid_triangles(np.arange(n * n).reshape(n, n))


def _product(w: np.ndarray) -> np.ndarray:
    x, y, z = np.moveaxis(np.asarray(w, dtype=float), -1, 0)
    return x * np.maximum(y, 0) * np.maximum(z, 0)


def _checked(w, target: float) -> np.ndarray:
    try:
        w = np.asarray(w, dtype=float)
    except (TypeError, ValueError):
        w = np.empty(0)
    if w.shape != (3,) or not ((w > 0) & (w <= FARTHEST)).all() or w.prod() < target:
        raise ValueError(f"w must be three numbers from 0 to {FARTHEST:g} with a product of at least {target:g}.")
    return w


def _farthest(X: list[float]) -> np.ndarray:
    """u (3,), |u| = 1, where the product of X + u is largest, X > 0.

    The logarithm of the product is concave, so there is one such point, with 1 / (X_i + u_i) = u_i / nu for some nu:
    u_i > 0 follows from u_i (X_i + u_i) = nu, and |u| grows with nu.
    """

    def step(nu: float) -> list[float]:
        return [2 * nu / (x + sqrt(x * x + 4 * nu)) for x in X]

    nu = crossing(lambda nu: sum(u * u for u in step(nu)) - 1, 0.0, 1 + max(X))
    return np.array(step(nu))


_CUBE = np.array([(i, j, k) for i in (-1, 1) for j in (-1, 1) for k in (-1, 1)])
_CUBE_SIDES = ((0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3))
_CUBE_TRIANGLES = np.array([corners for i, j, k, n in _CUBE_SIDES for corners in ((i, j, k), (i, k, n))])


def _grid_triangles(index: np.ndarray) -> np.ndarray:
    """Two triangles (m, 3) for each cell of a grid of vertices with these indices."""
    a, b, c, d = (corner.ravel() for corner in (index[:-1, :-1], index[1:, :-1], index[:-1, 1:], index[1:, 1:]))
    return np.concatenate([np.stack([a, b, c], axis=-1), np.stack([c, b, d], axis=-1)])


def _ball(rings: int = 15, around: int = 30) -> Mesh:
    """The unit sphere by latitude and longitude, poles included: vertices and triangles."""
    down, turn = np.linspace(0, np.pi, rings), np.linspace(0, 2 * np.pi, around, endpoint=False)
    down, turn = (angle.ravel() for angle in np.meshgrid(down, turn, indexing="ij"))
    vertices = np.stack([np.sin(down) * np.cos(turn), np.sin(down) * np.sin(turn), np.cos(down)], axis=-1)
    index = np.arange(rings * around).reshape(rings, around)
    return vertices, _grid_triangles(np.append(index, index[:, :1], axis=1))


_BALL, _BALL_TRIANGLES = _ball()
