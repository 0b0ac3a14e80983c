"""The document of a report: plotly.js, figures and styles in one HTML text, whose policy lets it ask for nothing."""

import json
from html import escape
from typing import Any

from samviz.figures.export import plotly_js


def document(title: str, style: str, body: str, data: dict[str, Any]) -> str:
    """The page: `body` and `style` are HTML and CSS, `data` is {figures, arms}.

    The figures are drawn into the elements of class plot, in their order; the arms become buttons in nav.legend.
    """
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)}</title>
<style>{_STYLE}{style}</style>
</head>
<body>
{body}
<script>{_script(plotly_js())}</script>
<script type="application/json" id="data">{_json(data)}</script>
<script>{_DRAW}</script>
</body>
</html>
"""


def _json(plain: Any) -> str:
    """JSON within a script element, where nothing but "<" can end it or open a comment."""
    return json.dumps(plain, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")


def _script(source: bytes) -> str:
    """JavaScript within a script element: "</script" can stand in its texts only, where the slash can be escaped."""
    return source.decode("utf-8").replace("</script", "<\\/script")


POLICY = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:"

_STYLE = """
:root { color-scheme: light dark; --text: #1c2430; --background: #ffffff; --accent: #0b62a4; }
@media (prefers-color-scheme: dark) { :root { --text: #e6eaf0; --background: #11161d; --accent: #6cb6f0; } }
body { max-width: 1240px; margin: 0 auto; padding: 16px; background: var(--background); color: var(--text);
  font: 15px/1.45 system-ui, sans-serif; font-variant-numeric: tabular-nums; overflow-wrap: break-word; }
h1 { font-size: 24px; } h2 { margin-top: 2rem; font-size: 18px; } h3 { margin-bottom: 6px; font-size: 15px; }
h4 { margin: 0; font-size: 14px; }
.note { white-space: pre-wrap; border-left: 3px solid var(--accent); padding-left: 12px; }
.quiet, footer { font-size: 0.85rem; opacity: 0.75; } pre { overflow-x: auto; font-size: 12px; }
.legend { position: sticky; top: 0; z-index: 2; display: flex; flex-wrap: wrap; gap: 6px; padding: 6px 0;
  background: var(--background); }
.legend button { padding: 2px 10px; border: 1px solid #8888; border-radius: 1rem; background: none; color: inherit;
  font: inherit; font-size: 13px; cursor: pointer; }
.legend button[aria-pressed="false"] { opacity: 0.45; text-decoration: line-through; }
.legend i { display: inline-block; width: 22px; margin-right: 8px; border-top: 3px solid; vertical-align: middle; }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 26rem), 1fr)); gap: 16px 24px; }
figure { min-width: 0; margin: 0; } figure.wide { grid-column: 1 / -1; }
figcaption { font-size: 0.8rem; opacity: 0.75; }
@media print { .legend { position: static; } figure { break-inside: avoid; } }
"""

_DRAW = """
const { figures, arms } = JSON.parse(document.getElementById("data").textContent);
const { color, fontFamily, backgroundColor } = getComputedStyle(document.body);
const line = "rgba(128,128,128,0.25)";
const font = { color, family: fontFamily, size: 12 };
const look = { font, paper_bgcolor: backgroundColor, plot_bgcolor: backgroundColor };
const plots = [...document.querySelectorAll(".plot")];
plots.forEach((plot, i) => {
  const { data, layout } = figures[i];
  for (const key of Object.keys(layout).filter((name) => /^[xy]axis[0-9]*$/.test(name))) {
    layout[key] = { gridcolor: line, zerolinecolor: line, linecolor: line, automargin: true, ...layout[key] };
  }
  const rest = { title: undefined, showlegend: "legend" in layout, margin: { l: 48, r: 12, t: 16, b: 40 } };
  Plotly.newPlot(plot, data, { ...layout, ...look, ...rest }, { responsive: true, displaylogo: false });
});
for (const { key, label, color, dash } of arms) {
  const button = document.querySelector(".legend").appendChild(document.createElement("button"));
  const mark = button.appendChild(document.createElement("i"));
  mark.style.borderTopColor = color;
  mark.style.borderTopStyle = { solid: "solid", dash: "dashed", longdash: "dashed" }[dash] ?? "dotted";
  button.append(label);
  button.title = "Hide or show this arm";
  button.ariaPressed = "true";
  button.onclick = () => {
    const shown = button.ariaPressed !== "true";
    button.ariaPressed = String(shown);
    for (const plot of plots) {
      const own = plot.data.flatMap((trace, k) => (trace.meta === key ? [k] : []));
      if (own.length) Plotly.restyle(plot, { visible: shown }, own);
    }
  };
}
"""
