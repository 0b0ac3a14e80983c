"""A sweep of one parameter, and sharpness along the valley, as a header and arrays, each with a sentence."""

from itertools import groupby
from math import isfinite, sqrt

import numpy as np

from samviz.figures import palette
from samviz.spec.maps import SweepSettings
from samviz.spec.regions import REGION_NAMES
from samviz.spec.trajectories import PLAIN, TrajectorySettings
from samviz.toy import REGIONS, along_valley, dead_radius, ends
from samviz.toy.along import position
from samviz.toy.maps import dead_from, valley_point
from samviz.toy.outcome import KINDS
from samviz.ui.map_pictures import KIND_WORDS, Message, label, number, numbers, shares

SWEPT = 241
"""Values of a sweep."""

FINE = 4001
"""Values between which the bound of a sweep is looked for."""

LOG_FROM = 1e-6
"""Where a logarithmic sweep begins if its field begins at 0, as a part of the field's end."""

MOST_RUNS = 5
"""A sweep whose kind changes more often than this is told in shares."""

PLACES = np.linspace(-3.5, 3.5, 141)
"""log(w1 / w2) of the points of the valley whose sharpness is shown."""

SYMBOLS = {"rho": "ρ", "eta": "η", "lr": "learning rate"}


def sweep(s: SweepSettings) -> Message:
    """The ends of the paths from the first start as one parameter goes through its range: arrays (SWEPT,) by name."""
    start, steps = s.page.starts[0], int(s.page.values["steps"])
    values = _values(s, SWEPT)
    found = ends(
        np.broadcast_to(start, (SWEPT, 2)),
        None if s.method == PLAIN else s.method,
        steps=steps,
        **{**numbers(s.page, s.method), s.parameter: values},
    )
    marks, theory = _theory(s)
    header = {
        "label": f"{SYMBOLS[s.parameter]} of {label(s.method)}",
        "log": _logarithmic(s),
        "now": s.now,
        "marks": marks,
        "note": f"From start 1 ({number(start[0])}, {number(start[1])}), {steps} steps a value, {SWEPT} values.",
        "theory": theory,
        "summary": _runs(s, values, found.kind),
    }
    w1, w2 = found.points.T
    arrays = {"values": values, "kinds": found.kind, "position": position(found.points), "w1": w1, "w2": w2}
    return header, arrays | {"loss": found.loss}


def _logarithmic(s: SweepSettings) -> bool:
    return s.field.log or s.field.high >= 100


def _values(s: SweepSettings, n: int) -> np.ndarray:
    low, high = s.field.low, s.field.high
    return np.geomspace(low or high * LOG_FROM, high, n) if _logarithmic(s) else np.linspace(low, high, n)


def _runs(s: SweepSettings, values: np.ndarray, kind: np.ndarray) -> str:
    """Over which values which kind holds."""
    runs = [(KINDS[key], list(run)) for key, run in groupby(range(len(kind)), key=lambda i: kind[i])]
    if len(runs) > MOST_RUNS:
        return f"{label(s.method)}: {shares(kind, 'the values')}."
    told = (f"{KIND_WORDS[key][0]} {_over(SYMBOLS[s.parameter], values[run])}" for key, run in runs)
    return f"{label(s.method)} {'; '.join(told)}."


def _over(symbol: str, values: np.ndarray) -> str:
    first, last = number(values[0]), number(values[-1])
    return f"at {symbol} {first}" if first == last else f"for {symbol} {first} to {last}"


def _theory(s: SweepSettings) -> tuple[list[dict], str]:
    """Where the first w + eps turns dead, as marks of the sweep and in a sentence."""
    if s.method == PLAIN:
        return [], "Theory: plain descent has no ε, so only w itself can get into the dead half-plane."
    start, page = s.page.starts[0], numbers(s.page, s.method)
    rho, eta, c = page["rho"], page["eta"], page["target"]
    if start[1] <= 0:
        return [], "Theory: the start itself lies in the dead half-plane, so nothing moves it."
    radius = float(dead_radius(start, s.method, eta, c))
    if not isfinite(radius):
        return [], "Theory: from this start ε points away from the dead half-plane, whatever its length."
    name = f"ρ = {_formula(s.method, radius)}{number(radius)}"
    rule = "the first w + ε lies in the dead half-plane, and no step is made"
    if s.parameter == "rho":
        inside = s.field.low <= radius <= s.field.high
        return [{"value": radius, "label": name}] if inside else [], f"Theory: from {name} on {rule}."
    if s.parameter == "lr":
        now = "is" if rho >= radius else "is not"
        return [], f"Theory: from {name} on {rule}, whatever the learning rate; ρ = {number(rho)} {now} beyond it."
    values = _values(s, FINE)
    turns = dead_from(start, s.method, "eta", values, rho=rho, eta=eta, target=c)
    marks = [{"value": value, "label": f"η = {number(value)}"} for value in turns]
    dead = dead_radius(start, s.method, values[0], c) <= rho
    if not turns:
        return [], f"Theory: with ρ = {number(rho)} {rule if dead else 'the first w + ε is alive'} at every η here."
    side = "up to" if dead else "from"
    return marks, f"Theory: with ρ = {number(rho)}, {side} {marks[0]['label']}{'' if dead else ' on'} {rule}."


def _formula(method: str, radius: float) -> str:
    """What the bound is in symbols, where it has a short form."""
    if method == "sam":
        return "w₂‖w‖/w₁ = "
    return "√2 = " if abs(radius - sqrt(2)) < 1e-9 else ""


def valley_sharpness(s: TrajectorySettings) -> Message:
    """Sharpness of the three regions of ASAM Fig. 1 along the valley, exact and to first order: arrays by name."""
    w1, w2 = valley_point(PLACES, s.values["c"]).T
    arrays, regions = {"places": PLACES, "w1": w1, "w2": w2}, []
    for name in REGION_NAMES:
        variant = REGIONS[name]
        rho, eta = s.rho(variant), s.eta(variant)
        exact, linear = along_valley(PLACES, variant, rho, eta, s.values["c"])
        arrays |= {name: exact, f"{name}_first": linear}
        radius = f"ρ = {number(rho)}" + (f", η = {number(eta)}" if name != "sphere" else "")
        told = f"{name.capitalize()} ({label(variant)}, {radius}): {_flat_or_not(exact, s.values['c'])}."
        regions.append({"name": name, "label": name.capitalize(), "color": palette.color(variant), "summary": told})
    theory = (
        "Theory, to first order: the sphere has ρ‖w‖, least at w₁ = w₂; with η = 0 the cuboid has 2ρc and the "
        "ellipsoid √2ρc everywhere; η > 0 bends both."
    )
    return {"regions": regions, "theory": theory}, arrays


def _flat_or_not(exact: np.ndarray, c: float) -> str:
    low, high = float(exact.min()), float(exact.max())
    if high - low <= 1e-9 * c:
        return f"{number(high)} everywhere on the valley"
    where = PLACES[int(exact.argmin())]
    return f"least, {number(low)}, at log(w₁/w₂) = {number(where)}; up to {number(high)} at the ends"
