"""How good a network is on the fixed patches of the cases that it does not train on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from HTSegmentationLib.inference.device import import_torch
from HTSegmentationLib.training.step import Stepper

if TYPE_CHECKING:
    from torch import Tensor, nn


@dataclass(frozen=True)
class Validation:
    """What a network reaches on the validation patches.

    Args:
        loss: Mean over the patches, without dropout.
        dice: Dice of all voxels above the background together; of several classes the mean over those that occur.
    """

    loss: float
    dice: float


def validate(network: nn.Module, batches: Iterable[tuple[Tensor, Tensor]], stepper: Stepper) -> Validation:
    """Runs a network over patches.

    The Dice is that of all patches together, 2 |A and B| / (|A| + |B|): a mean over patches would be ruled by those that
    hold nothing or one voxel. A class that occurs neither in the references nor in the answers is left out.

    Args:
        network: Is left in evaluation mode.
        batches: Patches and targets, the same ones each time.
        stepper: Knows the loss.

    Raises:
        ValueError: There is no patch.
    """
    torch = import_torch()
    network.eval()
    total, count = 0.0, 0
    table: Tensor | None = None
    with torch.inference_mode():
        for x, target in batches:
            logits = stepper.logits(network, x)
            total += float(stepper.loss_of(logits, target)) * len(x)
            count += len(x)
            found = _confusion(logits, target[:, 0].to(logits.device))
            table = found if table is None else table + found
    if table is None:
        raise ValueError("there is no patch to validate on")
    return Validation(total / count, _mean_dice(table))


def _confusion(logits: Tensor, target: Tensor) -> Tensor:
    """How many voxels of each class (row) were taken for each class (column)."""
    classes = logits.shape[1]
    pairs = target.flatten() * classes + logits.argmax(1).flatten()
    return pairs.bincount(minlength=classes**2).view(classes, classes)


def _mean_dice(table: Tensor) -> float:
    both, either = table.diagonal()[1:], (table.sum(0) + table.sum(1))[1:]
    dices = [2 * hit / size for hit, size in zip(both.tolist(), either.tolist(), strict=True) if size]
    return sum(dices) / len(dices) if dices else 1.0
