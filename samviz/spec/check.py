"""One sentence for every wrong value: the field, what is allowed, and what was found."""

from collections.abc import Collection, Mapping
from difflib import get_close_matches
from math import isfinite
from typing import Any

MANY = 16
"""Fields that one sentence can list."""


def _show(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


def wrong(field: str, allowed: str, value: Any) -> ValueError:
    """The error for a value that is not allowed."""
    return ValueError(f"{field} must be {allowed}, but it is {_show(value)}.")


def number(field: str, value: Any, low: float, high: float) -> float:
    """Return value as a float in [low, high]; raise ValueError otherwise."""
    ok = isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high and isfinite(value)
    if not ok:
        raise wrong(field, f"a number from {low:g} to {high:g}", value)
    return float(value)


def integer(field: str, value: Any, low: int, high: int) -> int:
    """Return value as an int in [low, high]; raise ValueError otherwise."""
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise wrong(field, f"a whole number from {low} to {high}", value)
    return value


def choice(field: str, value: Any, allowed: Collection[Any]) -> Any:
    """Return value if it is one of `allowed`; raise ValueError otherwise."""
    if not isinstance(value, str | int | None) or value not in allowed:
        raise wrong(field, "one of " + ", ".join("none" if a is None else str(a) for a in allowed), value)
    return value


def flag(field: str, value: Any) -> bool:
    """Return value if it is true or false; raise ValueError otherwise."""
    if not isinstance(value, bool):
        raise wrong(field, "true or false", value)
    return value


def text(field: str, value: Any, longest: int) -> str:
    """Return value if it is a string of 1 to `longest` characters; raise ValueError otherwise."""
    if not isinstance(value, str) or not 1 <= len(value.strip()) <= longest or not value.isprintable():
        raise wrong(field, f"a line of 1 to {longest} characters", value)
    return value.strip()


def mapping(field: str, value: Any, known: Collection[str]) -> Mapping[str, Any]:
    """Return value if it is a mapping with no other keys than `known`; raise ValueError otherwise."""
    if not isinstance(value, Mapping):
        raise wrong(field, "an object with named fields", value)
    for key in value:
        if key not in known:
            raise ValueError(f"{field} has no field {_show(key)}: {_known(str(key), list(known))}.")
    return value


def _known(key: str, known: list[str]) -> str:
    """What there is instead: all of it, or of a long list what looks most alike."""
    if len(known) <= MANY:
        return f"it has {', '.join(known)}"
    return f"of its {len(known)} fields {', '.join(get_close_matches(key, known, 4, 0))} come closest"


def sequence(field: str, value: Any, low: int, high: int) -> tuple[Any, ...]:
    """Return value as a tuple of low to high entries; raise ValueError otherwise."""
    if not isinstance(value, list | tuple) or not low <= len(value) <= high:
        raise wrong(field, f"a list of {low} to {high} entries", value)
    return tuple(value)
