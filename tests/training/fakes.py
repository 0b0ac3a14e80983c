"""Small images and recipes, so that a run takes a second."""

import numpy as np

from samviz.data import Images
from samviz.spec import DATASETS, Arm, Recipe

SGD = Arm()
SAM_ALL = Arm(variant="sam", rho=0.05)
SAM_ON = Arm(variant="sam", scope="norm_only", rho=0.2)


def images(train: int = 60, test: int = 30) -> Images:
    """Noise with a class-dependent shade: something to learn, drawn in no time."""
    rng = np.random.default_rng(1)
    classes = DATASETS["builtin"].classes
    x = rng.integers(0, 156, (train + test, 3, 32, 32), dtype=np.uint8)
    y = np.arange(train + test) % len(classes)
    x += (10 * y[:, None, None, None]).astype(np.uint8)
    return Images(x[:train], y[:train], x[train:], y[train:], "fake", classes)


def recipe(**changes) -> Recipe:
    settings = {"train_size": 40, "test_size": 20, "epochs": 2, "batch_size": 16, "augmentation": "crop_flip"}
    return Recipe(**settings | {"precision": "fp32"} | changes)
