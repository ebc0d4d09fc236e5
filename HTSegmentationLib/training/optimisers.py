"""The optimisers and learning-rate schedules of the published recipes, PyTorch's own."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from HTSegmentationLib.inference.device import import_torch
from HTSegmentationLib.training.choices import OPTIMISERS, SCHEDULES
from HTSegmentationLib.training.settings import TrainingSettings

if TYPE_CHECKING:
    import torch
    from torch import nn


def make_optimiser(settings: TrainingSettings, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
    """The optimiser of a recipe.

    Args:
        settings: Names it, its learning rate and its parameters.
        parameters: What it changes.

    Example:
        >>> make_optimiser(published_settings("se-unet"), network.parameters())   # doctest: +SKIP
    """
    optim = import_torch().optim
    kinds = {"adadelta": optim.Adadelta, "adam": optim.Adam, "adamw": optim.AdamW, "sgd": optim.SGD}
    arguments = {**OPTIMISERS[settings.optimiser], **settings.optimiser_parameters}
    if settings.optimiser == "sgd":
        # As in nnU-Net: momentum of 0.99 is meant with Nesterov's step.
        arguments["nesterov"] = arguments["momentum"] > 0
    return kinds[settings.optimiser](parameters, lr=settings.learning_rate, **arguments)


class Schedule:
    """How the learning rate changes from epoch to epoch.

    Args:
        settings: Names the schedule and its parameters.
        optimiser: Whose learning rate it is.

    Example:
        >>> schedule = Schedule(settings, optimiser)   # doctest: +SKIP
        >>> schedule.after_epoch(0.21)                 # doctest: +SKIP
    """

    def __init__(self, settings: TrainingSettings, optimiser: torch.optim.Optimizer) -> None:
        self._optimiser = optimiser
        self._by_gain = settings.schedule == "plateau"
        self._schedule = _made(settings, optimiser)

    @property
    def learning_rate(self) -> float:
        """The learning rate now."""
        return float(self._optimiser.param_groups[0]["lr"])

    def after_epoch(self, value: float) -> None:
        """Changes the learning rate for the next epoch.

        Args:
            value: What the epoch reached; smaller is better.
        """
        with warnings.catch_warnings():
            # An epoch whose every step half precision left out looks to PyTorch as if the order of calls were wrong.
            warnings.filterwarnings("ignore", "Detected call of `lr_scheduler.step")
            if self._by_gain:
                self._schedule.step(value)
            else:
                self._schedule.step()

    def state_dict(self) -> dict[str, Any]:
        """Plain values for a checkpoint."""
        return self._schedule.state_dict()

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Goes on from a checkpoint."""
        self._schedule.load_state_dict(dict(state))


def _made(settings: TrainingSettings, optimiser: torch.optim.Optimizer) -> Any:
    kinds = import_torch().optim.lr_scheduler
    values = {**SCHEDULES[settings.schedule], **settings.schedule_parameters}
    if settings.schedule == "plateau":
        # PyTorch acts after more than its patience; ten epochs without gain are meant to be ten.
        return kinds.ReduceLROnPlateau(
            optimiser, factor=values["factor"], patience=int(values["patience"]) - 1, threshold=0.0
        )
    if settings.schedule == "cosine-restarts":
        return kinds.CosineAnnealingWarmRestarts(optimiser, int(values["epochs"]), int(values["growth"]))
    if settings.schedule == "poly":
        return kinds.PolynomialLR(optimiser, settings.epochs, values["power"])
    return kinds.ConstantLR(optimiser, factor=1.0)
