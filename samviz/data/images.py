"""Labeled images of a data set, and the part of them that a recipe asks for."""

from dataclasses import dataclass, field, replace

import numpy as np

from samviz.spec import Recipe, check

DRAW, NOISE = 1, 2
"""Streams of random numbers under one seed: more label noise draws no other images."""
HOLD_OUT = 2**31
"""The stream of the held-out images, which is under no seed: seeds are smaller."""


@dataclass(frozen=True, slots=True)
class Images:
    """Color images of 32x32 pixels with their labels, split into train, test and perhaps validation."""

    train_x: np.ndarray
    """(N, 3, 32, 32) uint8: red, green and blue planes."""
    train_y: np.ndarray
    """(N,) int64, indices into `classes`."""
    test_x: np.ndarray
    """(M, 3, 32, 32) uint8."""
    test_y: np.ndarray
    """(M,) int64."""
    label: str
    """What to call this data wherever a result on it is shown."""
    classes: tuple[str, ...]
    """Names of the classes, by label."""
    validation_x: np.ndarray = field(default_factory=lambda: np.empty((0, 3, 32, 32), np.uint8))
    """(V, 3, 32, 32) uint8: train images held out; none in a data set as it comes."""
    validation_y: np.ndarray = field(default_factory=lambda: np.empty(0, np.int64))
    """(V,) int64."""


def subset(images: Images, recipe: Recipe, seed: int) -> Images:
    """The images that one run trains, validates and tests on: a function of the recipe and the seed alone.

    Images of other classes than `recipe.classes` are left out, and labels are positions in these classes. Of what is
    left, `validation_size` train images are held out; train images are drawn from the rest, both evenly over the
    classes. Then `label_noise` of the train labels, rounded to whole images, are replaced by another class, each other
    class being as likely (symmetric noise, ASAM section 5.4). Validation and test labels stay as they are: both are
    there to judge by. Every seed holds out the same images, and tests on the same, the first of each class: so seeds
    differ by their training. Raises ValueError if `recipe.classes` are not all among the images' classes.
    """
    classes = images.classes if recipe.classes is None else recipe.classes
    train_y, test_y = (_relabeled(y, images.classes, classes) for y in (images.train_y, images.test_y))
    train = np.flatnonzero(train_y >= 0)
    held_out = _drawn(train_y, train, recipe.validation_size, np.random.default_rng(HOLD_OUT))
    train = np.setdiff1d(train, held_out, assume_unique=True)
    if recipe.train_size is not None:
        train = _drawn(train_y, train, recipe.train_size, np.random.default_rng([seed, DRAW]))
    test = np.flatnonzero(test_y >= 0)
    if recipe.test_size is not None:
        test = _evenly(test_y, test, recipe.test_size)
    return replace(
        images,
        train_x=_taken(images.train_x, train),
        train_y=_with_noise(train_y[train], recipe.label_noise, len(classes), seed),
        test_x=_taken(images.test_x, test),
        test_y=test_y[test],
        classes=classes,
        validation_x=images.train_x[held_out],
        validation_y=train_y[held_out],
    )


def _relabeled(labels: np.ndarray, classes: tuple[str, ...], wanted: tuple[str, ...]) -> np.ndarray:
    """Positions of the labels' classes in `wanted`; -1 where they are not there."""
    position = np.full(len(classes), -1)
    for new, name in enumerate(wanted):
        position[classes.index(check.choice("classes", name, classes))] = new
    return position[labels]


def _drawn(labels: np.ndarray, members: np.ndarray, size: int, rng: np.random.Generator) -> np.ndarray:
    """`size` of the indices `members` in their order, drawn evenly over the classes."""
    return _evenly(labels, members[rng.permutation(len(members))], size)


def _evenly(labels: np.ndarray, order: np.ndarray, size: int) -> np.ndarray:
    """The first `size` indices of `order`, taken from the classes in turn and sorted, so that class counts differ by
    one at most (by more only where a class has too few images)."""
    rank = np.empty(len(order), np.int64)
    found = labels[order]
    for label in np.unique(found):
        members = np.flatnonzero(found == label)
        rank[members] = np.arange(len(members))
    return np.sort(order[np.argsort(rank, kind="stable")[:size]])


def _taken(x: np.ndarray, indices: np.ndarray) -> np.ndarray:
    """x[indices] for rising indices, without a copy where these are all."""
    return x if len(indices) == len(x) else x[indices]


def _with_noise(labels: np.ndarray, share: float, classes: int, seed: int) -> np.ndarray:
    """The labels with wrong ones among them: a copy."""
    rng = np.random.default_rng([seed, NOISE])
    wrong = rng.permutation(len(labels))[: round(share * len(labels))]
    labels = labels.copy()
    labels[wrong] = (labels[wrong] + rng.integers(1, classes, len(wrong))) % classes
    return labels
