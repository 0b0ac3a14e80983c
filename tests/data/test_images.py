"""The part of a data set that a recipe asks for: even draws, symmetric noise, all from the seed."""

import numpy as np
import pytest

from samviz.data import Images, subset
from samviz.spec import DATASETS, Recipe

CLASSES = DATASETS["builtin"].classes


def numbered(train: int = 4000, test: int = 2000) -> Images:
    """Images that carry their own number, labels by turns."""

    def x(n):
        return np.broadcast_to(np.arange(n)[:, None, None, None] % 251, (n, 3, 32, 32)).astype(np.uint8)

    return Images(x(train), np.arange(train) % 10, x(test), np.arange(test) % 10, "numbers", CLASSES)


WHOLE = numbered()


def test_everything_without_sizes_and_noise():
    part = subset(WHOLE, Recipe(), 0)
    assert np.array_equal(part.train_x, WHOLE.train_x)
    assert np.array_equal(part.train_y, WHOLE.train_y)
    assert np.array_equal(part.test_x, WHOLE.test_x)
    assert (part.label, part.classes) == ("numbers", CLASSES)


@pytest.mark.parametrize("size", [130, 128, 1003])
def test_draw_is_even_over_the_classes_and_keeps_pairs(size):
    part = subset(WHOLE, Recipe(train_size=size, test_size=size), 3)
    for x, y in ((part.train_x, part.train_y), (part.test_x, part.test_y)):
        assert x.shape == (size, 3, 32, 32)
        counts = np.bincount(y, minlength=10)
        assert counts.max() - counts.min() <= 1
    numbers = {(int(n), int(label)) for n, label in zip(WHOLE.train_x[:, 0, 0, 0], WHOLE.train_y, strict=True)}
    assert {(int(n), int(label)) for n, label in zip(part.train_x[:, 0, 0, 0], part.train_y, strict=True)} <= numbers


def test_no_image_is_drawn_twice():
    whole = numbered(200, 200)
    part = subset(whole, Recipe(train_size=150, test_size=150, batch_size=50), 1)
    assert len(np.unique(part.train_x[:, 0, 0, 0])) == 150
    assert len(np.unique(part.test_x[:, 0, 0, 0])) == 150


def test_uneven_classes_are_drawn_as_evenly_as_they_allow():
    labels = np.repeat(np.arange(10), [2, *9 * [22]])
    whole = Images(WHOLE.train_x[:200], labels, WHOLE.test_x, WHOLE.test_y, "uneven", CLASSES)
    counts = np.bincount(subset(whole, Recipe(train_size=100, batch_size=10), 0).train_y)
    assert counts[0] == 2
    assert set(counts[1:].tolist()) == {10, 11}


def test_the_seed_alone_decides():
    recipe = Recipe(train_size=500, test_size=500, label_noise=0.3)
    one, again, other = (subset(WHOLE, recipe, seed) for seed in (7, 7, 8))
    for field in ("train_x", "train_y", "test_x", "test_y"):
        assert np.array_equal(getattr(one, field), getattr(again, field))
    assert not np.array_equal(one.train_x, other.train_x)
    assert np.array_equal(one.test_x, other.test_x)


def test_noise_changes_neither_the_draw_nor_the_test_labels():
    clean, noisy = (subset(WHOLE, Recipe(train_size=500, label_noise=noise), 7) for noise in (0.0, 0.5))
    assert np.array_equal(clean.train_x, noisy.train_x)
    assert np.array_equal(clean.test_y, noisy.test_y)


@pytest.mark.parametrize("noise", [0.2, 0.4, 0.8])
def test_noise_replaces_its_share_by_other_classes_uniformly(noise):
    part = subset(WHOLE, Recipe(label_noise=noise), 0)
    wrong = part.train_y != WHOLE.train_y
    assert wrong.sum() == round(4000 * noise)
    shift = (part.train_y - WHOLE.train_y)[wrong] % 10
    counts = np.bincount(shift, minlength=10)[1:]
    expected = wrong.sum() / 9
    chi_square = ((counts - expected) ** 2 / expected).sum()
    assert chi_square < 26.1  # 0.999 quantile of chi-square with 8 degrees of freedom
    assert WHOLE.train_y[:10].tolist() == list(range(10)), "the whole set itself must stay as it was"


def test_seeds_pick_other_images_for_the_noise():
    wrong = [subset(WHOLE, Recipe(label_noise=0.4), seed).train_y != WHOLE.train_y for seed in (0, 1)]
    assert (wrong[0] != wrong[1]).any()
