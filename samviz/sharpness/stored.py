"""What is measured of a stored run: the network of a checkpoint, and a fixed part of the images it was trained on."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from samviz.data import Images, subset
from samviz.optim import fix_norm, train_only_norm
from samviz.spec import Arm, Recipe, check
from samviz.spec.recipe import SMALLEST

MEASURED = 5
"""The stream of random numbers for the order of the images, beside those of `samviz.data` and `samviz.training`."""


def stored_network(recipe: Recipe, arm: Arm, state: Mapping[str, Any], device: torch.device | str = "cpu") -> nn.Module:
    """The network of one arm of a checkpoint's `state` (that of `samviz.spec.Checkpoint`), in evaluation mode.

    What did not train in this arm is not trainable in it, so that no region perturbs it. Raises ValueError where the
    state has no such arm.
    """
    from samviz.training import build  # here: it needs pytorchcv, and measuring a network of one's own does not

    check.choice("arm", arm.key, state["arms"])
    network = build(recipe.network, len(recipe.class_names), 0)
    if arm.trained == "fix_norm":
        fix_norm(network)
    elif arm.trained == "norm_only":
        train_only_norm(network)
    network.load_state_dict(state["arms"][arm.key]["network"])
    return network.eval().to(device, memory_format=torch.channels_last)


def measured_images(images: Images, recipe: Recipe, seed: int, count: int = 2048) -> tuple[Tensor, Tensor]:
    """`count` of the images that a run trains on, normalized (count, 3, S, S) float32, and their labels (count,).

    `images` is the whole data set. Drawn class by class and without augmentation; the same for all arms of a run, and
    for all of its checkpoints. Labels are those trained with, wrong ones included. All of the train images, where
    there are no more than `count`.
    """
    from samviz.training.batches import channel_statistics

    check.integer("count", count, SMALLEST, 1_000_000)
    trained = subset(images, recipe, seed)
    mean, std = channel_statistics(trained.train_x)
    if count < len(trained.train_y):
        alone = replace(recipe, train_size=count, validation_size=0, label_noise=0.0, batch_size=2, m=None)
        drawn = subset(trained, alone, seed)
    else:
        drawn = trained
    # Batches are to be mixed, whatever the order of a data set.
    order = np.random.default_rng([seed, MEASURED]).permutation(len(drawn.train_y))
    x = (drawn.train_x[order].astype(np.float32) - mean[:, None, None]) / std[:, None, None]
    return torch.from_numpy(x), torch.from_numpy(drawn.train_y[order])
