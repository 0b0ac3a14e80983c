"""The toy with three weights as meshes, ready to be drawn: a region around w and around Aw, and the loss they touch."""

import numpy as np

from samviz.spec.regions import RegionSettings
from samviz.toy import product
from samviz.ui.toy_pictures import SAME, digits, point_text

W = np.ones(3)
"""The weights before rescaling (ours)."""

WINDOW = 2.6
"""Each axis reaches from 0 at least this far, so that a small movement does not change the scale."""


def space(s: RegionSettings) -> dict:
    """One of the regions around w and around w' = Aw, A = diag(a, b, 1/(ab)), with the surface of the maximum at w."""
    a, b, c = s.values["space.a"], s.values["space.b"], s.values["c"]
    points = {"here": W, "there": W * (a, b, 1 / (a * b))}
    found = {name: _around(s.space, w, s.values["space.rho"], s.values["space.eta"], c) for name, w in points.items()}
    here, there = (found[name]["maximum"] for name in points)
    top = max(WINDOW, *(max(around["mesh"][axis]) for around in found.values() for axis in "xyz"))
    same = abs(there - here) <= SAME * here
    return {
        "region": s.space,
        **found,
        "surface": _mesh(product.level_surface(here + c, top)),
        "top": top,
        "verdict": "same" if same else "differs",
        "sentence": _sentence(s.space, found, same),
    }


def _around(region: str, w: np.ndarray, rho: float, eta: float, c: float) -> dict:
    maximum, worst = product.maximum(region, w, rho, eta, c)
    return {
        "w": w.tolist(),
        "mesh": _mesh(product.mesh(region, w, rho, eta, c)),
        "maximum": maximum,
        "worst": worst.tolist(),
    }


def _mesh(found: product.Mesh) -> dict[str, list]:
    """Coordinates x, y, z in as many digits as a screen shows, and the corners i, j, k of the triangles."""
    vertices, triangles = found
    return dict(zip("xyzijk", [*np.round(vertices.T, 3).tolist(), *triangles.T.tolist()], strict=True))


def _sentence(region: str, found: dict, same: bool) -> str:
    told = (
        f"{digits(around['maximum'])} around {name} = {point_text(around['w'])}, at {point_text(around['worst'])}"
        for name, around in zip(("w", "Aw"), found.values(), strict=True)
    )
    end = "The rescaling changes nothing." if same else "The rescaling changes it."
    return f"Maximum loss in the {region}: {', and '.join(told)}. {end}"
