"""A comparison as one HTML page, from the terminal."""

import argparse
from pathlib import Path
from typing import Any

from samviz.cli.terminal import check_target, write
from samviz.figures.report import report_of
from samviz.runs import open_store


def add_to(commands: Any) -> None:
    """The command `report`."""
    report = commands.add_parser("report", help="a comparison: write it as one HTML page that needs no network")
    report.set_defaults(command=_report)
    report.add_argument("id")
    report.add_argument("file", metavar="FILE.html", type=Path)


def _report(asked: argparse.Namespace) -> int:
    check_target("file", asked.file)
    write(asked.file, report_of(open_store().news(asked.id)))
    print(f"Comparison {asked.id} is in {asked.file}.")
    return 0
