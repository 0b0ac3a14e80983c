"""A comparison as one HTML page that needs neither samviz nor a network: verdicts, tables, figures, recipe, versions.

plotly.js is part of it. What somebody has typed gets into it as text only, and it asks nobody for anything: its policy
forbids it.
"""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from html import escape
from itertools import groupby

from samviz import __version__
from samviz.figures.compare import ENDS, Side, Source, legend, reference_of, sides_of
from samviz.figures.compare_curves import axes_of, curves_chart, measures_of, sources_of
from samviz.figures.compare_html import STYLE, looks_of, table_html
from samviz.figures.compare_norm import BY_TYPE, norm_section
from samviz.figures.compare_results import results_section
from samviz.figures.compare_rho import rho_section
from samviz.figures.cost import cost_section
from samviz.figures.coverage import coverage_section
from samviz.figures.histograms import HISTOGRAMS
from samviz.figures.parts import Chart, Section
from samviz.figures.report_page import document
from samviz.figures.sweep import Swept
from samviz.runs import News
from samviz.spec.networks import network_label

CURVES = ("test_accuracy", "train_accuracy", "validation_accuracy", "test_loss", "train_loss", "gamma_mean")
"""Measures whose curves are in a report, over epochs; test accuracy is there over every axis."""


def report_of(news: News) -> str:
    """The report on all arms of one comparison (`store.news(id)`), against its base optimizer alone."""
    sides = sides_of([Source.of(news)])
    return report(sides, reference_of(sides))


def report(sides: list[Side], reference: Side, sweeps: Sequence[tuple[str, Swept]] = ()) -> str:
    """The page as text; `sweeps` are (id, what it has come to)."""
    sections = sections_of(sides, reference, sweeps)
    sources = sources_of(sides)
    title = " and ".join(source.comparison.name for source in sources)
    body = [f"<h1>{escape(title)}</h1>", *(_facts(source) for source in sources), '<nav class="legend"></nav>']
    body += [_section(section, sides) for section in sections]
    body += [_recipe(source) for source in sources]
    made = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    body.append(f"<footer>Made with samviz {escape(__version__)} on {made}; every number is from its store.</footer>")
    figures = [chart.figure for section in sections for chart in section.charts]
    return document(title, STYLE, "\n".join(body), {"figures": figures, "arms": legend(sides)})


def sections_of(sides: list[Side], reference: Side, sweeps: Sequence[tuple[str, Swept]] = ()) -> list[Section]:
    """All parts of the Compare page, with both ends, both kinds of parameters and every axis."""
    last, best = (results_section(sides, reference, end) for end in ENDS)
    best = replace(best, name="best", title="Results at the best epoch", tables=[], notes=[])
    known = [name for name in CURVES if name in measures_of(sides)]
    drawn = [(name, "epoch") for name in known]
    if "test_accuracy" in known:
        drawn[1:1] = [("test_accuracy", axis) for axis in axes_of(sides) if axis != "epoch"]
    charts = [replace(curves_chart(sides, *one), wide=False, height=300) for one in drawn]
    gamma, beta = (norm_section(sides, kind, log=False) for kind in HISTOGRAMS)
    # What is by type of layer is the same in both.
    beta = replace(beta, charts=[chart for chart in beta.charts if chart.group != BY_TYPE], notes=[])
    sections = [last, best, Section(name="curves", title="Curves", charts=charts), cost_section(sides)]
    sections += [gamma, beta, coverage_section(sides)]
    return [*sections, rho_section(sweeps)] if sweeps else sections


def _facts(source: Source) -> str:
    header, recipe = source.header, source.comparison.recipe
    seeds = source.comparison.seeds
    facts = [
        header.data_label,
        network_label(recipe.network),
        f"{recipe.images} train images",
        f"{recipe.epochs} epoch{'s' if recipe.epochs > 1 else ''}",
        f"seed{'s' if len(seeds) > 1 else ''} {', '.join(map(str, seeds))}",
        header.state,
        datetime.fromtimestamp(header.created, UTC).strftime("begun %Y-%m-%d"),
    ]
    note = f'<p class="note">{escape(header.note)}</p>' if header.note else ""
    return f"<p><b>{escape(source.comparison.name)}</b>: {escape(' · '.join(facts))}</p>{note}"


def _section(section: Section, sides: list[Side]) -> str:
    parts = [f"<h2>{escape(section.title)}</h2>"]
    if section.lead:
        parts.append(f"<p>{escape(section.lead)}</p>")
    if section.sentences:
        parts.append(f"<ul>{''.join(f'<li>{escape(sentence)}</li>' for sentence in section.sentences)}</ul>")
    parts += [table_html(table, looks_of(sides)) for table in section.tables]
    for group, charts in groupby(section.charts, key=lambda chart: chart.group):
        title = f"<h3>{escape(group)}</h3>" if group else ""
        parts.append(f'{title}<div class="charts">{"".join(map(_place, charts))}</div>')
    parts += [f'<p class="quiet">{escape(note)}</p>' for note in section.notes]
    return f'<section id="{section.name}">{"".join(parts)}</section>'


def _place(chart: Chart) -> str:
    """Where the page's script draws a chart."""
    return (
        f'<figure class="{"wide" if chart.wide else ""}"><h4>{escape(chart.title)}</h4>'
        f'<div class="plot" style="height:{chart.height}px"></div>'
        f"<figcaption>{escape(chart.note)}</figcaption></figure>"
    )


def _recipe(source: Source) -> str:
    machines = {f"seed {run.seed}": run.machine for run in source.header.runs if run.machine}
    texts = {"Recipe": source.comparison.to_json(), "Versions": json.dumps(machines, indent=2)}
    parts = [f"<h3>{title}</h3><pre>{escape(text)}</pre>" for title, text in texts.items()]
    return f"<section><h2>Recipe and versions: {escape(source.comparison.name)}</h2>{''.join(parts)}</section>"
