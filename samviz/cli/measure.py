"""Sharpness from the terminal: ask about a comparison's checkpoints, follow the measurements, print their table."""

import argparse
import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from tqdm import tqdm

from samviz.cli.changes import value_of
from samviz.cli.compare import RESUME_SECONDS
from samviz.cli.terminal import FAILED, check_target, say, table, write
from samviz.figures.measured import measured_table, measured_where
from samviz.runs import UNFINISHED, Header, MeasurementView, Store, open_store
from samviz.runs.places import checkpoint_folder
from samviz.spec import check
from samviz.spec.measurement import FEWEST_IMAGES, MOST_IMAGES, Measurement, SharpnessOf, from_json, to_dict
from samviz.spec.questions import IMAGES, M, measures_of

POLL_SECONDS = 1.0
"""Each look reads all measurements of the comparisons; one takes from seconds to hours."""
Run = tuple[str, int]
"""Id of a comparison, and a seed."""


def add_to(commands: Any) -> None:
    """The command `measure`."""
    measure = commands.add_parser(
        "measure", help="a comparison: how sharp the minima are that it found", allow_abbrev=False
    )
    measure.set_defaults(command=_measure)
    measure.add_argument("id")
    measure.add_argument("--seeds", help="such as 0,1 (default: all that have a checkpoint)")
    measure.add_argument("--arms", help="such as SGD,SAM-ON: names or keys (default: all)")
    measure.add_argument("--measurement", metavar="FILE", type=Path, help="ask what this JSON file says instead")
    add_measuring(measure, IMAGES["sharpness"], M)


def add_measuring(parser: argparse.ArgumentParser, images: int | str, m: int | str) -> None:
    """What `sized` and `measured` take, and where the answers are to be written."""
    parser.add_argument("--images", help=f"train images that it is measured on (default: {images})")
    parser.add_argument("--m", help=f"images that climb together (default: {m})")
    parser.add_argument("--json", metavar="FILE", type=Path, help="write what was measured there")
    parser.add_argument("--detach", action="store_true", help="print the measurements' ids and return; they go on")


def _measure(asked: argparse.Namespace) -> int:
    check_target("json", asked.json)
    store = open_store()
    header = store.header(asked.id)
    question = _question(header, asked)
    seeds = _seeds(store, header, asked.seeds)
    views = measured(store, {(asked.id, seed): question for seed in seeds}, asked.detach)
    if asked.detach:
        return 0
    found = {view.seed: view for view in views.values()}
    results = {seed: found[seed].result for seed in seeds if seed in found and found[seed].state == "finished"}
    for seed, view in found.items():
        if seed not in results:
            say(f"Seed {seed}: {view.state}. {view.reason}".rstrip())
    if results:
        print(f"Comparison {asked.id}: {header.comparison.name}")
        print(*measured_where(results), "", sep="\n")
        table(measured_table(question, results, header.comparison.labels))
    if asked.json is not None:
        told = [{"seed": seed, "result": result} for seed, result in results.items()]
        facts = {"comparison": asked.id, "measurement": to_dict(question), "results": told}
        write(asked.json, json.dumps(facts, indent=2))
    return 0 if len(results) == len(seeds) else FAILED


