"""What a network tells of a run: which model, where, how, and what its makers warn of."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class NetworkDetails:
    """How a network was run.

    Args:
        model: The model's name.
        version: The model's version.
        warning: What its makers warn of; may be empty.
        networks: How many networks were averaged.
        device: ``"cpu"``, ``"cuda:0"`` or ``"mps"``.
        device_title: The device as users read it.
        half: Whether it was computed in half precision.
        spacing_mm: The network's grid (x, y, z) in mm.
        windows: How many windows were run.
        window: The largest window's sides (x, y, z) in voxels, as the network read it.
        batch_size: Windows at once, in the end.
        overlap: Share of a window that the next one covered again; 0 for tiles.
        blending: How overlapping windows were averaged; ``"none"`` for tiles.
        mirroring: Whether mirrored windows were averaged in.
        seconds: Wall time in s of the network itself.
    """

    model: str
    version: str
    warning: str
    networks: int
    device: str
    device_title: str
    half: bool
    spacing_mm: tuple[float, ...]
    windows: int
    window: tuple[int, ...]
    batch_size: int
    overlap: float
    blending: str
    mirroring: bool
    seconds: float

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        values = dataclasses.asdict(self)
        return {key: list(value) if isinstance(value, tuple) else value for key, value in values.items()}

    def explain(self) -> list[str]:
        """Three or four sentences for the user."""
        ensemble = f", {self.networks} networks averaged" if self.networks > 1 else ""
        precision = "half" if self.half else "single"
        sides = " x ".join(map(str, self.window))
        grid = " x ".join(f"{spacing:.3g}" for spacing in self.spacing_mm)
        count = "1 window" if self.windows == 1 else f"{self.windows} windows"
        sentences = [
            f"Model {self.model}, version {self.version}{ensemble}.",
            f"It ran on {self.device_title} in {precision} precision and took {self.seconds:.1f} s.",
            f"It saw the brain at {grid} mm in {count} of up to {sides} voxels{self._blended()}.",
        ]
        return [*sentences, self.warning] if self.warning else sentences

    def _blended(self) -> str:
        if self.windows == 1 or self.blending == "none":
            return ", laid side by side" if self.blending == "none" else ""
        weights = "with Gaussian weights" if self.blending == "gaussian" else "with equal weights"
        mirrored = ", each also mirrored" if self.mirroring else ""
        return f", overlapping by {self.overlap:.0%} and averaged {weights}{mirrored}"
