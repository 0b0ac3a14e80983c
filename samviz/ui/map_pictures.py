"""Basin maps and their differences as a header and arrays, each with a sentence for those who do not see it."""

from functools import lru_cache
from math import floor, log, log10, sqrt
from threading import Lock

import numpy as np

from samviz.spec.maps import MapSettings
from samviz.spec.trajectories import PLAIN, TrajectorySettings
from samviz.toy import Ends, dead_edge, ends, valley
from samviz.toy.arguments import Axes
from samviz.toy.maps import difference, grid, quantity
from samviz.toy.outcome import KINDS
from samviz.variants import VARIANTS

COARSE = 50
"""Starts along an edge of the map that is shown first; the scale of a difference is taken from it too, so it stays."""

LINE = 160
"""Points of the valley in a map."""

KIND_WORDS = {
    "valley": ("reaches the valley", "reach the valley"),
    "dead": ("gets stuck", "get stuck in the dead half-plane"),
    "oscillating": ("swings across the valley", "keep swinging across the valley"),
    "diverged": ("diverges", "diverge"),
    "moving": ("is still on its way", "are still on their way"),
}
"""What one start does, and what many do."""

QUANTITY_WORDS = {"position": "log(w₁/w₂)", "sharpness": "SAM's sharpness ρ‖∇L‖", "step": "steps to the valley"}
"""The quantities with a scale, by the names that stand at it."""

Message = tuple[dict, dict[str, np.ndarray]]
"""A header, and arrays by name."""


def label(method: str) -> str:
    """The name of a method on screen."""
    return "SGD" if method == PLAIN else VARIANTS[method].label


def number(value: float) -> str:
    """Three digits, with a minus sign that is one; what rounding leaves of a zero is 0."""
    return "0" if abs(value) < 1e-12 else f"{float(f'{value:.3g}'):g}".replace("-", "−")


def percent(part: float) -> str:
    return "<1 %" if 0 < part < 0.005 else f"{100 * part:.0f} %"


def shares(kind: np.ndarray, noun: str = "starts") -> str:
    """How many of them do what, the kinds that are there in their fixed order."""
    parts = np.bincount(kind.ravel(), minlength=len(KINDS)) / kind.size
    there = [(percent(part), KIND_WORDS[key][1]) for key, part in zip(KINDS, parts, strict=True) if part]
    return ", ".join(f"{part}{'' if i else f' of {noun}'} {verb}" for i, (part, verb) in enumerate(there))


def numbers(s: TrajectorySettings, method: str) -> dict[str, float]:
    """What a walk by this method depends on, by the names of `ends`; all but its steps."""
    rho, eta = (0.0, 0.0) if method == PLAIN else (s.rho(method), s.eta(method))
    return {"rho": rho, "eta": eta, "lr": s.values["lr"], "lr_decay": s.values["decay"], "target": s.values["c"]}


_TURN = Lock()
"""One map at a time: two at once would only take the cores from each other, and from the drags of everyone else."""


@lru_cache(maxsize=12)
def cached_ends(method: str, window: Axes, n: int, steps: int, settings: tuple[tuple[str, float], ...]) -> Ends:
    return ends(grid(window, n), None if method == PLAIN else method, steps=steps, **dict(settings))


def _values(s: MapSettings, method: str, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Kind of every end of a map, and the quantity that is shown, both (n, n)."""
    with _TURN:
        found = cached_ends(method, s.window, n, s.steps, tuple(numbers(s.page, method).items()))
    return found.kind, quantity(found, s.quantity, s.page.rho("sam"), s.page.values["c"])


def basin_map(s: MapSettings) -> Message:
    """One map: `values` and `kinds` (n, n) of a method, or `values` alone, the differences between two methods.

    The header has the color scale (none for kinds), lines of the plane, and what the map shows in words.
    """
    kind, value = _values(s, s.method, s.n)
    c = s.page.values["c"]
    header = {"n": s.n, "steps": s.steps, "window": s.window, "scale": None, "note": _note(s)}
    lines = {"valley": valley(c, s.window, LINE), "dead": []}
    if s.against is None:
        if s.method == "sam":
            lines["dead"] = [dead_edge(s.page.rho("sam"), s.window, c)]
        header["summary"] = _told(s, kind, value)
        arrays = {"values": value, "kinds": kind}
    else:
        _, other = _values(s, s.against, s.n)
        gap = difference(value, other, s.quantity)
        first, second = label(s.method), label(s.against)
        only = [f"only {label(method)} reaches the valley" for method in (s.method, s.against)]
        header["legend"] = ["end alike", *only, "end otherwise"]
        header["summary"] = _gap_told(s, gap, first, second)
        arrays = {"values": gap}
    if s.quantity != "kind":
        header["scale"] = _scale(s) if s.against is None else _gap_scale(s)
    header["lines"] = {name: [line.ravel().tolist() for line in found] for name, found in lines.items()}
    return header, arrays


def _note(s: MapSettings) -> str:
    page = int(s.page.values["steps"])
    cut = f": the page's {page} would take too long at this detail" if s.steps < page else ""
    return f"{s.n} × {s.n} starts, {s.steps} steps each{cut}."


def _scale(s: MapSettings) -> dict:
    """The color scale of a quantity. It follows from the settings alone: so all methods have the same."""
    c, rho, far = s.page.values["c"], s.page.rho("sam"), max(map(abs, s.window))
    reach = max(1.0, abs(log(far * far / c)))  # about where the valley leaves the window
    low, high, ramp = {
        "position": (-reach, reach, "diverging"),
        "sharpness": (rho * sqrt(2 * c), rho * sqrt(far**2 + (c / far) ** 2), "sequential"),
        "step": (0.0, float(s.steps), "sequential"),
    }[s.quantity]
    return {"low": low, "high": high, "ramp": ramp, "label": QUANTITY_WORDS[s.quantity]}


def _gap_scale(s: MapSettings) -> dict:
    """The color scale of a difference: round, and such that few differences of the coarse map exceed it."""
    gaps = difference(*(_values(s, method, COARSE)[1] for method in (s.method, s.against)), s.quantity)
    gaps = abs(gaps[np.isfinite(gaps)])
    most = float(np.quantile(gaps, 0.98)) if gaps.size else 0.0
    power = 10.0 ** floor(log10(most)) if most > 0 else 1.0
    high = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= most)
    return {"low": -high, "high": high, "ramp": "diverging", "label": f"difference in {QUANTITY_WORDS[s.quantity]}"}


def _told(s: MapSettings, kind: np.ndarray, value: np.ndarray) -> str:
    if s.quantity == "kind":
        return f"{label(s.method)}: {shares(kind)}."
    return f"{label(s.method)}, {QUANTITY_WORDS[s.quantity]}: {_spread(value)}."


def _gap_told(s: MapSettings, gap: np.ndarray, first: str, second: str) -> str:
    if s.quantity != "kind":
        return f"{first} − {second}, {QUANTITY_WORDS[s.quantity]}: {_spread(gap)}."
    alike, one, two, other = (percent(float((gap == i).mean())) for i in range(4))
    return (
        f"{first} and {second} end alike from {alike} of starts; only {first} reaches the valley from {one}, "
        f"only {second} from {two}; they end in other ways from {other}."
    )


def _spread(value: np.ndarray) -> str:
    there = value[np.isfinite(value)]
    if not there.size:
        return "no start has a value"
    low, middle, high = (number(x) for x in np.quantile(there, (0, 0.5, 1)))
    return f"from {low} to {high}, median {middle} ({percent(there.size / value.size)} of starts have a value)"
