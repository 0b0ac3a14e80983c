"""The terminal: the same comparisons through the same store as the app, so that each shows the other's."""

import argparse
import json
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, NoReturn

from tqdm import tqdm

from samviz import data
from samviz.figures.results import Spread, conclusion, results_data
from samviz.figures.tally import Tally
from samviz.home import data_folders, home
from samviz.runs import UNFINISHED, Snapshot, Store, StoreError, UnknownError, open_store
from samviz.spec import PRESETS, Comparison, Recipe, check

POLL_SECONDS = 0.3
RESUME_SECONDS = 5.0
CANCEL_SECONDS = 10.0
FAILED, WRONG, INTERRUPTED = 1, 2, 130
"""Exit codes: it did not finish, a value was wrong and nothing was started, Ctrl+C."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code. Whatever is wrong is said in one sentence on stderr."""
    asked = _parser().parse_args(arguments)
    try:
        return asked.command(asked)
    except StoreError as error:
        return _say(str(error), FAILED)
    except ValueError as error:
        return _say(str(error), WRONG)
    except UnknownError as error:
        return _say(error.args[0], WRONG)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:  # the reader, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED


def _say(sentence: str, code: int) -> int:
    print(sentence, file=sys.stderr)
    return code


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(WRONG, f"{message[:1].upper()}{message[1:]} (see {self.prog} --help).\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="samviz", description="See, teach and test sharpness-aware minimization.", allow_abbrev=False)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    compare = commands.add_parser("compare", help="run a comparison and print its table", allow_abbrev=False)
    compare.set_defaults(command=_compare)
    source = compare.add_mutually_exclusive_group()
    source.add_argument("--preset", default="quick", help=f"where to start from: {', '.join(PRESETS)} (default: quick)")
    source.add_argument("--recipe", metavar="FILE", type=Path, help="a comparison as JSON, instead of a preset")
    compare.add_argument("--name", help="what the list shows")
    compare.add_argument("--seeds", help="such as 0,1,2: one run each")
    compare.add_argument("--json", metavar="FILE", type=Path, help="write everything that was measured there")
    compare.add_argument("--detach", action="store_true", help="print the id and return; the runs go on")
    settings = compare.add_argument_group("the recipe's settings, where they shall differ")
    settings.add_argument("--data", "--dataset", dest="dataset", help="data set")
    for field in fields(Recipe):
        if field.name != "dataset":
            settings.add_argument(f"--{field.name.replace('_', '-')}", dest=field.name, metavar="VALUE")

    listing = commands.add_parser("list", help="all comparisons, the newest first")
    listing.set_defaults(command=_list)

    show = commands.add_parser("show", help="one comparison: its runs and its table")
    show.set_defaults(command=_show)
    show.add_argument("id")
    show.add_argument("--json", metavar="FILE", type=Path, help="write everything that was measured there")

    cancel = commands.add_parser("cancel", help="stop a comparison; its checkpoints stay")
    cancel.set_defaults(command=_cancel)
    cancel.add_argument("id")

    datasets = commands.add_parser("data", help="what data is there and where")
    datasets.set_defaults(command=_data)
    actions = datasets.add_subparsers(metavar="ACTION")
    download = actions.add_parser("download", help="fetch a data set, checked by its checksum")
    download.set_defaults(command=_download)
    download.add_argument("dataset", help=" or ".join(data.ARCHIVES))
    return parser


def _compare(asked: argparse.Namespace) -> int:
    comparison = _comparison(asked)
    _check_target(asked.json)
    store = open_store()
    id = store.submit(comparison, origin="terminal")
    labels, seeds = ", ".join(comparison.labels.values()), ", ".join(map(str, comparison.seeds))
    _say(f"Comparison {id} ({comparison.name}): {labels}; seeds {seeds}.", 0)
    if asked.detach:
        print(id)
        return 0
    _say("It goes on if this window is closed; Ctrl+C cancels it.", 0)
    try:
        _follow(store, id)
    except KeyboardInterrupt:
        store.cancel(id)
        deadline = time.monotonic() + CANCEL_SECONDS
        while store.header(id).state in UNFINISHED and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)
        return _say(f"Comparison {id} is {store.header(id).state}.", INTERRUPTED)
    snapshot = store.snapshot(id)
    _print(snapshot)
    _write(store, id, asked.json)
    return 0 if snapshot.state == "finished" else FAILED


def _comparison(asked: argparse.Namespace) -> Comparison:
    """What the arguments ask for; ValueError in one sentence where they make no sense."""
    if asked.recipe is None:
        check.choice("preset", asked.preset, PRESETS)
        comparison = PRESETS[asked.preset].comparison
    else:
        try:
            text = asked.recipe.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ValueError(f"The recipe {asked.recipe} cannot be read: {error}.") from None
        comparison = Comparison.from_json(text)
    given = {field.name: getattr(asked, field.name) for field in fields(Recipe)}
    changes = {name: _value(text) for name, text in given.items() if text is not None}
    if isinstance(changes.get("classes"), str):
        changes["classes"] = [name.strip() for name in changes["classes"].split(",")]
    comparison = replace(comparison, recipe=replace(comparison.recipe, **changes))
    if asked.seeds is not None:
        comparison = replace(comparison, seeds=tuple(_value(seed) for seed in asked.seeds.split(",")))
    return comparison if asked.name is None else replace(comparison, name=asked.name)


