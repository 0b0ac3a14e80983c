"""The figures of a comparison as files that need neither samviz nor a network: a page for each, and the table as CSV.

All pages share one plotly.min.js that lies beside them. What somebody has typed gets into them as text only.
"""

import csv
import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from html import escape
from importlib.util import find_spec
from io import StringIO
from math import isnan
from pathlib import Path
from typing import Any

from samviz import __version__
from samviz.figures.curves import curves_data, curves_figure
from samviz.figures.histograms import HISTOGRAMS, Histograms, histograms_data, histograms_figure
from samviz.figures.layers import LAYERS, layers_data, layers_figure
from samviz.figures.measures import MEASURES, axis_data, offered
from samviz.figures.results import Result, Spread, conclusion, results_data
from samviz.figures.tally import Tally
from samviz.runs import Snapshot
from samviz.runs.bundle import harmless
from samviz.spec import Comparison
from samviz.spec.networks import network_label

PLOTLY, INDEX, RESULTS = "plotly.min.js", "index.html", "results.csv"

SPREADS = {
    "final": ("test_accuracy", "Test accuracy, final (%)", 1),
    "best": ("best_test_accuracy", "Test accuracy, best epoch (%)", 1),
    "gap": ("generalization_gap", "Generalization gap (points)", 1),
    "seconds": ("seconds_per_epoch", "Seconds an epoch", 2),
}
"""The parts of a `Result` that are means over seeds: name in the CSV, title of the table's column, its digits."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Chart:
    title: str
    group: str
    note: str
    figures: list[dict[str, Any]]


def pages(snapshot: Snapshot) -> dict[str, bytes]:
    """File name -> content: index.html, a page for each figure that there are numbers for, results.csv, plotly.min.js.

    The figures are those that the live page offers, over epochs. The same comparison makes the same bytes.
    """
    comparison = snapshot.comparison
    tally = Tally(comparison).add(_rows(snapshot.metrics), _rows(snapshot.histograms))
    results = results_data(tally)
    charts = _charts(tally)
    return {
        INDEX: _index(snapshot, results, charts),
        **{name: _chart_page(comparison, chart) for name, chart in charts.items()},
        RESULTS: results_csv(results),
        PLOTLY: plotly_js(),
    }


def _rows(frame: Any) -> Iterable[tuple]:
    return frame.itertuples(index=False, name=None)


def _charts(tally: Tally) -> dict[str, _Chart]:
    """File name -> chart."""
    charts, labels = {}, list(tally.comparison.labels.values())
    along = axis_data(tally, "epoch")
    for name in offered(tally):
        about = MEASURES[name]
        figure = _with_legend(curves_figure(curves_data(tally, name, along), name, along))
        charts[f"{name.replace('/', '-')}.html"] = _Chart(
            title=about.title, group=about.group, note=about.note, figures=[figure]
        )
    for name, symbol in HISTOGRAMS.items():
        if (data := histograms_data(tally, name)) is not None:
            figure = _with_slider(data, tally.comparison)
            title = f"Histograms of {symbol}"
            charts[f"histograms-{name}.html"] = _Chart(title=title, group="Norm layers", note="", figures=[figure])
    for name in LAYERS:
        if (layers := layers_data(tally, name)) is not None:
            figures = [_with_scale(layers_figure(layers, k, label)) for k, label in enumerate(labels)]
            note = "one map an arm, the layer next to the images at the top; mean over the seeds"
            charts[f"layers-{name}.html"] = _Chart(title=layers.title, group="Norm layers", note=note, figures=figures)
    return charts


def _with_legend(figure: dict[str, Any]) -> dict[str, Any]:
    """Curves whose arms can be switched off together with their bands and seeds."""
    for trace in figure["data"]:
        trace["legendgroup"] = trace["meta"]
        trace["showlegend"] = "name" in trace and not trace["uid"].endswith("-stops")
    return figure


def _with_slider(data: Histograms, comparison: Comparison) -> dict[str, Any]:
    """Histograms at the latest epoch, and a slider over the others."""
    figure, steps = histograms_figure(data, comparison), []
    for epoch in data.epochs.tolist():
        other = histograms_figure(data, comparison, epoch)
        layout = other["layout"]
        changes = {
            "title.text": layout["title"]["text"],
            "yaxis.range": layout["yaxis"]["range"],
            "annotations": layout["annotations"],
        }
        args = [{"y": [trace["y"] for trace in other["data"]]}, changes]
        steps.append({"label": str(epoch), "method": "update", "args": args})
    slider = {"active": len(steps) - 1, "currentvalue": {"prefix": "epoch "}, "pad": {"t": 60}, "steps": steps}
    figure["layout"]["sliders"] = [slider]
    return figure


def _with_scale(figure: dict[str, Any]) -> dict[str, Any]:
    figure["data"][0]["showscale"] = True
    return figure


def results_csv(results: list[Result]) -> bytes:
    """The table under the curves, means and deviations in columns of their own; empty where there are too few seeds.

    UTF-8 with a byte order mark, without which a spreadsheet takes it for something else.
    """
    text = StringIO()
    writer = csv.writer(text)
    names = [f"{name}_{part}" for name, _, _ in SPREADS.values() for part in ("mean", "sd")]
    writer.writerow(["arm", "label", "rho", *names, "seeds", "diverged"])
    for result in results:
        spreads: list[Spread] = [getattr(result, name) for name in SPREADS]
        numbers = [number for spread in spreads for number in (spread.mean, spread.sd)]
        diverged = " ".join(str(divergence.seed) for divergence in result.diverged)
        cells = ["" if isnan(number) else number for number in numbers]
        writer.writerow([harmless(result.key), harmless(result.label), result.rho, *cells, result.final.n, diverged])
    return text.getvalue().encode("utf-8-sig")


@cache
def plotly_js() -> bytes:
    """plotly.js as plotly.py has it; only its place is needed, not the package."""
    (folder,) = find_spec("plotly").submodule_search_locations
    return (Path(folder) / "package_data" / PLOTLY).read_bytes()


def _spread(spread: Spread, decimals: int) -> str:
    if isnan(spread.mean):
        return ""
    return f"{spread.mean:.{decimals}f}" + ("" if isnan(spread.sd) else f" ± {spread.sd:.{decimals}f}")


def _index(snapshot: Snapshot, results: list[Result], charts: dict[str, _Chart]) -> bytes:
    comparison, recipe = snapshot.comparison, snapshot.comparison.recipe
    seeds = ", ".join(map(str, comparison.seeds))
    facts = [
        snapshot.data_label,
        network_label(recipe.network),
        f"{recipe.images} train images",
        f"{recipe.epochs} epoch{'s' if recipe.epochs > 1 else ''}",
        f"seed{'s' if len(comparison.seeds) > 1 else ''} {seeds}",
        snapshot.state,
    ]
    rows = [
        [result.label, f"{result.rho:g}" if result.rho else ""]
        + [_spread(getattr(result, name), decimals) for name, (_, _, decimals) in SPREADS.items()]
        + [str(result.final.n)]
        for result in results
    ]
    groups: dict[str, list[str]] = {}
    for name, chart in charts.items():
        groups.setdefault(chart.group, []).append(f'<a href="{name}">{escape(chart.title)}</a>')
    body = [
        f"<h1>{escape(comparison.name)}</h1>",
        f"<p>{escape(' · '.join(facts))}</p>",
        f'<p class="note">{escape(snapshot.note)}</p>' if snapshot.note else "",
        "<table>",
        _table_row("th", ["Arm", "ρ", *(title for _, title, _ in SPREADS.values()), "Seeds"]),
        *(_table_row("td", row) for row in rows),
        "</table>",
        f"<p>{escape(conclusion(comparison, results))}</p>",
        *(f"<h2>{escape(group)}</h2>\n<p>{' · '.join(links)}</p>" for group, links in groups.items()),
        f'<p>The table as CSV: <a href="{RESULTS}">{RESULTS}</a>. Made with samviz {__version__}.</p>',
    ]
    return _document(comparison.name, "\n".join(filter(None, body)))


def _table_row(tag: str, cells: list[str]) -> str:
    return f"<tr>{''.join(f'<{tag}>{escape(cell)}</{tag}>' for cell in cells)}</tr>"


def _chart_page(comparison: Comparison, chart: _Chart) -> bytes:
    # Within a script element nothing but "<" can end it or open a comment.
    data = json.dumps(chart.figures, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")
    note = f"<p>{escape(chart.title)}: {escape(chart.note)}.</p>" if chart.note else ""
    body = f"""<p><a href="{INDEX}">{escape(comparison.name)}</a></p>
