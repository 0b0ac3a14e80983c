"""Sweeps to start from: where their values come from, and what to expect of them."""

from dataclasses import dataclass

from samviz.spec.arm import Arm
from samviz.spec.comparison import Comparison
from samviz.spec.recipe import Recipe
from samviz.spec.sweep import Sweep


@dataclass(frozen=True, kw_only=True, slots=True)
class Grid:
    """A named sweep."""

    label: str
    source: str
    """Where the values come from."""
    note: str
    """What to expect, caveats included."""
    sweep: Sweep


GRIDS = {
    "gap": Grid(
        label="Sharpness and the generalization gap",
        source="hyper-parameters from ASAM section 3 and Table 1; all values and the recipe are ours (ASAM has its "
        "own in appendix B, which is not in the text at hand)",
        note="SGD alone, once for each combination of three batch sizes, learning rates, weight decays and dropout "
        "rates: few images, so that the gaps are wide and two CPU cores are enough.",
        sweep=Sweep(
            name="Generalization gap",
            base=Comparison(
                name="Generalization gap",
                recipe=Recipe(dataset="cifar10", train_size=2000, test_size=2000, network="resnet8", epochs=30),
                arms=(Arm(),),
            ),
            batch_size=(32, 64, 128),
            lr=(0.01, 0.03, 0.1),
            weight_decay=(0.0, 0.0005, 0.002),
            dropout=(0.0, 0.25, 0.5),
        ),
    ),
}
