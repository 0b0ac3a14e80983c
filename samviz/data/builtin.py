"""The built-in data set: ten kinds of shapes, drawn from a fixed seed, so that everything runs without a download.

Each image shows one shape of random place, size, angle and color on a shaded background with clutter, under noise.
Only the shape tells the class: everything else is drawn from one distribution for all classes.
"""

from collections.abc import Callable

import numpy as np

from samviz.data.images import Images
from samviz.spec import DATASETS

SEED = 20240607
SIDE = 32
SHIFT = 3.0
"""The shape's center is up to this many pixels from the image's, in both directions."""
RADIUS = (8.0, 12.0)
"""The shape's radius in pixels."""
TILT = 0.35
"""The shape is turned by up to this angle, in radians, either way."""
DARK, BRIGHT = 0.5, 0.55
"""Backgrounds are darker than the first, shapes brighter than the second, in each of the three colors."""
OPACITY = (0.1, 1.0)
"""How far the shape hides the background. Faint ones are hard to learn, but can be memorized: that is what leaves a
generalization gap that differs little from seed to seed."""
CLUTTER = 4
"""Small blobs an image, half of them before the shape."""
NOISE = 0.06
"""Standard deviation of the pixel noise; colors are in [0, 1]."""
BLOCK = 200
"""Images that are painted at once: few enough to stay in a processor's cache, which halves the time."""
X, Y = np.meshgrid(*2 * [np.arange(SIDE, dtype=np.float32) - (SIDE - 1) / 2])
"""Of each pixel, from the image's center."""


def generate() -> Images:
    """Draw the whole set, classes in equal numbers and random order; the test set is drawn after the train set."""
    spec = DATASETS["builtin"]
    rng = np.random.default_rng(SEED)
    train_x, train_y = draw(spec.train_size, rng)
    test_x, test_y = draw(spec.test_size, rng)
    return Images(train_x, train_y, test_x, test_y, spec.label, spec.classes)


