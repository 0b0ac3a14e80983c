"""What a measurement comes to: the fields of a result of each kind, their types, lengths and ends."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from math import isfinite
from typing import Any

from samviz.spec import check
from samviz.spec.measurement import SEAMS, Measurement, RescalingOf, SharpnessOf, SliceOf

LEAST_VALUE, MOST_VALUE = 1e-100, 1e100
"""The sizes of what is measured, where it is not 0: squares and quotients of other numbers could not be drawn."""
MOST_COORDINATE = 1e6
"""How far a slice goes at most, in lengths of a direction."""
MOST_SECONDS = 1e9
MOST_LAYERS, LONGEST = 5000, 20_000
"""Texts about the layers of a network, and the characters of one: it may name all layers of a stage."""
MOST_CORNERS = 1000
"""Points of a region's outline."""

Reader = Callable[[str, Any], Any]
"""(field, value) -> the value as it is kept; ValueError in one sentence where it cannot be one."""


def finite(result: Any) -> Any:
    """The same plain data with None for each number that JSON cannot write, as of weights that diverged."""
    if isinstance(result, Mapping):
        return {name: finite(value) for name, value in result.items()}
    if isinstance(result, list | tuple):
        return [finite(value) for value in result]
    return None if isinstance(result, float) and not isfinite(result) else result


def checked(asked: Measurement, result: Any, epochs: int) -> dict[str, Any]:
    """Return what a measurement came to if all of it is as a worker tells it and pages read it.

    `epochs` is how many the comparison trains. Raises ValueError in one sentence that names the field, the value and
    what is allowed; nothing else than the fields of the kind may be there.
    """
    if not isinstance(result, Mapping):
        raise check.wrong("result", "an object with named fields", result)
    match asked:
        case SharpnessOf():
            own = _sharpness(asked, _batches(asked, result))
        case RescalingOf():
            _batches(asked, result)
            own = _rescaling(asked)
        case SliceOf():
            own = _slice(asked)
    own |= {  # what the worker adds
        "epoch": partial(check.integer, low=0, high=epochs),
        "data_label": partial(check.text, longest=200),
        "seconds": partial(check.number, low=0, high=MOST_SECONDS),
    }
    return _fields("result", result, own, of="")


def _batches(asked: SharpnessOf | RescalingOf, result: Mapping[str, Any]) -> int:
    """How many batches of m images were measured."""
    m = check.integer("m", result.get("m"), 1, asked.m)
    images = check.integer("images", result.get("images"), 1, asked.images)
    if images % m:
        raise check.wrong("images", f"a multiple of m, {m}", images)
    return images // m


def _sharpness(asked: SharpnessOf, batches: int) -> dict[str, Reader]:
    of_measure = {"value": _loss, "loss": _loss, "batches": partial(_list, count=batches, entry=_loss)}
    of_arm = partial(_list, count=len(asked.measures), entry=partial(_fields, own=of_measure))
    arms = partial(_fields, own=dict.fromkeys(asked.arms, of_arm))
    return {"arms": arms, "images": _as_it_is, "m": _as_it_is}


def _rescaling(asked: RescalingOf) -> dict[str, Reader]:
    count = len(asked.factors)
    of_curve = {
        "values": partial(_list, count=count, entry=_loss),
        "stays": check.flag,
        "definition_error": partial(_number, none=True),  # none where the gradient was not finite
        "reason": partial(check.text, longest=LONGEST),
    }

    def factors(field: str, value: Any) -> list[float]:
        found = _list(field, value, count, _number)
        if found != list(asked.factors):
            raise check.wrong(field, "those that were asked for", value)
        return found

    def kinds(field: str, value: Any) -> list[str]:
        known = asked.seams or SEAMS
        found = [check.choice(field, kind, known) for kind in check.sequence(field, value, 1, len(known))]
        if len(set(found)) < len(found):
            raise check.wrong(field, "different ones", value)
        return found

    return {
        "factors": factors,
        "kinds": kinds,
        "spread": partial(_same, wanted=asked.spread),
        "seams": partial(_texts, fewest=1),
        "refused": partial(_texts, fewest=0),
        # Where all logits are 0, or one overflows, nothing can be said of their change.
        "logits_change": partial(_list, count=count, entry=partial(_number, none=True)),
        "epsilon_error": partial(_list, count=count, entry=_number),
        "curves": partial(_list, count=len(asked.measures), entry=partial(_fields, own=of_curve)),
        "images": _as_it_is,
        "m": _as_it_is,
    }


