"""Motion within a slice: the head is seen at two places, and the slice is their mixture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

_MOST_MM = 5.0
"""How far the head moves in a slice at full strength; more is scanned again."""

_MOST_SHARE = 0.5
"""Share of the slices that full motion spoils."""


@dataclass(frozen=True)
class Motion:
    """How the head moves.

    Args:
        shifts_mm: In-plane shift (y, x) of each slice's second position from its first in mm, (slice, 2); 0: it is still.
        weights: Share of the second position in each slice.
    """

    shifts_mm: np.ndarray
    weights: np.ndarray

    def of(self, index: int, hu: np.ndarray, pixel_mm: float) -> np.ndarray:
        """The slice as it is seen; its anatomy stays in place on average."""
        shift, weight = self.shifts_mm[index] / pixel_mm, self.weights[index]
        if not shift.any():
            return hu
        first, second = -weight * shift, (1 - weight) * shift
        moved = [ndimage.shift(hu, by, order=1, mode="nearest", output=np.float32) for by in (first, second)]
        return moved[0] + np.float32(weight) * (moved[1] - moved[0])


def make_motion(rng: np.random.Generator, strength: float, heights: np.ndarray, lesion_z_mm: float | None) -> Motion:
    """Chooses one run of slices in which the head moves.

    Args:
        rng: Source of randomness.
        strength: 0 to 1.
        heights: Scan coordinates z of the slices' middles in mm.
        lesion_z_mm: Scan coordinate z of the lesion, which lies in the run; None without one.
    """
    slices = len(heights)
    count = max(1, round(strength * _MOST_SHARE * slices))
    middle = int(rng.integers(slices)) if lesion_z_mm is None else int(np.abs(heights - lesion_z_mm).argmin())
    first = int(np.clip(middle - rng.integers(count), 0, slices - count))
    run = slice(first, first + count)
    shifts = np.zeros((slices, 2), np.float32)
    length = strength * rng.uniform(0.4, 1.0, count) * _MOST_MM
    angle = rng.uniform(0, 2 * np.pi, count)
    shifts[run] = length[:, None] * np.stack((np.sin(angle), np.cos(angle)), axis=1)
    return Motion(shifts, rng.uniform(0.25, 0.75, slices).astype(np.float32))
