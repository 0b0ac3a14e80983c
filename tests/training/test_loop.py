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
from samviz.training.loop import BINS, HISTOGRAMS, histogram, learning_rate
from tests.training.fakes import SAM_ALL, SAM_ON, SGD, images, recipe

ARMS = (SGD, SAM_ALL, SAM_ON)
LAYERS = 9
"""Norm layers of ResNet-8."""
AT_THE_START = (
    {"test_loss", "test_accuracy", "gamma", "gamma_mean", "gamma_std", "beta", "beta_mean", "beta_std"}
    | {f"{name}_mean/{k}" for name in ("gamma", "beta") for k in range(LAYERS)}
    | {f"weight_norm/{kind}" for kind in ("conv", "linear", "norm")}
    | {"weight/conv", "weight/linear"}
)
PER_EPOCH = AT_THE_START | {
    "train_loss", "train_accuracy", "gradient_norm", "gradient_evaluations", "seconds",
}  # fmt: skip
OF_AN_ASCENT = {"adversarial_loss", "eps_norm"}


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
    for arm in ARMS:
        each = PER_EPOCH | (OF_AN_ASCENT if arm.variant else set())
        assert names[arm.key, 0] == dict.fromkeys(AT_THE_START, 1)
        for epoch in (1, 2):
            assert names[arm.key, epoch] == dict.fromkeys(each, 1) | {"batch_loss": 2, "lr": 2}
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


MASKED = Arm(variant="sam", rho=0.1, mask="dynamic", sparsity=0.5)
LONGER = Arm(epochs_factor=2)


@pytest.mark.parametrize("stop", [1, 2, 3, 5])
def test_a_run_stopped_at_any_step_and_resumed_is_the_unbroken_one_bit_for_bit(stop: int) -> None:
    """3 steps an epoch: step 1 and 2 lie within the first, 3 at its end, 5 in the second."""
    arms, settings = (SAM_ON, MASKED, LONGER), recipe(train_size=48, m=8, validation_size=10, dropout=0.3)
    unbroken = run(arms, settings=settings)
    broken = run(arms, settings=settings, checkpoint_due=lambda: True)
    assert [c.step for c in checkpoints(broken)] == list(range(1, 13))
    for arm in arms:
        assert told(broken, arm) == told(unbroken, arm)
    file = io.BytesIO()
    torch.save(checkpoints(broken)[stop - 1].state, file)
    file.seek(0)
    resumed = run(arms, settings=settings, state=torch.load(file, weights_only=True))
    for arm in arms:
        assert told(resumed, arm) == [e for e in told(unbroken, arm) if e.step > stop]
    assert_same(checkpoints(resumed)[-1].state, checkpoints(unbroken)[-1].state)


def test_what_was_told_before_a_checkpoint_belongs_to_steps_before_it() -> None:
    """A resume drops what lies beyond the checkpoint, and the next attempt tells only what comes after it."""
    step = 0
    for e in run(settings=recipe(train_size=48), checkpoint_due=lambda: True):
        assert e.step >= step
        if isinstance(e, Checkpoint):
            step = e.step + 1


def test_an_arm_with_an_epochs_factor_goes_on_alone_with_a_schedule_of_its_own() -> None:
    both = run((SGD, LONGER))
    assert {e.epoch for e in told(both, SGD)} == {0, 1, 2}
    assert {e.epoch for e in told(both, LONGER)} == {0, 1, 2, 3, 4}
    assert [e.value for e in told(both, LONGER) if getattr(e, "name", "") == "lr"] == pytest.approx(
        [0.05 * (1 + cos(pi * step / 8)) for step in range(8)]
    )
    alone = run((SGD,), settings=recipe(epochs=4))
    values = [[e.value for e in told(es, arm) if isinstance(e, Scalar)] for es, arm in ((both, LONGER), (alone, SGD))]
    assert values[0] == values[1]


