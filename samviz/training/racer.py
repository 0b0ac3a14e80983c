"""One arm in the race: its network, its optimizer, and one step or one evaluation of them."""

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.nn.modules.conv import _ConvNd
from torch.nn.utils import get_total_norm

from samviz.optim import SAM, fix_norm, is_norm_layer, norm_parameters, select, train_only_norm
from samviz.spec import Arm, Mask, Recipe
from samviz.training.batches import Batch
from samviz.training.networks import build

FACTS = ("batch_loss", "right", "gradient_norm", "adversarial_loss", "eps_norm")
"""What a step tells: the loss and the right answers at w, the norm of the gradient that the update takes and, where
there is an ascent (else 0), the loss at w + eps and ||eps||_2."""

MASK_EPOCHS = {"fisher": 1, "dynamic": 5}
"""A mask is chosen anew so often: each epoch as SSAM-F's authors do; of SSAM-D they say every few epochs, 5 is ours."""


class Racer:
    """The network and the optimizer of one arm."""

    def __init__(
        self,
        recipe: Recipe,
        arm: Arm,
        classes: int,
        seed: int,
        device: torch.device,
        precision: str = "fp32",
        compiled: bool = False,
    ) -> None:
        """Start from the weights that `seed` gives, the same for every arm; for the rest see `Pace`.

        Raises ValueError as `SAM` does.
        """
        self.recipe, self.arm, self.epochs = recipe, arm, arm.epochs(recipe.epochs)
        self.label_smoothing, self.m = recipe.label_smoothing, recipe.m or recipe.batch_size
        self._autocast = torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16")
        # Channels last: 0.6 to 0.7 of the time a step on a CPU, and what tensor cores want.
        self.network = build(recipe.network, classes, seed, recipe.dropout)
        self.network.to(device, memory_format=torch.channels_last)
        if arm.trained == "fix_norm":
            fix_norm(self.network)
        elif arm.trained == "norm_only":
            train_only_norm(self.network)
        self.trained = list(select(self.network))
        # Steps see batches of one size; what else there is to work out is not worth a compilation of its own.
        self._forward = torch.compile(self.network) if compiled else self.network
        self.lr = torch.tensor(recipe.lr, device=device)
        """The learning rate of the next step: a tensor, so that a change costs no new graph and no wait."""
        self.base = _base_optimizer(recipe, self.network, self.trained, self.lr)
        self.optimizer: torch.optim.Optimizer = self.base
        if arm.variant is not None:
            mask = None if arm.mask is None else Mask(kind=arm.mask, sparsity=arm.sparsity, seed=seed)
            self.optimizer = SAM(
                self.network,
                self.base,
                variant=arm.variant,
                scope=arm.scope,
                mask=mask,
                rho=arm.rho,
                eta=arm.eta,
                p=arm.p,
            )

    def logits(self, x: Tensor, forward: Callable[[Tensor], Tensor] | None = None) -> Tensor:
        """(B, 3, S, S) -> (B, classes) float32, by the network itself or by a `forward` made of it."""
        with self._autocast:
            return (self.network if forward is None else forward)(x).float()

    def length(self, epoch: int) -> int:
        """Epochs of the training that this epoch belongs to, by which its schedules go."""
        return self.recipe.length(epoch) if self.recipe.extended else self.epochs

    def forget_gradients(self) -> None:
        """Give back the memory of the gradients, for an arm that takes no more steps."""
        self.optimizer.zero_grad(set_to_none=True)
        if self.lr.device.type == "cuda":
            torch.cuda.empty_cache()

    def begin_epoch(self, epoch: int, x: Tensor, y: Tensor) -> float:
        """Choose the mask anew where it is time, by a batch; returns how many gradients of a batch that took."""
        if not self.renews(epoch):
            return 0.0
        self.network.train()
        size = 1 if self.arm.mask == "fisher" else len(y)
        self.optimizer.renew_mask(self._closures(x, y, size, self.network), (epoch - 1) / self.length(epoch))
        return 1.0

    def renews(self, epoch: int) -> bool:
        """Whether the mask is chosen anew before this epoch."""
        every = MASK_EPOCHS.get(self.arm.mask)
        return every is not None and self.arm.ascends(epoch) and (epoch - self.arm.first_epoch) % every == 0

    def step(self, x: Tensor, y: Tensor, ascend: bool) -> Tensor:
        """One update; returns `FACTS`, (5,) float32 on the device."""
        self.network.train()
        answers: list[Tensor] = []
        zero = torch.zeros((), device=x.device)
        if isinstance(self.optimizer, SAM):
            size = self.m if ascend else len(y)
            loss = self.optimizer.step(self._closures(x, y, size, self._forward, answers), ascend=ascend)
            ascent = self.optimizer.ascent
        else:
            self.optimizer.zero_grad()
            (closure,) = self._closures(x, y, len(y), self._forward, answers)
            loss = closure()
            loss.backward()
            self.optimizer.step()
            ascent = None
        # The descent's pass comes after the ascent's: the first answers of each part are those at w.
        right = torch.stack(answers[:: 2 if ascent else 1]).sum()
        norm = get_total_norm([w.grad for w in self.trained if w.grad is not None])
        there = (zero, zero) if ascent is None else (ascent.loss, ascent.eps_norm)
        return torch.stack([loss.detach(), right.float(), norm, *there])

    def _closures(
        self, x: Tensor, y: Tensor, size: int, forward: Callable, answers: list[Tensor] | None = None
    ) -> list[Callable[[], Tensor]]:
        """The loss of each part of a batch, `size` images each; right answers are counted into `answers`."""

        def closure(x: Tensor, y: Tensor) -> Tensor:
            logits = self.logits(x, forward)
            if answers is not None:
                answers.append(right_answers(logits, y))
            return cross_entropy(logits, y, label_smoothing=self.label_smoothing)

        return [lambda x=x, y=y: closure(x, y) for x, y in zip(x.split(size), y.split(size), strict=True)]

    @torch.inference_mode()
    def evaluate(self, batches: Iterable[Batch]) -> tuple[float, float] | None:
        """Cross-entropy (without label smoothing) and accuracy in percent over `batches`; None where there is none."""
        self.network.eval()
        loss, right, n = 0.0, 0, 0
        for x, y in batches:
            logits = self.logits(x)
            loss += cross_entropy(logits, y, reduction="sum")
            right += right_answers(logits, y)
            n += len(y)
        return (float(loss) / n, 100 * float(right) / n) if n else None

    def norm_weights(self, name: str) -> list[Tensor]:
        """gamma ("weight") or beta ("bias") of each normalization layer, in the network's order, as vectors."""
        found = (getattr(m, name, None) for m in self.network.modules() if is_norm_layer(m))
        return [w.detach().flatten() for w in found if w is not None]

    def weights(self) -> dict[str, list[Tensor]]:
        """All parameters by type of layer: conv, linear, norm and, for tokens and the like, other."""
        kinds: dict[str, list[Tensor]] = {}
        for module in self.network.modules():
            for w in module.parameters(recurse=False):
                kinds.setdefault(layer_type(module), []).append(w.detach())
        return kinds

    def state(self) -> dict[str, Any]:
        """A copy of everything that the arm needs to go on, on the CPU."""
        return copied({"network": self.network.state_dict(), "optimizer": self.optimizer.state_dict()})

    def load(self, state: dict[str, Any]) -> None:
        self.network.load_state_dict(state["network"])
        self.optimizer.load_state_dict(copied(state["optimizer"]))
        for group in self.base.param_groups:
            group["lr"] = self.lr