def draw(n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """n images (n, 3, 32, 32) uint8 and their labels (n,) int64."""
    labels = rng.permutation(np.arange(n) % len(SHAPES))
    shape = _shape(labels, rng)
    ground = _background(n, rng)
    strokes = [_blob(n, rng) for _ in range(CLUTTER // 2)]
    strokes.append(_faint(shape, n, rng))
    strokes += [_blob(n, rng) for _ in range(CLUTTER - CLUTTER // 2)]
    images = np.empty((n, 3, SIDE, SIDE), np.uint8)
    for start in range(0, n, BLOCK):
        block = slice(start, start + BLOCK)
        image = ground(block)
        for stroke in strokes:
            cover, color = stroke(block)
            image += cover[:, None] * (color[:, :, None, None] - image)
        image += NOISE * rng.standard_normal(image.shape, np.float32)
        images[block] = (255 * np.clip(image, 0, 1)).round()
    return images, labels


def _uniform(rng: np.random.Generator, low: float, high: float, shape: tuple[int, ...]) -> np.ndarray:
    return rng.uniform(low, high, shape).astype(np.float32)


Stroke = Callable[[slice], tuple[np.ndarray, np.ndarray]]
"""What is painted over some of the images: how far it hides each pixel (n, 32, 32), and its color (n, 3)."""


def _shape(labels: np.ndarray, rng: np.random.Generator) -> Callable[[slice], np.ndarray]:
    """How far the shape covers each pixel of some of the images: (n, 32, 32)."""
    n = len(labels)
    place = _uniform(rng, -SHIFT, SHIFT, (2, n, 1, 1))
    radius = _uniform(rng, *RADIUS, (n, 1, 1))
    angle = _uniform(rng, -TILT, TILT, (n, 1, 1))

    def cover(block: slice) -> np.ndarray:
        (x0, y0), r = place[:, block], radius[block]
        cos, sin = np.cos(angle[block]), np.sin(angle[block])
        dx, dy = (X - x0) / r, (Y - y0) / r
        u, v = cos * dx + sin * dy, cos * dy - sin * dx
        found = np.empty_like(u)
        for label, shape in enumerate(SHAPES):
            of = labels[block] == label
            found[of] = np.clip(0.5 - shape(u[of], v[of]) * r[of], 0, 1)
        return found

    return cover


def _faint(shape: Callable[[slice], np.ndarray], n: int, rng: np.random.Generator) -> Stroke:
    """The shape in a bright color, of some opacity."""
    opacity, color = _uniform(rng, *OPACITY, (n, 1, 1)), _uniform(rng, BRIGHT, 1, (n, 3))
    return lambda block: (shape(block) * opacity[block], color[block])


def _background(n: int, rng: np.random.Generator) -> Callable[[slice], np.ndarray]:
    """Two colors that run into each other in a random direction: (n, 3, 32, 32)."""
    angle = _uniform(rng, 0, 2 * np.pi, (n, 1, 1))
    first, second = _uniform(rng, 0, DARK, (2, n, 3))[..., None, None]

    def ground(block: slice) -> np.ndarray:
        share = 0.5 + (np.cos(angle[block]) * X + np.sin(angle[block]) * Y) / (SIDE * 2**0.5)
        return first[block] + share[:, None] * (second[block] - first[block])

    return ground


def _blob(n: int, rng: np.random.Generator) -> Stroke:
    """A small ellipse in a random color."""
    place = _uniform(rng, -15, 15, (2, n, 1, 1))
    axes = _uniform(rng, 0.8, 3.0, (2, n, 1, 1))
    color = _uniform(rng, 0, 1, (n, 3))

    def stroke(block: slice) -> tuple[np.ndarray, np.ndarray]:
        (x0, y0), (a, b) = place[:, block], axes[:, block]
        distance = np.hypot((X - x0) / a, (Y - y0) / b) - 1
        return np.clip(0.5 - distance * np.minimum(a, b), 0, 1), color[block]

    return stroke


# Shapes, in the order of the classes. Each takes coordinates (u, v) in units of the shape's radius and returns a
# distance to the outline in these units, negative inside.


def _disc(u, v):
    return np.hypot(u, v) - 0.9


def _ring(u, v):
    return abs(np.hypot(u, v) - 0.75) - 0.2


def _box(u, v, half: float = 0.8):
    return np.maximum(abs(u), abs(v)) - half


def _frame(u, v):
    return abs(_box(u, v, 0.65)) - 0.18


def _triangle(u, v):
    return np.maximum(abs(u) * 3**0.5 / 2 - v / 2, v) - 0.55


def _cross(u, v):
    u, v = abs(u), abs(v)
    return np.minimum(np.maximum(u - 0.95, v - 0.3), np.maximum(u - 0.3, v - 0.95))


def _star(u, v):
    """Five points: fold the plane into one half of one point, then take the distance to its edge."""
    tip, dent, half = 1.05, 0.45, np.pi / 5
    angle = abs((np.arctan2(u, -v) + half) % (2 * half) - half)
    r = np.hypot(u, v)
    across, along = r * np.sin(angle), r * np.cos(angle)
    edge_u, edge_v = dent * np.sin(half), dent * np.cos(half) - tip
    return (across * -edge_v + (along - tip) * edge_u) / np.hypot(edge_u, edge_v)


def _stripes(u, v):
    period = 0.6
    return np.maximum(_box(u, v, 0.9), abs((u / period + 0.5) % 1 - 0.5) * period - 0.25 * period)


def _checks(u, v):
    side = 0.45
    across, along = (abs((w / side + 0.5) % 2 - 1) - 0.5 for w in (u, v))
    return np.maximum(_box(u, v, 0.9), side * np.sign(across * along) * np.minimum(abs(across), abs(along)))


def _dots(u, v):
    step = 0.6
    across, along = (((w / step + 0.5) % 1 - 0.5) * step for w in (u, v))
    return np.maximum(_box(u, v, 0.9), np.hypot(across, along) - 0.2)


SHAPES = (_disc, _ring, _box, _frame, _triangle, _cross, _star, _stripes, _checks, _dots)
