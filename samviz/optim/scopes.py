"""Which parameters of a model the ascent perturbs, and what each is to its layer: by module type, not by name."""

from torch import nn
from torch.nn.modules.batchnorm import _NormBase
from torch.nn.modules.conv import _ConvNd, _ConvTransposeNd

from samviz.spec import SCOPES, check
from samviz.variants import Role

NORM_LAYERS = (_NormBase, nn.LayerNorm, nn.RMSNorm, nn.GroupNorm)
"""The normalization layers; torch's BatchNorm, SyncBatchNorm and InstanceNorm classes are all `_NormBase`."""


def select(model: nn.Module, scope: str = "all") -> dict[nn.Parameter, Role]:
    """The trainable parameters of `model` in `scope`, each once, with their roles, in the model's own order.

    Raises ValueError if there is none: a comparison must not run on an ascent that perturbs nothing.
    """
    check.choice("scope", scope, SCOPES)
    norms = norm_parameters(model)
    chosen: dict[nn.Parameter, Role] = {}
    for module in model.modules():
        for name, w in module.named_parameters(recurse=False):
            if w.requires_grad and w not in chosen and (scope == "all" or (w in norms) == (scope == "norm_only")):
                chosen[w] = _role(module, name, w)
    if not chosen:
        missing = {"all": "", "norm_only": " in normalization layers", "no_norm": " outside normalization layers"}
        raise ValueError(
            f"scope must be one that selects parameters of the model, but {scope} selects none: "
            f"{type(model).__name__} has no trainable parameters{missing[scope]}."
        )
    return chosen


def norm_parameters(model: nn.Module) -> set[nn.Parameter]:
    """Every parameter that belongs to a normalization layer: its gamma and its beta."""
    return {w for m in model.modules() if isinstance(m, NORM_LAYERS) for w in m.parameters(recurse=False)}


def _role(module: nn.Module, name: str, w: nn.Parameter) -> Role:
    """The layer is the parameter tensor; a filter is what one output channel of a convolution reads.

    torch calls its biases bias, bias_ih_l0, in_proj_bias, ...; a transposed convolution has its outputs on axis 1.
    """
    axes = tuple(range(w.ndim))
    filter_axes: tuple[int, ...] = ()
    if isinstance(module, _ConvNd) and name == "weight":
        outputs = 1 if isinstance(module, _ConvTransposeNd) else 0
        filter_axes = tuple(axis for axis in axes if axis != outputs)
    return Role(bias="bias" in name.split("_"), layer_axes=axes, filter_axes=filter_axes)
