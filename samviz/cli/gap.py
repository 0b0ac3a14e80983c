"""Sharpness and the generalization gap over a sweep, in the terminal: measure what is left, print the coefficients."""

import argparse
import json
from dataclasses import replace
from typing import Any

from samviz.cli.measure import add_measuring, measured, sized
from samviz.cli.terminal import FAILED, check_target, say, table, write
from samviz.figures.gap import COLUMNS, MEASURES, Correlation, about_gap, beside_asam, correlation_notes, with_radii
from samviz.figures.gap_runs import COMPARABLE, correlation_of, last_asked, looked_up, standing_of
from samviz.figures.networks import GAPS, comparable
from samviz.runs import Store, open_store
from samviz.spec import check
from samviz.spec.fields import parse_numbers
from samviz.spec.measurement import SharpnessOf

LAST = "as for this sweep the last time"


def add_to(actions: Any) -> None:
    """The action `measure` of the command `sweeps`."""
    measure = actions.add_parser(
        "measure", help="how sharp its minima are, and what that has to do with their gaps", allow_abbrev=False
    )
    measure.set_defaults(command=_measure)
    measure.add_argument("id")
    measure.add_argument("--gap", default="loss", help="; ".join(f"{key}: {what}" for key, what in GAPS.items()))
    first = ",".join(f"{one.rho:g}" for one in MEASURES)
    measure.add_argument("--radii", help=f"of the four columns of ASAM Table 1 (default: {LAST}, at first {first})")
    add_measuring(measure, LAST, LAST)


def _measure(asked: argparse.Namespace) -> int:
    check.choice("gap", asked.gap, GAPS)
    check_target("json", asked.json)
    store = open_store()
    view, known = looked_up(store, asked.id)
    if not comparable(view.sweep):
        raise check.wrong("sweep", COMPARABLE, asked.id)
    question = _question(last_asked(known), asked)
    standing = standing_of(view, known, question)
    if not standing.wanted:
        raise ValueError(f"No run of sweep {asked.id} has finished yet.")
    going = [run for run, one in standing.found.items() if one in standing.waiting]
    measured(store, {run: standing.wanted[run] for run in [*standing.left, *going]}, asked.detach)
    return 0 if asked.detach else _print(store, asked, question)


def _question(last: SharpnessOf, asked: argparse.Namespace) -> SharpnessOf:
    """What was asked last, with the radii and images that the arguments tell; ValueError where they cannot be."""
    question = sized(last, asked)
    if asked.radii is None:
        return question
    form = f"{len(MEASURES)} numbers with commas between them"
    radii = parse_numbers("radii", asked.radii, form)
    if len(radii) != len(MEASURES):
        raise check.wrong("radii", form, asked.radii)
    return replace(question, measures=with_radii(radii))


def _print(store: Store, asked: argparse.Namespace, question: SharpnessOf) -> int:
    """The coefficients of all that is measured by now, ASAM's beside them, and what they rest on."""
    view, known = looked_up(store, asked.id)
    standing, found = standing_of(view, known, question), correlation_of(store, view, known, question)
    print(f"Sweep {asked.id}: {view.sweep.name}. {standing.line}")
    if standing.results:
        where = next(iter(standing.results.values()))
        print(f"{about_gap(asked.gap, view.sweep)} {where['images']} train images, {where['data_label']}.\n")
        table(_coefficients(found, asked.gap))
        print("\nIn brackets: the cells of ASAM Table 1, which are from another network and grid.")
        print(*correlation_notes(found, asked.gap), sep="\n")
    if asked.json is not None:
        write(asked.json, json.dumps(_facts(found, asked.gap), indent=2))
    return say(standing.trouble, FAILED) if standing.trouble else 0


def _coefficients(found: Correlation, gap: str) -> list[tuple[str, ...]]:
    rows = [("groups differ in", *(label for _, _, label in COLUMNS))]
    for name, cells in beside_asam(found, gap):
        told = [_number(own) + ("" if asam is None else f" ({_number(asam)})") for own, asam in cells]
        rows.append((name, *told))
    return rows


def _number(coefficient: float | None) -> str:
    return "-" if coefficient is None else f"{coefficient:.3f}"


def _facts(found: Correlation, gap: str) -> dict[str, Any]:
    """All that the table is made of, for a file."""
    networks = [
        {
            "point": network.point.to_dict(),
            "seed": network.seed,
            "arm": network.arm,
            "sharpness": [network.sharpness[kind] for kind in found.kinds],
            "gap": [network.gap(gap, kind) for kind in found.kinds],
        }
        for network in found.networks
    ]
    rows = [
        {"name": name, "coefficients": [own for own, _ in cells], "asam": [asam for _, asam in cells]}
        for name, cells in beside_asam(found, gap)
    ]
    return {
        "sweep": found.sweep.to_dict(),
        "gap": gap,
        "measures": [kind.measure.to_dict() | {"images": kind.images, "m": kind.m} for kind in found.kinds],
        "rows": rows,
        "notes": correlation_notes(found, gap),
        "networks": networks,
    }
