"""Comparisons as files, in the terminal: export one, import one."""

import argparse
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import Any

from samviz.cli.terminal import check_target, writing_to
from samviz.figures.export import pages
from samviz.runs import bundle, open_store, unbundle


def add_to(commands: Any) -> None:
    """The commands `export` and `import`."""
    export = commands.add_parser("export", help="a comparison: write all of it to a zip file")
    export.set_defaults(command=_export)
    export.add_argument("id")
    export.add_argument("file", metavar="FILE.zip", type=Path)
    export.add_argument("--checkpoints", action="store_true", help="with what its runs need to go on elsewhere")
    take_in = commands.add_parser("import", help="a comparison: take in what was exported elsewhere; starts nothing")
    take_in.set_defaults(command=_import)
    take_in.add_argument("file", metavar="FILE.zip", type=Path)


def _export(asked: argparse.Namespace) -> int:
    check_target("file", asked.file, replaced=True)
    store = open_store()
    # Before the snapshot: where a run goes on, neither may be ahead of the numbers, or an import would lack some.
    measured = store.measurements(asked.id)
    partial = asked.file.with_name(f"{asked.file.name}.partial")
    kept = store.checkpoints(asked.id) if asked.checkpoints else nullcontext({})
    try:
        with writing_to(asked.file):
            with kept as checkpoints, partial.open("wb") as file:
                snapshot = store.snapshot(asked.id)
                bundle.write(snapshot, file, measurements=measured, figures=pages(snapshot), checkpoints=checkpoints)
            partial.replace(asked.file)
    finally:
        with suppress(OSError):  # where it could not be made
            partial.unlink()
    print(f"Comparison {asked.id} is in {asked.file}.")
    return 0


def _import(asked: argparse.Namespace) -> int:
    found = unbundle.read(asked.file)
    id = open_store().take_in(found)
    print(f"{found.snapshot.comparison.name} is comparison {id} here.")
    return 0
