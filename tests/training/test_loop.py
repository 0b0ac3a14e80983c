"""The race: fair to every arm, the same after a break, and honest about an arm that diverges."""

import io
from collections import Counter, defaultdict
from math import cos, isfinite, nan, pi

import numpy as np
import pytest
import torch

from samviz.spec import Arm, Checkpoint, Diverged, Event, Histogram, Recipe, Scalar
from samviz.training import build, racer, train
from samviz.training.batches import Batches
from samviz.training.loop import BINS, histogram, learning_rate
from tests.training.fakes import SAM_ALL, SAM_ON, SGD, images, recipe

ARMS = (SGD, SAM_ALL, SAM_ON)
PER_EPOCH = {"train_loss", "train_accuracy", "test_loss", "test_accuracy", "seconds", "gamma_mean", "gamma_std"}


def run(arms: tuple[Arm, ...] = ARMS, seed: int = 0, settings: Recipe | None = None, **more) -> list[Event]:
    return list(train(settings or recipe(), arms, seed, device="cpu", images=images(), **more))


def told(events: list[Event], arm: Arm) -> list[Event]:
    """What is told of one arm, without the clock's figures."""
    clock = [e for e in events if isinstance(e, Scalar) and e.name == "seconds"]
    return [e for e in events if not isinstance(e, Checkpoint) and e.arm == arm.key and e not in clock]


def checkpoints(events: list[Event]) -> list[Checkpoint]:
    return [e for e in events if isinstance(e, Checkpoint)]


def assert_same(a: object, b: object) -> None:
    """The same containers with the same tensors, bit for bit."""
    assert type(a) is type(b)
    if isinstance(a, torch.Tensor):
        assert torch.equal(a, b)
    elif isinstance(a, dict):
        assert a.keys() == b.keys()
        for key in a:
            assert_same(a[key], b[key])
    elif isinstance(a, list):
        for x, y in zip(a, b, strict=True):
            assert_same(x, y)
    else:
        assert a == b


@pytest.fixture(scope="module")
def events() -> list[Event]:
    return run()


def test_every_epoch_tells_everything_of_every_arm(events: list[Event]) -> None:
    names: dict[tuple[str, int], Counter] = defaultdict(Counter)
    for e in events:
        if isinstance(e, Scalar | Histogram):
            names[e.arm, e.epoch][e.name] += 1
            assert e.step == 2 * e.epoch or e.name in {"batch_loss", "lr"}
        if isinstance(e, Scalar):
            assert type(e.value) is float
            assert isfinite(e.value)
    start = {"test_loss": 1, "test_accuracy": 1, "gamma_mean": 1, "gamma_std": 1, "gamma": 1, "beta": 1}
    each = dict.fromkeys(PER_EPOCH | {"gamma", "beta"}, 1) | {"batch_loss": 2, "lr": 2}
    assert dict(names) == {(arm.key, epoch): each if epoch else start for arm in ARMS for epoch in (0, 1, 2)}
    assert [c.epoch for c in checkpoints(events)] == [1, 2]
    assert isinstance(events[-1], Checkpoint)


def test_arms_start_from_the_same_weights_and_then_part(events: list[Event]) -> None:
    losses = [[e.value for e in told(events, arm) if e.name == "test_loss"] for arm in ARMS]
    assert losses[0][0] == losses[1][0] == losses[2][0]
    first = [next(e.value for e in told(events, arm) if e.name == "batch_loss") for arm in ARMS]
    assert first[0] == first[1] == first[2]  # the loss of the first batch is taken before any update
    assert len({loss[-1] for loss in losses}) == 3


@pytest.mark.parametrize("arms", [(SAM_ON,), (SAM_ON, SGD)])
def test_a_curve_does_not_depend_on_which_other_arms_are_there(events: list[Event], arms: tuple[Arm, ...]) -> None:
    assert told(run(arms), SAM_ON) == told(events, SAM_ON)


