"""Where a network can be rescaled without changing its function: found in what it computes, not by its layers' names.

A seam is a set of tensors between layers that can only be multiplied together, channel by channel: those that ReLU,
pooling, flattening and addition connect, all of which commute with positive factors. It can be rescaled where all
layers that write to it can take a factor into what they read with, and all that read it can undo the factor:

    writes     a convolution or a linear layer    weight and bias times a
               a norm layer                       gamma and beta times a
    reads      a convolution or a linear layer    weight divided by a, input channel by input channel
               BatchNorm with running statistics  mean times a, variance such that var + epsilon is times a^2
"""

from collections import Counter, defaultdict
from dataclasses import dataclass, field

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from samviz.optim import is_norm_layer
from samviz.sharpness.wiring import Step, Wire, Wiring

_EQUAL = {"relu", "leaky_relu", "dropout", "contiguous", "clone", "div", "truediv", "mul"}
_POOLS = {"max_pool2d", "avg_pool2d", "adaptive_avg_pool2d", "adaptive_max_pool2d"}
_RESHAPES = {"flatten", "view", "reshape"}
_SUMS = {"add", "iadd"}

Layout = tuple[int, int]
"""The axis that the channels lie along, and how many neighbors there belong to one channel (more than 1 once a map
has been flattened)."""


@dataclass(frozen=True, slots=True)
class Seam:
    """Tensors that are rescaled together, and the layers around them."""

    kind: str
    """Key of `samviz.spec.measurement.SEAMS`."""
    writers: tuple[str, ...]
    """Names of the layers that a factor goes into, as in `named_modules`."""
    readers: tuple[tuple[str, int], ...]
    """Names of the layers that take it back, and how many inputs of theirs are one channel."""
    channels: int

    def __str__(self) -> str:
        return f"{', '.join(self.writers)} -> {', '.join(name for name, _ in self.readers)}"


@dataclass
class _Group:
    """What is known of the tensors that can only be rescaled together."""

    writers: list[Step] = field(default_factory=list)
    readers: list[tuple[Step, int]] = field(default_factory=list)
    obstacles: list[str] = field(default_factory=list)
    """Why there can be no factor: how sentences about the tensors go on."""


def find(model: nn.Module, wiring: Wiring) -> tuple[list[Seam], list[str]]:
    """All seams of a network, and a sentence for each layer whose output cannot be rescaled."""
    groups, channels = _groups(model, wiring)
    seams, refused = [], []
    for key, group in groups.items():
        writers = tuple(step.name for step in group.writers)
        if writers and group.obstacles:
            refused.append(f"{', '.join(writers)}: the output {'; it '.join(dict.fromkeys(group.obstacles))}.")
        elif writers and group.readers:
            readers = tuple((step.name, block) for step, block in group.readers)
            seams.append(Seam(_kind(group), writers, readers, channels[key]))
    return seams, refused


def _kind(group: _Group) -> str:
    if any(is_norm_layer(step.module) for step in group.writers):
        return "after_norm"
    return "before_norm" if any(is_norm_layer(step.module) for step, _ in group.readers) else "layers"


