"""One step of a path written out: the formulas of its two halves with their numbers, and the exact worst point."""

from math import inf

import numpy as np

from samviz.spec.trajectories import PLAIN, TrajectorySettings
from samviz.toy import Path, loss, maximum
from samviz.toy.loss import gradient
from samviz.variants import VARIANTS, WEIGHT


def _number(x: float) -> str:
    return f"{x:.4g}".replace("-", "−")


def _pair(v) -> str:
    return f"({_number(v[0])}, {_number(v[1])})"


def _times(a: float, v) -> str:
    return f"{_number(a)} · {_pair(v)}"


def _row(name: str, formula: str, numbers: str, half: str) -> dict:
    """A line of the table; `half` says which half of the step it belongs to."""
    return {"name": name, "formula": formula, "numbers": numbers, "half": half}


def written_step(s: TrajectorySettings, variant: str, path: Path, step: int) -> dict:
    """Step `step` (from 0) of a path: table rows, and the worst points of the region around w, the nearest first.

    A step beyond the end, or from a point that is not finite, has no rows.
    """
    steps, c = len(path.perturbed), s.values["c"]
    w = path.points[min(step, steps)]
    if step >= steps or not np.isfinite(w).all():
        return {"rows": [], "worst": [], "tie": False}
    g, lr = gradient(w, c), s.values["lr"] * (1 - s.values["decay"] * step / steps)
    rows = [
        _row("loss at w", "L(w) = |w₁·ReLU(w₂) − c|", _number(float(loss(w, c))), "ascent"),
        _row("gradient at w", "g = ∇L(w)", _pair(g), "ascent"),
    ]
    worst, tie = [], False
    after = g
    if variant != PLAIN:
        rows += _ascent(variant, s.rho(variant), s.eta(variant), w, g, path.perturbed[step])
        after = gradient(path.perturbed[step], c)
        rows.append(_row("gradient there", "g′ = ∇L(w + ε)", _pair(after), "descent"))
        if np.abs(w).max() < 1e6:
            highest = maximum(variant, w, s.rho(variant), s.eta(variant), c)
            worst, tie = highest.points.tolist(), bool(highest.tie)
            at_eps = _number(float(loss(path.perturbed[step], c)))
            there = f"{_number(highest.loss)} at {_pair(worst[0])}{', one of several' if tie else ''}"
            rows.insert(-1, _row("largest loss", "max L in the region, exact", there, "ascent"))
            rows.insert(-1, _row("loss at w + ε", "L(w + ε), first order", at_eps, "ascent"))
    name = "g" if variant == PLAIN else "g′"
    moved = f"{_pair(w)} − {_times(lr, after)} = {_pair(path.points[step + 1])}"
    rows.append(_row("descent", f"w − α {name}", moved, "descent"))
    return {"rows": rows, "worst": worst, "tie": tie}


def _ascent(variant: str, rho: float, eta: float, w, g, perturbed) -> list[dict]:
    """eps as SAM-ON Eq. 4 has it; T_w is left out where it is 1."""
    model = VARIANTS[variant]
    T = np.array([float(model.T(float(x), float(y), eta, WEIGHT)) for x, y in zip(w, g, strict=True)])
    plain = bool((T == 1).all())
    rows = [] if plain else [_row("operator", "diagonal of T", _pair(T), "ascent")]
    if model.p == inf:
        formula, numbers = "ε = ρ T sign(g)", _times(rho, T * np.sign(g))
    else:
        norm = float(np.hypot(*(T * g)))
        formula = "ε = ρ g / ‖g‖₂" if plain else "ε = ρ T²g / ‖T g‖₂"
        numbers = f"{_times(rho, T * T * g)} / {_number(norm)}" if norm else "0, since g is 0"
    rows.append(_row("ascent", formula, numbers, "ascent"))
    rows.append(_row("perturbed", "w + ε", _pair(perturbed), "ascent"))
    return rows
