"""How far the training of one network is: what its checkpoint keeps beside weights and optimiser."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from HTSegmentationLib.training.curve import CurvePoint, EpochTime


@dataclass
class FoldState:
    """How far the training of one network is; changed as it goes on.

    Args:
        epoch: Epochs that are done.
        step: Steps done in the epoch that is under way.
        loss_sum: Sum of the loss over this epoch's patches, of all processes.
        patches: How many patches that were.
        wait_seconds: Time in s of this epoch in which the network waited for patches.
        epoch_seconds: Time in s of this epoch.
        seconds: Time in s since the training began, validation included, whatever was done twice after a kill left out.
        best: The best epoch's validation loss or Dice; None before the first validation.
        best_epoch: That epoch, from 1; 0 before the first one.
        points: The learning curve.
        times: What each epoch took.
        ended: Why the training is over: ``"epochs"`` (all were done), ``"patience"`` (no gain any more); empty until then.
    """

    epoch: int = 0
    step: int = 0
    loss_sum: float = 0.0
    patches: int = 0
    wait_seconds: float = 0.0
    epoch_seconds: float = 0.0
    seconds: float = 0.0
    best: float | None = None
    best_epoch: int = 0
    points: list[CurvePoint] = field(default_factory=list)
    times: list[EpochTime] = field(default_factory=list)
    ended: str = ""

    def begin_epoch(self) -> None:
        """Counts from zero for the next epoch."""
        self.step, self.patches = 0, 0
        self.loss_sum = self.wait_seconds = self.epoch_seconds = 0.0

    def as_dict(self) -> dict[str, Any]:
        """Plain values for a checkpoint."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> FoldState:
        """The state that :meth:`as_dict` gave."""
        points = [CurvePoint(**point) for point in values["points"]]
        return cls(**{**values, "points": points, "times": [EpochTime(**time) for time in values["times"]]})
