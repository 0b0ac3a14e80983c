"""Steps as CUDA graphs: what has to be put back after a capture, and on a GPU the numbers of plain steps."""

import pytest
import torch

from samviz.spec import Arm
from samviz.training import train
from samviz.training.captured import Captured, put_back, state_tensors
from samviz.training.racer import Racer
from tests.training.fakes import SAM_ALL, SAM_ON, SGD, images, recipe


def racer(arm: Arm, optimizer: str, device: str = "cpu") -> Racer:
    return Racer(recipe(optimizer=optimizer, momentum=0.9), arm, 10, 0, torch.device(device))


def batch(seed: int, device: str = "cpu") -> tuple[torch.Tensor, torch.Tensor]:
    x = torch.randn(8, 3, 32, 32, generator=torch.Generator().manual_seed(seed))
    return x.contiguous(memory_format=torch.channels_last).to(device), (torch.arange(8) % 10).to(device)


@pytest.mark.parametrize("arm", [SGD, SAM_ON])
@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
@pytest.mark.parametrize("taken", [0, 2])
def test_steps_that_do_not_count_leave_no_trace(arm: Arm, optimizer: str, taken: int) -> None:
    """Before the first step the optimizer has no state yet; later it has one that must come back."""
    one, same = racer(arm, optimizer), racer(arm, optimizer)
    ascend = arm.variant is not None
    for seed in range(taken):
        for other in (one, same):
            other.step(*batch(seed), ascend)
    before = {id(tensor): tensor.detach().clone() for tensor in state_tensors(one)}
    for seed in range(10, 13):
        one.step(*batch(seed), ascend)
    put_back(one, before)
    for seed in range(20, 22):
        assert torch.equal(one.step(*batch(seed), ascend), same.step(*batch(seed), ascend))
    for a, b in zip(state_tensors(one), state_tensors(same), strict=True):
        assert torch.equal(a, b)


if torch.cuda.is_available():  # elsewhere there is nothing to capture

    @pytest.mark.parametrize("arm", [SGD, SAM_ALL, SAM_ON])
    @pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
    def test_a_graph_takes_the_steps_of_plain_calls(arm: Arm, optimizer: str) -> None:
        plain, captured = racer(arm, optimizer, "cuda"), racer(arm, optimizer, "cuda")
        graph = Captured(captured)
        for seed in range(5):
            for ascend in {False, arm.variant is not None}:
                for other in (plain, captured):
                    other.lr.fill_(0.1 / (1 + seed))
                x, y = batch(seed, "cuda")
                torch.testing.assert_close(graph.step(x, y, ascend), plain.step(x, y, ascend), rtol=1e-4, atol=1e-5)

    def test_an_epoch_does_not_wait_for_the_device() -> None:
        events = train(recipe(train_size=60, epochs=3), (SGD, SAM_ON), 0, device="cuda", images=images())
        for event in events:  # the first epoch captures
            if event.epoch == 2:
                break
        assert [e.epoch for e in events if getattr(e, "name", "") == "test_loss"]
