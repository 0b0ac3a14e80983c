"""The SAM optimizer: an ascent to w + eps, the gradient there, and the base optimizer's step from w."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _NormBase
from torch.optim import Optimizer

from samviz.optim.ascent import maximizer
from samviz.optim.scopes import select
from samviz.spec import check
from samviz.variants import VARIANTS, Variant

Closure = Callable[[], Tensor]
"""closure() -> loss of a batch, a scalar with its graph; it does not call backward."""


class SAM(Optimizer):
    """Sharpness-aware minimization around a base optimizer (ASAM Algorithm 1; SAM-ON section 3 for the scopes).

    Its param_groups and state are the base optimizer's own, so schedulers and checkpoints see one optimizer.
    """

    def __init__(
        self,
        model: nn.Module,
        base_optimizer: Optimizer,
        *,
        variant: str | Variant,
        scope: str = "all",
        rho: float,
        eta: float | None = None,
        bn_statistics: str = "first",
    ) -> None:
        """Perturb the trainable parameters of `model` in `scope` (all, norm_only or no_norm) by `variant`.

        `variant` is a key of VARIANTS or a Variant with p above 1; `rho` is the radius, in the units of
        ||T_w^-1 eps||_p, and `eta` its stabilizer (None: the variant's default). The running statistics of BatchNorm
        layers are updated in the "first" pass only, or in "both" as the published code does.
        Raises ValueError for a value out of range and where the scope selects no parameter of the model.
        """
        if not isinstance(variant, Variant):
            variant = VARIANTS[check.choice("variant", variant, VARIANTS)]
        if variant.p == 1:
            raise ValueError("p must be above 1 for a one-step maximizer, but it is 1.")
        self.variant = variant
        self.rho = check.number("rho", rho, 0, 100)
        self.eta = variant.eta if eta is None else check.number("eta", eta, 0, 100)
        self.bn_statistics = check.choice("bn_statistics", bn_statistics, ("first", "both"))
        self.model = model
        self.base_optimizer = base_optimizer
        selected = select(model, scope)
        self._perturbed, self._roles = list(selected), list(selected.values())
        super().__init__(base_optimizer.param_groups, base_optimizer.defaults)
        self._share_state()

    def _share_state(self) -> None:
        self.param_groups, self.state = self.base_optimizer.param_groups, self.base_optimizer.state

    def state_dict(self) -> dict[str, Any]:
        """The base optimizer's state: SAM keeps nothing from one step to the next."""
        return self.base_optimizer.state_dict()

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from `state_dict`: bit for bit as if there had been no break, on one device."""
        self.base_optimizer.load_state_dict(state_dict)
        self._share_state()  # torch replaces both when it loads

    @torch.no_grad()
    def step(self, closure: Closure | Sequence[Closure]) -> Tensor:
        """One update; returns the loss at w, before it, detached and on the device.

        A sequence of closures is m-sharpness: each sub-batch climbs to its own w + eps, and the gradients found there
        are averaged, as are the losses. The parameters are back at w, bit for bit, when the base optimizer steps and
        also where the second pass raises.
        """
        closures = [closure] if callable(closure) else list(closure)
        if not closures:
            raise ValueError("closure must be a function or a list of at least one, but the list is empty.")
        self.zero_grad()
        loss = torch.stack([self._ascend_and_differentiate(closure) for closure in closures]).mean()
        if len(closures) > 1:
            gradients = [w.grad for group in self.param_groups for w in group["params"] if w.grad is not None]
            torch._foreach_div_(gradients, len(closures))
        self.base_optimizer.step()
        return loss

    def _ascend_and_differentiate(self, closure: Closure) -> Tensor:
        """Add the gradient at w + eps to the parameters' grad; returns the loss at w."""
        w = self._perturbed
        with torch.enable_grad():
            loss = closure()
        # Only the perturbed parameters: SAM-ON's ascent then costs no gradient of a convolution's weights.
        g = torch.autograd.grad(loss, w, allow_unused=True, materialize_grads=True)
        eps = maximizer(w, g, self._roles, self.variant, self.rho, self.eta)
        saved = [x.clone() for x in w]
        try:
            torch._foreach_add_(w, eps)
            with torch.enable_grad(), self._second_pass():
                closure().backward()
        finally:
            torch._foreach_copy_(w, saved)
        return loss.detach()

    def _second_pass(self):
        return nullcontext() if self.bn_statistics == "both" else frozen_statistics(self.model)


@contextmanager
def frozen_statistics(model: nn.Module) -> Iterator[None]:
    """Let BatchNorm layers in training mode use the batch's statistics without updating the running ones.

    A momentum of 0 would not do: it still counts batches, and 0 times an infinite batch statistic is NaN.
    """
    layers = [m for m in model.modules() if isinstance(m, _NormBase) and m.training and m.track_running_stats]
    for layer in layers:
        layer.track_running_stats = False
    try:
        yield
    finally:
        for layer in layers:
            layer.track_running_stats = True
