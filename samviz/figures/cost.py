"""What a step costs: measured seconds an epoch and their factor to SGD, beside the paper's (SAM-ON Table 5)."""

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from samviz import papers
from samviz.figures.compare import Side, Source
from samviz.figures.compare_curves import sources_of
from samviz.figures.parts import Chart, Section, Table, mean_and_deviation

TABLE = ("sam-on", 5)
"""Of `samviz.papers`: what the measured times stand beside."""
TIME, FACTOR = "time per epoch", "factor"
"""Its metrics."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Cost:
    """One arm; values by seed, empty where nothing was measured."""

    seconds: dict[int, float]
    """Of an epoch, training alone, mean over the epochs."""
    factor: dict[int, float]
    """To the base optimizer alone, in the same run and over the same epochs; empty where it is not among the arms."""
    gradients: float | None
    """Gradients of a batch that a step takes, mean over the training: 1 for SGD, 2 for SAM."""


def cost_of(side: Side) -> Cost:
    """What the arm's epochs took."""
    comparison, tally = side.source.comparison, side.source.tally
    seconds = tally.measure("seconds")
    own = seconds[side.index]
    plain = [k for k, arm in enumerate(comparison.arms) if arm.variant is None and arm.trained == "all"]
    found, factor = {}, {}
    for s, seed in enumerate(comparison.seeds):
        known = np.isfinite(own[s])
        if known.any():
            found[seed] = float(own[s, known].mean())
            both = known & np.isfinite(seconds[plain[0], s]) if plain else known & False
            if both.any():
                factor[seed] = float(own[s, both].mean() / seconds[plain[0], s, both].mean())
    evaluations = tally.measure("gradient_evaluations")[side.index]
    steps = np.arange(evaluations.shape[1]) * comparison.recipe.steps_per_epoch
    rates = [
        row[known][-1] / steps[known][-1] for row in evaluations if (known := np.isfinite(row) & (steps > 0)).any()
    ]
    return Cost(seconds=found, factor=factor, gradients=float(np.mean(rates)) if rates else None)


@cache
def published() -> dict[tuple[str | None, str], dict[str, str]]:
    """The paper's table: variant and scope of an arm -> metric -> the cell as printed."""
    rows: dict[tuple[str | None, str], dict[str, str]] = {}
    for row in papers.table(*TABLE).itertuples():
        rows.setdefault((row.variant or None, row.scope or "all"), {})[row.metric] = row.cell.replace("±", " ± ")
    return rows


def published_of(side: Side) -> dict[str, str]:
    """The paper's cells for an arm; none for one that it did not time."""
    arm, optimizer = side.arm, side.source.comparison.recipe.optimizer
    if arm.mask is not None or arm.trained != "all" or arm.window or optimizer != "sgd":
        return {}
    return published().get((arm.variant, arm.scope), {})


def cost_table(sides: list[Side]) -> Table:
    """Seconds an epoch and the factor to SGD, mean ± standard deviation over the seeds, beside the paper's."""
    about = papers.about(*TABLE)
    theirs = (f"{about.name}: {about.metrics[TIME].unit} an epoch", f"{about.name}: factor")
    rows = []
    for side in sides:
        cost, cells = cost_of(side), published_of(side)
        rows.append(
            (
                side.label,
                "–" if cost.gradients is None else f"{cost.gradients:.2f}",
                mean_and_deviation(list(cost.seconds.values()), 2),
                mean_and_deviation(list(cost.factor.values()), 2),
                cells.get(TIME, "–"),
                cells.get(FACTOR, "–"),
            )
        )
    head = ("Arm", "Gradients a step", "Seconds an epoch", "Factor to SGD", *theirs)
    return Table(head=head, rows=rows, keys=tuple(side.key for side in sides))


def cost_section(sides: list[Side]) -> Section:
    """The table, and on what both its halves were measured."""
    about, charts = papers.about(*TABLE), []
    if any(cost_of(side).factor for side in sides):
        figure, note = factors_figure(sides), f"bars: measured, ± standard deviation; diamonds: {about.name}"
        charts.append(Chart(name="factors", title="Factor to SGD of an epoch", figure=figure, height=280, note=note))
    return Section(
        name="cost",
        title="Cost",
        tables=[cost_table(sides)],
        charts=charts,
        notes=[
            "Seconds are those of training alone, without evaluation. All arms of a run share its device, so their "
            "ratio tells more than the seconds do. The factor is that of an epoch: an arm that trains for more of them "
            "costs as many times more.",
            *(_measured(source) for source in sources_of(sides)),
            f"{about.name}: {about.caption} Where network and device are others, compare the factors alone.",
        ],
    )


def factors_figure(sides: list[Side]) -> dict[str, Any]:
    """A bar for each arm that has a factor, and a mark at the paper's where it has one."""
    known = [(side, list(factor.values())) for side in sides if (factor := cost_of(side).factor)]
    theirs = [(k, float(cells[FACTOR])) for k, (side, _) in enumerate(known) if (cells := published_of(side))]
    bars = {
        "type": "bar",
        "uid": "measured",
        "showlegend": False,
        "x": list(range(len(known))),
        "y": [round(float(np.mean(values)), 3) for _, values in known],
        "error_y": {
            "array": [round(float(np.std(values, ddof=1)), 3) if len(values) > 1 else 0 for _, values in known],
            "thickness": 1.2,
            "width": 4,
        },
        "marker": {"color": [side.look.color for side, _ in known]},
        "hovertemplate": "%{y:.2f} times SGD<extra></extra>",
    }
    marks = {
        "type": "scatter",
        "mode": "markers",
        "uid": "published",
        "showlegend": False,
        "x": [k for k, _ in theirs],
        "y": [factor for _, factor in theirs],
        "marker": {"symbol": "diamond", "size": 11, "color": "#f0e442", "line": {"color": "#3f4650", "width": 1.5}},
        "hovertemplate": "the paper's: %{y:.2f}<extra></extra>",
    }
    across = {
        "tickvals": bars["x"],
        "ticktext": [side.plotted(20) for side, _ in known],
        "showgrid": False,
        "zeroline": False,
    }
    up = {"title": {"text": "times SGD"}, "rangemode": "tozero"}
    return {"data": [bars, marks], "layout": {"xaxis": across, "yaxis": up, "hovermode": "closest"}}


def _measured(source: Source) -> str:
    """What the seconds of a comparison were measured on."""
    recipe = source.comparison.recipe
    names = ("device", "processor", "threads", "precision")
    machines = {
        ", ".join(
            f"{run.machine[name]} threads" if name == "threads" else run.machine[name]
            for name in names
            if name in run.machine
        )
        for run in source.header.runs
        if run.machine
    }
    where = "; ".join(sorted(machines)) or "no machine told yet"
    return f"{source.comparison.name}: {recipe.network}, batches of {recipe.batch_size}, on {where}."
