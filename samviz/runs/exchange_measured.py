"""What was measured of a comparison as one JSON text, and back: measurements.json of an exported one.

The text may come from anybody: all of it is checked before anything is made of it, so that what was read can be stored
and drawn like what was measured here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

from samviz.runs.exchange import LATEST, no_constant, whole_object
from samviz.runs.views import MeasurementView
from samviz.spec import Comparison, check, measurement, results

MOST = 5000
"""Measurements of one comparison."""
_FIELDS = ("seed", "weights", "created", "measurement", "result")
_WEIGHTS = re.compile("[0-9a-f]{64}|")


def to_json(measurements: Iterable[MeasurementView], comparison: Comparison) -> str:
    """The finished ones of a comparison's measurements, the oldest first; `measurements` come the newest first.

    Raises ValueError in one sentence for what could not be read back.
    """
    entries = []
    for view in reversed(list(measurements)):
        if view.result is not None:
            entry = {
                "seed": view.seed,
                "weights": view.weights,
                "created": view.created,
                "measurement": measurement.to_dict(view.measurement),
                "result": results.finite(view.result),
            }
            try:
                _view(entry, comparison)
            except ValueError as error:
                raise ValueError(f"Measurement {view.id} could not be read back, so delete it first: {error}") from None
            entries.append(entry)
    check.sequence("measurements", entries, 0, MOST)
    return json.dumps(entries, separators=(",", ":"), allow_nan=False) + "\n"


def from_json(text: str, comparison: Comparison) -> tuple[MeasurementView, ...]:
    """Read what `to_json` wrote, the oldest first; raises ValueError in one sentence where the text is something else.

    The id of each is empty, since it is a store's to give. Of several answers to the same question about the same bytes
    the first is kept, since it is the one that whoever asks again is shown.
    """
    try:
        entries = check.sequence("measurements", json.loads(text, parse_constant=no_constant), 0, MOST)
        views = [_view(entry, comparison) for entry in entries]
    except (ValueError, OverflowError, RecursionError) as error:
        reason = str(error).rstrip(".")
        raise ValueError(f"This is not the text of what was measured of the comparison: {reason}.") from None
    first: dict[tuple[Any, ...], MeasurementView] = {}
    for view in views:
        first.setdefault((view.seed, view.weights, view.measurement), view)
    return tuple(first.values())


def _view(entry: Any, comparison: Comparison) -> MeasurementView:
    entry = whole_object("a measurement", entry, _FIELDS)
    asked = measurement.from_dict(entry["measurement"])
    for key in asked.needs:
        check.choice("arm of a measurement", key, [arm.key for arm in comparison.arms])
    weights = entry["weights"]
    if not isinstance(weights, str) or not _WEIGHTS.fullmatch(weights):
        raise check.wrong("weights", "a SHA-256 in 64 hexadecimal digits, or empty where it is not known", weights)
    seed = entry["seed"]
    if type(seed) is not int or seed not in comparison.seeds:
        raise check.wrong("seed of a measurement", f"one of {', '.join(map(str, comparison.seeds))}", seed)
    return MeasurementView(
        id="",
        comparison="",
        seed=seed,
        weights=weights,
        measurement=asked,
        created=check.number("created", entry["created"], 0, LATEST),
        job=None,
        state="finished",
        reason="",
        progress=1.0,
        result=results.checked(asked, entry["result"], comparison.epochs),
    )
