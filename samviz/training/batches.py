"""The images of one run on the device: as bytes, cut into batches, augmented and normalized there."""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from samviz.data import Images
from samviz.spec import Recipe

ORDER, AUGMENT = 3, 4
"""Streams of random numbers under one seed, beside those of `samviz.data.subset`."""

PAD = 4
"""Black pixels added on each side before a crop (He et al. 2016, section 4.2)."""

TEST_BATCH = {"cpu": 100}
"""Test images at once: 1000, but fewer where caches are small (on 2 CPU cores, 64 took a third of the time of 1000)."""

Batch = tuple[Tensor, Tensor]
"""Images (B, 3, S, S) float32, normalized, channels last in memory, and labels (B,) int64."""


class Batches:
    """Train and test batches of one run; every draw depends only on (seed, epoch, batch), never on the arms.

    Orders and crops are drawn on the CPU, so that all devices see the same images.
    """

    def __init__(self, images: Images, recipe: Recipe, seed: int, device: torch.device) -> None:
        self.seed, self.batch_size, self.augmented = seed, recipe.batch_size, recipe.augmentation == "crop_flip"
        self.device = device
        self._mean, self._std = (torch.from_numpy(x).to(device) for x in channel_statistics(images.train_x))
        self._train_x = self._bytes(images.train_x, PAD if self.augmented else 0)
        self._test_x = self._bytes(images.test_x, 0)
        self._train_y = torch.from_numpy(images.train_y).to(device)
        self._test_y = torch.from_numpy(images.test_y).to(device)

    @property
    def test_images(self) -> int:
        return len(self._test_y)

    def train(self, epoch: int) -> Iterator[Batch]:
        """The whole batches of an epoch, in its own order; the rest of the shuffle is left out."""
        order = np.random.default_rng([self.seed, ORDER, epoch]).permutation(len(self._train_y))
        for batch in range(len(order) // self.batch_size):
            chosen = torch.from_numpy(order[batch * self.batch_size :][: self.batch_size]).to(self.device)
            x = self._augment(chosen, epoch, batch) if self.augmented else self._train_x[chosen]
            yield self._normalize(x), self._train_y[chosen]

    def test(self) -> Iterator[Batch]:
        """All test images, in order."""
        size = test_batch(self.device)
        for x, y in zip(self._test_x.split(size), self._test_y.split(size), strict=True):
            yield self._normalize(x), y

    def _augment(self, chosen: Tensor, epoch: int, batch: int) -> Tensor:
        """Crop and flip each image by one gather from the padded bytes: (B, S, S, 3)."""
        rng = np.random.default_rng([self.seed, AUGMENT, epoch, batch])
        top, left, flip = draw_crops(rng, len(chosen))
        size = np.arange(self._train_x.shape[1] - 2 * PAD)
        rows = top[:, None] + size
        columns = left[:, None] + np.where(flip[:, None], size[::-1], size)
        rows, columns = torch.from_numpy(rows).to(self.device), torch.from_numpy(columns).to(self.device)
        return self._train_x[chosen[:, None, None], rows[:, :, None], columns[:, None, :]]

    def _bytes(self, x: np.ndarray, pad: int) -> Tensor:
        """(N, 3, S, S) uint8 -> (N, S + 2 pad, S + 2 pad, 3) on the device."""
        x = np.pad(x.transpose(0, 2, 3, 1), ((0, 0), (pad, pad), (pad, pad), (0, 0)))
        return torch.from_numpy(np.ascontiguousarray(x)).to(self.device)

    def _normalize(self, x: Tensor) -> Tensor:
        """(B, S, S, 3) uint8 -> (B, 3, S, S) float32, each channel with mean 0 and deviation 1 over the train set."""
        return ((x.float() - self._mean) / self._std).permute(0, 3, 1, 2)


def test_batch(device: torch.device) -> int:
    """Images of one test batch on this device."""
    return TEST_BATCH.get(device.type, 1000)


def draw_crops(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Offsets from the top and the left, 0 to 2 PAD, and whether to flip left to right, for n images."""
    top, left = rng.integers(0, 2 * PAD + 1, size=(2, n))
    return top, left, rng.random(n) < 0.5


def channel_statistics(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of each channel of (N, 3, S, S) uint8 images, as float32, in units of bytes."""
    mean = x.mean(axis=(0, 2, 3))
    square = np.array([np.square(x[:, channel], dtype=np.uint16).mean() for channel in range(x.shape[1])])
    std = np.sqrt(np.maximum(square - mean**2, 1.0))  # a channel of one value must not divide by 0
    return mean.astype(np.float32), std.astype(np.float32)
