"""What the training of one network is made of, and where it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

    from HTSegmentationLib.training.optimisers import Schedule
    from HTSegmentationLib.training.step import Loss


class Batches(Protocol):
    """Gives the batches of an epoch, the same ones each time that it is asked for the same epoch."""

    @property
    def steps(self) -> int:
        """Batches in an epoch."""
        ...

    def epoch(self, number: int, first_step: int = 0) -> Iterator[tuple[Tensor, Tensor]]:
        """Patches (N, channels, z, y, x) and targets (N, 1, z, y, x), from a step on."""
        ...


@dataclass(frozen=True)
class FoldPlan:
    """What the training of one network is made of.

    Args:
        folder: Where its files lie; it is there.
        network: With its first weights, on the device.
        loss: Of logits and target.
        optimiser: Of the network's parameters.
        schedule: Of the optimiser's learning rate.
        training: What is trained on.
        validation: Fixed patches of the held-out cases; None without any: then the last epoch counts.
        epochs: How many at most.
        patience: So many epochs without gain end it; None for never.
        criterion: ``"loss"`` or ``"dice"`` of the validation patches decides which epoch is the best.
        deep_supervision: Whether the logits of several depths are trained, where the network gives them.
        seed: Decides dropout, with fold, epoch and step.
        half: Whether to compute in mixed precision.
    """

    folder: Path
    network: nn.Module
    loss: Loss
    optimiser: torch.optim.Optimizer
    schedule: Schedule
    training: Batches
    validation: Batches | None
    epochs: int
    patience: int | None
    criterion: str
    deep_supervision: bool
    seed: tuple[int, ...]
    half: bool = False


@dataclass(frozen=True)
class Moment:
    """Where a training is, for whoever watches.

    Args:
        epoch: The epoch under way, from 1.
        epochs: How many there are at most.
        step: Steps done in it.
        steps: How many it has.
        loss: Its mean loss so far; None before the first step.
        best: The best validation so far; None before the first one.
        seconds: Time in s since the training began.
        share: How much is done of what is to be done at most, 0 to 1.
    """

    epoch: int
    epochs: int
    step: int
    steps: int
    loss: float | None
    best: float | None
    seconds: float
    share: float


def torch_seed(*numbers: int) -> int:
    """A seed of PyTorch's generators for each place of a training, as (seed, fold, stage, epoch, step).

    Example:
        >>> torch_seed(0, 1) != torch_seed(1, 0)
        True
    """
    return int(np.random.SeedSequence(numbers).generate_state(1, np.uint64)[0] >> 1)