def _base_optimizer(
    recipe: Recipe, network: nn.Module, trained: list[nn.Parameter], lr: Tensor
) -> torch.optim.Optimizer:
    """What every arm descends with; gamma and beta are a group of their own, which may not decay."""
    norms = norm_parameters(network)
    groups = [
        {"params": [w for w in trained if w not in norms], "weight_decay": recipe.weight_decay},
        {"params": [w for w in trained if w in norms], "weight_decay": recipe.weight_decay * recipe.decay_norm},
    ]
    groups = [group for group in groups if group["params"]]
    if recipe.optimizer == "adamw":
        return torch.optim.AdamW(groups, lr=lr, betas=(recipe.momentum, 0.999), fused=True)
    return torch.optim.SGD(groups, lr=lr, momentum=recipe.momentum, nesterov=recipe.nesterov, fused=True)


def layer_type(module: nn.Module) -> str:
    """What kind of layer a module is that has parameters of its own."""
    if is_norm_layer(module):
        return "norm"
    if isinstance(module, _ConvNd):
        return "conv"
    return "linear" if isinstance(module, nn.Linear | nn.MultiheadAttention) else "other"


def right_answers(logits: Tensor, y: Tensor) -> Tensor:
    return (logits.detach().argmax(dim=1) == y).sum()


def copied(value: Any) -> Any:
    """The same plain containers with copies of the tensors, on the CPU: later steps do not reach them."""
    if isinstance(value, Tensor):
        return value.detach().to("cpu", copy=True)
    if isinstance(value, dict):
        return {key: copied(entry) for key, entry in value.items()}
    return type(value)(map(copied, value)) if isinstance(value, list | tuple) else value