def test_a_run_repeats_bit_for_bit_and_a_seed_changes_it(events: list[Event]) -> None:
    again = run()
    for arm in ARMS:
        assert told(again, arm) == told(events, arm)
    assert_same(checkpoints(again)[-1].state, checkpoints(events)[-1].state)
    assert told(run((SGD,), seed=1), SGD) != told(events, SGD)


def test_the_sgd_arm_is_sgd_written_out() -> None:
    data = images()
    settings = recipe(train_size=60, augmentation="none", label_smoothing=0.2, nesterov=True, epochs=1)
    told_losses = [e.value for e in run((SGD,), settings=settings) if getattr(e, "name", "") == "batch_loss"]

    network = build("resnet8", 10, 0).to(memory_format=torch.channels_last)
    velocity = [torch.zeros_like(w) for w in network.parameters()]
    losses = []
    for i, (x, y) in enumerate(Batches(data, settings, 0, torch.device("cpu")).train(1)):
        log_p = network(x).log_softmax(dim=1)
        target = torch.full_like(log_p, 0.2 / 10)
        target[torch.arange(len(y)), y] += 0.8
        loss = -(target * log_p).sum(dim=1).mean()
        losses.append(float(loss.detach()))
        gradients = torch.autograd.grad(loss, list(network.parameters()))
        lr = 0.05 * (1 + cos(pi * i / 3))
        with torch.no_grad():
            for w, g, v in zip(network.parameters(), gradients, velocity, strict=True):
                g = g + 5e-4 * w
                v.mul_(0.9).add_(g)
                w -= lr * (g + 0.9 * v)
    assert told_losses == pytest.approx(losses, rel=1e-4)


def test_the_averages_of_an_epoch_are_those_of_its_batches(events: list[Event]) -> None:
    of_epoch = [e for e in told(events, SAM_ALL) if isinstance(e, Scalar) and e.epoch == 1]
    batch = [e.value for e in of_epoch if e.name == "batch_loss"]
    (loss,) = [e.value for e in of_epoch if e.name == "train_loss"]
    (accuracy,) = [e.value for e in of_epoch if e.name == "train_accuracy"]
    assert loss == pytest.approx(np.mean(batch), rel=1e-6)
    assert accuracy * 32 / 100 == pytest.approx(round(accuracy * 32 / 100), abs=1e-9)


def test_a_resumed_run_is_the_unbroken_one_bit_for_bit(events: list[Event]) -> None:
    file = io.BytesIO()
    torch.save(checkpoints(events)[0].state, file)
    file.seek(0)
    state = torch.load(file, weights_only=True)
    resumed = run(state=state)
    for arm in ARMS:
        assert told(resumed, arm) == [e for e in told(events, arm) if e.epoch == 2]
    assert_same(checkpoints(resumed)[-1].state, checkpoints(events)[-1].state)
    file.seek(0)
    assert_same(state, torch.load(file, weights_only=True))  # going on leaves the state itself as it was


def test_a_finished_state_has_nothing_left_to_tell(events: list[Event]) -> None:
    assert run(state=checkpoints(events)[-1].state) == []


def test_a_state_of_other_arms_is_refused(events: list[Event]) -> None:
    with pytest.raises(ValueError, match=r"^state must be of the arms"):
        run((SGD,), state=checkpoints(events)[-1].state)


def test_images_of_another_number_are_refused() -> None:
    with pytest.raises(ValueError, match=r"^images must hold 4000 train images, but they hold 60\."):
        run(settings=recipe(train_size=None))


@pytest.fixture
def broken_loss(monkeypatch: pytest.MonkeyPatch) -> None:
    """From its 4th step on, the loss of every arm with rho 0.2 is NaN: a fault in one arm alone."""
    step = racer.Racer.step
    counts: Counter = Counter()

    def faulty(self: racer.Racer, x: torch.Tensor, y: torch.Tensor, lr: float) -> tuple:
        loss, right = step(self, x, y, lr)
        counts[self] += 1
        return (loss * nan if getattr(self.optimizer, "rho", 0) == 0.2 and counts[self] >= 2 else loss), right

    monkeypatch.setattr(racer.Racer, "step", faulty)


