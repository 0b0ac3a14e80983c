"""The toy of ASAM section 5.1 in NumPy: losses, paths, what became of them, and maximization regions."""

from samviz.toy.ascent import first_order_sharpness, one_step
from samviz.toy.contours import contour, valley
from samviz.toy.descend import Path, descend
from samviz.toy.ends import Ends, ends
from samviz.toy.loss import gradient, loss
from samviz.toy.maps import along_valley, dead_edge, dead_radius
from samviz.toy.outcome import Outcome, outcome
from samviz.toy.regions import REGIONS, Maximum, maximum, outline, sharpness

__all__ = [
    "REGIONS",
    "Ends",
    "Maximum",
    "Outcome",
    "Path",
    "along_valley",
    "contour",
    "dead_edge",
    "dead_radius",
    "descend",
    "ends",
    "first_order_sharpness",
    "gradient",
    "loss",
    "maximum",
    "one_step",
    "outcome",
    "outline",
    "sharpness",
    "valley",
]
