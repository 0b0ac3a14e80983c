"""The estimate multiplies out what it timed, and the machine says what it is."""

import platform

import numpy as np
import pytest
import torch

import samviz
from samviz.spec import Recipe
from samviz.training import calibrate, device, machine
from samviz.training.hardware import Stopwatch
from tests.training.fakes import SAM_ALL, SGD, recipe


def test_the_total_is_training_and_evaluation_multiplied_out() -> None:
    settings = recipe(epochs=10)
    result = calibrate(settings, (SGD, SAM_ALL), device="cpu")
    assert set(result["arms"]) == {SGD.key, SAM_ALL.key}
    assert all(seconds > 0 for seconds in result["arms"].values())
    assert result["device"] == "CPU"
    evaluations = result["seconds_evaluation"] * (10 + 1 / 2)  # both arms each epoch, and the common start once
    training = sum(result["arms"].values())
    assert result["seconds_total"] > 0.999 * (training + evaluations)
    assert result["seconds_total"] == pytest.approx(training + evaluations, rel=0.5)  # the rest is drawing batches


def test_no_data_set_is_needed_for_an_estimate(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    monkeypatch.setenv("SAMVIZ_HOME", str(tmp_path))
    monkeypatch.delenv("SAMVIZ_DATA", raising=False)
    settings = Recipe(dataset="cifar10", batch_size=8, epochs=3)
    assert calibrate(settings, (SGD,), device="cpu")["seconds_total"] > 0


def test_the_machine_is_described_in_strings() -> None:
    described = machine("cpu")
    assert all(isinstance(value, str) and value for value in described.values())
    assert described["device"] == "CPU"
    assert described["samviz"] == samviz.__version__
    assert described["torch"] == torch.__version__
    assert described["python"] == platform.python_version()
    assert described["numpy"] == np.__version__
    assert set(machine()) == set(described)


def test_the_device_is_one_that_computes() -> None:
    assert float(torch.ones(2, device=device()).sum()) == 2


def test_a_stopwatch_adds_laps_and_starts_afresh() -> None:
    watch = Stopwatch(torch.device("cpu"))
    for _ in range(3):
        with watch:
            pass
    assert len(watch.laps()) == 3
    assert watch.laps() == []
