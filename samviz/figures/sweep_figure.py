"""A sweep as one figure: accuracy against rho, or where that is not swept, against the first of what is."""

from collections import defaultdict
from dataclasses import dataclass
from math import ceil, floor, log10
from typing import Any

from samviz.figures import palette
from samviz.figures.curves import uid
from samviz.figures.sweep import AXES, Row, Swept, accuracy
from samviz.spec.sweep import RECIPE_FIELDS, Sweep

TITLES = AXES | {"lr": "learning rate", "rho": "radius ρ"}
"""What an axis is called."""
MOST_PANELS = 4
"""Combinations of all else that is swept which get a panel of their own; of more, the best at each place is drawn."""
GAP = 0.03
"""Between panels, as a share of the figure's width."""
MARGIN = 1.25
"""The axis reaches so many times beyond the first and the last value."""
MOST_TICKS = 32
"""Values that are written under all panels together."""
BOTTOM = 0.03
"""Where the crosses of the first arm stand, as a share of the height, and how far above them those of the next."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Panel:
    title: str
    rows: list[Row]
    joined: bool = True
    """Whether a line joins an arm's points: those of a grid, but not those that a search has tried."""


def sweep_figure(data: Swept) -> dict[str, Any]:
    """A plotly figure as a plain dictionary {data, layout}: a curve an arm, with its deviation over the seeds.

    The base optimizer alone, which has no radius, is a level with a band. Points whose seeds have not all come to an
    end are hollow, the best one of an arm is a star, and a cross at the bottom marks where seeds diverged: at the left
    end for the base optimizer.
    """
    sweep = data.sweep
    axis = "rho" if sweep.rho else sweep.axes[0]
    values = sorted({*getattr(sweep, axis)})
    ends = (values[0] / MARGIN, values[-1] * MARGIN)
    panels = _panels(data, axis)
    looks = palette.looks(sweep.base.arms)
    traces = []
    for k, panel in enumerate(panels):
        for n, arm in enumerate(sweep.base.arms):
            rows = [row for row in panel.rows if row.key == arm.key]
            for trace in _arm(sweep, panel, rows, axis, ends, looks[arm.key], BOTTOM * (n + 1)):
                traces.append({"yaxis": "y"} | trace | {"uid": f"{trace['uid']}-{k}", "xaxis": _nth("x", k)})
    for arm in sweep.base.arms:
        _put_into_legend([trace for trace in traces if trace["meta"] == arm.key])
    ticks = values if sweep.search == "grid" else []
    return {"data": traces, "layout": _layout(panels, axis, ticks, ends, bool(traces))}


def _x(row: Row, axis: str) -> float | str | None:
    """Where a row stands: weight decay and dropout may be 0, so that their values are names, evenly spaced."""
    value = getattr(row, axis)
    return f"{value:g}" if axis in RECIPE_FIELDS else value


def _panels(data: Swept, axis: str) -> list[_Panel]:
    sweep, rows = data.sweep, list(data.rows)
    if sweep.search != "grid":
        if axis == "rho":
            levels = [row for arm in sweep.base.arms if arm.variant is None for row in _best(data.of(arm.key))]
            rows = [row for row in rows if row.rho is not None] + levels
        return [_Panel(title="", rows=rows, joined=False)]
    others = [other for other in sweep.axes if other != axis]
    combined: dict[tuple[float, ...], list[Row]] = defaultdict(list)
    for row in rows:
        combined[tuple(getattr(row, other) for other in others)].append(row)
    if len(combined) < 2:
        return [_Panel(title="", rows=rows)]
    if len(combined) <= MOST_PANELS:
        return [_Panel(title=_told_of(others, values), rows=combined[values]) for values in sorted(combined)]
    places: dict[tuple[str, float | None], list[Row]] = defaultdict(list)
    for row in rows:
        places[row.key, getattr(row, axis)].append(row)
    best = [row for own in places.values() for row in _best(own)]
    varied = f"{TITLES[others[0]]} of each point" if len(others) == 1 else "values of all else"
    return [_Panel(title=f"at the best {varied}", rows=best)]


