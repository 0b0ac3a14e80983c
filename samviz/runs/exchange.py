"""A comparison as one JSON text, and back: what `export` writes and what the bundled example is read from.

Rows that share seed, arm and name are one entry with parallel lists, which keeps the text small and diffs readable.
Numbers that JSON cannot write (a diverged loss) are the strings "nan", "inf" and "-inf".

The text may come from anybody: all of it is checked before anything is made of it, so that what was read can be stored
and drawn like a comparison that was run here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import MISSING, asdict, fields
from functools import partial
from itertools import filterfalse, pairwise
from math import isfinite
from typing import TYPE_CHECKING, Any, NoReturn

from samviz.runs.views import HISTOGRAM_COLUMNS, METRIC_COLUMNS, STATES, RunView, Snapshot
from samviz.spec import Comparison, check

if TYPE_CHECKING:
    import pandas as pd

FORMAT = "samviz comparison 1"
LATEST = 1e11
"""Seconds since 1970: the year 5138, which every clock and calendar can still write."""
MOST_STEPS = 2**31 - 1
MOST_ATTEMPTS = 10**6
"""Of a run; a store counts on from here in 32 bits."""
MOST_VALUE = 1e100
"""Of what is measured, the largest finite number: the square of a larger one could not be drawn."""
MOST_NAMES, MOST_LAYER_NAMES = 64, 2000
"""Different names of metrics, and of those of single norm layers (NAME/NUMBER): each takes memory for all epochs."""
MOST_BINS, MOST_COUNT = 200, 10**8
COUNTED, MOST_COUNTED = {"seconds", "gradient_evaluations", "diverged", "failed"}, 1e12
"""Metrics that axes and steps are made of: always finite, never negative, and at most so much."""
_ODD = ("nan", "inf", "-inf")


def to_json(snapshot: Snapshot) -> str:
    """All that is known of a comparison, as text."""
    metrics = [
        {**entry, "value": [value if isfinite(value) else str(value) for value in entry["value"]]}
        for entry in _grouped(snapshot.metrics, ["seed", "arm", "name"])
    ]
    histograms = list(_grouped(snapshot.histograms, ["seed", "arm", "name", "low", "high"]))
    data = {
        "format": FORMAT,
        "comparison": snapshot.comparison.to_dict(),
        "state": snapshot.state,
        "created": snapshot.created,
        "data_label": snapshot.data_label,
        "runs": [asdict(run) for run in snapshot.runs],
        "metrics": metrics,
        "histograms": histograms,
    }
    return json.dumps(data, allow_nan=False) + "\n"


def _grouped(rows: pd.DataFrame, keys: list[str]) -> Iterator[dict[str, Any]]:
    """The rows that share all keys as one entry: these once, the other columns as lists, in the order of the rows.

    Pandas would take a second for ten thousand groups.
    """
    import numpy as np

    group = rows.groupby(keys, sort=False).ngroup().to_numpy()
    order = np.argsort(group, kind="stable")
    columns = {name: rows[name].to_numpy()[order].tolist() for name in rows}
    begins = np.flatnonzero(np.diff(group[order], prepend=-1)).tolist()
    for begin, end in pairwise([*begins, len(group)]):
        shared = {name: columns[name][begin] for name in keys}
        yield shared | {name: column[begin:end] for name, column in columns.items() if name not in keys}


def from_json(text: str, *, id: str, revision: str, bundled: bool = False) -> Snapshot:
    """Read what `to_json` wrote; raises ValueError in one sentence where the text is something else.

    Rows come back grouped by seed, arm and name; those of one group are in the order that they had.
    """
    try:
        data = whole_object("the text", json.loads(text, parse_constant=no_constant), _CONTENT)
        if data["format"] != FORMAT:
            raise check.wrong("format", f'"{FORMAT}"', data["format"])
        comparison = Comparison.from_dict(data["comparison"])
        return Snapshot(
            id=id,
            revision=revision,
            bundled=bundled,
            comparison=comparison,
            state=check.choice("state", data["state"], STATES),
            created=check.number("created", data["created"], 0, LATEST),
            data_label=check.text("data_label", data["data_label"], 200),
            runs=_runs(data["runs"], comparison),
            metrics=_metrics(data["metrics"], comparison),
            histograms=_histograms(data["histograms"], comparison),
        )
    except (ValueError, OverflowError, RecursionError) as error:
        reason = str(error).rstrip(".")
        raise ValueError(f"This is not the text of an exported comparison: {reason}.") from None


_CONTENT = ("format", "comparison", "state", "created", "data_label", "runs", "metrics", "histograms")


def no_constant(name: str) -> NoReturn:
    raise ValueError(f"JSON has no {name}")


def whole_object(what: str, value: Any, names: Collection[str], optional: Collection[str] = ()) -> dict[str, Any]:
    """Return value if it is a mapping with these fields, all of them but for the optional ones, and no others."""
    value = check.mapping(what, value, names)
    for name in names:
        if name in optional:
            continue
        if name not in value:
            raise ValueError(f"{what} must have the field {name}, but it has {', '.join(value) or 'none'}.")
    return dict(value)


def _text(field: str, value: Any, most: int) -> str:
    """A text of any lines, such as a log, that can be written to files and databases: NUL is replaced."""
    if not isinstance(value, str) or len(value) > most or _SURROGATES.search(value):
        raise check.wrong(field, f"a text of at most {most} characters", value)
    return value.replace("\0", "\ufffd")


def _time(field: str, value: Any) -> float | None:
    return None if value is None else check.number(field, value, 0, LATEST)


def _machine(field: str, value: Any) -> dict[str, str]:
    if not isinstance(value, dict) or len(value) > 50:
        raise check.wrong(field, "an object with at most 50 fields", value)
    return {check.text(field, name, 50): _text(f"{field}.{name}", text, 500) for name, text in value.items()}


_SURROGATES = re.compile("[\ud800-\udfff]")
"""Halves of characters, which JSON can hold and UTF-8 cannot."""

_RUN: dict[str, Callable[[str, Any], Any]] = {
    "id": partial(check.integer, low=0, high=2**63 - 1),
    "seed": partial(check.integer, low=0, high=2**31 - 1),
    "state": partial(check.choice, allowed=STATES),
    "reason": partial(_text, most=10_000),
    "since": partial(check.number, low=0, high=LATEST),
    "progress": partial(check.number, low=0, high=1),
    "attempt": partial(check.integer, low=0, high=MOST_ATTEMPTS),
    "started": _time,
    "finished": _time,
    "host": partial(_text, most=500),
    "machine": _machine,
    "error": partial(_text, most=1_000_000),
    "log_tail": partial(_text, most=100_000),
}
"""How each field of a `RunView` is checked; those with a default may be missing, as in texts of earlier versions."""
_NEW = {field.name for field in fields(RunView) if field.default is not MISSING}


def _runs(entries: Any, comparison: Comparison) -> tuple[RunView, ...]:
    """One run for each seed of the comparison, in the order that they have in the text."""
    runs = []
    for entry in check.sequence("runs", entries, len(comparison.seeds), len(comparison.seeds)):
        run = whole_object("a run", entry, _RUN, _NEW)
        runs.append(RunView(**{name: _RUN[name](name, value) for name, value in run.items()}))
    if sorted(run.seed for run in runs) != sorted(comparison.seeds):
        seeds = [run.seed for run in runs]
        raise ValueError(f"runs must be of the seeds {list(comparison.seeds)}, but they are of {seeds}.")
    return tuple(runs)


def _entries(
    what: str, entries: Any, lists: tuple[str, ...], more: tuple[str, ...], comparison: Comparison
) -> Iterator[tuple[tuple[int, str, str], int, dict[str, Any]]]:
    """Each entry with what it is of (seed, arm, name) and how many rows it has; `lists` are its parallel lists."""
    if not isinstance(entries, list):
        raise check.wrong(what, "a list", entries)
    seeds, arms = comparison.seeds, [arm.key for arm in comparison.arms]
    for entry in entries:
        entry = whole_object(what, entry, ("seed", "arm", "name", *more, *lists))
        key = (entry["seed"], entry["arm"], check.text("name", entry["name"], 200))
        if type(key[0]) is not int or key[0] not in seeds:
            raise check.wrong(f"seed of {what}", f"one of {', '.join(map(str, seeds))}", key[0])
        if key[1] not in arms:
            raise check.wrong(f"arm of {what}", f"one of {', '.join(arms)}", key[1])
        if key[2] != entry["name"]:
            raise check.wrong(f"name of {what}", "a text without space around it", entry["name"])
        for name in lists:
            if not isinstance(entry[name], list) or len(entry[name]) != len(entry[lists[0]]):
                raise ValueError(f"{' and '.join(lists)} of {key[2]} must be lists of the same length.")
        yield key, len(entry[lists[0]]), entry


def _metrics(entries: Any, comparison: Comparison) -> pd.DataFrame:
    """Whole lists at a time: there may be millions of rows."""
    import numpy as np
    import pandas as pd

    keys, lengths, names = [], [], set()
    columns: dict[str, list] = {"epoch": [np.empty(0, "int64")], "step": [np.empty(0, "int64")], "value": [np.empty(0)]}
    for key, length, entry in _entries("metrics", entries, ("epoch", "step", "value"), (), comparison):
        keys.append(key)
        lengths.append(length)
        names.add(key[2])
        _integers("epoch", entry["epoch"], comparison.epochs)
        _integers("step", entry["step"], MOST_STEPS)
        if len(set(entry["step"])) < length:
            raise ValueError(f"the steps of {key[2]} must differ from each other, but one is there twice.")
        columns["epoch"].append(np.array(entry["epoch"], "int64"))
        columns["step"].append(np.array(entry["step"], "int64"))
        columns["value"].append(np.array(_values(key[2], entry["value"])))
    if len(set(keys)) < len(keys):
        raise ValueError("metrics must have one entry for each seed, arm and name, but one is there twice.")
    _few("metrics of layers", set(filter(_of_layer, names)), MOST_LAYER_NAMES)
    _few("metrics", set(filterfalse(_of_layer, names)), MOST_NAMES)
    seeds, arms, labels = zip(*keys, strict=True) if keys else ((), (), ())
    of = {
        "seed": np.repeat(np.array(seeds, "int64"), lengths),
        "arm": pd.array(arms, dtype="str").repeat(lengths),
        "name": pd.array(labels, dtype="str").repeat(lengths),
    }
    of |= {column: np.concatenate(parts) for column, parts in columns.items()}
    return pd.DataFrame({column: of[column] for column in METRIC_COLUMNS})


def _histograms(entries: Any, comparison: Comparison) -> pd.DataFrame:
    rows: list[tuple] = []
    epochs: dict[tuple[int, str, str], set[int]] = {}
    bins: dict[str, tuple[float, float, int]] = {}
    for key, _, entry in _entries("histograms", entries, ("epoch", "counts"), ("low", "high"), comparison):
        seed, arm, name = key
        low, high = (check.number(end, entry[end], -1e6, 1e6) for end in ("low", "high"))
        if low >= high:
            raise ValueError(f"low of {name} must be less than high, {high:g}, but it is {low:g}.")
        _integers("epoch", entry["epoch"], comparison.epochs)
        before = epochs.setdefault(key, set())
        before.update(entry["epoch"])
        for epoch, counts in zip(entry["epoch"], entry["counts"], strict=True):
            if not isinstance(counts, list) or not 1 <= len(counts) <= MOST_BINS:
                raise check.wrong(f"counts of {name}", f"lists of 1 to {MOST_BINS} bins", counts)
            _integers(f"counts of {name}", counts, MOST_COUNT)
            if bins.setdefault(name, (low, high, len(counts))) != (low, high, len(counts)):
                raise ValueError(f"the histograms of {name} must have common bins, but they differ.")
            rows.append((seed, arm, epoch, name, low, high, tuple(counts)))
    if sum(map(len, epochs.values())) < len(rows):
        raise ValueError("an epoch must have one histogram of a seed, arm and name, but one has two.")
    _few("histograms", set(bins), 8)
    return frame(HISTOGRAM_COLUMNS, rows)


def _of_layer(name: str) -> bool:
    """Whether a metric is of a single norm layer: NAME/NUMBER."""
    return name.rpartition("/")[2].isdecimal()


def _few(what: str, names: set[str], most: int) -> None:
    if len(names) > most:
        raise ValueError(f"{what} must be of at most {most} different names, but there are {len(names)}.")


def _integers(field: str, values: list, most: int) -> None:
    """Raise ValueError unless all values are whole numbers from 0 to `most`."""
    if values and (set(map(type, values)) != {int} or min(values) < 0 or max(values) > most):
        bad = next(v for v in values if type(v) is not int or not 0 <= v <= most)
        raise check.wrong(field, f"a whole number from 0 to {most}", bad)


def _values(name: str, values: list) -> list[float]:
    """Numbers, some of them written as text."""
    low, high = (0, MOST_COUNTED) if name in COUNTED else (-MOST_VALUE, MOST_VALUE)
    odd = () if name in COUNTED or _of_layer(name) else _ODD  # sums are made of these
    for value in values:
        if type(value) in (int, float) and low <= value <= high:
            continue
        if not isinstance(value, str) or value not in odd:
            allowed = f"a number from {low:g} to {high:g}" + "".join(f' or "{text}"' for text in odd)
            raise check.wrong(f"value of {name}", allowed, value)
    return [float(value) for value in values]


def frame(columns: list[str], rows: list[tuple]) -> pd.DataFrame:
    """Rows as a frame whose types do not depend on whether there are any."""
    import pandas as pd  # here, because workers and supervisors would wait half a second for it and never use it

    types = {
        "comparison": "str",
        "seed": "int64",
        "epoch": "int64",
        "step": "int64",
        "arm": "str",
        "name": "str",
        "counts": "object",
    }
    lists = zip(*rows, strict=True) if rows else ([] for _ in columns)
    return pd.DataFrame(
        {
            column: pd.Series(values, dtype=types.get(column, "float64"))
            for column, values in zip(columns, lists, strict=True)
        }
    )