@pytest.mark.usefixtures("broken_loss")
def test_an_arm_that_diverges_rests_and_the_others_go_on(events: list[Event]) -> None:
    broken = run()
    assert [e for e in broken if isinstance(e, Diverged)] == [Diverged(SAM_ON.key, 1, 2)]
    assert {e.epoch for e in told(broken, SAM_ON) if not isinstance(e, Diverged)} == {0, 1}
    assert not [e for e in told(broken, SAM_ON) if getattr(e, "name", "") in {"train_loss", "test_loss"} and e.epoch]
    for arm in (SGD, SAM_ALL):
        assert told(broken, arm) == told(events, arm)
    resumed = run(state=checkpoints(broken)[0].state)
    assert told(resumed, SAM_ON) == []
    assert told(resumed, SGD) == [e for e in told(events, SGD) if e.epoch == 2]


@pytest.mark.usefixtures("broken_loss")
def test_when_every_arm_rests_the_run_ends_with_a_checkpoint() -> None:
    broken = run((SAM_ON,), settings=recipe(epochs=50))
    assert [c.epoch for c in checkpoints(broken)] == [1]
    assert run((SAM_ON,), settings=recipe(epochs=50), state=checkpoints(broken)[0].state) == []


def test_weights_that_overflow_are_told_as_diverged_once_and_nothing_else_is_infinite() -> None:
    wild = run((SGD, SAM_ALL), settings=recipe(lr=100.0, weight_decay=1.0, epochs=8, schedule="constant"))
    diverged = Counter(e.arm for e in wild if isinstance(e, Diverged))
    assert set(diverged.values()) == {1}
    assert all(isfinite(e.value) for e in wild if isinstance(e, Scalar))


def test_the_cosine_starts_at_lr_and_ends_at_zero() -> None:
    settings = recipe(epochs=5)  # 2 steps an epoch
    assert learning_rate(settings, 0) == settings.lr
    assert learning_rate(settings, 5) == pytest.approx(settings.lr / 2)
    assert learning_rate(settings, 10) == pytest.approx(0, abs=1e-17)
    assert {learning_rate(recipe(schedule="constant"), step) for step in range(11)} == {settings.lr}
    assert [e.value for e in run((SGD,)) if getattr(e, "name", "") == "lr"] == pytest.approx(
        [0.05 * (1 + cos(pi * step / 4)) for step in range(4)]
    )


def test_histograms_count_every_gamma_and_share_their_bins(events: list[Event]) -> None:
    network = build("resnet8", 10, 0)
    gammas = sum(m.weight.numel() for m in network.modules() if isinstance(m, torch.nn.BatchNorm2d))
    told_histograms = [e for e in events if isinstance(e, Histogram)]
    assert {sum(e.counts) for e in told_histograms} == {gammas}
    assert {(e.name, e.low, e.high, len(e.counts)) for e in told_histograms} == {
        ("gamma", -1.0, 3.0, 80),
        ("beta", -2.0, 2.0, 80),
    }
    start = next(e for e in told_histograms if e.name == "gamma" and e.epoch == 0)
    assert start.counts[40] == gammas  # gamma starts at 1: the bin from 1 to 1.05


def test_values_beyond_the_ends_are_counted_in_the_end_bins() -> None:
    counts = histogram(torch.tensor([-9.0, -1.0, 0.99, 3.0, 77.0]), -1.0, 3.0)
    assert len(counts) == BINS
    assert (counts[0], counts[39], counts[-1], sum(counts)) == (2, 1, 2, 5)
    assert all(type(n) is int for n in counts)
