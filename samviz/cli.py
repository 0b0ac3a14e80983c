"""The terminal: the same comparisons through the same store as the app, so that each shows the other's."""

import argparse
import json
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any, NoReturn

from tqdm import tqdm

from samviz import data
from samviz.figures.results import Spread, conclusion, results_data
from samviz.figures.sweep import Swept, sweep_conclusion, sweep_data, sweep_table
from samviz.figures.tally import Tally
from samviz.home import data_folders, home
from samviz.runs import UNFINISHED, Snapshot, Store, StoreError, UnknownError, open_store
from samviz.runs.search import require
from samviz.spec import PRESETS, Comparison, Recipe, Sweep, check
from samviz.spec.sweep import LONGEST_NAME, parse_values

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
    compare.add_argument("--json", metavar="FILE", type=Path, help="write everything that was measured there")
    _add_comparison(compare)

    sweep = commands.add_parser("sweep", help="a comparison over radii and learning rates", allow_abbrev=False)
    sweep.set_defaults(command=_sweep)
    sweep.add_argument("--rho", default="", help="such as 0.05,0.1,0.2: radii of every arm with an ascent")
    sweep.add_argument("--lr", dest="rates", default="", help="such as 0.05,0.1: learning rates")
    sweep.add_argument("--search", default="grid", help="grid (default), or optuna between the two ends of each")
    sweep.add_argument("--trials", help="of a search, for each arm")
    sweep.add_argument("--json", metavar="FILE", type=Path, help="write the table there")
    _add_comparison(sweep, without=("lr",))

    show_sweep = commands.add_parser("show-sweep", help="one sweep: its table, and what came out best")
    show_sweep.set_defaults(command=_show_sweep)
    show_sweep.add_argument("id")
    show_sweep.add_argument("--json", metavar="FILE", type=Path, help="write the table there")

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


def _add_comparison(parser: argparse.ArgumentParser, without: Sequence[str] = ()) -> None:
    """The arguments that `_comparison` reads, but for some of the recipe's."""
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--preset", default="quick", help=f"where to start from: {', '.join(PRESETS)} (default: quick)")
    source.add_argument("--recipe", metavar="FILE", type=Path, help="a comparison as JSON, instead of a preset")
    parser.add_argument("--name", help="what the list shows")
    parser.add_argument("--seeds", help="such as 0,1,2: one run each")
    parser.add_argument("--detach", action="store_true", help="print the id and return; the runs go on")
    settings = parser.add_argument_group("the recipe's settings, where they shall differ")
    settings.add_argument("--data", "--dataset", dest="dataset", help="data set")
    for field in fields(Recipe):
        if field.name not in ("dataset", "extended", *without):
            settings.add_argument(f"--{field.name.replace('_', '-')}", dest=field.name, metavar="VALUE")


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
    given = {field.name: getattr(asked, field.name, None) for field in fields(Recipe)}
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


def _sweep(asked: argparse.Namespace) -> int:
    base = _comparison(asked)
    sweep = Sweep(
        name=asked.name or base.name[:LONGEST_NAME],
        base=base,
        rho=parse_values("rho", asked.rho),
        lr=parse_values("lr", asked.rates),
        search=asked.search,
        trials=None if asked.trials is None else _value(asked.trials),
    )
    require(sweep)
    _check_target(asked.json)
    store = open_store()
    id = store.submit_sweep(sweep, origin="terminal")
    most = "" if sweep.search == "grid" else "at most "
    _say(f"Sweep {id} ({sweep.name}): {most}{sweep.size} comparisons, {sweep.runs} runs.", 0)
    if asked.detach:
        print(id)
        return 0
    _say("It goes on if this window is closed; Ctrl+C cancels it.", 0)
    try:
        _follow_sweep(store, id)
    except KeyboardInterrupt:
        store.cancel_sweep(id)
        return _say(f"Sweep {id} is asked to stop.", INTERRUPTED)
    _print_sweep(store, id, asked.json)
    return 0 if store.sweep(id).state == "finished" else FAILED


def _follow_sweep(store: Store, id: str) -> None:
    """Show how many runs have ended until all have."""
    view, resumed = store.sweep(id), time.monotonic()
    shape = "{n_fmt} of {total_fmt} runs |{bar}| {elapsed}"
    with tqdm(total=view.sweep.runs, bar_format=shape, disable=None, leave=False) as bar:
        while view.state in UNFINISHED:
            bar.n = sum(run.state not in UNFINISHED for _, _, header in view.members for run in header.runs)
            bar.refresh()
            time.sleep(POLL_SECONDS)
            if time.monotonic() - resumed > RESUME_SECONDS:
                store.resume()
                resumed = time.monotonic()
            view = store.sweep(id)


def _show_sweep(asked: argparse.Namespace) -> int:
    _check_target(asked.json)
    _print_sweep(open_store(), asked.id, asked.json)
    return 0


def _swept(store: Store, id: str) -> Swept:
    view = store.sweep(id)
    members = [(point, comparison, header.state) for point, comparison, header in view.members]
    rows = store.sweep_metrics(id)[["comparison", "seed", "arm", "name", "epoch", "value"]]
    return sweep_data(view.sweep, members, rows.itertuples(index=False, name=None))


def _print_sweep(store: Store, id: str, path: Path | None) -> None:
    """The table, what came out best, and the same as JSON where a file is asked for."""
    data = _swept(store, id)
    print(f"Sweep {id}: {data.sweep.name} ({store.sweep(id).state})\n")
    _table(sweep_table(data))
    print("", *sweep_conclusion(data), sep="\n")
    if path is not None:
        rows = [asdict(row) for row in data.rows]
        path.write_text(json.dumps({"sweep": data.sweep.to_dict(), "rows": rows}, indent=2), "utf-8")


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
