"""A pile of parallel slices where they really lie in the patient, before it is a regular grid."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

_LINEAR_TOLERANCE_PIXELS = 0.5
"""How far a slice may lie off the line of a tilted pile: positions are rounded, tables move unevenly."""


@dataclass(frozen=True)
class SliceStack:
    """Parallel slices of the same size, in rising order along their normal, at any distance and shift.

    Args:
        pixels: HU, shape (slices, rows, columns), int16 or float32.
        positions: LPS centre in mm of each slice's first pixel, shape (slices, 3).
        row: LPS unit vector along a row: the way in which the column index (x) rises.
        column: LPS unit vector along a column: the way in which the row index (y) rises.
        normal: LPS unit vector across the slices: the way in which the slice index (z) rises.
        spacing: Distance in mm between columns (x), and between rows (y): SimpleITK's order.
        thickness: Thickness in mm of each slab, shape (slices,); None if it is not known.
    """

    pixels: np.ndarray
    positions: np.ndarray
    row: np.ndarray
    column: np.ndarray
    normal: np.ndarray
    spacing: tuple[float, float]
    thickness: np.ndarray | None = None

    @cached_property
    def depths(self) -> np.ndarray:
        """Each slice's distance in mm along the normal from the first, shape (slices,)."""
        return (self.positions - self.positions[0]) @ self.normal

    @cached_property
    def gaps(self) -> np.ndarray:
        """Distances in mm along the normal between the centres of neighbouring slices, shape (slices - 1,)."""
        return np.diff(self.depths)

    @cached_property
    def shifts(self) -> np.ndarray:
        """How far each slice is shifted in its plane from the first, in pixels (x, y), shape (slices, 2)."""
        moved = self.positions - self.positions[0]
        return np.stack([moved @ self.row / self.spacing[0], moved @ self.column / self.spacing[1]], axis=1)

    @property
    def tilt_degrees(self) -> float:
        """Angle in degrees between the slices' normal and the way from the first slice to the last."""
        across = np.hypot(*(self.shifts[-1] * self.spacing))
        return float(np.degrees(np.arctan2(across, abs(self.depths[-1]))))

    @property
    def is_linear(self) -> bool:
        """Whether every slice is shifted in proportion to its depth, as a tilted gantry does, within half a pixel."""
        expected = np.outer(self.depths / self.depths[-1], self.shifts[-1])
        return bool(np.abs(self.shifts - expected).max() <= _LINEAR_TOLERANCE_PIXELS)