def _question(header: Header, asked: argparse.Namespace) -> Measurement:
    """What the file asks for, or what the Sharpness page asks for at first; ValueError where there is no such arm."""
    if asked.measurement is not None:
        if (asked.arms, asked.images, asked.m) != (None, None, None):
            raise ValueError("arms, images and m must be in the measurement's file, but one is given beside it.")
        try:
            return from_json(asked.measurement.read_text("utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            raise ValueError(f"The measurement {asked.measurement} cannot be read: {error}.") from None
    keys = {label: key for key, label in header.comparison.labels.items()}
    keys |= {key: key for key in header.comparison.labels}
    arms = list(keys.values()) if asked.arms is None else [_key(name.strip(), keys) for name in asked.arms.split(",")]
    question = SharpnessOf(arms=tuple(dict.fromkeys(arms)), measures=measures_of(), images=IMAGES["sharpness"], m=M)
    return sized(question, asked)


def _key(name: str, keys: Mapping[str, str]) -> str:
    return keys[check.choice("arm", name, keys)]


def sized(question: SharpnessOf, asked: argparse.Namespace) -> SharpnessOf:
    """The question about as many images as were asked for; unless m was, too, it is no more than they are."""
    images = question.images
    if asked.images is not None:
        images = check.integer("images", value_of(asked.images), FEWEST_IMAGES, MOST_IMAGES)
    return replace(question, images=images, m=min(question.m, images) if asked.m is None else value_of(asked.m))


def _seeds(store: Store, header: Header, text: str | None) -> list[int]:
    """The seeds that are asked for, or all that have a checkpoint; ValueError where one has none."""
    if header.bundled:
        raise ValueError("The bundled example's weights are not part of samviz: run its recipe, and measure that.")
    runs = {run.seed: run.id for run in header.runs}
    saved = [seed for seed, run in runs.items() if checkpoint_folder(store.engine, store.home, run).names()]
    seeds = saved if text is None else [check.choice("seed", value_of(seed), runs) for seed in text.split(",")]
    for seed in seeds or runs:
        if seed not in saved:
            which = f"Seed {seed} of comparison {header.id}"
            raise ValueError(f"{which} has no checkpoint yet: one is saved after each epoch.")
    return list(dict.fromkeys(seeds))


def measured(store: Store, wanted: Mapping[Run, Measurement], detach: bool) -> dict[str, MeasurementView]:
    """Measure what was not measured before, show how far it is, and return how all of it ended, by id.

    Where it is to be detached, the ids are printed, and the end is not waited for. Ctrl+C cancels what was queued here
    and leaves alone what others had queued. Raises ValueError as `Store.measure` does.
    """
    others = {view.id for view in _views(store, wanted) if view.state in UNFINISHED}
    ids: list[str] = []
    try:
        for (comparison, seed), question in wanted.items():
            ids.append(store.measure(comparison, seed, question))
        if detach:
            print("".join(f"{id}\n" for id in ids), end="")
            return {}
        return _followed(store, wanted, ids)
    except KeyboardInterrupt:
        mine = _of(store, wanted, [id for id in ids if id not in others]).values()
        jobs = [view.job for view in mine if view.state in UNFINISHED]
        for job in jobs:
            store.cancel_job(job)
        say(f"Asked to stop: {len(jobs)} of {len(wanted)} measurements.")
        raise


def _views(store: Store, wanted: Mapping[Run, Measurement]) -> list[MeasurementView]:
    found = store.measurements_of({comparison for comparison, _ in wanted})
    return [view for several in found.values() for view in several]


def _followed(store: Store, wanted: Mapping[Run, Measurement], ids: list[str]) -> dict[str, MeasurementView]:
    """Show how far the measurements are until all have ended; one that was deleted meanwhile is left out."""
    views, resumed = _of(store, wanted, ids), time.monotonic()
    if any(view.state in UNFINISHED for view in views.values()):
        say("It goes on if this window is closed; Ctrl+C cancels what was not asked for before.")
    shape = "{percentage:3.0f}% of {total_fmt} measured |{bar}| {elapsed} <{remaining}"
    with tqdm(total=len(ids), bar_format=shape, disable=None, leave=False) as bar:
        while going := [view for view in views.values() if view.state in UNFINISHED]:
            bar.n = len(ids) - len(going) + sum(view.progress for view in going)
            bar.refresh()
            time.sleep(POLL_SECONDS)
            if time.monotonic() - resumed > RESUME_SECONDS:
                store.resume()
                resumed = time.monotonic()
            views = _of(store, wanted, ids)
    return views


def _of(store: Store, wanted: Mapping[Run, Measurement], ids: Iterable[str]) -> dict[str, MeasurementView]:
    """How these measurements of the comparisons stand, by id."""
    return {view.id: view for view in _views(store, wanted) if view.id in ids}