def _slice(asked: SliceOf) -> dict[str, Reader]:
    dimensions = len(asked.directions)
    rows = asked.points if dimensions == 2 else 1
    coordinate = partial(_number, low=-MOST_COORDINATE, high=MOST_COORDINATE)
    loss = partial(_list, count=asked.points, entry=_loss)
    accuracy = partial(_list, count=asked.points, entry=partial(_number, high=100))
    point = partial(_list, count=2, entry=partial(_number, low=-MOST_VALUE))
    corners = (1, MOST_CORNERS) if dimensions == 2 else (0, 0)

    def outline(field: str, value: Any) -> list[list[float]]:
        return [point(field, corner) for corner in check.sequence(field, value, *corners)]

    of_cut = {"reach": partial(_list, count=dimensions, entry=_number), "outline": outline}
    return {
        "directions": partial(_same, wanted=list(asked.directions)),
        "x": partial(_list, count=asked.points, entry=coordinate),
        "y": partial(_list, count=rows, entry=coordinate),
        "loss": partial(_list, count=rows, entry=loss),
        "accuracy": partial(_list, count=rows, entry=accuracy),
        "lengths": partial(_list, count=dimensions, entry=partial(_number, none=True)),  # none of weights that diverged
        "cuts": partial(_list, count=len(asked.regions), entry=partial(_fields, own=of_cut)),
        "statistics": partial(_same, wanted=asked.statistics),
        "images": partial(check.integer, low=1, high=asked.images),
    }


def _as_it_is(_: str, value: Any) -> Any:
    return value


def _fields(field: str, value: Any, own: Mapping[str, Reader], of: str | None = None) -> dict[str, Any]:
    """A mapping with all of these fields and no others, each of them checked, in the order that it has."""
    value = check.mapping(field, value, own)
    for name in own:
        if name not in value:
            raise ValueError(f"{field} must have the field {name}, but it has {', '.join(value) or 'none'}.")
    of = f" of {field}" if of is None else of
    return {name: own[name](f"{name}{of}", entry) for name, entry in value.items()}


def _list(field: str, value: Any, count: int, entry: Reader) -> list[Any]:
    if not isinstance(value, list | tuple) or len(value) != count:
        raise check.wrong(field, f"a list of exactly {count} entries", value)
    return [entry(field, one) for one in value]


def _number(field: str, value: Any, low: float = 0, high: float = MOST_VALUE, none: bool = False) -> float | None:
    """Return value as a float, or None where a number that is not finite may stand."""
    if type(value) in (int, float) and low <= value <= high:  # which no NaN is
        return float(value)
    if value is None and none:
        return None
    raise check.wrong(field, f"a number from {low:g} to {high:g}{' or none' if none else ''}", value)


def _loss(field: str, value: Any) -> float | None:
    """A loss or a difference of two; None where it was not finite."""
    found = _number(field, value, -MOST_VALUE, none=True)
    if found and abs(found) < LEAST_VALUE:
        raise check.wrong(field, f"0 or at least {LEAST_VALUE:g} in size", value)
    return found


def _same(field: str, value: Any, wanted: Any) -> Any:
    if value != wanted:
        raise check.wrong(field, f"as it was asked for, {wanted}", value)
    return value


def _texts(field: str, value: Any, fewest: int) -> list[str]:
    return [check.text(field, one, LONGEST) for one in check.sequence(field, value, fewest, MOST_LAYERS)]
