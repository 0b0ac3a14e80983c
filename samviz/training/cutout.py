"""Cutout: a square of each image is hidden (DeVries & Taylor 2017, "Improved Regularization ... with Cutout")."""

import numpy as np
import torch
from torch import Tensor

from samviz.training.hardware import on_device


def draw_cutout(rng: np.random.Generator, n: int, size: int) -> tuple[np.ndarray, np.ndarray]:
    """The row and the column (n,) of the pixel at each square's center, anywhere in an image of size * size pixels."""
    rows, columns = rng.integers(size, size=(2, n))
    return rows, columns


def cutout(x: Tensor, side: int, rows: np.ndarray, columns: np.ndarray) -> Tensor:
    """Normalized images (n, 3, H, W), changed in place and returned: 0, the mean color, in a square of each.

    A square covers `side` rows from `side // 2` above its center on, and columns likewise; what lies beyond the
    border is cut off.
    """
    hidden_rows = _span(rows, side, x.shape[2], x.device)[:, None, :, None]
    hidden_columns = _span(columns, side, x.shape[3], x.device)[:, None, None, :]
    return x.masked_fill_(hidden_rows & hidden_columns, 0)


def _span(centers: np.ndarray, side: int, size: int, device: torch.device) -> Tensor:
    """Which of `size` pixels along an axis are within `side` pixels around each center: (n, size) bool."""
    offset = np.arange(size) - (centers[:, None] - side // 2)
    return on_device((offset >= 0) & (offset < side), device)
