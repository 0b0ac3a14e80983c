"""Pillow's image operations on batches of bytes on any device, each image with its own magnitude.

An operation takes images x (n, H, W, 3) uint8 and their magnitudes (n,) float64, which stay on the host, and returns
new images of the same shape. It reads nothing back from the device. The bytes are those of Pillow 13. Arithmetic is in
integers, or in single precision with each product and sum rounded on its own, so that all devices agree; what Pillow
works out in double precision is worked out on the host. A shear alone needs doubles on the device: Apple's GPUs have
none, and there it is 1 off in about one byte of 2000.
"""

from functools import cache

import numpy as np
import torch
from torch import Tensor

from samviz.training.hardware import on_device

GRAY = 128
"""Fills what a geometric operation brings in from beyond the border, in every channel."""

ONE = 1 << 16
"""1 in Pillow's fixed-point coordinates."""


def shear_x(x: Tensor, slopes: np.ndarray) -> Tensor:
    """Row i moves left by slope * (i + 1/2) pixels: `Image.transform(AFFINE, (1, slope, 0, 0, 1, 0), BICUBIC)`."""
    return _sheared(x.transpose(1, 2), slopes).transpose(1, 2)


def shear_y(x: Tensor, slopes: np.ndarray) -> Tensor:
    """Column j moves up by slope * (j + 1/2) pixels: `Image.transform(AFFINE, (1, 0, 0, slope, 1, 0), BICUBIC)`."""
    return _sheared(x, slopes)


def translate_x(x: Tensor, fractions: np.ndarray) -> Tensor:
    """Left by a fraction of the width: `Image.transform(AFFINE, (1, 0, fraction * width, 0, 1, 0))`."""
    shift = fractions * x.shape[2]
    return _nearest(x, _matrices(1, 0, shift, 0, 1, 0))


def translate_y(x: Tensor, fractions: np.ndarray) -> Tensor:
    """Up by a fraction of the height: `Image.transform(AFFINE, (1, 0, 0, 0, 1, fraction * height))`."""
    shift = fractions * x.shape[1]
    return _nearest(x, _matrices(1, 0, 0, 0, 1, shift))


def rotate(x: Tensor, degrees: np.ndarray) -> Tensor:
    """Counterclockwise around the center: `Image.rotate`."""
    cos, sin = np.cos(-np.radians(degrees)), np.sin(-np.radians(degrees))
    center_y, center_x = x.shape[1] / 2, x.shape[2] / 2
    move_x = center_x - (cos * center_x + sin * center_y)
    move_y = center_y - (-sin * center_x + cos * center_y)
    return _nearest(x, _matrices(cos, sin, move_x, -sin, cos, move_y))


def color(x: Tensor, changes: np.ndarray) -> Tensor:
    """`ImageEnhance.Color` with the factor 1 + change: away from the image in gray, or towards it."""
    return _blend(_gray(x)[..., None], x, changes)


def contrast(x: Tensor, changes: np.ndarray) -> Tensor:
    """`ImageEnhance.Contrast` with the factor 1 + change: away from the mean gray, or towards it."""
    gray = _gray(x).flatten(1)
    mean = (2 * gray.sum(1, dtype=torch.int32) + gray.shape[1]) // (2 * gray.shape[1])
    return _blend(mean[:, None, None, None], x, changes)


def sharpness(x: Tensor, changes: np.ndarray) -> Tensor:
    """`ImageEnhance.Sharpness` with the factor 1 + change: away from the smoothed image, or towards it."""
    return _blend(_smooth(x), x, changes)


def brightness(x: Tensor, changes: np.ndarray) -> Tensor:
    """`ImageEnhance.Brightness` with the factor 1 + change: away from black, or towards it."""
    return _blend(torch.zeros_like(x), x, changes)


def posterize(x: Tensor, bits: np.ndarray) -> Tensor:
    """`ImageOps.posterize`: the highest bits of each byte."""
    masks = 256 - 2 ** (8 - bits)
    return x & _per_image(masks, np.uint8, x)


def solarize(x: Tensor, thresholds: np.ndarray) -> Tensor:
    """`ImageOps.solarize`: bytes at the threshold, 0 to 256, and above are inverted."""
    return torch.where(x >= _per_image(np.ceil(thresholds), np.int16, x), ~x, x)


def autocontrast(x: Tensor, _: np.ndarray) -> Tensor:
    """`ImageOps.autocontrast`: each channel's least byte becomes 0 and its largest 255."""
    pixels = x.flatten(1, 2)
    lowest, highest = pixels.amin(1).long(), pixels.amax(1).long()
    return _look_up(x, _stretches(x.device)[256 * lowest + highest])