def _told_of(axes: list[str], values: tuple[float, ...]) -> str:
    """ "lr 0.1, batch size 64"."""
    return ", ".join(f"{AXES[axis]} {value:g}" for axis, value in zip(axes, values, strict=True))


def _best(rows: list[Row]) -> list[Row]:
    """The best of the rows, or one that diverged where nothing else has come of them."""
    judged = [row for row in rows if row.judged is not None]
    return [max(judged, key=lambda row: row.judged)] if judged else [row for row in rows if row.diverged][:1]


def _arm(
    sweep: Sweep,
    panel: _Panel,
    rows: list[Row],
    axis: str,
    ends: tuple[float, float],
    look: palette.Look,
    bottom: float,
) -> list[dict[str, Any]]:
    """The traces of one arm in one panel."""
    shown = [row for row in rows if row.mean is not None]
    lost = [row for row in rows if row.diverged]
    traces = []
    if shown and axis == "rho" and shown[0].rho is None:
        traces += _level(sweep, shown[0], ends, look)
    elif shown:
        traces.append(_curve(sweep, panel, shown, axis, look))
    if lost:
        x = [ends[0] if axis == "rho" and row.rho is None else _x(row, axis) for row in lost]
        marker = {"color": look.color, "symbol": "x", "size": 9}
        # At the bottom, on an axis of their own that no accuracy moves, each arm's a little higher than the last one's.
        place = {"x": x, "y": [bottom] * len(lost), "yaxis": "y2"}
        traces.append(_trace(lost[0], "-diverged", mode="markers", marker=marker, **place, **_told(sweep, lost)))
    return traces


def _trace(row: Row, part: str, **more: Any) -> dict[str, Any]:
    own = {"uid": uid(row.key) + part, "meta": row.key, "name": row.label, "legendgroup": uid(row.key)}
    return {"type": "scatter", "mode": "lines", "showlegend": False} | own | more


def _put_into_legend(traces: list[dict[str, Any]]) -> None:
    """An arm stands there once: by a curve or a level, or by a cross where it has none."""
    lines = [trace for trace in traces if "text" in trace]
    if lines:
        min(lines, key=lambda trace: trace["yaxis"])["showlegend"] = True


def _told(sweep: Sweep, rows: list[Row]) -> dict[str, Any]:
    return {"text": [_hover(sweep, row) for row in rows], "hovertemplate": "%{text}<extra></extra>"}


def _hover(sweep: Sweep, row: Row) -> str:
    rho = "" if row.rho is None else f", ρ {row.rho:g}"
    more = [field for field in RECIPE_FIELDS if field in sweep.axes]
    told = "".join(f", {AXES[field]} {getattr(row, field):g}" for field in more)
    lines = [f"<b>{row.label}</b>{rho}, lr {row.lr:g}{told}"]
    seeds = len(sweep.base.seeds)
    if row.mean is not None:
        lines.append(accuracy(row) + (f" ({row.n} of {seeds} seeds)" if seeds > 1 else ""))
    if row.diverged:
        lines.append(f"{row.diverged} of {seeds} seeds diverged" if seeds > 1 else "diverged")
    return "<br>".join(lines)


def _curve(sweep: Sweep, panel: _Panel, rows: list[Row], axis: str, look: palette.Look) -> dict[str, Any]:
    rows = sorted(rows, key=lambda row: getattr(row, axis))
    deviations = [None if row.sd is None else round(row.sd, 2) for row in rows]
    bars = {"error_y": {"array": deviations, "color": look.color, "thickness": 1.2, "width": 3}}
    return _trace(
        rows[0],
        "",
        mode="lines+markers" if panel.joined else "markers",
        x=[_x(row, axis) for row in rows],
        y=[round(row.mean, 2) for row in rows],
        line={"color": look.color, "dash": look.dash, "width": 2},
        marker={
            "color": look.color,
            "symbol": [_symbol(sweep, row) for row in rows],
            "size": [13 if row.chosen else 8 for row in rows],
            "opacity": 1,  # plotly fades markers of several sizes
        },
        **_told(sweep, rows),
        **(bars if any(row.sd is not None for row in rows) else {}),
    )


