"""The toy pages as lines of Python: complete scripts on samviz.toy, NumPy and plotly with the same numbers and picture.

Numbers stand in them in full, so that a script computes exactly what the page shows.
"""

from string import Template

from samviz.spec.regions import RegionSettings
from samviz.spec.trajectories import PLAIN, TrajectorySettings
from samviz.ui.toy_pages import REGION_LEVELS, TRAJECTORIES_BOX, method
from samviz.ui.toy_pictures import labels, levels, regions

SYMBOLS = {"plus": "cross", "cross": "x", "triangle": "triangle-up", "down": "triangle-down"}
"""Plotly's names of the marks that it calls otherwise."""

_TRAJECTORIES = Template('''\
"""Paths on the loss |w1 ReLU(w2) - c|, as on samviz's page /trajectories."""

import plotly.graph_objects as go

from samviz.toy import contour, descend, outcome, valley

c, lr, steps, lr_decay = $numbers
starts = $starts
methods = {  # variant (None is plain gradient descent), rho, eta, color, symbol
$methods
}
x0, x1, y0, y1 = window = $window

paths = {}
for label, (variant, rho, eta, *_) in methods.items():
    for number, start in enumerate(starts, 1):
        path = descend(start, variant, rho=rho, eta=eta, lr=lr, steps=steps, lr_decay=lr_decay, target=c)
        paths[label, number] = path  # path.points, path.perturbed (w + eps) and path.loss, one row a step
        print(f"{label}, start {number}: {outcome(path, c)}")

figure = go.Figure()


def draw(points, **style):
    figure.add_scatter(x=points[:, 0], y=points[:, 1], **{"mode": "lines", "showlegend": False, **style})


for level in $levels:
    for line in contour(level, c, window):
        draw(line, line={"color": "rgba(128, 128, 128, 0.3)", "width": 1}, hoverinfo="skip")
for line in valley(c, window):
    draw(line, line={"color": "#d62728"}, name="valley", showlegend=True)
for (label, number), path in paths.items():
    *_, color, symbol = methods[label]
    draw(path.points, line={"color": color}, name=label, legendgroup=label, showlegend=number == 1)
    mark = {"color": color, "symbol": symbol, "size": 10}
    draw(path.points[-1:], mode="markers", marker=mark, name=label, legendgroup=label)
figure.add_hrect(y0=y0, y1=0, fillcolor="gray", opacity=0.15, line_width=0)  # the dead half-plane
figure.update_xaxes(title="w1", range=[x0, x1], constrain="domain")
figure.update_yaxes(title="w2", range=[y0, y1], scaleanchor="x", constrain="domain")
figure.update_layout(template="plotly_white", title=f"Paths on |w1 ReLU(w2) - {c}|")
figure.show()
''')

_REGIONS = Template('''\
"""Maximization regions around w and around Aw, A = diag(a, 1/a) (ASAM Fig. 1), as on samviz's page /regions."""

import numpy as np
from plotly.subplots import make_subplots

from samviz.toy import contour, loss, maximum, one_step, outline, valley

c, a = $numbers
w = np.array($w)
points = {"w": w, "Aw": np.array([a * w[0], w[1] / a])}
regions = {  # variant (for its T), rho, eta, and the p of the norm
$regions
}
x0, x1, y0, y1 = window = $window

found = {}
for name, (variant, rho, eta, p) in regions.items():
    for at, point in points.items():
        found[name, at] = maximum(variant, point, rho, eta, c, p)  # exact: its loss, points, tie
    here, there = (found[name, at].loss for at in points)
    print(f"{name}: largest loss {here:.6f} around w, {there:.6f} around Aw")

figure = make_subplots(cols=len(regions), subplot_titles=list(regions))


def draw(column, points, color, **style):
    line = {"color": color, "width": style.pop("width", 1.5), "dash": style.pop("dash", "solid")}
    style = {"mode": "lines", "showlegend": False, "line": line, **style}
    figure.add_scatter(x=points[:, 0], y=points[:, 1], row=1, col=column, **style)


for column, (name, (variant, rho, eta, p)) in enumerate(regions.items(), 1):
    for level in $levels:
        for line in contour(level, c, window):
            draw(column, line, "rgba(128, 128, 128, 0.3)", width=1, hoverinfo="skip")
    for line in valley(c, window):
        draw(column, line, "black")
    for line in contour(float(loss(w, c)), c, window):
        draw(column, line, "#1f77b4", width=2, name="loss at w")
    for line in contour(found[name, "w"].loss, c, window):
        draw(column, line, "#d62728", width=2, name="maximum loss around w")
    for at, point in points.items():
        edge = outline(variant, point, rho, eta, target=c, p=p)
        draw(column, edge, "black", fill="toself", fillcolor="rgba(0, 0, 0, 0.07)", name=f"region around {at}")
        step = np.array([point, point + one_step(point, variant, rho, eta, c, p)])
        draw(column, step, "black", dash="dot", name="one-step eps")
        draw(column, found[name, at].points, "black", mode="markers", marker={"symbol": "x", "size": 8}, name="worst")
        draw(column, point[None], "black", mode="markers+text", text=[at], textposition="bottom left", name=at)
    figure.update_xaxes(title="w1", range=[x0, x1], constrain="domain", col=column)
    figure.update_yaxes(title="w2", range=[y0, y1], scaleanchor=f"x{column}", constrain="domain", col=column)
lines = "blue: the loss at w, red: the maximum loss around w, dotted: one-step eps, x: worst points"
figure.update_layout(template="plotly_white", title=f"Maximization regions for a = {a}; {lines}")
figure.show()
''')


def _box(edges) -> tuple[float, ...]:
    """A window in digits that a person can read."""
    return tuple(float(f"{edge:.6g}") for edge in edges)


def trajectories_code(s: TrajectorySettings) -> str:
    """The script that computes and draws the paths of the Trajectories page."""
    lines = []
    for key in s.variants:
        looks = method(key)
        variant, rho, eta = (None, 0.0, 0.0) if key == PLAIN else (key, s.rho(key), s.eta(key))
        row = (variant, rho, eta, looks["color"], SYMBOLS.get(looks["marker"], looks["marker"]))
        lines.append(f'    "{looks["label"]}": {_quoted(row)},')
    window = _box(s.view or TRAJECTORIES_BOX)
    return _TRAJECTORIES.substitute(
        numbers=", ".join(repr(s.values[key]) for key in ("c", "lr", "steps", "decay")),
        starts=list(s.starts),
        methods="\n".join(lines),
        window=window,
        levels=levels(s.values["c"], window),
    )


def regions_code(s: RegionSettings) -> str:
    """The script that computes and draws the regions of the Regions page."""
    rows = [
        f'    "{label}": {_quoted((s.variant(name), s.rho(name), s.eta(name), s.p(name)))},'
        for name, label in labels(s).items()
    ]
    return _REGIONS.substitute(
        numbers=f"{s.values['c']!r}, {s.values['a']!r}",
        w=[s.values["w1"], s.values["w2"]],
        regions="\n".join(rows),
        window=_box(regions(s)["box"]),
        levels=REGION_LEVELS,
    )


def _quoted(row: tuple) -> str:
    """A tuple as Python writes it, with double quotes and NumPy's infinity."""
    return repr(row).replace("'", '"').replace("inf)", "np.inf)")
