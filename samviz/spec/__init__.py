"""What an experiment is: validated, immutable data with a JSON form. Standard library only."""

from samviz.spec.arm import SCOPES, Arm
from samviz.spec.comparison import Comparison
from samviz.spec.events import Checkpoint, Diverged, Event, Histogram, Scalar
from samviz.spec.presets import PRESETS, Preset
from samviz.spec.recipe import Recipe
from samviz.spec.tables import DATASETS, NETWORKS, default_rho

__all__ = [
    "DATASETS",
    "NETWORKS",
    "PRESETS",
    "SCOPES",
    "Arm",
    "Checkpoint",
    "Comparison",
    "Diverged",
    "Event",
    "Histogram",
    "Preset",
    "Recipe",
    "Scalar",
    "default_rho",
]
