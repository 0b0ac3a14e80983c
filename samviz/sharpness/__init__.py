"""How sharp a trained network's minimum is, by any region; rescalings that keep its function; slices of its loss.

Everything here is a generator that tells `Progress` and, last of all, its result: dataclasses of plain numbers.

    from samviz.sharpness import Measure, Progress, sharpness

    measures = [Measure(), Measure(variant="sam", rho=0.1, search="one_step", normalized=False)]
    for event in sharpness(model, images, labels, measures, m=128, seed=0):
        if isinstance(event, Progress):
            print(f"{event.done} of {event.total}")
        else:
            print([found.value for found in event])

A generator may be left at any time: it works on copies, and the model stays as it is throughout.
"""

from samviz.sharpness.answer import answer
from samviz.sharpness.ascent import Found, ascent, finish, one_step
from samviz.sharpness.autopgd import autopgd
from samviz.sharpness.balls import Ball
from samviz.sharpness.curves import Curve, Curves, rescaling_curves
from samviz.sharpness.cuts import Cut
from samviz.sharpness.measures import Progress, Sharpness, sharpness
from samviz.sharpness.regions import Region
from samviz.sharpness.rescale import Rescaled, Seams, logits_change, rescaled, seams
from samviz.sharpness.seams import Seam
from samviz.sharpness.slices import Slice, loss_slice
from samviz.sharpness.stored import measured_images, stored_network
from samviz.spec.measure import Measure

__all__ = [
    "Ball",
    "Curve",
    "Curves",
    "Cut",
    "Found",
    "Measure",
    "Progress",
    "Region",
    "Rescaled",
    "Seam",
    "Seams",
    "Sharpness",
    "Slice",
    "answer",
    "ascent",
    "autopgd",
    "finish",
    "logits_change",
    "loss_slice",
    "measured_images",
    "one_step",
    "rescaled",
    "rescaling_curves",
    "seams",
    "sharpness",
    "stored_network",
]
