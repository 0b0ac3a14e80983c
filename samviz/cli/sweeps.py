"""Sweeps in the terminal: start one, follow it, look at its table."""

import argparse
import json
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tqdm import tqdm

from samviz.cli import gap
from samviz.cli.changes import changed, value_of
from samviz.cli.compare import POLL_SECONDS, RESUME_SECONDS, add_comparison, comparison_of
from samviz.cli.terminal import FAILED, INTERRUPTED, check_target, say, table, write
from samviz.figures.sweep import AXES, Swept, sweep_conclusion, sweep_data, sweep_table
from samviz.runs import UNFINISHED, Store, open_store
from samviz.runs.search import require
from samviz.spec import Sweep
from samviz.spec.grids import GRIDS
from samviz.spec.sweep import LONGEST_NAME, RECIPE_FIELDS, parse_values


def add_to(commands: Any) -> None:
    """The commands `sweep` and `sweeps`."""
    sweep = commands.add_parser(
        "sweep",
        help="a comparison over radii, learning rates and more",
        epilog="Further presets here: " + "; ".join(f"{key} ({grid.label})" for key, grid in GRIDS.items()) + ".",
        allow_abbrev=False,
    )
    sweep.set_defaults(command=_sweep)
    sweep.add_argument("--rho", default="", help="such as 0.05,0.1,0.2: radii of every arm with an ascent")
    sweep.add_argument("--lr", dest="many_lr", metavar="VALUES", default="", help="such as 0.05,0.1: learning rates")
    for field in RECIPE_FIELDS:
        own = {"dest": f"many_{field}", "metavar": "VALUES", "help": f"{AXES[field]}s of a grid, or one for all"}
        sweep.add_argument(f"--{field.replace('_', '-')}", default="", **own)
    sweep.add_argument("--search", default="grid", help="grid (default), or optuna between the two ends of each")
    sweep.add_argument("--trials", help="of a search, for each arm")
    sweep.add_argument("--json", metavar="FILE", type=Path, help="write the table there")
    add_comparison(sweep, without=("lr", *RECIPE_FIELDS))

    sweeps = commands.add_parser("sweeps", help="all sweeps, the newest first; or one of them")
    sweeps.set_defaults(command=_list)
    actions = sweeps.add_subparsers(metavar="ACTION")
    show = actions.add_parser("show", help="its table, and what came out best")
    show.set_defaults(command=_show)
    show.add_argument("id")
    show.add_argument("--json", metavar="FILE", type=Path, help="write the table there")
    gap.add_to(actions)
    for name, help, act in (
        ("cancel", "stop its runs, and look for no further ones", _cancel),
        ("delete", "remove it with all its comparisons", _delete),
    ):
        action = actions.add_parser(name, help=help)
        action.set_defaults(command=act)
        action.add_argument("id")


def _sweep(asked: argparse.Namespace) -> int:
    sweep = sweep_of(asked)
    require(sweep)
    check_target("json", asked.json)
    store = open_store()
    id = store.submit_sweep(sweep, origin="terminal")
    most = "" if sweep.search == "grid" else "at most "
    say(f"Sweep {id} ({sweep.name}): {most}{sweep.size} comparisons, {sweep.runs} runs.", 0)
    if asked.detach:
        print(id)
        return 0
    say("It goes on if this window is closed; Ctrl+C cancels it.", 0)
    try:
        _follow(store, id)
    except KeyboardInterrupt:
        store.cancel_sweep(id)
        return say(f"Sweep {id} is asked to stop.", INTERRUPTED)
    _print(store, id, asked.json)
    return 0 if store.sweep(id).state == "finished" else FAILED


def sweep_of(asked: argparse.Namespace) -> Sweep:
    """What the arguments ask for: a preset sweep with changes, or one over a comparison; ValueError as `Sweep`."""
    texts = {"rho": asked.rho} | {field: getattr(asked, f"many_{field}") for field in ("lr", *RECIPE_FIELDS)}
    values = {field: parse_values(field, text) for field, text in texts.items()}
    one = {field: values[field][0] for field in RECIPE_FIELDS if len(values[field]) == 1}
    for field, value in one.items():  # nothing to sweep over: the recipe's
        setattr(asked, field, str(value))
    if asked.recipe is None and asked.preset in GRIDS:
        preset = GRIDS[asked.preset].sweep
        base = changed(preset.base, asked)
        values = {field: own or getattr(preset, field) for field, own in values.items()}
    else:
        base = comparison_of(asked)
    return Sweep(
        name=asked.name or base.name[:LONGEST_NAME],
        base=base,
        search=asked.search,
        trials=None if asked.trials is None else value_of(asked.trials),
        **values | dict.fromkeys(one, ()),
    )


def _follow(store: Store, id: str) -> None:
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


def _show(asked: argparse.Namespace) -> int:
    check_target("json", asked.json)
    _print(open_store(), asked.id, asked.json)
    return 0


def _swept(store: Store, id: str) -> Swept:
    view = store.sweep(id)
    members = [(point, comparison, header.state) for point, comparison, header in view.members]
    rows = store.sweep_metrics(id)[["comparison", "seed", "arm", "name", "epoch", "value"]]
    return sweep_data(view.sweep, members, rows.itertuples(index=False, name=None))


def _print(store: Store, id: str, path: Path | None) -> None:
    """The table, what came out best, and the same as JSON where a file is asked for."""
    data = _swept(store, id)
    print(f"Sweep {id}: {data.sweep.name} ({store.sweep(id).state})\n")
    table(sweep_table(data))
    print("", *sweep_conclusion(data), sep="\n")
    if path is not None:
        rows = [asdict(row) for row in data.rows]
        write(path, json.dumps({"sweep": data.sweep.to_dict(), "rows": rows}, indent=2))


def _list(_: argparse.Namespace) -> int:
    rows = [("id", "state", "done", "comparisons", "begun", "name")]
    for line in open_store().sweeps():
        begun = time.strftime("%Y-%m-%d %H:%M", time.localtime(line.created))
        rows.append((line.id, line.state, f"{100 * line.progress:.0f}%", str(line.sweep.size), begun, line.name))
    table(rows)
    return 0


def _cancel(asked: argparse.Namespace) -> int:
    open_store().cancel_sweep(asked.id)
    print(f"Sweep {asked.id} is asked to stop.")
    return 0


def _delete(asked: argparse.Namespace) -> int:
    open_store().delete_sweep(asked.id)
    print(f"Sweep {asked.id} is deleted.")
    return 0
