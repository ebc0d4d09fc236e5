import dataclasses

import numpy as np
import pytest

from HTSegmentationLib.training.choices import LOSSES
from HTSegmentationLib.training.losses import make_loss
from HTSegmentationLib.training.recipes import published_settings

from ..needs import package

torch = package("torch", "no loss was computed")
package("monai", "no loss was computed")


def loss_of(name, **parameters):
    settings = dataclasses.replace(published_settings("se-unet"), loss=name, loss_parameters=parameters)
    return make_loss(settings)


def batch(classes=3, shape=(2, 4, 6, 5), seed=0):
    """Logits, classes, softmax p and one-hot g, the last two as NumPy arrays (classes, all voxels)."""
    random = np.random.default_rng(seed)
    logits = random.normal(0, 2, (shape[0], classes, *shape[1:]))
    target = random.integers(0, classes, (shape[0], 1, *shape[1:]))
    p = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    p = np.moveaxis(p, 1, 0).reshape(classes, -1)
    g = np.eye(classes)[target.ravel()].T
    return torch.tensor(logits, dtype=torch.float32), torch.tensor(target), p, g


def dice(p, g):
    return 1 - 2 * (p * g).sum(1) / (p.sum(1) + g.sum(1))


def entropy(p, g):
    return -(g * np.log(p)).sum(0)


def tversky(p, g, alpha=0.3, beta=0.7):
    hit = (p * g).sum(1)
    return 1 - hit / (hit + alpha * (p * (1 - g)).sum(1) + beta * ((1 - p) * g).sum(1))


def topk(values, share):
    return np.sort(values)[::-1][: int(share * values.size)].mean()


DEFINITIONS = {
    "dice": lambda p, g: dice(p, g)[1:].mean(),
    "dice-ce": lambda p, g: dice(p, g)[1:].mean() + entropy(p, g).mean(),
    "focal": lambda p, g: -((1 - p) ** 2 * g * np.log(p)).mean(),
    "tversky": lambda p, g: tversky(p, g)[1:].mean(),
    "focal-tversky": lambda p, g: (tversky(p, g)[1:] ** 0.75).mean(),
    "dice-topk": lambda p, g: dice(p, g)[1:].mean() + topk(entropy(p, g), 0.1),
}


def test_every_loss_has_a_definition_here():
    assert set(DEFINITIONS) == set(LOSSES)


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("name", sorted(LOSSES))
def test_a_loss_is_what_its_definition_says(name, classes):
    logits, target, p, g = batch(classes)
    assert float(loss_of(name)(logits, target)) == pytest.approx(DEFINITIONS[name](p, g), rel=1e-4)


@pytest.mark.parametrize(
    ("name", "parameters", "definition"),
    [
        ("dice", {"include_background": True}, lambda p, g: dice(p, g).mean()),
        ("focal", {"gamma": 0.5}, lambda p, g: -((1 - p) ** 0.5 * g * np.log(p)).mean()),
        ("tversky", {"alpha": 0.5, "beta": 0.5}, lambda p, g: dice(p, g)[1:].mean()),
        ("focal-tversky", {"gamma": 1.0, "alpha": 0.9}, lambda p, g: tversky(p, g, alpha=0.9)[1:].mean()),
        ("dice-topk", {"share": 1.0}, lambda p, g: dice(p, g)[1:].mean() + entropy(p, g).mean()),
    ],
)
def test_the_parameters_of_a_loss_mean_what_they_say(name, parameters, definition):
    logits, target, p, g = batch()
    assert float(loss_of(name, **parameters)(logits, target)) == pytest.approx(definition(p, g), rel=1e-4)


@pytest.mark.parametrize("name", sorted(LOSSES))
@pytest.mark.parametrize("kind", ["empty", "perfect", "wrong"])
def test_loss_and_slope_are_numbers_where_nothing_is_there_and_where_all_is_right(name, kind):
    target = torch.zeros(2, 1, 4, 4, 4, dtype=torch.int64)
    if kind != "empty":
        target[0, 0, 1:3] = 1
    sure = 40.0 * torch.nn.functional.one_hot(target[:, 0], 2).movedim(-1, 1).float()
    logits = (-sure if kind == "wrong" else sure).requires_grad_()
    loss = loss_of(name)(logits, target)
    loss.backward()
    assert torch.isfinite(loss)
    assert torch.isfinite(logits.grad).all()
    assert loss.item() == pytest.approx(0, abs=1e-3) if kind != "wrong" else loss.item() > 0.3


@pytest.mark.parametrize("name", sorted(LOSSES))
def test_a_few_steps_of_descent_make_the_loss_smaller(name):
    logits, target, _, _ = batch(2)
    logits.requires_grad_()
    loss = loss_of(name)
    first = loss(logits, target).item()
    for _ in range(5):
        logits.grad = None
        loss(logits, target).backward()
        logits.data -= 10 * logits.grad
    assert loss(logits, target).item() < first


def test_depths_are_summed_each_against_the_target_in_its_size():
    loss = loss_of("dice-ce")
    target = torch.zeros(1, 1, 4, 8, 8, dtype=torch.int64)
    target[:, :, :2, :4, :4] = 1
    fine, coarse = torch.randn(1, 2, 4, 8, 8), torch.randn(1, 2, 2, 4, 4)
    smaller = target[:, :, ::2, ::2, ::2]
    assert float(loss([fine, coarse], target)) == pytest.approx(float(loss(fine, target) + loss(coarse, smaller)), rel=1e-5)


def test_slices_of_a_network_of_two_dimensions_meet_the_slices_of_the_target():
    loss = loss_of("dice-ce")
    volume, target = torch.randn(2, 2, 3, 8, 8), torch.randint(0, 2, (2, 1, 3, 8, 8))
    slices = volume.transpose(1, 2).flatten(0, 1)
    assert float(loss(slices, target)) == pytest.approx(float(loss(volume, target)), rel=1e-5)


def test_half_precision_is_summed_in_single():
    logits, target, p, g = batch(2, (2, 8, 64, 64))
    found = loss_of("dice-ce")(logits.half(), target)
    assert found.dtype == torch.float32
    assert float(found) == pytest.approx(DEFINITIONS["dice-ce"](p, g), rel=2e-3)


def test_the_published_dice_of_both_labels_has_the_slope_of_ours():
    # Arab et al.: minus the mean over both labels of 2 sum g p / (sum g + sum p).
    settings = published_settings("cnn-ds")
    logits, target, p, g = batch(2)
    assert float(make_loss(settings)(logits, target)) - 1 == pytest.approx(-(1 - dice(p, g)).mean(), rel=1e-4)
