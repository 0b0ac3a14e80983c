"""Sentences and tables as HTML text: for the page, and for the report. What somebody has typed stays text."""

from collections.abc import Mapping
from html import escape

from samviz.figures.compare import Side
from samviz.figures.palette import Look
from samviz.figures.parts import Table

BORDERS = {"solid": "solid", "dash": "dashed", "longdash": "dashed"}
"""Dash of an arm -> how a border looks most like it; the others are dotted."""

STYLE = """
.compared { margin-bottom: 1rem; overflow-x: auto; }
.compared table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
.compared th, .compared td { padding: 0.3rem 0.7rem; border: 0; border-bottom: 1px solid #8884; text-align: right;
  white-space: nowrap; }
.compared th { font-size: 0.8rem; font-weight: 600; vertical-align: bottom; white-space: normal; min-width: 4.5rem; }
.compared th:first-child, .compared td:first-child { padding-left: 0; text-align: left; }
@media (max-width: 900px) { .compared td:first-child { min-width: 9rem; white-space: normal; } }
.compared .mark { display: inline-block; width: 26px; margin-right: 0.6rem; border-top-width: 3px;
  vertical-align: middle; }
.compared figcaption { font-size: 0.85rem; opacity: 0.75; }
"""


def table_html(table: Table, looks: Mapping[str, Look]) -> str:
    """A table; `looks` are those of the arms that its rows are about."""
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in table.head)
    rows = []
    for k, (first, *rest) in enumerate(table.rows):
        mark = _mark(looks[table.keys[k]]) if table.keys else ""
        cells = "".join(f"<td>{escape(cell)}</td>" for cell in rest)
        rows.append(f"<tr><td>{mark}{escape(first)}</td>{cells}</tr>")
    note = f"<figcaption>{escape(table.note)}</figcaption>" if table.note else ""
    return (
        f'<div class="compared"><table><thead><tr>{head}</tr></thead><tbody>{"".join(rows)}</tbody></table>{note}</div>'
    )


def looks_of(sides: list[Side]) -> dict[str, Look]:
    """Key -> look."""
    return {side.key: side.look for side in sides}


def _mark(look: Look) -> str:
    style = f"border-top-style:{BORDERS.get(look.dash, 'dotted')};border-top-color:{look.color}"
    return f'<span class="mark" style="{style}"></span>'
