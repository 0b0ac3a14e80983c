"""The SAM optimizer: an ascent to w + eps, the gradient there, and the base optimizer's step from w."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import get_total_norm
from torch.optim import Optimizer

from samviz.optim import masks
from samviz.optim.ascent import maximizer
from samviz.optim.passes import RandomState, copies, frozen_statistics, statistics_kept_on_error, without_gradient
from samviz.optim.scopes import select
from samviz.spec import Mask, check
from samviz.variants import VARIANTS, Variant

Closure = Callable[[], Tensor]
"""closure() -> loss of a batch, a scalar with its graph; it does not call backward."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Ascent:
    """What the ascent of one step came to: scalars on the device, averages over the sub-batches of m-sharpness."""

    loss: Tensor
    """The loss at w + eps."""
    eps_norm: Tensor
    """||eps||_2 over the perturbed parameters."""


class SAM(Optimizer):
    """Sharpness-aware minimization around a base optimizer (ASAM Algorithm 1; SAM-ON section 4 for the scopes).

        eps = argmax <g(w), eps> over ||T_w^-1 eps||_p <= rho        (ASAM section 4; SAM-ON Eq. 4)
        w   = base optimizer's step from w with the gradient g(w + eps)

    Its param_groups and state are the base optimizer's own, so schedulers and checkpoints see one optimizer. To change
    the second gradient before the update (clip it, say), register a step pre-hook on the base optimizer.
    """

    def __init__(
        self,
        model: nn.Module,
        base_optimizer: Optimizer,
        *,
        variant: str | Variant = "sam",
        scope: str = "all",
        mask: Mask | None = None,
        rho: float,
        eta: float | None = None,
        p: float | None = None,
        bn_statistics: str = "first",
    ) -> None:
        """Perturb the trainable parameters of `model` in `scope` (all, norm_only or no_norm) by `variant`.

        `variant` is a key of VARIANTS or a Variant of one's own, `rho` the radius in the units of ||T_w^-1 eps||_p:
        `samviz.spec.default_rho` gives SAM-ON Table 8. `eta` (the stabilizer) and `p` (from 1 to infinity) replace the
        variant's defaults. The norm is taken over the perturbed parameters alone, so that ||T_w^-1 eps||_p = rho in
        every scope (SAM-ON appendix A.3).

        `mask` perturbs single coordinates of all parameters instead of a scope. Under a random mask the norm is that
        of the live coordinates, as in SAM-ON, of which it is the control. Under fisher (SSAM-F) and dynamic (SSAM-D)
        it is that of all coordinates and eps is masked after, as their authors have it: ||eps|| < rho.

        The running statistics of norm layers move in the "first" pass only, or in "both" as in the published code.
        Both passes draw the same random numbers, so that dropout leaves out the same units; a CUDA graph cannot
        rewind its generator, so that there they differ.

        Raises ValueError for a value out of range and where the scope selects no parameter of the model.
        """
        if not isinstance(variant, Variant):
            variant = VARIANTS[check.choice("variant", variant, VARIANTS)]
        if p is not None:
            variant = replace(variant, p=p)
        if eta is not None:
            variant = replace(variant, eta=check.number("eta", eta, 0, 100))
        if mask is not None and scope != "all":
            raise ValueError(f"scope must be all where there is a mask, but it is {scope!r}.")
        self.variant = variant
        self.mask = mask
        self.rho = check.number("rho", rho, 0, 100)
        self.bn_statistics = check.choice("bn_statistics", bn_statistics, ("first", "both"))
        self.model = model
        self.base_optimizer = base_optimizer
        selected = select(model, scope)
        self._perturbed, self._roles = list(selected), list(selected.values())
        self._others = [w for w in select(model) if w not in selected]
        self._devices = {w.device for w in model.parameters()}
        self.ascent: Ascent | None = None
        """The ascent of the last step; None before the first one, and after a step without an ascent."""
        self._renewals = 0
        self._live: list[Tensor] | None = None
        if mask is not None:
            masks.live_count(sum(w.numel() for w in selected), mask.sparsity)
            if mask.kind != "fisher":
                self._live = masks.random_mask(self._perturbed, mask)
        super().__init__(base_optimizer.param_groups, base_optimizer.defaults)
        self._share_state()

    def _share_state(self) -> None:
        self.param_groups, self.state = self.base_optimizer.param_groups, self.base_optimizer.state

    def state_dict(self) -> dict[str, Any]:
        """The base optimizer's state and, with a mask, the live coordinates and how often they were renewed."""
        state = self.base_optimizer.state_dict()
        if self.mask is not None:
            state["mask"] = {"live": self._live, "renewals": self._renewals}
        return state

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from `state_dict`: bit for bit as if there had been no break, on one device.

        Raises ValueError if one has a mask and the other has none, or a mask of other parameters.
        """
        if ("mask" in state_dict) != (self.mask is not None):
            has = ("has none", "has one") if self.mask is None else ("has one", "has none")
            raise ValueError(f"mask must be in both or in neither, but the optimizer {has[0]} and its state {has[1]}.")
        live, renewals = None, 0
        if self.mask is not None:
            live, renewals = state_dict["mask"]["live"], state_dict["mask"]["renewals"]
            if live is not None:
                shapes, found = [w.shape for w in self._perturbed], [m.shape for m in live]
                if shapes != found:
                    raise ValueError("mask must fit the model's parameters, but it has other shapes than they have.")
                live = [m.to(w.device, copy=True) for m, w in zip(live, self._perturbed, strict=True)]
        self.base_optimizer.load_state_dict(state_dict)
        self._share_state()  # torch replaces both when it loads
        self._live, self._renewals = live, renewals

    @torch.no_grad()
    def step(self, closure: Closure | Sequence[Closure], *, ascend: bool = True) -> Tensor:
        """One update; returns the loss at w, before it, detached and on the device.

        A sequence of closures is m-sharpness: each sub-batch climbs to its own w + eps, and the gradients found there
        are averaged, as are the losses (SAM-ON section 3.2). Without `ascend` it is a step of the base optimizer alone:
        SAM-ON section 5.4 has an ascent in some of the epochs only.

        The parameters are back at w, bit for bit, when the base optimizer steps. If a closure raises, they stay there,
        and so do the running statistics and every flag; no gradient is left. Raises RuntimeError where a fisher mask
        has not been renewed yet.
        """
        closures = [closure] if callable(closure) else list(closure)
        if not closures:
            raise ValueError("closure must be a function or a list of at least one, but the list is empty.")
        if ascend and self.mask is not None and self._live is None:
            raise RuntimeError("A fisher mask needs renew_mask with closures of single samples before the first step.")
        self.zero_grad()
        self.ascent = None
        try:
            with statistics_kept_on_error(self.model):
                if ascend:
                    steps = [self._through_the_ascent(closure) for closure in closures]
                else:
                    losses = [self._backward(closure) for closure in closures]
        except BaseException:
            self.zero_grad()
            raise
        if len(closures) > 1:
            gradients = [w.grad for group in self.param_groups for w in group["params"] if w.grad is not None]
            torch._foreach_div_(gradients, len(closures))
        self.base_optimizer.step()
        if ascend:
            losses, perturbed, norms = zip(*steps, strict=True)
            self.ascent = Ascent(loss=_mean(perturbed), eps_norm=_mean(norms))
        return _mean(losses)

    def _through_the_ascent(self, closure: Closure) -> tuple[Tensor, Tensor, Tensor]:
        """Add the gradient at w + eps to the parameters' grad; returns the losses at w and w + eps, and ||eps||_2."""
        random = RandomState(self._devices)
        loss, eps = self._climb(closure)
        norm = get_total_norm(eps)
        w = copies(self._perturbed)
        try:
            torch._foreach_add_(self._perturbed, eps)
            del eps  # the second pass needs the memory
            torch.clear_autocast_cache()  # it may hold casts of w
            random.restore()
            if self.bn_statistics == "both":
                perturbed = self._backward(closure)
            else:
                with frozen_statistics(self.model):
                    perturbed = self._backward(closure)
        finally:
            torch._foreach_copy_(self._perturbed, w)
            torch.clear_autocast_cache()
        return loss, perturbed, norm

    def _climb(self, closure: Closure) -> tuple[Tensor, list[Tensor]]:
        """The loss at w and eps; no gradient of a parameter outside of the scope is computed."""
        with torch.enable_grad(), without_gradient(self._others):
            loss = closure()
        g = gradient(loss, self._perturbed)
        if self.mask is not None and self.mask.kind == "random":
            g = torch._foreach_mul(g, self._live)
        eps = maximizer(self._perturbed, g, self._roles, self.variant, self.rho)
        if self.mask is not None:
            torch._foreach_mul_(eps, self._live)
        return loss.detach(), eps

    @staticmethod
    def _backward(closure: Closure) -> Tensor:
        """Add the gradient where the parameters are to their grad; returns the loss there."""
        with torch.enable_grad():
            loss = closure()
            loss.backward()
        return loss.detach()

    @torch.no_grad()
    def renew_mask(self, closures: Iterable[Closure], progress: float = 0.0) -> None:
        """Choose the live coordinates anew: at the start of an epoch, as the authors of SSAM do.

        fisher: one closure a train sample, 16 to 1024 of them; live are the coordinates with the largest sum of
        squared gradients. dynamic: a batch (closures of its parts are averaged); `progress` is the part of training
        that is done, from 0 to 1, and the share of live coordinates that is replaced falls with it. Parameters, their
        grad and the running statistics stay as they are. Raises ValueError without a mask that can be renewed,
        without a closure, and for a `progress` out of range.
        """
        if self.mask is None or self.mask.kind == "random":
            kind = "none" if self.mask is None else "random, which is fixed for a run"
            raise ValueError(f"mask must be fisher or dynamic to be renewed, but it is {kind}.")
        progress = check.number("progress", progress, 0, 1)
        total = [torch.zeros_like(w) for w in self._perturbed]
        count = 0
        with frozen_statistics(self.model):
            for closure in closures:
                with torch.enable_grad():
                    loss = closure()
                g = gradient(loss, self._perturbed)
                torch._foreach_add_(total, torch._foreach_pow(g, 2) if self.mask.kind == "fisher" else g)
                count += 1
        if count == 0:
            raise ValueError("closures must be at least one, but there is none.")
        if self.mask.kind == "fisher":
            self._live = masks.fisher_mask(total, self.mask)
        else:
            self._live = masks.dynamic_mask(self._live, total, self.mask, progress, self._renewals + 1)
        self._renewals += 1


def _mean(scalars: Sequence[Tensor]) -> Tensor:
    return torch.stack(list(scalars)).mean()


def gradient(loss: Tensor, w: Sequence[Tensor]) -> list[Tensor]:
    """The gradient of `loss` by each of `w`, 0 where it does not depend on it; their grad is left alone."""
    if not loss.requires_grad:
        return [torch.zeros_like(x) for x in w]
    return list(torch.autograd.grad(loss, w, allow_unused=True, materialize_grads=True))
