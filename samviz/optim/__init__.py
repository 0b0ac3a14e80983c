"""Sharpness-aware minimization in torch: which parameters are perturbed, by how much, and the two-pass step."""

from samviz.optim.ascent import maximizer
from samviz.optim.coverage import Coverage, coverage
from samviz.optim.sam import SAM
from samviz.optim.scopes import fix_norm, is_norm_layer, norm_parameters, register_norm_layer, select, train_only_norm
from samviz.spec import Mask, default_rho
from samviz.variants import VARIANTS, Variant

__all__ = [
    "SAM",
    "VARIANTS",
    "Coverage",
    "Mask",
    "Variant",
    "coverage",
    "default_rho",
    "fix_norm",
    "is_norm_layer",
    "maximizer",
    "norm_parameters",
    "register_norm_layer",
    "select",
    "train_only_norm",
]