def test_an_arm_climbs_in_its_window_alone(events: list[Event]) -> None:
    late, early = Arm(variant="sam", rho=0.05, first_epoch=2), Arm(variant="sam", rho=0.05, last_epoch=1)
    found = run((late, early))
    of = {arm: {e.epoch for e in told(found, arm) if getattr(e, "name", "") == "eps_norm"} for arm in (late, early)}
    assert of == {late: {2}, early: {1}}
    evaluations = [
        [e.value for e in told(es, arm) if getattr(e, "name", "") == "gradient_evaluations"]
        for es, arm in ((events, SGD), (events, SAM_ALL), (found, late), (found, early))
    ]
    assert evaluations == [[2, 4], [4, 8], [2, 6], [4, 6]]
    first = [[e for e in told(es, arm) if e.epoch == 1] for es, arm in ((found, late), (events, SGD))]
    assert [getattr(e, "value", 0) for e in first[0]] == [getattr(e, "value", 0) for e in first[1]]


def test_images_that_are_held_out_are_evaluated_like_the_test_images() -> None:
    told_of = [e for e in told(run((SGD,), settings=recipe(validation_size=20)), SGD) if isinstance(e, Scalar)]
    for name in ("validation_loss", "validation_accuracy"):
        assert [e.epoch for e in told_of if e.name == name] == [0, 1, 2]


def test_figures_by_layer_and_by_type_are_those_of_the_weights(events: list[Event]) -> None:
    weights = checkpoints(events)[-1].state["arms"][SAM_ON.key]["network"]
    network = build("resnet8", 10, 0)
    network.load_state_dict(weights)
    values = {e.name: e.value for e in told(events, SAM_ON) if isinstance(e, Scalar) and e.epoch == 2}
    layers = [m for m in network.modules() if isinstance(m, torch.nn.BatchNorm2d)]
    for k, layer in enumerate(layers):
        assert values[f"gamma_mean/{k}"] == pytest.approx(float(layer.weight.detach().mean()), rel=1e-6)
        assert values[f"beta_mean/{k}"] == pytest.approx(float(layer.bias.detach().mean()), rel=1e-5, abs=1e-9)
    norm = float(torch.cat([w.detach() for m in layers for w in (m.weight, m.bias)]).norm())
    assert values["weight_norm/norm"] == pytest.approx(norm, rel=1e-6)
    whole = float(torch.cat([w.detach().flatten() for w in network.parameters()]).norm())
    kinds = [values[f"weight_norm/{kind}"] for kind in ("conv", "linear", "norm")]
    assert np.hypot.reduce(kinds) == pytest.approx(whole, rel=1e-6)


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
    """From its 2nd step on, the loss of every arm with rho 0.2 is NaN: a fault in one arm alone."""
    step = racer.Racer.step
    counts: Counter = Counter()

    def faulty(self: racer.Racer, x: torch.Tensor, y: torch.Tensor, ascend: bool) -> torch.Tensor:
        facts = step(self, x, y, ascend)
        counts[self] += 1
        return facts * nan if self.arm.rho == 0.2 and counts[self] >= 2 else facts

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


def test_histograms_of_weights_by_type_are_those_of_numpy(events: list[Event]) -> None:
    network = build("resnet8", 10, 0)
    of_type = {"conv": torch.nn.Conv2d, "linear": torch.nn.Linear}
    for kind, layer in of_type.items():
        weights = [w.detach().flatten() for m in network.modules() if isinstance(m, layer) for w in m.parameters()]
        magnitudes = torch.cat(weights).abs().numpy()
        with np.errstate(divide="ignore"):  # biases start at 0
            expected, _ = np.histogram(np.log10(magnitudes).clip(-5, 1), 80, (-5, 1))
        found = [e for e in events if isinstance(e, Histogram) and e.name == f"weight/{kind}" and e.epoch == 0]
        assert len(found) == len(ARMS)
        assert {(e.low, e.high) for e in found} == {(-5.0, 1.0)}
        assert sum(found[0].counts) == len(magnitudes)
        assert np.abs(np.array(found[0].counts) - expected).sum() <= 4  # at an edge, logarithms round


def test_histograms_count_every_gamma_and_share_their_bins(events: list[Event]) -> None:
    network = build("resnet8", 10, 0)
    gammas = sum(m.weight.numel() for m in network.modules() if isinstance(m, torch.nn.BatchNorm2d))
    told_histograms = [e for e in events if isinstance(e, Histogram) and e.name in HISTOGRAMS]
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