<div id="figures"></div>
{note}
<script src="{PLOTLY}" charset="utf-8"></script>
<script type="application/json" id="data">{data}</script>
<script>{_DRAW}</script>"""
    return _document(f"{chart.title}: {comparison.name}", body)


def _document(title: str, body: str) -> bytes:
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)}</title>
<style>{_STYLE}</style>
</head>
<body>
{body}
</body>
</html>
""".encode()


_STYLE = """
:root { color-scheme: light dark; --text: #1c2430; --background: #ffffff; --accent: #0b62a4; }
@media (prefers-color-scheme: dark) { :root { --text: #e6eaf0; --background: #11161d; --accent: #6cb6f0; } }
body { max-width: 1100px; margin: 0 auto; padding: 16px; background: var(--background); color: var(--text);
  font: 15px/1.45 system-ui, sans-serif; font-variant-numeric: tabular-nums; overflow-wrap: break-word; }
h1 { font-size: 22px; } h2 { font-size: 16px; margin-bottom: 0; } a { color: var(--accent); }
.note { white-space: pre-wrap; border-left: 3px solid var(--accent); padding-left: 12px; }
table { border-collapse: collapse; } th, td { padding: 4px 12px; border-bottom: 1px solid #8884; text-align: right; }
th:first-child, td:first-child { padding-left: 0; text-align: left; }
"""

_DRAW = """
const { color, fontFamily, backgroundColor } = getComputedStyle(document.body);
const line = "rgba(128,128,128,0.25)";
const look = { font: { color, family: fontFamily }, paper_bgcolor: backgroundColor, plot_bgcolor: backgroundColor };
const figures = JSON.parse(document.getElementById("data").textContent);
for (const { data, layout } of figures) {
  const plot = document.getElementById("figures").appendChild(document.createElement("div"));
  plot.style.height = figures.length > 1 ? "280px" : "520px";
  for (const key of ["xaxis", "yaxis"]) {
    layout[key] = { gridcolor: line, zerolinecolor: line, linecolor: line, ...layout[key] };
  }
  const margin = { t: 60, b: 50 };
  Plotly.newPlot(plot, data, { ...layout, ...look, margin }, { responsive: true, displaylogo: false });
}
"""
