"""Stored comparisons in the terminal: list, show, rename, annotate, stop, go on, delete."""

import argparse
import time
from pathlib import Path
from typing import Any

from samviz.cli.changes import value_of
from samviz.cli.compare import print_comparison, write_json
from samviz.cli.terminal import check_target, table
from samviz.runs import open_store


def add_to(commands: Any) -> None:
    """A command for each thing that can be done with a comparison."""
    commands.add_parser("list", help="all comparisons, the newest first").set_defaults(command=_list)
    for name, help, act, *more in (
        ("show", "its runs and its table", _show),
        ("logs", "the end of what its workers printed", _logs),
        ("pause", "let it rest; it is saved first", _pause),
        ("resume", "go on with what rests, was cancelled or failed", _resume),
        ("extend", "give a finished one more epochs", _extend, "epochs"),
        ("cancel", "stop it; its checkpoints stay", _cancel),
        ("rename", "give it another name", _rename, "name"),
        ("note", "write a note to it", _note, "note"),
        ("delete", "remove it with all its numbers, logs and checkpoints", _delete),
    ):
        command = commands.add_parser(name, help=f"a comparison: {help}")
        command.set_defaults(command=act)
        command.add_argument("id")
        for argument in more:
            command.add_argument(argument)
        if name == "show":
            command.add_argument("--json", metavar="FILE", type=Path, help="write everything that was measured there")


def _list(_: argparse.Namespace) -> int:
    rows = [("id", "state", "done", "data", "network", "seeds", "begun", "name")]
    for line in open_store().comparisons():
        begun = time.strftime("%Y-%m-%d %H:%M", time.localtime(line.created))
        seeds, done = str(len(line.seeds)), f"{100 * line.progress:.0f}%"
        rows.append((line.id, line.state, done, line.dataset, line.network, seeds, begun, line.name))
    table(rows)
    return 0


def _show(asked: argparse.Namespace) -> int:
    check_target("json", asked.json)
    store = open_store()
    print_comparison(store.snapshot(asked.id))
    write_json(store, asked.id, asked.json)
    return 0


def _logs(asked: argparse.Namespace) -> int:
    for run in open_store().header(asked.id).runs:
        print(f"Seed {run.seed}, {run.state}{f' on {run.host}' if run.host else ''}:")
        print(run.log_tail or "Nothing was printed on this machine.")
    return 0


def _pause(asked: argparse.Namespace) -> int:
    open_store().pause(asked.id)
    print(f"Comparison {asked.id} is asked to rest.")
    return 0


def _resume(asked: argparse.Namespace) -> int:
    open_store().go_on(asked.id)
    print(f"Comparison {asked.id} goes on.")
    return 0


def _extend(asked: argparse.Namespace) -> int:
    open_store().extend(asked.id, value_of(asked.epochs))
    print(f"Comparison {asked.id} goes on up to epoch {asked.epochs}.")
    return 0


def _cancel(asked: argparse.Namespace) -> int:
    store = open_store()
    store.cancel(asked.id)
    print(f"Comparison {asked.id} is asked to stop.")
    return 0


def _rename(asked: argparse.Namespace) -> int:
    open_store().rename(asked.id, asked.name)
    return 0


def _note(asked: argparse.Namespace) -> int:
    open_store().annotate(asked.id, asked.note)
    return 0


def _delete(asked: argparse.Namespace) -> int:
    open_store().delete(asked.id)
    print(f"Comparison {asked.id} is deleted.")
    return 0
