"""The loss and its gradient, against torch and in the dead half-plane."""

import numpy as np
import pytest
import torch

from samviz.toy import gradient, loss

POINTS = [(0.2, 0.05), (0.3, 0.3), (-0.4, 0.2), (0.0, 0.3), (0.3, 0.0), (0.3, -0.1), (-0.2, -0.2), (0.5, 0.5), (2, 0.5)]


@pytest.mark.parametrize("target", [0.04, 0.25, 1.0])
def test_loss_and_gradient_are_torchs(target: float) -> None:
    w = torch.tensor(POINTS, dtype=torch.float64, requires_grad=True)
    expected = (w[:, 0] * torch.relu(w[:, 1]) - target).abs()
    expected.sum().backward()
    assert (expected == 0).any() or target == 0.04  # the kink is among the points
    np.testing.assert_array_equal(loss(np.array(POINTS), target), expected.detach())
    np.testing.assert_array_equal(gradient(np.array(POINTS), target), w.grad)


def test_shapes_follow_the_starts() -> None:
    w = np.zeros((3, 4, 2))
    assert loss(w).shape == (3, 4)
    assert gradient(w).shape == (3, 4, 2)
    assert loss((0.2, 0.3)) == pytest.approx(0.02)


def test_the_dead_half_plane_is_flat_up_to_infinity() -> None:
    w = np.array([(5.0, -1.0), (np.inf, -np.inf), (-np.inf, 0.0)])
    np.testing.assert_array_equal(loss(w, 0.5), [0.5] * 3)
    np.testing.assert_array_equal(gradient(w, 0.5), np.zeros((3, 2)))


def test_a_nan_stays_a_nan() -> None:
    assert np.isnan(loss((np.nan, 1.0)))
    assert np.isnan(gradient((1.0, np.nan))).all()
