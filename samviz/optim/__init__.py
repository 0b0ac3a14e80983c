"""Sharpness-aware minimization in torch: which parameters are perturbed, by how much, and the two-pass step."""

from samviz.optim.ascent import maximizer
from samviz.optim.sam import SAM
from samviz.optim.scopes import NORM_LAYERS, select

__all__ = ["NORM_LAYERS", "SAM", "maximizer", "select"]
