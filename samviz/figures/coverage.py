"""Which parameters an arm perturbs, as a picture of the network: its layers in order, with counts and share."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from math import log10
from pathlib import Path
from typing import Any

from samviz.figures import palette
from samviz.figures.compare import Side
from samviz.figures.curves import uid
from samviz.figures.parts import Chart, Section, Table
from samviz.spec import Arm
from samviz.spec.networks import network_label

FILE = Path(__file__).parents[2] / "assets" / "networks.json"
"""`python -m tests.networks_table` writes it; a test compares it with what torch builds."""

KINDS = {"conv": "convolution", "linear": "linear layer", "norm": "norm layer", "other": "token, position or the like"}
UNTOUCHED = "#a8adb5"
MASKED = {
    "random": "drawn once from the seed",
    "fisher": "those with the largest Fisher information, anew each epoch",
    "dynamic": "dropped and regrown every few epochs",
}
"""Which single numbers a mask perturbs."""


@dataclass(frozen=True, slots=True)
class Layer:
    """A module of a network that has parameters of its own."""

    name: str
    kind: str
    """Key of `KINDS`."""
    tensors: int
    numbers: int


@cache
def _networks() -> dict[str, list]:
    return json.loads(FILE.read_text("utf-8"))


def layers_of(network: str, classes: int) -> list[Layer]:
    """The layers of a network in its own order; none of a network of one's own, which only torch could build."""
    return [
        Layer(name, kind, tensors, fixed + classes * each)
        for name, kind, tensors, fixed, each in _networks().get(network, [])
    ]


def trains(arm: Arm, layer: Layer) -> bool:
    """Whether the arm trains this layer."""
    return {"all": True, "fix_norm": layer.kind != "norm", "norm_only": layer.kind == "norm"}[arm.trained]


def share_of(arm: Arm, layer: Layer) -> float:
    """The part of the layer's numbers that the arm's ascent perturbs, 0 to 1; under a mask, of all layers alike."""
    if arm.variant is None or not trains(arm, layer):
        return 0.0
    if arm.mask is not None:
        return 1 - arm.sparsity
    return float({"all": True, "norm_only": layer.kind == "norm", "no_norm": layer.kind != "norm"}[arm.scope])


def coverage_section(sides: Sequence[Side]) -> Section:
    """A table of counts and shares, and a picture for each arm that has an ascent."""
    rows, keys, charts, notes = [], [], [], []
    for side in sides:
        recipe = side.source.comparison.recipe
        layers = layers_of(recipe.network, len(recipe.class_names))
        if not layers:
            told = f"{recipe.network} is a network of one's own, whose layers samviz does not know: no picture of it."
            notes += [told] if told not in notes else []
            continue
        rows.append((side.label, network_label(recipe.network), *counted(side.arm, layers)))
        keys.append(side.key)
        if side.arm.variant is None:
            continue
        charts.append(
            Chart(
                name=f"coverage-{side.key}",
                title=f"{side.label}: {rows[-1][-1]} of {network_label(recipe.network)}",
                figure=coverage_figure(side, layers),
                height=220,
                note=_note(side.arm),
            )
        )
    head = ("Arm", "Network", "Tensors perturbed", "Numbers perturbed", "Share")
    tables = [Table(head=head, rows=rows, keys=tuple(keys))] if rows else []
    lead = "The ascent perturbs what is in color; what is gray stays where it is." if charts else ""
    return Section(name="network", title="What is perturbed", lead=lead, tables=tables, charts=charts, notes=notes)


def counted(arm: Arm, layers: Sequence[Layer]) -> tuple[str, str, str]:
    """Tensors, numbers and their share that the ascent perturbs, each as text."""
    tensors = sum(layer.tensors for layer in layers if share_of(arm, layer))
    numbers = round(sum(layer.numbers * share_of(arm, layer) for layer in layers))
    of_tensors, of_numbers = (sum(getattr(layer, what) for layer in layers) for what in ("tensors", "numbers"))
    share = f"{100 * numbers / of_numbers:.3g} %"
    return f"{tensors} of {of_tensors}", f"{numbers:,} of {of_numbers:,}", share


def _note(arm: Arm) -> str:
    told = [f"single numbers of all tensors, {MASKED[arm.mask]}"] if arm.mask is not None else []
    if arm.trained != "all":
        told.append("hatched layers do not train")
    if arm.window:
        told.append(f"{arm.window} only")
    return "; ".join(told)


def coverage_figure(side: Side, layers: Sequence[Layer]) -> dict[str, Any]:
    """A bar for each layer, from the images to the logits, as high as it has numbers (logarithmic)."""
    color, hover = [], []
    for layer in layers:
        share = share_of(side.arm, layer)
        color.append(palette.faint(side.look.color, round(0.35 + 0.65 * share, 3)) if share else UNTOUCHED)
        what = "not perturbed" if not share else "perturbed" if share == 1 else f"{100 * share:.3g} % perturbed"
        still = "" if trains(side.arm, layer) else ", does not train"
        hover.append(f"{layer.name}<br>{KINDS[layer.kind]}: {layer.numbers:,} numbers, {what}{still}")
    bars = {
        "type": "bar",
        "uid": uid(side.key),
        "meta": side.key,
        "name": side.plotted(),
        "showlegend": False,
        "x": list(range(1, len(layers) + 1)),
        "y": [layer.numbers for layer in layers],
        "marker": {
            "color": color,
            "line": {"width": 0},
            "pattern": {"shape": ["" if trains(side.arm, layer) else "/" for layer in layers]},
        },
        "text": hover,
        "textposition": "none",
        "hovertemplate": "%{text}<extra></extra>",
    }
    top = round(log10(max(layer.numbers for layer in layers)) + 0.2, 3)
    layout = {
        "xaxis": {"title": {"text": "layer, from the images to the logits"}},
        "yaxis": {
            "type": "log",
            "title": {"text": "numbers"},
            "range": [0, top],
            "dtick": 1,
            "exponentformat": "power",
        },
        "bargap": 0.15,
        "hovermode": "closest",
    }
    return {"data": [bars], "layout": layout}
