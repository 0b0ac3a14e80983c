"""Comparisons as files, in the terminal: export one, import one."""

import argparse
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from samviz.cli.terminal import check_target
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
    check_target("file", asked.file)
    store = open_store()
    measured = store.measurements(asked.id)  # first: a run that goes on may be measured after what the snapshot tells
    snapshot = store.snapshot(asked.id)
    partial = asked.file.with_name(f"{asked.file.name}.partial")
    kept = store.checkpoints(asked.id) if asked.checkpoints else nullcontext({})
    try:
        with kept as checkpoints, partial.open("wb") as file:
            bundle.write(snapshot, file, measurements=measured, figures=pages(snapshot), checkpoints=checkpoints)
        partial.replace(asked.file)
    except OSError as error:
        raise ValueError(f"{asked.file} cannot be written: {error.strerror}.") from None
    finally:
        partial.unlink(missing_ok=True)
    print(f"Comparison {asked.id} is in {asked.file}.")
    return 0


def _import(asked: argparse.Namespace) -> int:
    found = unbundle.read(asked.file)
    id = open_store().take_in(found)
    print(f"{found.snapshot.comparison.name} is comparison {id} here.")
    return 0
