"""The part of a data set that a recipe asks for: classes, what is held out, even draws, symmetric noise."""

import hashlib
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from samviz.data import Images, subset
from samviz.spec import DATASETS, Recipe

CLASSES = DATASETS["builtin"].classes
TRAIN, TEST = 400, 200
"""Images of each class."""


def numbered(train: int = 4000, test: int = 2000, classes: tuple[str, ...] = CLASSES) -> Images:
    """Images that carry their own number, labels by turns."""

    def x(n):
        x = np.zeros((n, 3, 32, 32), np.uint8)
        x[:, 0, 0, 0], x[:, 0, 0, 1] = np.arange(n) % 256, np.arange(n) // 256
        return x

    k = len(classes)
    return Images(x(train), np.arange(train) % k, x(test), np.arange(test) % k, "numbers", classes)


def numbers(x: np.ndarray) -> np.ndarray:
    """The numbers that the images carry."""
    return x[:, 0, 0, 0].astype(int) + 256 * x[:, 0, 0, 1].astype(int)


def true_labels(x: np.ndarray, classes: tuple[str, ...]) -> np.ndarray:
    """Positions in `classes` of what the images of `WHOLE` show."""
    return np.array([classes.index(CLASSES[number % 10]) for number in numbers(x)], int)


WHOLE = numbered()

many = settings(deadline=None, derandomize=True, max_examples=60)


@st.composite
def recipes(draw: st.DrawFn) -> Recipe:
    """Any part of `WHOLE`."""
    names = st.lists(st.sampled_from(CLASSES), min_size=2, max_size=10, unique=True)
    classes = draw(st.none() | names.map(tuple))
    k = len(classes or CLASSES)
    validation_size = draw(st.just(0) | st.integers(10, TRAIN * k - 10))
    return Recipe(
        classes=classes,
        validation_size=validation_size,
        train_size=draw(st.none() | st.integers(10, TRAIN * k - validation_size)),
        test_size=draw(st.none() | st.integers(10, TEST * k)),
        label_noise=draw(st.floats(0, 0.95)),
        batch_size=2,
    )


seeds = st.integers(0, 2**31 - 1)


@many
@given(recipe=recipes(), seed=seeds)
def test_parts_are_disjoint_exact_even_and_labeled_by_what_they_show(recipe, seed):
    part = subset(WHOLE, recipe, seed)
    assert part.classes == (recipe.classes or CLASSES)
    sizes = recipe.images, recipe.validation_size, recipe.test_images
    train, validation, test = part.train_x, part.validation_x, part.test_x
    assert (len(train), len(validation), len(test)) == sizes
    assert (len(part.train_y), len(part.validation_y), len(part.test_y)) == sizes
    assert len({*numbers(train), *numbers(validation)}) == len(train) + len(validation), "no image twice"
    assert len({*numbers(test)}) == len(test)
    assert part.validation_y.tolist() == true_labels(validation, part.classes).tolist(), "no noise"
    assert part.test_y.tolist() == true_labels(test, part.classes).tolist(), "no noise"
    for x in (train, validation, test):
        counts = np.bincount(true_labels(x, part.classes), minlength=len(part.classes))
        assert counts.max() - counts.min() <= 1


@many
@given(recipe=recipes(), seed=seeds)
def test_noise_hits_its_share_of_the_train_labels_and_draws_no_other_images(recipe, seed):
    part, clean = (subset(WHOLE, one, seed) for one in (recipe, replace(recipe, label_noise=0)))
    wrong = part.train_y != true_labels(part.train_x, part.classes)
    assert wrong.sum() == round(recipe.label_noise * recipe.images)
    assert 0 <= part.train_y.min() <= part.train_y.max() < len(part.classes)
    for field in ("train_x", "validation_x", "validation_y", "test_x", "test_y"):
        assert np.array_equal(getattr(part, field), getattr(clean, field)), field
    assert np.array_equal(clean.train_y, true_labels(clean.train_x, part.classes))


@many
@given(recipe=recipes(), first=seeds, second=seeds)
def test_the_held_out_and_the_test_images_depend_on_neither_seed_nor_training(recipe, first, second):
    part = subset(WHOLE, recipe, first)
    other = subset(WHOLE, replace(recipe, train_size=None, label_noise=0.1), second)
    for field in ("validation_x", "validation_y", "test_x", "test_y"):
        assert np.array_equal(getattr(part, field), getattr(other, field)), field


def test_everything_without_sizes_and_noise():
    part = subset(WHOLE, Recipe(), 0)
    assert np.array_equal(part.train_x, WHOLE.train_x)
    assert np.array_equal(part.train_y, WHOLE.train_y)
    assert np.array_equal(part.test_x, WHOLE.test_x)
    assert part.validation_x.shape == (0, 3, 32, 32)
    assert (part.validation_x.dtype, part.validation_y.dtype, part.validation_y.shape) == (np.uint8, np.int64, (0,))
    assert (part.label, part.classes) == ("numbers", CLASSES)


