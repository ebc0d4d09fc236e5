"""What an nnU-Net run has to tell."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class NnUNetDetails:
    """How an nnU-Net model was run.

    Args:
        model: The model's title.
        version: The model's version.
        configuration: As ``"3d_fullres"``.
        trainer: The trainer's class.
        folds: How many folds were averaged.
        tiles: How many tiles were predicted by each fold.
        mirroring_axes: Axes of the array along which mirrored tiles were averaged in.
        device: Where it ran, as users read it.
        seconds: Wall time of the network in s.
        warning: What the model's maker warns of; empty if of nothing.
    """

    model: str
    version: str
    configuration: str
    trainer: str
    folds: int
    tiles: int
    mirroring_axes: tuple[int, ...]
    device: str
    seconds: float
    warning: str

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self) | {"mirroring_axes": list(self.mirroring_axes)}

    def explain(self) -> list[str]:
        """A few sentences that a clinician reads."""
        folds = "one network" if self.folds == 1 else f"the mean of {self.folds} networks"
        tiles = "1 overlapping tile" if self.tiles == 1 else f"{self.tiles} overlapping tiles"
        mirrored = ", each also mirrored" if self.mirroring_axes else ""
        sentences = [
            f"nnU-Net ({self.configuration}): {folds}, {tiles}{mirrored}, {self.seconds:.1f} s on {self.device}.",
            "The mask is the one that nnUNetv2_predict would give; what the network learned from decides what it finds.",
        ]
        return [*sentences, self.warning] if self.warning else sentences