def _groups(model: nn.Module, wiring: Wiring) -> tuple[dict[Wire, _Group], dict[Wire, int]]:
    """The groups of tensors by one of each, and how many channels they have."""
    joint: dict[Wire, Wire] = {}
    layouts: dict[Wire, Layout] = {}
    writers, readers, obstacles = [], [], [(wiring.images, "is the images"), (wiring.logits, "is the logits")]
    used = Counter(step.name for step in wiring.steps if step.module is not None)
    owners = Counter(w for module in model.modules() for w in module.parameters(recurse=False))
    written = {wiring.images}

    def root(wire: Wire) -> Wire:
        while wire in joint:
            wire = joint[wire]
        return wire

    for step in wiring.steps:
        obstacles += [(wire, "is a parameter of its own") for wire in step.inputs if wire not in written]
        written.update(step.outputs)
        if step.module is not None:
            shared = used[step.name] > 1 or any(owners[w] > 1 for w in step.module.parameters())
            block = None if shared else _reads(step, wiring, layouts)
            if block is None:
                obstacles += [(wire, f"is read by {step.name}, which cannot take it back") for wire in step.inputs]
            else:
                readers.append((step.inputs[0], step, block))
            layout = None if shared else _writes(step, wiring)
            if layout is None:
                obstacles += [(wire, f"is written by {step.name}, which cannot take it") for wire in step.outputs]
            else:
                layouts[step.outputs[0]] = layout
                writers.append((step.outputs[0], step))
        elif (layout := _passes(step, wiring, layouts)) is not None:
            (out,) = step.outputs
            layouts[out] = layout
            for wire in step.inputs:
                if root(wire) != root(out):
                    joint[root(out)] = root(wire)
        else:
            obstacles += [(wire, f"goes through {step.name}") for wire in step.inputs]
            obstacles += [(wire, f"comes from {step.name}") for wire in step.outputs]

    groups: dict[Wire, _Group] = defaultdict(_Group)
    channels = {}
    for wire, step in writers:
        groups[root(wire)].writers.append(step)
        channels[root(wire)] = wiring.shapes[wire][layouts[wire][0]]
    for wire, step, block in readers:
        groups[root(wire)].readers.append((step, block))
    for wire, obstacle in obstacles:
        groups[root(wire)].obstacles.append(obstacle)
    return groups, channels


def _writes(step: Step, wiring: Wiring) -> Layout | None:
    """Where the channels of a layer's output lie; None where the layer cannot multiply them."""
    if len(step.outputs) != 1 or getattr(step.module, "weight", None) is None:
        return None
    last = len(wiring.shapes[step.outputs[0]]) - 1
    match step.module:
        case nn.Conv2d() | _BatchNorm() | nn.GroupNorm() if last == 3:
            return 1, 1
        case nn.Linear():
            return last, 1
        case nn.LayerNorm() | nn.RMSNorm() if len(step.module.normalized_shape) == 1:
            return last, 1
    return None


def _reads(step: Step, wiring: Wiring, layouts: dict[Wire, Layout]) -> int | None:
    """How many inputs of a layer are one channel; None where it cannot divide by what its input was multiplied by."""
    if len(set(step.inputs)) != 1 or step.inputs[0] not in layouts:
        return None
    axis, block = layouts[step.inputs[0]]
    last = len(wiring.shapes[step.inputs[0]]) - 1
    match step.module:
        case nn.Conv2d() if axis == 1 and block == 1:
            return 1
        case nn.Linear() if axis == last:
            return block
        case nn.MultiheadAttention() if axis == last and block == 1 and step.module.in_proj_weight is not None:
            return 1
        case _BatchNorm() if axis == 1 and block == 1 and step.module.running_var is not None:
            return 1
    return None


def _passes(step: Step, wiring: Wiring, layouts: dict[Wire, Layout]) -> Layout | None:
    """Where the channels lie behind a function that commutes with positive factors; None where it does not."""
    found = {layouts.get(wire) for wire in step.inputs}
    shapes = {wiring.shapes[wire] for wire in step.inputs}
    if len(step.outputs) != 1 or len(found) != 1 or len(shapes) != 1 or None in found:
        return None
    ((axis, block),), (shape,) = found, shapes
    there = wiring.shapes[step.outputs[0]]
    alone = len(step.inputs) == 1
    if step.name in _SUMS and not alone and not step.arguments and there == shape:
        return axis, block
    if not alone:
        return None
    if step.name in _EQUAL and there == shape:
        return axis, block
    if step.name in _POOLS and axis == 1 and len(shape) == 4:
        return axis, block
    if step.name in _RESHAPES and axis == 1 and there[0] == shape[0] and len(there) == 2:
        return 1, block * there[1] // shape[1]
    if step.name in _RESHAPES and there == shape:
        return axis, block
    if step.name == "transpose":
        swapped = [a % len(shape) for a in step.arguments]
        return swapped[1 - swapped.index(axis)] if axis in swapped else axis, block
    return None