def equalize(x: Tensor, _: np.ndarray) -> Tensor:
    """`ImageOps.equalize`: each channel's histogram as even as one table can make it."""
    channels = _channels(x)
    n, _, size = channels.shape
    one = torch.ones((), dtype=torch.int32, device=x.device)
    counts = torch.zeros(n, 3, 256, dtype=torch.int32, device=x.device)
    counts.scatter_add_(2, channels, one.expand(channels.shape))
    up_to = counts.cumsum(2, dtype=torch.int32)
    below = up_to - counts
    step = torch.where(up_to < size, up_to, 0).amax(2, keepdim=True) // 255  # the largest byte does not count
    even = ((step // 2 + below) // step.clamp(min=1)).clamp(max=255)
    same = torch.arange(256, dtype=torch.int32, device=x.device)
    return _look_up(x, torch.where(step > 0, even, same).to(torch.uint8))


def invert(x: Tensor, _: np.ndarray) -> Tensor:
    """`ImageOps.invert`: 255 - x."""
    return ~x


def _blend(degenerate: Tensor, x: Tensor, changes: np.ndarray) -> Tensor:
    """`Image.blend`: degenerate + factor (x - degenerate), in single precision, truncated."""
    factor = _per_image(1 + changes, np.float32, x)
    degenerate = degenerate.float()
    return ((x - degenerate) * factor + degenerate).clamp(0, 255).to(torch.uint8)


def _gray(x: Tensor) -> Tensor:
    """`Image.convert("L")`: (n, H, W) int32."""
    red, green, blue = x.int().unbind(3)
    return (19595 * red + 38470 * green + 7471 * blue + 0x8000) >> 16


def _smooth(x: Tensor) -> Tensor:
    """`ImageFilter.SMOOTH`: the mean of 3x3 pixels, the center counted five times, rounded; the border stays.

    As float32. No sum of bytes by 13 comes near enough to a half for its rounding to matter.
    """
    wide = x.to(torch.int16)
    rows = wide[:, :-2] + wide[:, 1:-1] + wide[:, 2:]
    total = rows[:, :, :-2] + rows[:, :, 1:-1] + rows[:, :, 2:] + 4 * wide[:, 1:-1, 1:-1]
    smooth = x.float()
    smooth[:, 1:-1, 1:-1] = (total / 13 + 0.5).floor()
    return smooth


def _look_up(x: Tensor, tables: Tensor) -> Tensor:
    """Every byte replaced from the table of its image and channel: (n, 3, 256) uint8."""
    return tables.gather(2, _channels(x)).transpose(1, 2).reshape(x.shape)


def _channels(x: Tensor) -> Tensor:
    """(n, H, W, 3) -> (n, 3, H * W) int64, to be used as an index."""
    return x.flatten(1, 2).transpose(1, 2).long()


@cache
def _stretches(device: torch.device) -> Tensor:
    """The table of autocontrast for every least byte l and largest byte h: (256 * 256, 256) uint8, row 256 l + h.

    16 MiB, because Pillow rounds in double precision: 255 (x - l) / (h - l) may come out just below a whole number.
    """
    table = np.empty((256, 256, 256), np.uint8)
    x, highest = np.arange(256), np.arange(256)[:, None]
    for lowest in range(256):
        scale = 255 / np.maximum(highest - lowest, 1)
        table[lowest] = np.where(highest > lowest, np.clip(x * scale + -lowest * scale, 0, 255), x)
    return torch.from_numpy(table).view(-1, 256).to(device)


def _matrices(*entries: np.ndarray | float) -> np.ndarray:
    """Six entries, each a number or (n,) -> (n, 6) int32, Pillow's fixed-point affine maps of pixels' indices.

    With a, b, c, d, e, f as in `Image.transform`, the center of pixel (i, j) is taken from the place
    (a (j + 1/2) + b (i + 1/2) + c, d (j + 1/2) + e (i + 1/2) + f), x before y; here c and f take in both halves.
    """
    a, b, c, d, e, f = np.broadcast_arrays(*entries)
    exact = np.stack([a, b, c + a * 0.5 + b * 0.5, d, e, f + d * 0.5 + e * 0.5], axis=-1)
    return np.floor(exact * ONE + 0.5).astype(np.int32)


def _nearest(x: Tensor, matrices: np.ndarray) -> Tensor:
    """Every pixel from the one that its image's map (n, 6) int32 leads to, gray where that lies outside."""
    height, width = x.shape[1:3]
    a, b, c, d, e, f = on_device(matrices, x.device)[:, :, None, None].unbind(1)
    i = torch.arange(height, dtype=torch.int32, device=x.device)[:, None]
    j = torch.arange(width, dtype=torch.int32, device=x.device)
    column, row = (a * j + b * i + c) >> 16, (d * j + e * i + f) >> 16
    inside = (column >= 0) & (column < width) & (row >= 0) & (row < height)
    source = torch.where(inside, row * width + column, height * width).flatten(1)
    pixels = torch.cat([x.flatten(1, 2), torch.full_like(x[:, :1, 0], GRAY)], 1)  # and a gray one to take from
    return pixels.gather(1, source[..., None].expand(-1, -1, 3).long()).view(x.shape)


def _sheared(x: Tensor, slopes: np.ndarray) -> Tensor:
    """Pixel (i, j) interpolated along column j at i + slope * (j + 1/2), gray where that lies outside.

    Pillow's cubic (Keys 1981 with a = -1) through four pixels of the column, truncated.
    """
    height, width = x.shape[1:3]
    place = np.arange(height)[:, None] + 0.5 + slopes[:, None, None] * (np.arange(width) + 0.5)
    inside = on_device((place >= 0) & (place < height), x.device)[..., None]
    first = np.floor(place - 0.5)
    t = on_device((place - 0.5 - first).astype(_finest(x.device)), x.device)[..., None]
    taps = np.clip(first[:, None] + np.arange(-1, 3)[:, None, None], 0, height - 1).astype(np.int64)
    p, q, r, s = (
        x.gather(1, rows[..., None].expand(-1, -1, -1, 3)).to(t.dtype) for rows in on_device(taps, x.device).unbind(1)
    )
    value = q + t * (r - p + t * (2 * (p - q) + r - s + t * (q - p + s - r)))
    return torch.where(inside, value.clamp(0, 255).to(torch.uint8), GRAY)


def _finest(device: torch.device) -> type:
    """Doubles, as Pillow takes, where the device has them."""
    return np.float32 if device.type == "mps" else np.float64


def _per_image(values: np.ndarray, dtype: type, x: Tensor) -> Tensor:
    """(n,) on the host -> (n, 1, 1, 1) on the device of x."""
    return on_device(values.astype(dtype), x.device)[:, None, None, None]
