"""What became of a path: each kind on settings that lead to it, and sentences that are true."""

import re

import numpy as np
import pytest

from samviz.toy import Outcome, Path, descend, loss, outcome
from samviz.variants import VARIANTS

RADII = {None: 0.0, "sam": 0.05, "fisher": 0.05}
FIRST, SECOND = (0.2, 0.05), (0.3, 0.033)


def judge(start, variant: str | None, target: float = 0.04, **settings) -> Outcome:
    settings = {"rho": RADII.get(variant, 0.5)} | settings
    return outcome(descend(start, variant, target=target, **settings), target)


@pytest.mark.parametrize("start", [FIRST, SECOND])
@pytest.mark.parametrize("variant", [None, *VARIANTS])
def test_the_papers_settings(start: tuple[float, float], variant: str | None) -> None:
    stuck = start == SECOND and variant in ("sam", "fisher")
    end = judge(start, variant)
    assert end.kind == ("dead" if stuck else "valley")
    assert (end.step is None) == stuck


@pytest.mark.parametrize(
    ("start", "variant", "sentence"),
    [
        (FIRST, None, "Reached the valley at (0.251, 0.159) after 165 steps and stays within 0.001 of it."),
        (
            FIRST,
            "sam",
            "Reached the valley at (0.238, 0.167) after 204 steps, slides along it to (0.200, 0.199) "
            "and stays within 0.00102 of it.",
        ),
        (
            FIRST,
            "elementwise_l2",
            "Reached the valley at (0.250, 0.159) after 254 steps and stays within 0.00121 of it.",
        ),
        (
            SECOND,
            "sam",
            "Stuck at (0.300, 0.0330) from the start: w + ε is in the dead half-plane w₂ ≤ 0, "
            "so the gradient there is zero.",
        ),
    ],
)
def test_the_opening_sentences(start: tuple[float, float], variant: str | None, sentence: str) -> None:
    assert str(judge(start, variant)) == sentence


@pytest.mark.parametrize("variant", [None, "sam", "elementwise_l2"])
@pytest.mark.parametrize("lr", [0.01, 0.05, 0.3])
def test_too_large_a_learning_rate_oscillates_and_its_decay_settles_it(variant: str | None, lr: float) -> None:
    swinging = judge(FIRST, variant, lr=lr)
    assert swinging.kind == "oscillating"
    assert swinging.step is not None
    assert re.fullmatch(
        r"Still oscillating across the valley around \(0\.\d{3}, 0\.\d{3}\), up to 0\.\d+ away from it: "
        r"a smaller or decaying learning rate settles it\.",
        swinging.sentence,
    )
    settled = judge(FIRST, variant, lr=min(lr, 0.05), lr_decay=1.0)
    assert settled.kind == "valley"
    assert settled.sentence.endswith("within 0.001 of it.")


def test_a_huge_learning_rate_throws_it_into_the_dead_half_plane() -> None:
    end = judge(FIRST, None, lr=1.0)
    assert end.kind == "dead"
    assert end.sentence.startswith("Crossed the valley, but got stuck at (0, 0) after 2 steps: w is in the dead")
    assert judge((0.3, 0.3), "sam", lr=1.0).sentence.startswith("Stuck at (-0.0354, -0.0354) after 1 step: w is in the")
    last = judge(FIRST, None, lr=1.0, steps=2)  # the very last step leads there
    assert (last.kind, last.sentence) == (end.kind, end.sentence)


def test_asam_beyond_the_square_root_of_two_is_stuck_at_once_below_the_valley() -> None:
    end = judge(FIRST, "elementwise_l2", rho=1.42)
    assert end.kind == "dead"
    assert end.sentence.startswith("Stuck at (0.200, 0.0500) from the start: w + ε is in the dead half-plane w₂ ≤ 0")
    assert judge(FIRST, "elementwise_l2", rho=1.40, lr=0.01, lr_decay=1.0, steps=50_000).kind == "valley"


def test_a_dead_start_is_told_apart_from_a_dead_perturbation() -> None:
    assert judge((0.2, -0.1), "sam").sentence.startswith("Stuck at (0.200, -0.100) from the start: w is in the dead")
    assert judge((0.2, 0.0), None).sentence.startswith("Stuck at (0.200, 0) from the start: w is in the dead")


