"""From a checkpoint of a training to the sharpness of its arms."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from samviz.data import subset
from samviz.sharpness import Measure, measured_images, sharpness, stored_network
from samviz.spec import Arm, Checkpoint
from samviz.training import train
from samviz.training.batches import Batches
from tests.training.fakes import SAM_ON, SGD, images, recipe

FIXED = Arm(trained="fix_norm")
RECIPE = recipe(network="resnet8_half", epochs=1)


@pytest.fixture(scope="module")
def state() -> dict:
    arms = [SGD, SAM_ON, FIXED]
    (*_, last) = train(RECIPE, arms, 0, device="cpu", images=images())
    assert isinstance(last, Checkpoint)
    return last.state


def test_a_stored_arm_has_a_sharpness(state: dict):
    x, y = measured_images(images(), RECIPE, 0, 20)
    networks = [stored_network(RECIPE, arm, state) for arm in (SGD, SAM_ON)]
    for network, arm in zip(networks, (SGD, SAM_ON), strict=True):
        saved = state["arms"][arm.key]["network"]
        assert all(torch.equal(v, saved[k]) for k, v in network.state_dict().items())
        *_, (found,) = sharpness(network, x, y, [Measure(rho=0.02, steps=3)], m=10)
        assert found.value > 0


def test_what_did_not_train_is_not_perturbed(state: dict):
    network = stored_network(RECIPE, FIXED, state)
    x, y = measured_images(images(), RECIPE, 0, 20)
    with pytest.raises(ValueError, match="norm_only selects none"):
        next(sharpness(network, x, y, [Measure(scope="norm_only")], m=10))


def test_an_arm_that_is_not_stored_is_told_in_a_sentence(state: dict):
    with pytest.raises(ValueError, match=r"arm must be one of sgd, .*, but it is 'elementwise_l2:all:rho=0.1'"):
        stored_network(RECIPE, Arm(variant="elementwise_l2", rho=0.1), state)


@pytest.mark.parametrize("count", [20, 2048])
def test_the_images_are_drawn_class_by_class_and_as_the_training_saw_them(count: int):
    noisy = replace(RECIPE, label_noise=0.4, augmentation="none")
    x, y = measured_images(images(), noisy, 3, count)
    part = subset(images(), noisy, 3)
    assert len(x) == len(y) == min(count, 40)
    batches = Batches(part, replace(noisy, batch_size=40), 3, torch.device("cpu"))
    ((trained_x, trained_y),) = batches.train(1)
    for image, label in zip(x, y, strict=True):
        (place,) = np.flatnonzero([torch.allclose(image, other, atol=1e-5) for other in trained_x])
        assert trained_y[place] == label
    of_class, in_all = np.bincount(y, minlength=10), np.bincount(part.train_y, minlength=10)
    # As even as there are images: a class has fewer than another one has only if it has no more.
    assert all(n == whole or n >= of_class.max() - 1 for n, whole in zip(of_class, in_all, strict=True))


def test_the_images_are_the_same_again_in_mixed_order_and_others_for_another_seed():
    x, y = measured_images(images(), RECIPE, 0, 20)
    again, _ = measured_images(images(), RECIPE, 0, 20)
    assert torch.equal(x, again)
    assert y.tolist() != sorted(y.tolist())
    other, _ = measured_images(images(), RECIPE, 1, 20)
    assert not torch.equal(x, other)


def test_too_few_images_are_told_in_a_sentence():
    with pytest.raises(ValueError, match="count must be a whole number from 10 to 1000000, but it is 3"):
        measured_images(images(), RECIPE, 0, 3)
