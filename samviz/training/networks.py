"""From a network's name to freshly drawn weights: those of `NETWORKS`, and one's own as module:function."""

from functools import partial
from importlib import import_module

import torch
from torch import Tensor, nn

from samviz.spec import NETWORKS
from samviz.spec.networks import check_network
from samviz.training import networks_zoo as zoo

SIZE = (3, 32, 32)
"""Channels, height and width of an image."""

_BUILDERS = {
    "resnet8": partial(zoo.resnet, 1),
    "resnet8_half": partial(zoo.resnet, 1, stem_stride=2),
    "resnet9": zoo.resnet9,
    "resnet20": partial(zoo.resnet, 3),
    "resnet32": partial(zoo.resnet, 5),
    "resnet56": partial(zoo.resnet, 9),
    "resnet18": partial(zoo.resnet, 2, widths=(64, 128, 256, 512)),
    "wrn16_4": partial(zoo.wide_resnet, 16, 4),
    "wrn28_2": partial(zoo.wide_resnet, 28, 2),
    "wrn28_10": partial(zoo.wide_resnet, 28, 10),
    "resnext29_32x4d": zoo.resnext29_32x4d,
    "vgg19_bn": zoo.vgg19_bn,
    "densenet121": zoo.densenet121,
    "pyramidnet272": zoo.pyramidnet272,
    "vit_t": partial(zoo.VisionTransformer, 192, 3),
    "vit_s": partial(zoo.VisionTransformer, 384, 6),
}
"""Key of `NETWORKS` -> function of the number of classes."""


def build(name: str, classes: int, seed: int, dropout: float = 0.0) -> nn.Module:
    """A freshly initialized network for images (N, 3, 32, 32) -> logits (N, classes), on the CPU.

    `name` is a key of `NETWORKS`, or module:function: the module is imported and function(classes) called. The weights
    depend on the name, the number of classes and the seed alone; torch's own random state is left as it is.

    `dropout` is the share of the features before the classifier that training leaves out: it adds no weights and
    renames none. A network of one's own is left as its function made it.

    Raises ValueError for another name, and where one's own function is not there or does not give such a network.
    """
    check_network(name)
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)  # torch.manual_seed would seed the GPUs, too
        network = _BUILDERS[name](classes) if name in NETWORKS else _own(name, classes)
    if dropout and name in NETWORKS:
        zoo.drop_features(network, dropout)
    return network


def _own(name: str, classes: int) -> nn.Module:
    """Call function(classes) of module:function, and try what it returns on two images.

    The images come as they do in training: channels last, which a network may stumble over.
    """
    module, _, function = name.partition(":")
    try:
        make = getattr(import_module(module), function, None)
    except Exception as error:
        raise _refused("module:function of a module that can be imported", name, _reason(error)) from error
    if not callable(make):
        raise _refused("module:function of a function that is there", name, f"{module} has no function {function}")
    try:
        network = make(classes)
    except Exception as error:
        raise _refused("a function of the number of classes", name, f"it raised {_reason(error)}") from error
    if not isinstance(network, nn.Module):
        raise _refused("a function that returns a torch.nn.Module", name, f"it returned {type(network).__name__}")
    allowed = f"a network that turns images {(2, *SIZE)} into logits {(2, classes)}"
    try:
        with torch.no_grad():
            logits = network.eval()(torch.zeros(2, *SIZE).contiguous(memory_format=torch.channels_last))
    except Exception as error:
        raise _refused(allowed, name, f"it raised {_reason(error)}") from error
    found = tuple(logits.shape) if isinstance(logits, Tensor) else type(logits).__name__
    if found != (2, classes):
        raise _refused(allowed, name, f"it gave {found}")
    return network.train()


def _refused(allowed: str, name: str, reason: str) -> ValueError:
    return ValueError(f"network must be {allowed}, but {name!r} is not: {reason}.")


def _reason(error: Exception) -> str:
    """An exception's type and the first line of what it says, as the end of a sentence."""
    return ": ".join([type(error).__name__, *str(error).splitlines()[:1]]).rstrip(". ")
