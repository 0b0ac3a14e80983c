"""`python -m tests.bench.networks`: count what each network has and costs, and print the table of docs/networks.md."""

from collections.abc import Mapping
from dataclasses import replace

import torch
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from samviz.optim import coverage
from samviz.spec import NETWORKS
from samviz.spec.networks import Network
from samviz.training import build


def counted(network: nn.Module) -> dict[str, int]:
    """The fields of `Network` that are counts, of this network."""
    scope = coverage(network, "norm_only")
    # Fused attention is not in the counter's tables on every device; neither is torch's fused encoder layer, which
    # evaluation takes where no gradient is asked for.
    with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
        network.eval()(torch.zeros(1, 3, 32, 32))
    return {"parameters": scope.numbers, "norm_parameters": scope.perturbed, "flops": counter.get_total_flops()}


def table(networks: Mapping[str, Network]) -> str:
    """The table as Markdown."""
    lines = [
        "| network | key | parameters | gamma and beta | share | GFLOPs an image | published by |",
        "|---|---|--:|--:|--:|--:|---|",
    ]
    lines += [
        f"| {n.label} | `{key}` | {n.parameters:,} | {n.norm_parameters:,} | {100 * n.norm_share:.2g} % "
        f"| {n.flops / 1e9:.3g} | {n.source} |"
        for key, n in networks.items()
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    print(table({key: replace(network, **counted(build(key, 10, 0))) for key, network in NETWORKS.items()}))
