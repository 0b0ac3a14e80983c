"""AutoAugment and Cutout on batches, against Pillow image by image and a plain loop."""

from collections.abc import Callable
from dataclasses import fields

import numpy as np
import pytest
import torch
from PIL import Image, ImageEnhance, ImageOps
from torch import Tensor

from samviz.training import pixels
from samviz.training.autoaugment import LEVELS, NAMES, OPERATIONS, PROBABILITIES, Draws, autoaugment, draw
from samviz.training.cutout import cutout, draw_cutout

GRAY = (128, 128, 128)
AFFINE, BICUBIC = Image.Transform.AFFINE, Image.Resampling.BICUBIC

PILLOW: dict[str, Callable[[Image.Image, float], Image.Image]] = {
    "shearX": lambda image, m: image.transform(image.size, AFFINE, (1, m, 0, 0, 1, 0), BICUBIC, fillcolor=GRAY),
    "shearY": lambda image, m: image.transform(image.size, AFFINE, (1, 0, 0, m, 1, 0), BICUBIC, fillcolor=GRAY),
    "translateX": lambda image, m: image.transform(
        image.size, AFFINE, (1, 0, m * image.width, 0, 1, 0), fillcolor=GRAY
    ),
    "translateY": lambda image, m: image.transform(
        image.size, AFFINE, (1, 0, 0, 0, 1, m * image.height), fillcolor=GRAY
    ),
    "rotate": lambda image, m: image.rotate(m, fillcolor=GRAY),
    "color": lambda image, m: ImageEnhance.Color(image).enhance(1 + m),
    "contrast": lambda image, m: ImageEnhance.Contrast(image).enhance(1 + m),
    "sharpness": lambda image, m: ImageEnhance.Sharpness(image).enhance(1 + m),
    "brightness": lambda image, m: ImageEnhance.Brightness(image).enhance(1 + m),
    "posterize": lambda image, m: ImageOps.posterize(image, int(m)),
    "solarize": lambda image, m: ImageOps.solarize(image, m),
    "autocontrast": lambda image, m: ImageOps.autocontrast(image),
    "equalize": lambda image, m: ImageOps.equalize(image),
    "invert": lambda image, m: ImageOps.invert(image),
}

ROUNDS_EACH = Image.blend(Image.new("L", (1, 1), 11), Image.new("L", (1, 1), 1), 1.1).getpixel((0, 0)) == 0
"""Whether Pillow rounds products before it adds them, as it does on x86; where the processor does both at once, a few
of its bytes come out otherwise."""


def by_pillow(x: np.ndarray, draws: Draws) -> np.ndarray:
    """The policy image by image: (n, H, W, 3) uint8."""
    out = np.empty_like(x)
    for i, image in enumerate(map(Image.fromarray, x)):
        for turn in (0, 1):
            if draws.applied[i, turn]:
                name, level = NAMES[draws.sub_policy[i], turn], LEVELS[draws.sub_policy[i], turn]
                sign = draws.sign[i, turn] if OPERATIONS[name].signed else 1
                image = PILLOW[name](image, sign * OPERATIONS[name].magnitudes[level])
        out[i] = image
    return out


def assert_same(got: Tensor, want: np.ndarray) -> None:
    """Bit for bit, where that can be."""
    if ROUNDS_EACH:
        np.testing.assert_array_equal(got.numpy(), want)
    else:
        assert (got.numpy() != want).mean() < 0.01


def pictures(height: int = 32, width: int = 32, times: int = 2) -> np.ndarray:
    """Random, flat, nearly flat, narrow, few-valued, linear and smooth images: (n, height, width, 3) uint8."""
    rng = np.random.default_rng(0)
    i, j, size = np.arange(height)[:, None, None], np.arange(width)[:, None], (height, width, 3)
    kinds = [np.zeros(size), np.full(size, 255)]
    for _ in range(times):
        low, high = np.sort(rng.integers(0, 256, (2, 3)), axis=0)
        palette = rng.integers(0, 256, (rng.integers(2, 9), 3))
        slopes = rng.uniform(-8, 8, (2, 3))
        coarse = rng.integers(0, 256, (6, 6, 3), dtype=np.uint8)
        kinds += [
            rng.integers(0, 256, size),
            np.broadcast_to(rng.integers(0, 256, 3), size),
            *(np.where(rng.random(size) < share, rng.integers(0, 200, size), 255) for share in (0.01, 0.3, 0.6)),
            rng.integers(low, high + 1, size),
            palette[rng.integers(0, len(palette), size[:2])],
            np.clip(128 + slopes[0] * (i - height / 2) + slopes[1] * (j - width / 2), 0, 255),
            np.asarray(Image.fromarray(coarse).resize((width, height), BICUBIC)),
        ]
    return np.stack(kinds).astype(np.uint8)


