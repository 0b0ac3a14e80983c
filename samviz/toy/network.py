"""A ReLU network small enough to try a thousand rescalings of its weights at once, in NumPy.

Two convolutions along a line and a fully connected layer, all with biases:

    2 channels x 4 places -> 3 filters of 2 x 2 -> ReLU -> 2 filters of 3 x 2 -> ReLU -> 2 classes

so that filters have several input channels and layers several nodes. Its weights are a column of PARAMETERS numbers;
many columns side by side are many networks.
"""

from itertools import accumulate, pairwise
from math import prod

import numpy as np

from samviz.variants import Role

_CONVOLUTION = Role(layer_axes=(0, 1, 2), filter_axes=(1, 2))
_BIAS = Role(bias=True, layer_axes=(0,))
_LINEAR = Role(layer_axes=(0, 1, 2))

LAYERS = (
    ((3, 2, 2), _CONVOLUTION),
    ((3,), _BIAS),
    ((2, 3, 2), _CONVOLUTION),
    ((2,), _BIAS),
    ((2, 2, 2), _LINEAR),
    ((2,), _BIAS),
)
"""Shape and role of each tensor: filters x channels x places, at last classes x channels x places, each with biases."""

_ENDS = list(accumulate((prod(shape) for shape, _ in LAYERS), initial=0))
PARAMETERS = _ENDS[-1]

_RNG = np.random.default_rng(1596)  # a draw where each node is on for some samples and off for others
INPUTS = _RNG.normal(size=(5, 2, 4))
"""Samples x channels x places."""
LABELS = np.array([0, 1, 1, 0, 1])
WEIGHTS = _RNG.normal(size=(PARAMETERS, 1))
"""The network that is rescaled, (PARAMETERS, 1)."""

_WINDOWS = np.lib.stride_tricks.sliding_window_view(INPUTS, 2, axis=2).transpose(0, 2, 1, 3).reshape(15, 4)
"""What a filter of the first convolution reads: samples and places x channels and places."""
_SAMPLES = np.arange(len(LABELS))


def tensors(columns: np.ndarray) -> list[np.ndarray]:
    """The tensors of LAYERS in columns (PARAMETERS, n), each with n as its last axis."""
    return [columns[i:j].reshape(*shape, -1) for (i, j), (shape, _) in zip(pairwise(_ENDS), LAYERS, strict=True)]


def columns(parts: list[np.ndarray]) -> np.ndarray:
    """The inverse of `tensors`."""
    return np.concatenate([part.reshape(-1, part.shape[-1]) for part in parts])


def loss(w: np.ndarray) -> np.ndarray:
    """Mean cross-entropy of the networks w (PARAMETERS, n), shape (n,)."""
    *_, z = _forward(tensors(w))
    return _cross_entropy(z)


def loss_and_gradient(w: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The loss, (n,), and its gradient, shaped like w (PARAMETERS, n), with ReLU'(0) = 0."""
    f, _, g, _, v, _ = parts = tensors(w)
    h, k, z = _forward(parts)
    dz = np.exp(z - z.max(axis=0))
    dz /= dz.sum(axis=0)
    dz[LABELS, _SAMPLES] -= 1
    dz /= len(LABELS)
    dk = np.einsum("obn,ogln->gbln", dz, v) * (k > 0)
    dh = np.zeros_like(h)
    dg = np.empty_like(g)
    for place in (0, 1):
        dh[:, :, place : place + 2] += np.einsum("gbln,gfn->fbln", dk, g[:, :, place])
        dg[:, :, place] = np.einsum("gbln,fbln->gfn", dk, h[:, :, place : place + 2])
    dh *= h > 0
    df = (_WINDOWS.T @ dh.reshape(3, 15, -1)).reshape(f.shape)
    dv = np.einsum("obn,gbln->ogln", dz, k)
    return _cross_entropy(z), columns([df, dh.sum(axis=(1, 2)), dg, dk.sum(axis=(1, 2)), dv, dz.sum(axis=1)])


def _forward(parts: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What the two hidden layers put out, (filters, samples, places, n), and the classes' scores, (2, samples, n)."""
    f, f0, g, g0, v, v0 = parts
    h = (_WINDOWS @ f.reshape(3, 4, -1)).reshape(3, 5, 3, -1) + f0[:, None, None]
    h = np.maximum(h, 0)
    k = sum(np.einsum("gfn,fbln->gbln", g[:, :, place], h[:, :, place : place + 2]) for place in (0, 1))
    k = np.maximum(k + g0[:, None, None], 0)
    return h, k, np.einsum("ogln,gbln->obn", v, k) + v0[:, None]


def _cross_entropy(z: np.ndarray) -> np.ndarray:
    top = z.max(axis=0)
    return (np.log(np.exp(z - top).sum(axis=0)) + top - z[LABELS, _SAMPLES]).mean(axis=0)
