"""Arms that there is not enough memory for: really asked of torch, by a network of one's own."""

from dataclasses import replace
from pathlib import Path

from samviz.spec import Arm, Comparison, Recipe
from tests.hard.faults_bench import Outcome, Run, Whole, bench, tried, unbroken, until
from tests.hard.faults_killed import end

HUNGRY = '''"""A network whose memory grows with its gamma: at the start it needs next to nothing."""

import torch
from torch import nn


class Hungry(nn.Module):
    def __init__(self, classes):
        super().__init__()
        self.first = nn.Conv2d(3, 8, 3, stride=4)
        self.norm = nn.BatchNorm2d(8)
        self.last = nn.Linear(8 * 8 * 8, classes)

    def forward(self, x):
        x = self.norm(self.first(x)).relu().flatten(1)
        if float(self.norm.weight.detach().abs().max()) > 20:
            torch.empty(1 << 50)
        return self.last(x)
'''
SGD = Arm()
MODEST = Arm(variant="sam", scope="norm_only", rho=0.5)
GREEDY = Arm(variant="sam", scope="norm_only", rho=90.0, first_epoch=3)
"""From its third epoch on, w + eps is where there is not enough memory."""
EPOCHS = 60


def comparison(*arms: Arm) -> Comparison:
    recipe = Recipe(
        train_size=64, test_size=50, batch_size=32, epochs=EPOCHS, precision="fp32", network="hungry:Hungry"
    )
    return Comparison(name="Hungry", recipe=recipe, arms=arms, seeds=(0,))


def one_arm(folder: Path) -> Outcome:
    """One arm of three rests with a row that says so, the others go on as if it had never been there, and so they do
    after their worker was killed.
    """
    code = _hungry(folder)
    with tried("out of memory in one arm") as outcome, bench(folder) as place:
        reference = unbroken(comparison(SGD, MODEST), code)
        run = place.run(comparison(SGD, GREEDY, MODEST), code)
        until(lambda: _failed(run), "the arm fails")
        end(run.worker())
        outcome.times += 1
        run.judge(outcome, None)
        outcome.expect(_failed(run) == [(GREEDY.key, 5)], f"These failed, at these steps: {_failed(run)}")
        outcome.expect("It rests, the others go on" in run.log(), "The log does not say it.")
        differences = reference.differences(_without(run.whole(), GREEDY.key))
        outcome.wrong += differences
        outcome.equal = not differences
    return outcome


def all_arms(folder: Path) -> Outcome:
    """There is not enough memory for any arm: the run fails, in a sentence, although another worker had it when the
    first arm failed.
    """
    code = _hungry(folder)
    with tried("out of memory in all arms") as outcome, bench(folder) as place:
        run = place.run(comparison(GREEDY, replace(GREEDY, first_epoch=EPOCHS - 1)), code)
        until(lambda: _failed(run), "an arm fails")
        end(run.worker())
        outcome.times += 1
        run.judge(outcome, None, state="failed")
        outcome.expect("not enough memory" in run.row().reason, f"The reason is: {run.row().reason}")
        outcome.expect(run.row().attempt == 2, f"The run took {run.row().attempt} attempts.")
    return outcome


def _failed(run: Run) -> list[tuple[str, int]]:
    """Arms that there was not enough memory for, and at which step."""
    return [(arm, step) for _, arm, _, step, name, _ in run.bench.store.news(run.id).metrics if name == "failed"]


def _without(whole: Whole, arm: str) -> Whole:
    """What is left when an arm is taken away."""
    weights = {seed: {key: state for key, state in arms.items() if key != arm} for seed, arms in whole.weights.items()}
    metrics, histograms = (
        {key: value for key, value in part.items() if key[1] != arm} for part in (whole.metrics, whole.histograms)
    )
    return Whole(metrics, histograms, weights)


def _hungry(folder: Path) -> Path:
    """The folder that the terminal is in when it asks for the network."""
    code = folder / "code"
    code.mkdir(parents=True)
    (code / "hungry.py").write_text(HUNGRY)
    return code
