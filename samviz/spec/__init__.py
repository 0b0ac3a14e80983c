"""What an experiment is: validated, immutable data with a JSON form. Standard library only."""

from samviz.spec.arm import SCOPES, Arm
from samviz.spec.comparison import Comparison
from samviz.spec.datasets import DATASETS
from samviz.spec.events import Checkpoint, Diverged, Event, Failed, Histogram, Scalar
from samviz.spec.mask import MASKS, Mask
from samviz.spec.networks import NETWORKS
from samviz.spec.presets import PRESETS, Preset
from samviz.spec.radii import RADII, Radius, default_rho
from samviz.spec.recipe import Recipe
from samviz.spec.sweep import Point, Sweep

__all__ = [
    "DATASETS",
    "MASKS",
    "NETWORKS",
    "PRESETS",
    "RADII",
    "SCOPES",
    "Arm",
    "Checkpoint",
    "Comparison",
    "Diverged",
    "Event",
    "Failed",
    "Histogram",
    "Mask",
    "Point",
    "Preset",
    "Radius",
    "Recipe",
    "Scalar",
    "Sweep",
    "default_rho",
]
