"""Where the scan's voxels lie: thick slices, the fine slices that they average, and the pixels that can hold head."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from HTSegmentationLib.simulate.grid import HeadGrid
from HTSegmentationLib.simulate.parameters import SimulationParameters

FINE_MM = 1.0
"""Slices are averaged from fine ones at most this far apart."""

_TOP_MM = 99.0
"""Height of the scan's upper end above the commissures: a little air above the tallest head's vertex."""

_COARSE_PIXEL_MM = 0.7
"""Below this pixel width, soft tissue is computed at every second pixel."""


@dataclass(frozen=True)
class Sampling:
    """The scan's voxels in scan coordinates (mm).

    Args:
        axis: Pixel centres along a row or a column of the whole slice.
        fine: Heights of all fine slices, rising.
        per_slice: How many fine slices make one slice.
        rows: Rows of the scan that can hold head.
        columns: Columns of the scan that can hold head.
        pixel_mm: Pixel width.
        factor: Soft tissue is computed at every ``factor``-th pixel in each direction.
    """

    axis: np.ndarray
    fine: np.ndarray
    per_slice: int
    rows: slice
    columns: slice
    pixel_mm: float
    factor: int

    @classmethod
    def of(cls, case: SimulationParameters, grid: HeadGrid) -> Sampling:
        """The voxels of that case's scan; its upper end lies above the vertex, its lower end where slices run out."""
        thickness, slices = float(case.slice_thickness_mm), int(case.slices)
        per_slice = max(2, round(np.ceil(thickness / FINE_MM)))
        steps = np.arange(slices * per_slice) + 0.5
        fine = _TOP_MM - slices * thickness + steps * (thickness / per_slice)
        axis = (np.arange(case.matrix) - (case.matrix - 1) / 2) * case.pixel_mm
        factor = 2 if case.pixel_mm < _COARSE_PIXEL_MM and case.matrix % 2 == 0 else 1
        parts = []
        for limits in (grid.axis_y, grid.axis_x):
            inside = np.flatnonzero((axis > limits[0]) & (axis < limits[-1]))
            first, last = int(inside[0]), int(inside[-1]) + 1
            first += -first % factor
            parts.append(slice(first, last - (last - first) % factor))
        return cls(
            axis=axis.astype(np.float32),
            fine=fine.astype(np.float32),
            per_slice=per_slice,
            rows=parts[0],
            columns=parts[1],
            pixel_mm=case.pixel_mm,
            factor=factor,
        )

    @property
    def y(self) -> np.ndarray:
        """Scan coordinates of the rows that can hold head."""
        return self.axis[self.rows]

    @property
    def x(self) -> np.ndarray:
        """Scan coordinates of the columns that can hold head."""
        return self.axis[self.columns]

    @property
    def slices(self) -> int:
        """Number of slices."""
        return len(self.fine) // self.per_slice

    @property
    def middles(self) -> np.ndarray:
        """Heights of the slices' middles, rising."""
        return self.fine.reshape(-1, self.per_slice).mean(1)

    @property
    def thickness_mm(self) -> float:
        """Slice thickness and spacing."""
        return float(self.fine[1] - self.fine[0]) * self.per_slice
