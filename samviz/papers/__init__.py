"""The published tables as tidy data with units, spread, settings and source, the papers' claims and their figures.

from samviz import papers
papers.table("sam-on", 5)            # a tidy frame, a row a cell
papers.about("sam-on", 5).settings   # how it was measured
"""

from samviz.papers.settings import Settings
from samviz.papers.tables import COLUMNS, PAPERS, Metric, Table, about, accuracies, cells, paper, table, tables

__all__ = [
    "COLUMNS",
    "PAPERS",
    "Metric",
    "Settings",
    "Table",
    "about",
    "accuracies",
    "cells",
    "paper",
    "table",
    "tables",
]
