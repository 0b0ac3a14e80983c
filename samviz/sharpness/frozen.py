"""A network in evaluation mode as a function of its weights: nothing that is done with it reaches the original."""

from collections.abc import Callable, Sequence
from copy import deepcopy

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.functional import cross_entropy, normalize

from samviz.optim import select
from samviz.sharpness.ascent import Function
from samviz.sharpness.regions import Region

Loss = Callable[[Tensor, Tensor], Tensor]
"""loss(logits (B, classes), labels (B,)) -> a scalar."""


def normalized_cross_entropy(logits: Tensor, y: Tensor) -> Tensor:
    """Cross-entropy of logits that are centered and divided by their l2 norm, image by image.

    SAM-ON appendix D has the norm; the published code of Andriushchenko et al. 2023, whose measure it is, centers them.
    """
    return cross_entropy(normalize(logits - logits.mean(dim=1, keepdim=True), dim=1), y)


LOSSES: dict[bool, Loss] = {True: normalized_cross_entropy, False: cross_entropy}
"""By whether the logits are normalized."""


class Frozen:
    """A copy of `model` in evaluation mode; its trainable parameters are arguments."""

    def __init__(self, model: nn.Module) -> None:
        """Raises ValueError where nothing in the model is trainable."""
        self.model = deepcopy(model).eval()
        selected = select(self.model)
        name_of = {w: name for name, w in self.model.named_parameters()}
        self.names = [name_of[w] for w in selected]
        self.roles = list(selected.values())
        self.w = [w.detach() for w in selected]
        """The trainable parameters, in the order of `names`."""

    def within(self, scope: str) -> list[int]:
        """Positions of the parameters in a scope; ValueError where there is none."""
        chosen = select(self.model, scope)
        parameters = dict(self.model.named_parameters())
        return [i for i, name in enumerate(self.names) if parameters[name] in chosen]

    def inputs(self, images: Tensor) -> Tensor:
        """Images where the network is and in its precision, channels last."""
        return images.to(self.w[0], memory_format=torch.channels_last)

    def logits(self, x: Tensor, w: Sequence[Tensor] | None = None) -> Tensor:
        """(B, 3, S, S) -> (B, classes) at the weights w, or at the network's own."""
        return functional_call(self.model, dict(zip(self.names, self.w if w is None else w, strict=True)), (x,))

    def moved(self, positions: Sequence[int], eps: Sequence[Tensor]) -> list[Tensor]:
        """All trainable parameters, those at `positions` moved by eps."""
        w = list(self.w)
        for i, e in zip(positions, eps, strict=True):
            w[i] = w[i] + e
        return w

    def loss_in(self, region: Region, positions: Sequence[int], x: Tensor, y: Tensor, loss: Loss) -> Function:
        """The loss of a batch as a function of the coordinates in a region over the parameters at `positions`."""
        return lambda z: loss(self.logits(x, self.moved(positions, region.eps(z))), y)
