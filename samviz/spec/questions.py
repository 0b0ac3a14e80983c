"""What the Sharpness page and the terminal measure until somebody asks for something else."""

from collections.abc import Iterable
from dataclasses import replace
from math import inf

from samviz.spec.measure import Measure

REGIONS = {
    "sphere": Measure(variant="sam", rho=0.1),
    "sphere, p = inf": Measure(variant="sam", rho=0.001, p=inf),
    "elementwise": Measure(variant="elementwise_l2", rho=0.5),
    "elementwise, p = inf": Measure(variant="elementwise_linf", rho=0.005),
    "elementwise, η 0.01, T = 1 for biases": Measure(variant="elementwise_l2_orig", rho=0.5),
    "filterwise": Measure(variant="filterwise_l2", rho=0.5, eta=0.0),
    "layerwise": Measure(variant="layerwise_l2", rho=0.025),
}
"""What can be chosen with one press. The radii are those of SAM-ON Table 8 for CIFAR-10 and ResNets, but for three:
that of the elementwise region for p = 2 is the original ASAM's there; those of the sphere for p = infinity and of
filters without eta are ours."""
FIRST_REGIONS = ("sphere", "elementwise", "elementwise, p = inf", "filterwise")
FIRST_SEARCHES = ("one_step", "autopgd")
"""SAM-ON Table 7 tells both, 1 step and 20 steps."""
STEPS = 20
"""Of AutoPGD and of the ascent."""
IMAGES = {"rescaling": 256, "sharpness": 2048, "slice": 512}
"""Train images, by the kind of the measurement: 2048 are SAM-ON's (appendix D)."""
M = 128
"""Images that climb together."""


def measures_of(
    regions: Iterable[str] = FIRST_REGIONS,
    searches: Iterable[str] = FIRST_SEARCHES,
    steps: int = STEPS,
    normalized: bool = True,
) -> tuple[Measure, ...]:
    """Every one of these `REGIONS` by every search; the logits are normalized at first, as in SAM-ON appendix D."""
    searches = tuple(searches)
    return tuple(
        replace(REGIONS[region], search=search, steps=steps, normalized=normalized)
        for region in regions
        for search in searches
    )
