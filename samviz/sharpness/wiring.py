"""What is computed from what in a network: the layers and functions of one forward pass and the tensors between them.

A pass over two images is watched, so that any network will do that runs: nothing is asked of how it is written.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from samviz.optim import is_norm_layer

Wire = int
"""A tensor on its way through the network, by its number; it keeps that where it is changed in place."""


@dataclass(frozen=True, slots=True)
class Step:
    """A layer or a function that was called."""

    name: str
    """Of a layer as in `named_modules`, of a function as torch calls it."""
    module: nn.Module | None
    """The layer; None of a function."""
    inputs: tuple[Wire, ...]
    outputs: tuple[Wire, ...]
    arguments: tuple[Any, ...]
    """The numbers and flags that a function was called with."""


@dataclass(frozen=True, slots=True)
class Wiring:
    """The steps of one forward pass in their order."""

    steps: tuple[Step, ...]
    shapes: dict[Wire, tuple[int, ...]]
    images: Wire
    logits: Wire


def is_layer(module: nn.Module) -> bool:
    """Whether a module is seen as one step: a layer with weights of its own, or an attention."""
    return is_norm_layer(module) or isinstance(module, nn.Conv2d | nn.Linear | nn.MultiheadAttention)


@torch.no_grad()
def wiring(model: nn.Module, images: Tensor) -> Wiring:
    """Watch `model`, which is in evaluation mode, while it turns `images` (B, 3, S, S) into logits."""
    watch = _Watch()
    with watch.layers(model):
        x = images.clone()
        first = watch.wire(x)
        with watch:
            logits = model(x)
        return Wiring(tuple(watch.steps), watch.shapes, first, watch.wire(logits))


class _Watch(TorchFunctionMode):
    """Notes every function of torch that is called outside of a layer, and every layer."""

    def __init__(self) -> None:
        super().__init__()
        self.steps: list[Step] = []
        self.shapes: dict[Wire, tuple[int, ...]] = {}
        self._wires: dict[int, Wire] = {}
        self._alive: list[Tensor] = []  # an id may be given again once a tensor is gone
        self._within = 0

    def wire(self, tensor: Tensor) -> Wire:
        """The wire of a tensor."""
        if id(tensor) not in self._wires:
            self._alive.append(tensor)
            self._wires[id(tensor)] = len(self.shapes)
            self.shapes[len(self.shapes)] = tuple(tensor.shape)
        return self._wires[id(tensor)]

    def __torch_function__(self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        kwargs = kwargs or {}
        if self._within:
            return func(*args, **kwargs)
        inputs = self._inputs([*args, *kwargs.values()])
        result = func(*args, **kwargs)
        if _tensors(result):
            plain = tuple(a for a in (*args, *kwargs.values()) if isinstance(a, bool | int | float))
            self._note(func.__name__.strip("_"), None, inputs, result, plain)
        return result

    @contextmanager
    def layers(self, model: nn.Module) -> Iterator[None]:
        """Note the layers of `model` as wholes meanwhile."""
        calls: list[tuple[Wire, ...]] = []

        def enter(module: nn.Module, args: tuple, kwargs: dict) -> None:
            if not self._within:
                calls.append(self._inputs([*args, *kwargs.values()]))
            self._within += 1

        def leave(module: nn.Module, args: tuple, kwargs: dict, result: Any) -> None:
            self._within -= 1
            if not self._within:
                self._note(names[module], module, calls.pop(), result, ())

        names = {module: name for name, module in model.named_modules()}
        with ExitStack() as stack:
            for module in names:
                if is_layer(module):
                    for handle in (
                        module.register_forward_pre_hook(enter, with_kwargs=True),
                        module.register_forward_hook(leave, with_kwargs=True),
                    ):
                        stack.callback(handle.remove)
            yield

    def _note(
        self, name: str, module: nn.Module | None, inputs: tuple[Wire, ...], result: Any, plain: tuple[Any, ...]
    ) -> None:
        outputs = tuple(self.wire(t) for t in _tensors(result))
        self.steps.append(Step(name, module, inputs, outputs, plain))

    def _inputs(self, values: list[Any]) -> tuple[Wire, ...]:
        return tuple(self.wire(t) for t in _tensors(values))


def _tensors(value: Any) -> list[Tensor]:
    """The tensors in a value, also in lists and tuples in it."""
    if isinstance(value, Tensor):
        return [value]
    if isinstance(value, list | tuple):
        return [t for entry in value for t in _tensors(entry)]
    return []