@pytest.mark.parametrize(
    ("changes", "seed", "expected"),
    [
        ({}, 0, "77e68f3e94ae9591cbf06d04d9fa83ff"),
        ({"label_noise": 0.4}, 3, "761f3ce6fb1602049a283d807502ba47"),
        ({"train_size": 1003, "test_size": 57, "label_noise": 0.2}, 0, "6c2f1e905128d1e46fa1e831066bca75"),
        ({"train_size": 2000, "test_size": 2000, "label_noise": 0.4}, 1, "24ac93559c90316a3fc4d1f36053ca96"),
        ({"train_size": 128}, 2**31 - 1, "bdab7619b33f99427303c6e46da36f69"),
    ],
)
def test_draws_are_those_that_stored_comparisons_were_begun_with(changes, seed, expected):
    """Hashes of what the first version drew, before there were classes and held-out images: a run that it began goes
    on with the same images."""
    part = subset(WHOLE, Recipe(**changes), seed)
    drawn = np.concatenate([numbers(part.train_x), part.train_y, numbers(part.test_x), part.test_y])
    assert hashlib.sha256(drawn.astype("<i8").tobytes()).hexdigest()[:32] == expected


def test_classes_are_labeled_in_the_order_asked_for():
    part = subset(WHOLE, Recipe(classes=("star", "disc", "ring"), validation_size=30), 0)
    assert part.classes == ("star", "disc", "ring")
    for x, y in ((part.train_x, part.train_y), (part.validation_x, part.validation_y), (part.test_x, part.test_y)):
        assert set(zip((numbers(x) % 10).tolist(), y.tolist(), strict=True)) == {(6, 0), (0, 1), (1, 2)}
    assert (len(part.train_y), len(part.test_y)) == (1170, 600)


def test_some_of_a_hundred_classes():
    whole = numbered(5000, 1000, DATASETS["cifar100"].classes)
    part = subset(whole, Recipe(dataset="cifar100", classes=("worm", "apple"), test_size=10, batch_size=2), 0)
    assert part.classes == ("worm", "apple")
    assert np.bincount(part.train_y).tolist() == [50, 50]
    assert (numbers(part.train_x) % 100).tolist() == [99 if label == 0 else 0 for label in part.train_y]
    assert numbers(part.test_x).tolist() == [0, 99, 100, 199, 200, 299, 300, 399, 400, 499], "the first of each class"


def test_classes_that_the_images_do_not_have_are_refused():
    with pytest.raises(ValueError, match=r"^classes must be one of disc, .*, dots, but it is 'worm'\.$"):
        subset(WHOLE, Recipe(dataset="cifar100", classes=("worm", "apple")), 0)


def test_a_larger_validation_split_keeps_the_images_of_a_smaller_one():
    small, large = (subset(WHOLE, Recipe(validation_size=size), 0).validation_x for size in (100, 1000))
    assert set(numbers(small)) <= set(numbers(large))


def test_images_that_are_held_out_are_not_the_first_ones():
    held_out = numbers(subset(WHOLE, Recipe(validation_size=1000), 0).validation_x)
    assert 1800 < held_out.mean() < 2200


def test_uneven_classes_are_drawn_as_evenly_as_they_allow():
    labels = np.repeat(np.arange(10), [2, *9 * [22]])
    whole = Images(WHOLE.train_x[:200], labels, WHOLE.test_x, WHOLE.test_y, "uneven", CLASSES)
    counts = np.bincount(subset(whole, Recipe(train_size=100, batch_size=10), 0).train_y)
    assert counts[0] == 2
    assert set(counts[1:].tolist()) == {10, 11}


def test_seeds_draw_other_images_and_other_noise():
    recipe = Recipe(train_size=500, test_size=500, label_noise=0.3)
    one, again, other = (subset(WHOLE, recipe, seed) for seed in (7, 7, 8))
    for field in ("train_x", "train_y", "test_x", "test_y"):
        assert np.array_equal(getattr(one, field), getattr(again, field))
    assert not np.array_equal(one.train_x, other.train_x)
    wrong = [subset(WHOLE, Recipe(label_noise=0.4), seed).train_y != WHOLE.train_y for seed in (0, 1)]
    assert (wrong[0] != wrong[1]).any()
    assert WHOLE.train_y[:10].tolist() == list(range(10)), "the whole set itself must stay as it was"


@pytest.mark.parametrize("k", [2, 3, 10])
@pytest.mark.parametrize("noise", [0.2, 0.4, 0.8])
def test_wrong_labels_are_uniform_over_the_other_classes(noise, k):
    """Each label is replaced by each other one about equally often: chi-square over all pairs of classes."""
    recipe = Recipe(classes=CLASSES[:k], label_noise=noise)
    pairs = np.zeros((k, k))
    for seed in range(20):
        part = subset(WHOLE, recipe, seed)
        np.add.at(pairs, (true_labels(part.train_x, part.classes), part.train_y), 1)
    wrong = pairs[~np.eye(k, dtype=bool)]
    assert wrong.sum() == 20 * round(noise * TRAIN * k)
    expected = wrong.sum() / len(wrong)
    freedom = len(wrong) - 1
    assert ((wrong - expected) ** 2 / expected).sum() < freedom + 4 * (2 * freedom) ** 0.5