def _symbol(sweep: Sweep, row: Row) -> str:
    """A star for the best, a ring where seeds are missing."""
    if row.chosen:
        return "star"
    return "circle" if row.n + row.diverged == len(sweep.base.seeds) else "circle-open"


def _level(sweep: Sweep, row: Row, ends: tuple[float, float], look: palette.Look) -> list[dict[str, Any]]:
    """What has no radius: a level over all of them, with its band."""
    mean = round(row.mean, 2)
    width = {"color": look.color, "dash": look.dash, "width": 2}
    line = _trace(row, "", x=list(ends), y=[mean, mean], line=width, **_told(sweep, [row, row]))
    if row.sd is None:
        return [line]
    low, high = round(row.mean - row.sd, 2), round(row.mean + row.sd, 2)
    band = _trace(
        row,
        "-band",
        x=[*ends, *reversed(ends)],
        y=[low, low, high, high],
        fill="toself",
        fillcolor=palette.faint(look.color),
        line={"width": 0},
        hoverinfo="skip",
    )
    return [band, line]


def _nth(letter: str, k: int) -> str:
    """Plotly's name of the k-th axis: x, x2, x3."""
    return f"{letter}{k + 1}" if k else letter


def round_ticks(ends: tuple[float, float], most: int) -> list[float]:
    """Round values on a logarithmic axis: 1, 2 and 5 times the powers of ten, more on a short axis, else fewer."""
    powers = range(floor(log10(ends[0])), ceil(log10(ends[1])) + 1)
    short = ends[1] < 20 * ends[0]
    for digits in (*[(1, 1.5, 2, 3, 4, 5, 7)] * short, (1, 2, 5), (1, 3), (1,)):
        found = [value for p in powers for d in digits if ends[0] <= (value := float(f"{d}e{p}")) <= ends[1]]
        if len(found) <= most:
            break
    return found


def _layout(
    panels: list[_Panel], axis: str, values: list[float], ends: tuple[float, float], drawn: bool
) -> dict[str, Any]:
    title = TITLES[axis]
    most = MOST_TICKS // len(panels)
    width = (1 - GAP * (len(panels) - 1)) / len(panels)
    layout: dict[str, Any] = {
        "title": {"text": f"Test accuracy against {title}"},
        "yaxis": {"title": {"text": "test accuracy (%)"}, "automargin": True},
        # The crosses' own axis lies over that of the accuracies and is not to be seen.
        "yaxis2": {"overlaying": "y", "range": [0, 1], "visible": False, "fixedrange": True},
        "hovermode": "closest",
        "legend": {"orientation": "h", "x": 0, "y": -0.25, "yanchor": "top"},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "annotations": [],
    }
    for k, panel in enumerate(panels):
        left = k * (width + GAP)
        layout[_nth("xaxis", k)] = {
            "title": {"text": title},
            "domain": [round(left, 4), round(left + width, 4)],
            "anchor": "y",
            **(_categories(values) if axis in RECIPE_FIELDS else _logarithmic(values, ends, most)),
            **({"matches": "x"} if k else {}),
        }
        if panel.title:
            layout["annotations"].append(_text(panel.title, left + width / 2, 1.0, yanchor="bottom"))
    if not drawn:
        layout["yaxis"]["showticklabels"] = False
        layout["annotations"].append(_text("nothing measured yet", 0.5, 0.5, opacity=0.6))
    return layout


def _categories(values: list[float]) -> dict[str, Any]:
    names = [f"{value:g}" for value in values]
    return {"type": "category", "categoryorder": "array", "categoryarray": names, "range": [-0.5, len(names) - 0.5]}


def _logarithmic(values: list[float], ends: tuple[float, float], most: int) -> dict[str, Any]:
    ticks = values if 0 < len(values) <= most else round_ticks(ends, most)
    return {
        "type": "log",
        "range": [round(log10(end), 4) for end in ends],
        "tickvals": ticks,
        "ticktext": [f"{tick:g}" for tick in ticks],
    }


def _text(text: str, x: float, y: float, **more: Any) -> dict[str, Any]:
    return {"text": text, "x": round(x, 4), "y": y, "xref": "paper", "yref": "paper", "showarrow": False} | more