def _value(text: str) -> Any:
    """A number, true, false or null as in a recipe file; anything else is text, and the recipe's check judges it."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def _follow(store: Store, id: str) -> None:
    """Show the progress until the comparison has ended."""
    shape = "{desc} {percentage:3.0f}% |{bar}| {elapsed} <{remaining}{postfix}"
    header = store.header(id)
    resumed = time.monotonic()
    with tqdm(total=len(header.runs), bar_format=shape, disable=None, leave=False) as bar:
        while header.state in UNFINISHED:
            seeds = [run.seed for run in header.runs if run.state == "running"]
            bar.desc = f"seed {seeds[0]}" if seeds else "waiting"
            bar.n = sum(run.progress for run in header.runs)
            bar.refresh()
            time.sleep(POLL_SECONDS)
            if time.monotonic() - resumed > RESUME_SECONDS:
                store.resume()
                resumed = time.monotonic()
            header = store.header(id)


def _list(_: argparse.Namespace) -> int:
    rows = [("id", "state", "done", "data", "network", "seeds", "begun", "name")]
    for line in open_store().comparisons():
        begun = time.strftime("%Y-%m-%d %H:%M", time.localtime(line.created))
        seeds, done = str(len(line.seeds)), f"{100 * line.progress:.0f}%"
        rows.append((line.id, line.state, done, line.dataset, line.network, seeds, begun, line.name))
    _table(rows)
    return 0


def _show(asked: argparse.Namespace) -> int:
    _check_target(asked.json)
    store = open_store()
    _print(store.snapshot(asked.id))
    _write(store, asked.id, asked.json)
    return 0


def _cancel(asked: argparse.Namespace) -> int:
    store = open_store()
    store.cancel(asked.id)
    print(f"Comparison {asked.id} is asked to stop.")
    return 0


def _data(_: argparse.Namespace) -> int:
    rows = [("data", "ready", "size", "")]
    for status in data.status():
        size = f"{status.size_bytes / 1e6:.0f} MB" if status.size_bytes else ""
        rows.append((f"{status.label} ({status.key})", "yes" if status.ready else "no", size, status.note))
    _table(rows)
    print(f"\nLooked in {' and '.join(map(str, data_folders()))}. Store and runs are in {home()}.")
    return 0


def _download(asked: argparse.Namespace) -> int:
    check.choice("dataset", asked.dataset, data.ARCHIVES)
    with tqdm(desc=asked.dataset, unit="B", unit_scale=True, disable=None, leave=False) as bar:

        def progress(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        place = data.download(asked.dataset, progress)
    print(f"{asked.dataset} is in {place}.")
    return 0


def _print(snapshot: Snapshot) -> None:
    """The runs as they ended, the table of results, and what can be concluded."""
    recipe = snapshot.comparison.recipe
    epochs = f"{recipe.epochs} epoch{'s' if recipe.epochs > 1 else ''}"
    print(f"Comparison {snapshot.id}: {snapshot.comparison.name} ({snapshot.state})")
    print(f"{snapshot.data_label}, {recipe.network}, {recipe.images} train images, {epochs}")
    for run in snapshot.runs:
        if run.state != "finished":
            print(f"Seed {run.seed}: {run.state}, {100 * run.progress:.0f}% done. {run.reason}".rstrip())
        if run.state == "failed":
            print(run.error or run.log_tail)
    numbers = Tally(snapshot.comparison).add(snapshot.metrics.itertuples(index=False, name=None), ())
    results = results_data(numbers)
    rows = [("arm", "rho", "final test accuracy", "best test accuracy", "seeds")]
    for result in results:
        accuracies = [_accuracy(spread) for spread in (result.final, result.best)]
        rows.append((result.label, f"{result.rho:g}" if result.rho else "", *accuracies, str(result.final.n)))
    print()
    _table(rows)
    print(f"\n{conclusion(snapshot.comparison, results)}")
    for machine in {tuple(run.machine.items()) for run in snapshot.runs if run.machine}:
        print(", ".join(f"{name} {value}" for name, value in machine))


def _accuracy(spread: Spread) -> str:
    """Percent; an arm that reached no end has none, and a single seed has no spread."""
    if spread.n == 0:
        return "-"
    return f"{spread.mean:.2f} %" + (f" ± {spread.sd:.2f}" if spread.n > 1 else "")


def _table(rows: list[tuple[str, ...]]) -> None:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _check_target(path: Path | None) -> None:
    if path is not None and (path.is_dir() or not path.absolute().parent.is_dir()):
        raise ValueError(f"json must be a file in a folder that is there, but it is {str(path)!r}.")


def _write(store: Store, id: str, path: Path | None) -> None:
    if path is not None:
        path.write_text(store.export(id), "utf-8")
