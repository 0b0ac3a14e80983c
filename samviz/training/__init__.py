"""Training: networks, batches on the device, and the lockstep loop. Yields events and knows no storage."""

from samviz.training.estimate import calibrate
from samviz.training.hardware import device, machine
from samviz.training.loop import train
from samviz.training.networks import build
from samviz.training.pace import Pace, find_pace

__all__ = ["Pace", "build", "calibrate", "device", "find_pace", "machine", "train"]
