"""A comparison with the settings that the terminal's arguments give it."""

import argparse
import json
from dataclasses import fields, replace
from typing import Any

from samviz.spec import Comparison, Recipe


def changed(comparison: Comparison, asked: argparse.Namespace) -> Comparison:
    """The comparison with the recipe's fields, the seeds and the name that were asked for; ValueError as its parts."""
    given = {field.name: getattr(asked, field.name, None) for field in fields(Recipe)}
    changes = {name: value_of(text) for name, text in given.items() if text is not None}
    if isinstance(changes.get("classes"), str):
        changes["classes"] = [name.strip() for name in changes["classes"].split(",")]
    comparison = replace(comparison, recipe=replace(comparison.recipe, **changes))
    if asked.seeds is not None:
        comparison = replace(comparison, seeds=tuple(value_of(seed) for seed in asked.seeds.split(",")))
    return comparison if asked.name is None else replace(comparison, name=asked.name)


def value_of(text: str) -> Any:
    """A number, true, false or null as in a recipe file; anything else is text, and the recipe's check judges it."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
