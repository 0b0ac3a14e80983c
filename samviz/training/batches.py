"""The images of one run on the device: as bytes, cut into batches, augmented and normalized there."""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from samviz.data import Images
from samviz.spec import Recipe
from samviz.training.autoaugment import autoaugment, draw, joined
from samviz.training.cutout import cutout, draw_cutout
from samviz.training.hardware import on_device

ORDER, AUGMENT = 3, 4
"""Streams of random numbers under one seed, beside those of `samviz.data.subset`."""

PAD = 4
"""Black pixels added on each side before a crop (He et al. 2016, section 4.2)."""

TEST_BATCH = {"cpu": 100}
"""Test images at once: 1000, but fewer where caches are small (on 2 CPU cores, 64 took a third of the time of 1000)."""

Batch = tuple[Tensor, Tensor]
"""Images (B, 3, S, S) float32, normalized, channels last in memory, and labels (B,) int64."""


CHUNK = 16
"""Batches augmented at once: AutoAugment is many small kernels, whatever the number of images (a third of the time)."""


class Batches:
    """Train and test batches of one run; every draw depends only on (seed, epoch, batch), never on the arms.

    Orders, crops and all other draws are made on the CPU, so that all devices see the same images, and so that no
    device has to be waited for.
    """

    def __init__(self, images: Images, recipe: Recipe, seed: int, device: torch.device) -> None:
        self.seed, self.batch_size, self.device = seed, recipe.batch_size, device
        self.cropped = recipe.augmentation != "none"
        self.by_policy, self.cutout = recipe.augmentation == "autoaugment", recipe.cutout
        self._mean, self._std = (torch.from_numpy(x).to(device) for x in channel_statistics(images.train_x))
        self._train_x = self._bytes(images.train_x, PAD if self.cropped else 0)
        self._train_y = torch.from_numpy(images.train_y).to(device)
        self._test = self._bytes(images.test_x, 0), torch.from_numpy(images.test_y).to(device)
        self._validation = self._bytes(images.validation_x, 0), torch.from_numpy(images.validation_y).to(device)

    @property
    def test_images(self) -> int:
        return len(self._test[1])

    def train(self, epoch: int, first: int = 0) -> Iterator[Batch]:
        """The whole batches of an epoch from the `first` on, in its own order; the rest of the shuffle is left out."""
        order = np.random.default_rng([self.seed, ORDER, epoch]).permutation(len(self._train_y))
        whole = len(order) // self.batch_size
        for begin in range(first, whole, CHUNK):
            batches = range(begin, min(begin + CHUNK, whole))
            chosen = on_device(order[batches.start * self.batch_size : batches.stop * self.batch_size], self.device)
            random = [np.random.default_rng([self.seed, AUGMENT, epoch, batch]) for batch in batches]
            images = self._augment(chosen, random).split(self.batch_size)
            labels = self._train_y[chosen].split(self.batch_size)
            for x, y, rng in zip(images, labels, random, strict=True):
                x = self._normalize(x)
                if self.cutout:
                    cutout(x, self.cutout, *draw_cutout(rng, len(y), x.shape[2]))
                yield x, y

    def test(self) -> Iterator[Batch]:
        """All test images, in order."""
        yield from self._in_order(*self._test)

    def validation(self) -> Iterator[Batch]:
        """All images that are held out, in order."""
        yield from self._in_order(*self._validation)

    def _in_order(self, x: Tensor, y: Tensor) -> Iterator[Batch]:
        size = test_batch(self.device)
        if len(y) > 0:
            for part, labels in zip(x.split(size), y.split(size), strict=True):
                yield self._normalize(part), labels

    def _augment(self, chosen: Tensor, random: list[np.random.Generator]) -> Tensor:
        """Images (n, S, S, 3) uint8 of several batches; each of them draws from its own generator."""
        if not self.cropped:
            return self._train_x[chosen]
        crops = [draw_crops(rng, self.batch_size) for rng in random]
        x = self._crop_and_flip(chosen, *(np.concatenate(parts) for parts in zip(*crops, strict=True)))
        return autoaugment(x, joined([draw(rng, self.batch_size) for rng in random])) if self.by_policy else x

    def _crop_and_flip(self, chosen: Tensor, top: np.ndarray, left: np.ndarray, flip: np.ndarray) -> Tensor:
        """One gather from the padded bytes: (n, S, S, 3)."""
        size = np.arange(self._train_x.shape[1] - 2 * PAD)
        rows = on_device(top[:, None] + size, self.device)
        columns = on_device(left[:, None] + np.where(flip[:, None], size[::-1], size), self.device)
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