@pytest.mark.parametrize("variant", [None, *VARIANTS])
def test_diverged(variant: str | None) -> None:
    end = judge((-1e308, 1e308), variant, lr=1000.0, steps=10)
    assert end == Outcome("diverged", None, "Diverged after 1 step: w is no longer a finite number.")


def test_diverged_after_it_had_been_on_the_valley() -> None:
    points = np.array([(0.2, 0.2), (0.2, 0.3), (np.nan, 1.0), (np.nan, np.nan)])
    end = outcome(Path(points, points[:-1], loss(points)), 0.04)
    assert (end.kind, end.step) == ("diverged", 0)
    assert end.sentence.startswith("Diverged after 2 steps")


def test_on_its_way() -> None:
    end = judge(FIRST, "sam", steps=50)
    assert end == Outcome("moving", None, "Still moving after 50 steps: at (0.202, 0.0779) the loss is 0.0242.")
    still = judge(FIRST, "sam", lr=0.0, steps=1)
    assert still == Outcome(
        "moving", None, "Has not moved from (0.200, 0.0500) in 1 step: the learning rate is too small."
    )


def test_a_start_on_the_valley() -> None:
    end = judge((0.1, 0.4), "elementwise_l2", lr=0.001, steps=10)
    assert (end.kind, end.step) == ("valley", 0)
    assert end.sentence == "Starts on the valley at (0.100, 0.400) and stays within 0.001 of it."


@pytest.mark.parametrize("steps", [1, 2, 5, 160, 165, 166, 170, 190])
def test_short_paths(steps: int) -> None:
    assert judge(FIRST, None, steps=steps).kind == ("valley" if steps >= 165 else "moving")


@pytest.mark.parametrize("seed", range(4))
def test_every_sentence_agrees_with_its_path(seed: int) -> None:
    rng = np.random.default_rng(seed)
    kinds = set()
    for _ in range(150):
        variant = [None, *VARIANTS][rng.integers(8)]
        start, c = rng.uniform(-0.2, 0.8, 2), float(10 ** rng.uniform(-2, 0))
        path = descend(
            start,
            variant,
            rho=float(10 ** rng.uniform(-2, 0.3)),
            lr=float(10 ** rng.uniform(-3, 0)),
            steps=int(rng.choice([1, 40, 1000])),
            lr_decay=float(rng.choice([0, 1])),
            target=c,
        )
        end = outcome(path, c)
        kinds.add(end.kind)
        x, y = path.points.T
        with np.errstate(divide="ignore", invalid="ignore"):
            away = np.where((x > 0) & (y > 0), abs(x * y - c) / np.hypot(x, y), np.inf)
        if end.step is not None:
            above = x * y > c
            assert away[end.step] <= 0.001 or above[end.step] != above[end.step - 1]
            assert (away[: end.step] > 0.001).all()
        if end.kind == "valley":
            bound = float(re.search(r"within ([\d.]+) of it", end.sentence)[1])
            assert (away[end.step :] <= bound).all() or " swings " in end.sentence
            assert away[-1] <= bound
        elif end.kind == "dead":
            assert path.points[-1, 1] <= 0 or path.perturbed[-1, 1] <= 0
            assert path.points[-1, 1] <= 0 or (path.points[-1] == path.points[-2]).all()
        elif end.kind == "oscillating":
            assert path.loss[-20:].max() > 0
            assert len(set((x * y > c)[-20:].tolist())) == 2
        assert end.sentence.endswith(".")
        assert "nan" not in end.sentence
        assert "inf" not in end.sentence
    assert {"valley", "dead", "oscillating", "moving"} <= kinds


def test_a_path_of_many_starts_has_one_outcome_each() -> None:
    starts = np.array([[FIRST, SECOND], [(0.2, -0.1), (0.5, 0.3)]])
    ends = outcome(descend(starts, "sam", steps=1000), 0.04)
    assert ends == [judge(start, "sam", steps=1000) for start in starts.reshape(-1, 2)]
