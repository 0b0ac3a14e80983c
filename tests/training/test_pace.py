"""The pace of a run: what was measured decides, and a compiled step is a step."""

import pytest
import torch
from torch import nn

from samviz.spec import Arm
from samviz.training import Pace, find_pace, pace, train
from samviz.training.racer import Racer
from tests.training.fakes import SAM_ON, SGD, images, recipe

CPU = torch.device("cpu")


class Small(nn.Module):
    """A network that compiles in a moment. Like most, and unlike nn.Sequential, it has no length."""

    def __init__(self, *layers: nn.Module) -> None:
        super().__init__()
        self.layers = nn.Sequential(*layers)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layers(x)


def small(classes: int) -> nn.Module:
    return Small(nn.Conv2d(3, 4, 3, stride=4), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(256, classes))


OWN = {"network": f"{__name__}:small", "batch_size": 16}


@pytest.mark.parametrize(
    ("known", "epochs", "expected"),
    [
        ({"fp32": 1.0, "bf16": 0.5}, 1, ("bf16", False)),
        ({"fp32": 1.0, "bf16": 0.95}, 1, ("fp32", False)),  # within noise
        ({"fp32": 1.0, "bf16": 2.0, "fp32, compiled": 0.5}, 1, ("fp32", False)),  # 2 steps: too short to pay
        ({"fp32": 1.0, "bf16": 2.0, "fp32, compiled": 0.5}, 1000, ("fp32", True)),
        ({"fp32": 1.0, "bf16": 0.5, "bf16, compiled": 0.48}, 2000, ("bf16", False)),
    ],
)
def test_what_was_measured_decides(known: dict, epochs: int, expected: tuple) -> None:
    before = dict(known)
    found = find_pace(recipe(**OWN, precision="auto", epochs=epochs), (SGD,), CPU, known)
    assert (found.precision, found.compiled) == expected
    assert known == before  # nothing was measured
    assert found.reason.endswith(".")


def test_both_passes_and_all_epochs_of_all_arms_count_towards_a_long_run() -> None:
    """1800 s are long: 600 epochs of 2 steps of 0.5 s are 600 s for SGD, for an arm with an ascent 1200."""
    known = {"fp32": 0.5, "fp32, compiled": 0.1}
    asked = recipe(**OWN, epochs=600)
    assert not find_pace(asked, (SGD,), CPU, known).compiled
    assert find_pace(asked, (SGD, SAM_ON), CPU, known).compiled
    assert find_pace(asked, (Arm(epochs_factor=3),), CPU, known).compiled


def test_a_fixed_precision_is_taken_as_it_is_and_only_it_is_measured() -> None:
    known: dict[str, float] = {}
    assert find_pace(recipe(**OWN, precision="bf16"), (SGD,), CPU, known).precision == "bf16"
    assert set(known) == {"bf16"}
    assert known["bf16"] > 0


def test_auto_measures_both_precisions() -> None:
    known: dict[str, float] = {}
    assert find_pace(recipe(**OWN, precision="auto"), (SGD,), CPU, known).precision in {"fp32", "bf16"}
    assert set(known) == {"fp32", "bf16"}


def test_a_compiler_that_fails_is_said_and_the_run_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: object, **__: object) -> None:
        raise RuntimeError("no C++ compiler")

    monkeypatch.setattr(torch, "compile", missing)
    monkeypatch.setattr(pace, "LONG_SECONDS", 0.0)
    found = find_pace(recipe(**OWN), (SGD,), CPU)
    assert (found.precision, found.compiled) == ("fp32", False)
    assert "torch.compile failed (RuntimeError)" in found.reason


@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")  # torch's compiler calls what torch deprecates
def test_a_compiled_step_is_a_plain_one_within_rounding() -> None:
    asked = recipe(**OWN)
    plain, compiled = Racer(asked, SAM_ON, 10, 0, CPU), Racer(asked, SAM_ON, 10, 0, CPU, compiled=True)
    x, y = torch.randn(16, 3, 32, 32, generator=torch.Generator().manual_seed(0)), torch.arange(16) % 10
    for _ in range(3):
        torch.testing.assert_close(
            compiled.step(x, y, True),
            plain.step(x, y, True),
            rtol=1e-4,
            atol=1e-5,
        )
    torch.testing.assert_close(compiled.evaluate([(x, y)]), plain.evaluate([(x, y)]), rtol=1e-4, atol=1e-4)


def test_a_resumed_run_keeps_the_pace_that_it_began_with() -> None:
    asked = recipe(precision="auto")
    begun = Pace(precision="bf16", compiled=False)
    events = list(train(asked, (SGD,), 0, device="cpu", images=images(), pace=begun))
    first = next(e for e in events if hasattr(e, "state"))
    assert first.state["pace"] == {"precision": "bf16", "compiled": False, "reason": ""}
    other = Pace(precision="fp32", compiled=False)
    resumed = list(train(asked, (SGD,), 0, device="cpu", images=images(), state=first.state, pace=other))
    told = [e for e in events if getattr(e, "name", "") == "test_loss" and e.epoch == 2]
    assert [e for e in resumed if getattr(e, "name", "") == "test_loss"] == told
