"""One arm in the race: its network, its optimizer, and one step or one evaluation of them."""

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from samviz.optim import SAM
from samviz.spec import Arm, Recipe
from samviz.training.batches import Batch
from samviz.training.networks import build


class Racer:
    """The network and the optimizer of one arm."""

    def __init__(self, recipe: Recipe, arm: Arm, classes: int, seed: int, device: torch.device) -> None:
        """Start from the weights that `seed` gives, the same for every arm. Raises ValueError as `SAM` does."""
        self.label_smoothing = recipe.label_smoothing
        # Channels last: 0.6 to 0.7 of the time a step on a CPU, and what tensor cores want.
        self.network = build(recipe.network, classes, seed).to(device, memory_format=torch.channels_last)
        self.optimizer: torch.optim.Optimizer = torch.optim.SGD(
            self.network.parameters(),
            lr=recipe.lr,
            momentum=recipe.momentum,
            nesterov=recipe.nesterov,
            weight_decay=recipe.weight_decay,
        )
        if arm.variant is not None:
            self.optimizer = SAM(
                self.network, self.optimizer, variant=arm.variant, scope=arm.scope, rho=arm.rho, eta=arm.eta
            )

    def step(self, x: Tensor, y: Tensor, lr: float) -> tuple[Tensor, Tensor]:
        """One update; returns the loss and the number of right answers at the weights before it, on the device."""
        for group in self.optimizer.param_groups:
            group["lr"] = lr
        self.network.train()
        logits: list[Tensor] = []

        def closure() -> Tensor:
            logits.append(self.network(x))
            return cross_entropy(logits[-1], y, label_smoothing=self.label_smoothing)

        if isinstance(self.optimizer, SAM):
            loss = self.optimizer.step(closure)
        else:
            self.optimizer.zero_grad()
            loss = closure()
            loss.backward()
            self.optimizer.step()
        return loss.detach(), right_answers(logits[0], y)

    @torch.inference_mode()
    def evaluate(self, batches: Iterable[Batch]) -> tuple[float, float]:
        """Cross-entropy (without label smoothing) and accuracy in percent over `batches`."""
        self.network.eval()
        loss, right, n = 0.0, 0, 0
        for x, y in batches:
            logits = self.network(x)
            loss += cross_entropy(logits, y, reduction="sum")
            right += right_answers(logits, y)
            n += len(y)
        return float(loss) / n, 100 * float(right) / n

    def norm_weights(self, name: str) -> Tensor:
        """All gamma ("weight") or beta ("bias") of the network's normalization layers, in one vector."""
        return torch.cat([getattr(m, name).detach() for m in self.network.modules() if isinstance(m, nn.BatchNorm2d)])

    def state(self) -> dict[str, Any]:
        """A copy of everything that the arm needs to go on, on the CPU."""
        return _copied({"network": self.network.state_dict(), "optimizer": self.optimizer.state_dict()})

    def load(self, state: dict[str, Any]) -> None:
        self.network.load_state_dict(state["network"])
        self.optimizer.load_state_dict(_copied(state["optimizer"]))


def right_answers(logits: Tensor, y: Tensor) -> Tensor:
    return (logits.detach().argmax(dim=1) == y).sum()


def _copied(value: Any) -> Any:
    """The same plain containers with copies of the tensors, on the CPU: later steps do not reach them."""
    if isinstance(value, Tensor):
        return value.detach().to("cpu", copy=True)
    if isinstance(value, dict):
        return {key: _copied(entry) for key, entry in value.items()}
    return type(value)(map(_copied, value)) if isinstance(value, list | tuple) else value
