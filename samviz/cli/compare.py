"""A comparison from the terminal: start it, follow it, print its table."""

import argparse
import time
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from tqdm import tqdm

from samviz.cli.changes import changed
from samviz.cli.terminal import FAILED, INTERRUPTED, check_target, say, table, write
from samviz.figures.results import Spread, conclusion, results_data
from samviz.figures.tally import Tally
from samviz.runs import UNFINISHED, Snapshot, Store, open_store
from samviz.spec import PRESETS, Comparison, Recipe, check

POLL_SECONDS = 0.3
RESUME_SECONDS = 5.0
CANCEL_SECONDS = 10.0


def add_to(commands: Any) -> None:
    """The command `compare`."""
    compare = commands.add_parser("compare", help="run a comparison and print its table", allow_abbrev=False)
    compare.set_defaults(command=_compare)
    compare.add_argument("--json", metavar="FILE", type=Path, help="write everything that was measured there")
    add_comparison(compare)


def add_comparison(parser: argparse.ArgumentParser, without: Sequence[str] = ()) -> None:
    """The arguments that `comparison_of` reads, but for some of the recipe's."""
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
    comparison = comparison_of(asked)
    check_target("json", asked.json)
    store = open_store()
    id = store.submit(comparison, origin="terminal")
    labels, seeds = ", ".join(comparison.labels.values()), ", ".join(map(str, comparison.seeds))
    say(f"Comparison {id} ({comparison.name}): {labels}; seeds {seeds}.", 0)
    if asked.detach:
        print(id)
        return 0
    say("It goes on if this window is closed; Ctrl+C cancels it.", 0)
    try:
        _follow(store, id)
    except KeyboardInterrupt:
        store.cancel(id)
        deadline = time.monotonic() + CANCEL_SECONDS
        while store.header(id).state in UNFINISHED and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)
        return say(f"Comparison {id} is {store.header(id).state}.", INTERRUPTED)
    snapshot = store.snapshot(id)
    print_comparison(snapshot)
    write_json(store, id, asked.json)
    return 0 if snapshot.state == "finished" else FAILED


def comparison_of(asked: argparse.Namespace) -> Comparison:
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
    return changed(comparison, asked)


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


def print_comparison(snapshot: Snapshot) -> None:
    """The runs as they ended, the table of results, and what can be concluded."""
    recipe = snapshot.comparison.recipe
    epochs = f"{recipe.epochs} epoch{'s' if recipe.epochs > 1 else ''}"
    print(f"Comparison {snapshot.id}: {snapshot.comparison.name} ({snapshot.state})")
    print(f"{snapshot.data_label}, {recipe.network}, {recipe.images} train images, {epochs}")
    if snapshot.note:
        print(snapshot.note)
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
    table(rows)
    print(f"\n{conclusion(snapshot.comparison, results)}")
    for machine in {tuple(run.machine.items()) for run in snapshot.runs if run.machine}:
        print(", ".join(f"{name} {value}" for name, value in machine))


def _accuracy(spread: Spread) -> str:
    """Percent; an arm that reached no end has none, and a single seed has no spread."""
    if spread.n == 0:
        return "-"
    return f"{spread.mean:.2f} %" + (f" ± {spread.sd:.2f}" if spread.n > 1 else "")


def write_json(store: Store, id: str, path: Path | None) -> None:
    """Write all that is known of a comparison, if there is a place for it."""
    if path is not None:
        write(path, store.export(id))
