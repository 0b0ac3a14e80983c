"""Which parameters of a model the ascent perturbs, and what each is to its layer: by module type, not by name."""

from typing import TypeVar

from torch import nn
from torch.nn.modules.batchnorm import _NormBase
from torch.nn.modules.conv import _ConvNd, _ConvTransposeNd

from samviz.spec import SCOPES, check
from samviz.variants import Role

Layer = TypeVar("Layer", bound=type[nn.Module])

_NORM_LAYERS: list[type[nn.Module]] = [_NormBase, nn.LayerNorm, nn.RMSNorm, nn.GroupNorm]
"""torch's BatchNorm1d to 3d, SyncBatchNorm and InstanceNorm1d to 3d are all `_NormBase`."""


def register_norm_layer(layer: Layer) -> Layer:
    """Count a module class of your own, and its subclasses, among the normalization layers; also as a decorator.

    Everything that is a parameter of the module itself is then a norm parameter. Models that an optimizer already
    holds stay as they were sorted. Raises ValueError for what is no module class.
    """
    if not (isinstance(layer, type) and issubclass(layer, nn.Module)):
        raise check.wrong("layer", "a subclass of torch.nn.Module", layer)
    if layer not in _NORM_LAYERS:
        _NORM_LAYERS.append(layer)
    return layer


def is_norm_layer(module: nn.Module) -> bool:
    """Whether `module` is a normalization layer: by its class, and never by its name."""
    return isinstance(module, tuple(_NORM_LAYERS))


def norm_parameters(model: nn.Module) -> set[nn.Parameter]:
    """Every parameter that belongs to a normalization layer: its gamma and its beta."""
    return {w for m in model.modules() if is_norm_layer(m) for w in m.parameters(recurse=False)}


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


def fix_norm(model: nn.Module) -> nn.Module:
    """Set gamma to 1 and beta to 0 in all normalization layers and freeze them (SAM-ON B.4, fix-norm); returns `model`.

    Call it before the optimizers are made. Raises ValueError if there is nothing to freeze.
    """
    select(model, "norm_only")
    for module in model.modules():
        if is_norm_layer(module):
            for name, w in module.named_parameters(recurse=False):
                nn.init.constant_(w, 0.0 if _role(module, name, w).bias else 1.0)
                w.requires_grad_(False)
    return model


def train_only_norm(model: nn.Module) -> nn.Module:
    """Freeze every parameter but gamma and beta of normalization layers (SAM-ON B.5); returns `model`.

    Call it before the optimizers are made. Raises ValueError if that leaves nothing to train.
    """
    kept = select(model, "norm_only")
    for w in model.parameters():
        w.requires_grad_(w in kept)
    return model


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
