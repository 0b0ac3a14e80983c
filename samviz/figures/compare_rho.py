"""Accuracy against rho from sweeps, a chart for each variant of SAM: SAM-ON Figs. 1, 2, 6 and 7."""

from collections.abc import Sequence
from dataclasses import replace

from samviz.figures.parts import Chart, Section
from samviz.figures.sweep import Swept, sweep_conclusion
from samviz.figures.sweep_figure import sweep_figure
from samviz.variants import VARIANTS

MARKS = "★ the best point of an arm so far; ○ not all seeds are there; ✕ seeds diverged; bars: ± standard deviation"


def rho_section(sweeps: Sequence[tuple[str, Swept]]) -> Section:
    """`sweeps` are (id, what it has come to); each variant's scopes stand together, over the base optimizer's level."""
    sentences, charts = [], []
    for id, data in sweeps:
        name = f"{data.sweep.name}: " if len(sweeps) > 1 else ""
        sentences += [f"{name}{sentence}" for sentence in sweep_conclusion(data)]
        for variant in dict.fromkeys(arm.variant for arm in data.sweep.base.arms if arm.variant is not None):
            figure = sweep_figure(of_variant(data, variant))
            if figure["data"]:
                title = f"{name}{VARIANTS[variant].label}, {figure['layout']['title']['text'].lower()}"
                charts.append(Chart(name=f"rho-{id}-{variant}", title=title, figure=figure, height=360, note=MARKS))
    return Section(name="rho", title="ρ curves", sentences=sentences, charts=charts)


def of_variant(data: Swept, variant: str) -> Swept:
    """The arms of one variant, with the base optimizer alone."""
    arms = tuple(arm for arm in data.sweep.base.arms if arm.variant in (None, variant))
    keys = {arm.key for arm in arms}
    sweep = replace(data.sweep, base=replace(data.sweep.base, arms=arms))
    return replace(data, sweep=sweep, rows=tuple(row for row in data.rows if row.key in keys))
