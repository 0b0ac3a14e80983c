"""What the networks see: crops, flips, normalization and orders, against plain loops."""

import numpy as np
import pytest
import torch

from samviz.data import subset
from samviz.training.autoaugment import draw
from samviz.training.batches import AUGMENT, CHUNK, ORDER, PAD, Batches, channel_statistics, draw_crops
from samviz.training.cutout import draw_cutout
from tests.training.fakes import images, recipe
from tests.training.test_autoaugment import by_pillow

CPU = torch.device("cpu")


def plain_crop(image: np.ndarray, top: int, left: int, flip: bool) -> np.ndarray:
    """One image (3, 32, 32): pad by black, cut out, turn around; pixel by pixel."""
    out = np.zeros_like(image)
    for row in range(32):
        for column in range(32):
            y, x = row + top - PAD, column + left - PAD
            if 0 <= y < 32 and 0 <= x < 32:
                out[:, row, 31 - column if flip else column] = image[:, y, x]
    return out


def test_crop_and_flip_are_a_plain_loop_over_images() -> None:
    data, seed, epoch = images(40, 20), 7, 3
    batches = Batches(data, recipe(), seed, CPU)
    mean, std = data.train_x.mean(axis=(0, 2, 3)), data.train_x.std(axis=(0, 2, 3))
    order = np.random.default_rng([seed, ORDER, epoch]).permutation(40)
    seen = list(batches.train(epoch))
    assert len(seen) == 2  # 40 images are two whole batches of 16: the rest is left out
    for batch, (x, y) in enumerate(seen):
        chosen = order[16 * batch : 16 * batch + 16]
        tops, lefts, flips = draw_crops(np.random.default_rng([seed, AUGMENT, epoch, batch]), 16)
        assert flips.any()
        assert not flips.all()
        for i, index in enumerate(chosen):
            expected = plain_crop(data.train_x[index], tops[i], lefts[i], flips[i])
            expected = (expected - mean[:, None, None]) / std[:, None, None]
            np.testing.assert_allclose(x[i].numpy(), expected, atol=1e-5)
        np.testing.assert_array_equal(y.numpy(), data.train_y[chosen])
        assert x.is_contiguous(memory_format=torch.channels_last)


def test_crops_reach_every_offset_evenly_and_half_are_flipped() -> None:
    top, left, flip = draw_crops(np.random.default_rng(0), 9000)
    for offsets in (top, left):
        counts = np.bincount(offsets, minlength=2 * PAD + 1)
        assert len(counts) == 2 * PAD + 1
        assert counts.min() > 850
    assert abs(flip.mean() - 0.5) < 0.03


def test_without_augmentation_images_come_as_they_are() -> None:
    data = images(40, 20)
    batches = Batches(data, recipe(augmentation="none", batch_size=40), 0, CPU)
    ((x, y),) = batches.train(1)
    assert sorted(y.tolist()) == sorted(data.train_y.tolist())
    np.testing.assert_allclose(x.mean(dim=(0, 2, 3)).numpy(), 0, atol=1e-4)
    np.testing.assert_allclose(x.std(dim=(0, 2, 3), correction=0).numpy(), 1, atol=1e-4)


def test_a_draw_depends_on_seed_epoch_and_batch_alone() -> None:
    data = images(40, 20)

    def first(seed: int, epoch: int) -> torch.Tensor:
        return next(iter(Batches(data, recipe(), seed, CPU).train(epoch)))[0]

    assert torch.equal(first(0, 1), first(0, 1))
    assert not torch.equal(first(0, 1), first(0, 2))
    assert not torch.equal(first(0, 1), first(1, 1))
    batches = Batches(data, recipe(), 0, CPU)
    list(batches.train(1))  # an epoch before it changes nothing
    assert torch.equal(next(iter(batches.train(2)))[0], first(0, 2))


def test_policy_and_cutout_follow_the_crops_and_a_plain_loop_over_images() -> None:
    data, seed, epoch = images(40, 20), 7, 3
    batches = Batches(data, recipe(augmentation="autoaugment", cutout=9), seed, CPU)
    mean, std = data.train_x.mean(axis=(0, 2, 3)), data.train_x.std(axis=(0, 2, 3))
    order = np.random.default_rng([seed, ORDER, epoch]).permutation(40)
    for batch, (x, _) in enumerate(batches.train(epoch)):
        rng = np.random.default_rng([seed, AUGMENT, epoch, batch])
        crops = list(zip(*draw_crops(rng, 16), strict=True))
        cropped = [plain_crop(data.train_x[i], *crop) for i, crop in zip(order[16 * batch :], crops, strict=False)]
        pictures = by_pillow(np.stack(cropped).transpose(0, 2, 3, 1), draw(rng, 16))
        for i, (row, column) in enumerate(zip(*draw_cutout(rng, 16, 32), strict=True)):
            expected = (pictures[i] - mean) / std
            expected[max(0, row - 4) : row + 5, max(0, column - 4) : column + 5] = 0
            np.testing.assert_allclose(x[i].numpy(), expected.transpose(2, 0, 1), atol=1e-5)


def test_an_epoch_can_be_taken_up_at_any_batch() -> None:
    """20 batches are more than are augmented at once."""
    batches = Batches(images(40, 20), recipe(augmentation="autoaugment", cutout=4, batch_size=2), 0, CPU)
    whole = list(batches.train(1))
    assert len(whole) == 20 > CHUNK
    for first in (1, CHUNK, 19):
        rest = list(batches.train(1, first))
        assert len(rest) == 20 - first
        for (x, y), (same_x, same_y) in zip(rest, whole[first:], strict=True):
            assert torch.equal(x, same_x)
            assert torch.equal(y, same_y)


def test_images_that_are_held_out_come_in_order_and_untouched() -> None:
    data = subset(images(60, 20), recipe(validation_size=20), 0)
    x, y = next(iter(Batches(data, recipe(validation_size=20, augmentation="autoaugment"), 0, CPU).validation()))
    mean, std = data.train_x.mean(axis=(0, 2, 3)), data.train_x.std(axis=(0, 2, 3))
    np.testing.assert_allclose(x.numpy(), (data.validation_x - mean[:, None, None]) / std[:, None, None], atol=1e-5)
    np.testing.assert_array_equal(y.numpy(), data.validation_y)


def test_test_images_come_in_order_with_the_statistics_of_the_train_images() -> None:
    data = images(40, 230)
    x, y = (torch.cat(parts) for parts in zip(*Batches(data, recipe(), 0, CPU).test(), strict=True))
    np.testing.assert_array_equal(y.numpy(), data.test_y)
    mean, std = data.train_x.mean(axis=(0, 2, 3)), data.train_x.std(axis=(0, 2, 3))
    expected = (data.test_x - mean[:, None, None]) / std[:, None, None]
    np.testing.assert_allclose(x.numpy(), expected, atol=1e-5)


def test_channel_statistics_are_those_of_numpy() -> None:
    x = images().train_x
    mean, std = channel_statistics(x)
    np.testing.assert_allclose(mean, x.mean(axis=(0, 2, 3), dtype=np.float64), rtol=1e-6)
    np.testing.assert_allclose(std, x.std(axis=(0, 2, 3), dtype=np.float64), rtol=1e-6)


@pytest.mark.parametrize("value", [0, 128, 255])
def test_a_channel_of_one_value_is_no_division_by_zero(value: int) -> None:
    _, std = channel_statistics(np.full((4, 3, 8, 8), value, np.uint8))
    np.testing.assert_array_equal(std, 1)