def at_every_level(name: str, x: np.ndarray) -> tuple[Tensor, np.ndarray, np.ndarray]:
    """All images with every level and sign in one batch, their magnitudes, and what Pillow makes of them."""
    operation = OPERATIONS[name]
    signs = (1, -1) if operation.signed else (1,)
    levels = np.unique(np.outer(signs, operation.magnitudes))
    batch, magnitudes = np.tile(x, (len(levels), 1, 1, 1)), np.repeat(levels, len(x))
    want = [np.asarray(PILLOW[name](Image.fromarray(image), m)) for image, m in zip(batch, magnitudes, strict=True)]
    return torch.from_numpy(batch), magnitudes, np.stack(want)


@pytest.mark.parametrize("size", [(32, 32), (24, 41)], ids=str)
@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_is_pillows_bit_for_bit_at_every_level(name: str, size: tuple[int, int]) -> None:
    x, magnitudes, want = at_every_level(name, pictures(*size))
    before = x.clone()
    assert_same(OPERATIONS[name].apply(x, magnitudes), want)
    assert torch.equal(x, before)


@pytest.mark.parametrize("name", ["shearX", "shearY"])
def test_a_shear_without_doubles_is_at_most_1_off_and_seldom(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on Apple's GPUs."""
    monkeypatch.setattr(pixels, "_finest", lambda device: np.float32)
    x, slopes, want = at_every_level(name, pictures())
    off = np.abs(OPERATIONS[name].apply(x, slopes).numpy().astype(int) - want)
    if ROUNDS_EACH:
        assert off.max() == 1
    assert 0 < (off > 0).mean() < 0.002


def test_levels_mean_what_the_policys_table_says() -> None:
    k = np.arange(10)
    expected = {
        **dict.fromkeys(["shearX", "shearY"], (True, 0.3 * k / 9)),
        **dict.fromkeys(["translateX", "translateY"], (True, 150 / 331 * k / 9)),
        "rotate": (True, 30 * k / 9),
        **dict.fromkeys(["color", "contrast", "sharpness", "brightness"], (True, 0.9 * k / 9)),
        "posterize": (False, [8, 8, 7, 7, 6, 6, 5, 5, 4, 4]),
        "solarize": (False, 256 - 256 * k / 9),
    }
    for name, (signed, magnitudes) in expected.items():
        assert OPERATIONS[name].signed == signed, name
        np.testing.assert_allclose(OPERATIONS[name].magnitudes, magnitudes, rtol=1e-14, err_msg=name)
    assert OPERATIONS.keys() - expected.keys() == {"autocontrast", "equalize", "invert"}


def test_the_policy_is_25_pairs_of_known_operations() -> None:
    assert NAMES.shape == LEVELS.shape == PROBABILITIES.shape == (25, 2)
    assert set(NAMES.flat) <= OPERATIONS.keys()
    assert LEVELS.min() >= 0
    assert LEVELS.max() <= 9
    assert PROBABILITIES.min() >= 0
    assert PROBABILITIES.max() <= 1


def batch(n: int, seed: int = 1) -> tuple[Tensor, Draws]:
    """n images of all kinds, in random order, and draws for them."""
    rng = np.random.default_rng(seed)
    x = pictures(times=8)
    return torch.from_numpy(x[rng.integers(len(x), size=n)]), draw(rng, n)


def part(draws: Draws, images: list[int]) -> Draws:
    return Draws(*(getattr(draws, field.name)[images] for field in fields(draws)))


def test_the_policy_on_a_batch_is_a_plain_loop_over_images() -> None:
    x, draws = batch(800)
    before = x.clone()
    taken = {
        (p, turn)
        for p, applied in zip(draws.sub_policy, draws.applied, strict=True)
        for turn in np.flatnonzero(applied)
    }
    assert len(taken) == 49  # all but the one operation whose probability is 0
    assert_same(autoaugment(x, draws), by_pillow(x.numpy(), draws))
    assert torch.equal(x, before)


def test_an_image_does_not_depend_on_the_others_of_its_batch() -> None:
    x, draws = batch(100)
    together = autoaugment(x, draws)
    for i in range(0, 100, 2):
        assert torch.equal(autoaugment(x[i : i + 1], part(draws, [i]))[0], together[i])
    backwards = list(range(99, -1, -1))
    assert torch.equal(autoaugment(x[backwards], part(draws, backwards)), together[backwards])


def test_nothing_is_read_back_from_the_device() -> None:
    """Tensors on torch's meta device have shapes and no contents: to ask for one raises."""
    x, draws = batch(800)
    augmented = autoaugment(x.to("meta"), draws)
    assert (augmented.device.type, augmented.shape, augmented.dtype) == ("meta", x.shape, torch.uint8)
    normalized = torch.zeros(4, 3, 32, 32, device="meta")
    assert cutout(normalized, 16, np.zeros(4, int), np.zeros(4, int)).device.type == "meta"


def test_draws_follow_their_probabilities() -> None:
    n = 100_000
    draws = draw(np.random.default_rng(2), n)

    def near(count: int, of: int, p: float) -> bool:
        return abs(count - p * of) <= 5 * np.sqrt(of * p * (1 - p))

    for p in range(25):
        mine = draws.sub_policy == p
        assert near(mine.sum(), n, 1 / 25)
        first, second = draws.applied[mine].T
        assert near(first.sum(), mine.sum(), PROBABILITIES[p, 0])
        assert near(second.sum(), mine.sum(), PROBABILITIES[p, 1])
        assert near((first & second).sum(), mine.sum(), PROBABILITIES[p].prod())
        for turn in (0, 1):
            assert near((draws.sign[mine, turn] == 1).sum(), mine.sum(), 0.5)
    assert set(draws.sign.flat) == {-1, 1}
    assert near((draws.sign[:, 0] == draws.sign[:, 1]).sum(), n, 0.5)


def test_the_same_seed_draws_the_same() -> None:
    one, same, other = (draw(np.random.default_rng(seed), 64) for seed in (3, 3, 4))
    for field in fields(Draws):
        a, b, c = (getattr(draws, field.name) for draws in (one, same, other))
        np.testing.assert_array_equal(a, b)
        assert (a != c).any()


@pytest.mark.parametrize("side", [1, 8, 15, 16, 40])
def test_cutout_is_a_plain_loop_over_pixels(side: int) -> None:
    x = torch.rand(40, 32, 24, 3).permute(0, 3, 1, 2) + 1  # channels last in memory
    rng = np.random.default_rng(5)
    rows, columns = rng.integers(32, size=40), rng.integers(24, size=40)
    rows[:4], columns[:4] = [0, 0, 31, 31], [0, 23, 0, 23]
    want = x.clone()
    for image, row, column in zip(want, rows, columns, strict=True):
        for i in range(row - side // 2, row - side // 2 + side):
            for j in range(column - side // 2, column - side // 2 + side):
                if 0 <= i < 32 and 0 <= j < 24:
                    image[:, i, j] = 0
    got = cutout(x, side, rows, columns)
    assert torch.equal(got, want)
    assert got is x


def test_cutout_centers_are_uniform_over_the_image() -> None:
    rows, columns = draw_cutout(np.random.default_rng(6), 32_000, 32)
    for centers in (rows, columns):
        counts = np.bincount(centers, minlength=32)
        assert len(counts) == 32
        assert np.abs(counts - 1000).max() < 5 * np.sqrt(1000)
    assert abs(np.corrcoef(rows, columns)[0, 1]) < 5 / np.sqrt(32_000)
