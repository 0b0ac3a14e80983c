"""Labeled images of a data set, and the part of them that a recipe asks for."""

from dataclasses import dataclass, replace

import numpy as np

from samviz.spec import Recipe

DRAW, NOISE = 1, 2
"""Streams of random numbers under one seed: more label noise draws no other images."""


@dataclass(frozen=True, slots=True)
class Images:
    """Color images of 32x32 pixels with their labels, split into train and test."""

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


def subset(images: Images, recipe: Recipe, seed: int) -> Images:
    """The images that one run trains and tests on: a function of the recipe and the seed alone.

    Train images are drawn evenly over the classes, then `label_noise` of their labels, rounded to whole images, are
    replaced by another class, each other class being as likely (symmetric noise, ASAM section 5.4). Test labels stay
    as they are, and every seed tests on the same images, the first of each class: so seeds differ by their training.
    """
    train = slice(None)
    if recipe.train_size is not None:
        order = np.random.default_rng([seed, DRAW]).permutation(len(images.train_y))
        train = np.sort(_evenly(images.train_y, order, recipe.train_size))
    test = slice(None)
    if recipe.test_size is not None:
        test = np.sort(_evenly(images.test_y, np.arange(len(images.test_y)), recipe.test_size))
    labels = _with_noise(images.train_y[train], recipe.label_noise, len(images.classes), seed)
    return replace(
        images, train_x=images.train_x[train], train_y=labels, test_x=images.test_x[test], test_y=images.test_y[test]
    )


def _evenly(labels: np.ndarray, order: np.ndarray, size: int) -> np.ndarray:
    """The first `size` indices of `order`, taken from the classes in turn, so that class counts differ by one at most
    (by more only where a class has too few images)."""
    rank = np.empty(len(order), np.int64)
    for label in np.unique(labels):
        members = np.flatnonzero(labels[order] == label)
        rank[members] = np.arange(len(members))
    return order[np.argsort(rank, kind="stable")[:size]]


def _with_noise(labels: np.ndarray, share: float, classes: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng([seed, NOISE])
    wrong = rng.permutation(len(labels))[: round(share * len(labels))]
    labels = labels.copy()
    labels[wrong] = (labels[wrong] + rng.integers(1, classes, len(wrong))) % classes
    return labels
