"""The built-in images: fixed by their seed, balanced, held out, and told apart by their shape alone."""

import numpy as np
import pytest

from samviz.data import builtin, load
from samviz.spec import DATASETS


@pytest.fixture(scope="module")
def images():
    return load("builtin", [])


def test_layout(images):
    spec = DATASETS["builtin"]
    assert images.train_x.shape == (spec.train_size, 3, 32, 32)
    assert images.test_x.shape == (spec.test_size, 3, 32, 32)
    assert (images.train_x.dtype, images.train_y.dtype) == (np.uint8, np.int64)
    assert len(builtin.SHAPES) == len(spec.classes) == 10
    for labels in (images.train_y, images.test_y):
        assert set(np.bincount(labels).tolist()) == {len(labels) // 10}


def test_same_every_time(images):
    again = builtin.generate()
    assert np.array_equal(images.train_x, again.train_x)
    assert np.array_equal(images.test_y, again.test_y)


def test_no_test_image_is_a_train_image(images):
    train, test = ({image.tobytes() for image in x} for x in (images.train_x, images.test_x))
    assert len(train) == len(images.train_x)
    assert not train & test


def test_train_and_test_come_from_one_distribution(images):
    for statistic in (np.mean, np.std):
        train, test = (statistic(x / 255, axis=(1, 2, 3)) for x in (images.train_x, images.test_x))
        error = np.hypot(train.std() / len(train) ** 0.5, test.std() / len(test) ** 0.5)
        assert abs(train.mean() - test.mean()) < 4 * error


def test_corner_color_tells_nothing_about_the_class(images):
    corners = images.train_x[:, :, :3, :3].mean(axis=(2, 3)) / 255
    for label in range(10):
        of = corners[images.train_y == label]
        error = of.std(axis=0) / len(of) ** 0.5
        assert (abs(of.mean(axis=0) - corners.mean(axis=0)) < 4.5 * error).all()


@pytest.mark.parametrize("label", range(10))
def test_outlines_are_well_inside_the_radius(label):
    """A shape's own coordinates reach 1 at its radius: nothing is drawn beyond the corners of its square."""
    axis = np.linspace(-2, 2, 401, dtype=np.float32)
    u, v = np.meshgrid(axis, axis)
    inside = builtin.SHAPES[label](u, v) < 0
    assert inside.any()
    assert np.hypot(u, v)[inside].max() < 1.3


def test_areas_of_shapes_with_closed_forms():
    """Share of the square [-2, 2]^2 that is inside, against geometry."""
    axis = (np.arange(2000, dtype=np.float32) + 0.5) / 500 - 2
    u, v = np.meshgrid(axis, axis)
    area = {
        name: (shape(u, v) < 0).mean() * 16
        for name, shape in zip(DATASETS["builtin"].classes, builtin.SHAPES, strict=True)
    }
    half = np.pi / 5
    expected = {
        "disc": np.pi * 0.9**2,
        "ring": np.pi * (0.95**2 - 0.55**2),
        "square": 1.6**2,
        "frame": (2 * 0.83) ** 2 - (2 * 0.47) ** 2,
        "triangle": 3 * 3**0.5 * 0.55**2,
        "cross": 2 * 1.9 * 0.6 - 0.6**2,
        "star": 5 * 1.05 * 0.45 * np.sin(half),
        "stripes": 1.8**2 / 2,
        "checks": 1.8**2 / 2,
        "dots": 9 * np.pi * 0.2**2,
    }
    assert area == pytest.approx(expected, abs=0.01)
