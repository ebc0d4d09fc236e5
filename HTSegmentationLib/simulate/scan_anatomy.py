"""The anatomy of a scanned head: skull and CSF as they are seen, the rest where the average head has it."""

# The coordinates in mm are the drawing itself; naming each would hide it.
# ruff: noqa: PLR2004

from __future__ import annotations

import numpy as np
from scipy import ndimage

from HTSegmentationLib.simulate.anatomy import Anatomy
from HTSegmentationLib.simulate.brain import tentorium
from HTSegmentationLib.simulate.grid import HeadGrid
from HTSegmentationLib.simulate.scan_frame import ScanFrame
from HTSegmentationLib.simulate.ventricles import brainstem, cisterns, ventricles

_CENTER = (0.0, 15.0, 12.0)
"""Middle of the average skull's inside, head coordinates in mm."""

_FLUID_HU = 17.0
"""Half-way from CSF to the brain of old people, after smoothing."""

_DEEP_MM = 14.0
"""Fluid this deep under the inner table and near where ventricles are expected is ventricle, what lies higher is sulcus."""

_NEAR_MM = 9.0
"""Ventricles may lie this far from the average head's, widened ones of old people included."""

_NOWHERE_MM = 60.0
"""Distance from what is not there."""


def scan_anatomy(hu: np.ndarray, brain: np.ndarray, frame: ScanFrame, grid: HeadGrid) -> Anatomy:
    """Looks for skull, ventricles and sulci in a scan.

    Args:
        hu: Smoothed HU (z, y, x) of the scan; anything outside of the brain.
        brain: Voxels inside the skull.
        frame: Where the scan's voxels lie.
        grid: The modelling grid.
    """
    share = frame.onto(brain, grid)
    cavity = _signed_distance(share > 0.5, grid)
    mean = frame.onto(np.where(brain, hu, 0), grid) / np.maximum(share, 1e-3)
    points = tuple(
        (axis / size).astype(np.float32) for axis, size in zip((grid.x, grid.y, grid.z), frame.scale, strict=True)
    )
    fluid = (share > 0.5) & (mean < _FLUID_HU)
    flat = np.zeros(grid.shape, np.float32)
    ventricle = fluid & (cavity < -_DEEP_MM) & (ventricles(points, (1.3, 1.3), flat) < _NEAR_MM)
    stem = brainstem(points)
    offset, behind = tentorium(points)
    fossa = np.maximum(offset + 1.2, -behind)
    sulci = _signed_distance(fluid & ~ventricle, grid)
    under_table = (cavity < 0) & (cavity > -6)
    return Anatomy(
        cavity=cavity,
        radius=_relative_radius(points),
        ventricles=_signed_distance(ventricle, grid),
        cisterns=np.maximum(cisterns(points, stem, 2.2, flat), cavity),
        cerebellum=np.maximum(np.maximum(fossa, cavity + 1.0), -(stem - 0.8)),
        brainstem=stem,
        cortex=sulci,
        fluid_mm=6.0 * float(fluid[under_table].mean()) if under_table.any() else 1.0,
        center=_CENTER,
        scale=frame.scale,
    )


def _signed_distance(mask: np.ndarray, grid: HeadGrid) -> np.ndarray:
    """Signed distance in mm to the border between a mask's cells and the others, negative inside."""
    if not mask.any():
        return np.full(mask.shape, _NOWHERE_MM, np.float32)
    half = grid.spacing[-1] / 2
    outside = ndimage.distance_transform_edt(~mask, sampling=grid.spacing)
    inside = ndimage.distance_transform_edt(mask, sampling=grid.spacing)
    return np.where(mask, half - inside, outside - half).astype(np.float32)


def _relative_radius(points: tuple[np.ndarray, ...]) -> np.ndarray:
    """0 at the skull's middle, 1 at the average vault."""
    x, y, z = (p - np.float32(c) for p, c in zip(points, _CENTER, strict=True))
    return np.sqrt((x / 67) ** 2 + (y / 84) ** 2 + (z / np.where(z > 0, 71, 82)) ** 2).astype(np.float32)
