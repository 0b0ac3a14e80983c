"""`python -m tests.networks_table`: write assets/networks.json, the layers of every network with their numbers.

The Compare page draws from it what an arm perturbs: the app never imports torch and cannot build a network.
"""

import json
from pathlib import Path

import torch
from torch import nn

from samviz.spec import NETWORKS
from samviz.training import build
from samviz.training.racer import layer_type

FILE = Path(__file__).parents[1] / "assets" / "networks.json"

Entry = tuple[str, str, int, int, int]
"""A layer: its name, its type, its tensors, and its numbers: those there always are, and those more for each class."""


def layers(network: nn.Module) -> list[tuple[str, str, int, int]]:
    """Name, type, tensors and numbers of each module that has parameters of its own, in the network's order."""
    found = []
    for name, module in network.named_modules():
        if own := list(module.parameters(recurse=False)):
            found.append((name, layer_type(module), len(own), sum(w.numel() for w in own)))
    return found


def entries(name: str) -> list[Entry]:
    """The layers of a network of `NETWORKS`; which numbers come with the classes is seen from two of them."""
    with torch.device("meta"):  # shapes alone
        few, more = (layers(build(name, classes, 0)) for classes in (10, 11))
    rows = []
    for (layer, kind, tensors, numbers), (*_, with_more) in zip(few, more, strict=True):
        per_class = with_more - numbers
        rows.append((layer, kind, tensors, numbers - 10 * per_class, per_class))
    return rows


def text() -> str:
    """The whole file: a line for each layer."""
    networks = []
    for name in NETWORKS:
        lines = ",\n  ".join(json.dumps(entry) for entry in entries(name))
        networks.append(f'"{name}": [\n  {lines}\n]')
    return "{" + ",\n".join(networks) + "}\n"


if __name__ == "__main__":
    FILE.write_text(text(), "utf-8")
