"""The plane between the hemispheres, estimated from the brain's own outline."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk

from HTSegmentationLib.ct.geometry import index_to_point_matrix

_ROWS = 60
"""Rows looked at along the brain's front-back axis, and slices: the outline needs no more."""

_LEAST_WIDTH = 0.5
"""Rows narrower than this share of the widest lie at the brain's poles or vertex and do not tell its middle."""

_OUTLIER_MM = 4.0
"""Rows whose middle lies farther from the first plane are those of a craniectomy or a cut field of view."""

_LEAST_ROWS = 12
"""Fewer rows do not carry a plane."""


@dataclass(frozen=True)
class Midplane:
    """The plane between the hemispheres.

    Args:
        normal: Unit normal in LPS, toward the patient's left.
        offset_mm: Distance of the plane from the origin along the normal.
    """

    normal: tuple[float, float, float]
    offset_mm: float

    def distance_mm(self, points: np.ndarray) -> np.ndarray:
        """Signed distance in mm of LPS points (n, 3); the patient's left is positive."""
        return points @ np.asarray(self.normal) - self.offset_mm


def find_midplane(brain_mask: sitk.Image) -> Midplane | None:
    """Fits a plane to the middles between the brain's left and right outline.

    Args:
        brain_mask: 1 inside the skull, 0 elsewhere, on the scan's grid.

    Returns:
        The plane; None when too little of the brain is in the scan.
    """
    matrix = index_to_point_matrix(brain_mask)
    sideways = int(np.argmax(np.abs(matrix[0, :3] / np.asarray(brain_mask.GetSpacing()))))
    array = np.moveaxis(sitk.GetArrayViewFromImage(brain_mask), 2 - sideways, -1)
    steps = [max(1, length // _ROWS) for length in array.shape[:2]]
    rows = array[:: steps[0], :: steps[1]] > 0
    filled = rows.any(axis=-1)
    if np.count_nonzero(filled) < _LEAST_ROWS:
        return None
    first = np.argmax(rows, axis=-1)[filled]
    last = rows.shape[-1] - 1 - np.argmax(rows[..., ::-1], axis=-1)[filled]
    wide = last - first >= _LEAST_WIDTH * (last - first).max()
    others = np.argwhere(filled)[wide] * np.asarray(steps)
    middles = (first + last)[wide] / 2
    # Array axes are (z, y, x); what was not moved to the end keeps its order.
    axes = [axis for axis in (2, 1, 0) if axis != sideways]
    index = np.zeros((len(middles), 3))
    index[:, sideways] = middles
    index[:, axes[0]], index[:, axes[1]] = others[:, 0], others[:, 1]
    return _fitted(index @ matrix[:3, :3].T + matrix[:3, 3])


def _fitted(points: np.ndarray) -> Midplane | None:
    """The plane x = a + b y + c z through LPS points, twice, the second time without outliers."""
    kept = np.ones(len(points), bool)
    for _ in range(2):
        if np.count_nonzero(kept) < _LEAST_ROWS:
            return None
        design = np.column_stack((np.ones(len(points)), points[:, 1], points[:, 2]))
        solution = np.linalg.lstsq(design[kept], points[kept, 0], rcond=None)[0]
        kept = np.abs(points[:, 0] - design @ solution) < _OUTLIER_MM
    length = float(np.sqrt(1 + solution[1] ** 2 + solution[2] ** 2))
    normal = (1 / length, float(-solution[1]) / length, float(-solution[2]) / length)
    return Midplane(normal, float(solution[0]) / length)
