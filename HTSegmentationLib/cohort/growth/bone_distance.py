"""How far the skulls of two aligned scans lie apart: the check of an alignment that does not come from its own fit."""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk
from scipy.spatial import cKDTree

from HTSegmentationLib.cohort.growth.head_copy import BONE_HU, HeadCopy
from HTSegmentationLib.cohort.growth.rigid_fit import Pose

_PERCENTILE = 95
"""As of the Hausdorff distance: jaw and neck, which move against the skull, are in the farthest 5%."""

_MOST_POINTS = 20_000
"""Points of each surface that are measured."""


def bone_distance_mm(fixed: HeadCopy, moving: HeadCopy, pose: Pose) -> float:
    """95th percentile of the distances from the bone surface of each head to that of the other, in mm.

    The surface is where the copies cross 300 HU, interpolated between voxels. Counted are points in both heads; what only
    one of the scans covers is not.

    Args:
        fixed: One head.
        moving: The other.
        pose: From points of the one to points of the other.

    Returns:
        The distance; infinite if the scans share no bone.

    Example:
        >>> bone_distance_mm(copy, copy, Pose(np.eye(3), np.zeros(3)))   # doctest: +SKIP
        0.0
    """
    one, other = _surface(fixed), _surface(moving)
    distances = [
        _distances(pose.moved(one), other, moving),
        _distances(pose.inverse().moved(other), one, fixed),
    ]
    if any(part.size == 0 for part in distances):
        return float("inf")
    return float(np.percentile(np.concatenate(distances), _PERCENTILE))


def _distances(points: np.ndarray, surface: np.ndarray, into: HeadCopy) -> np.ndarray:
    """Of those points that lie in the other scan's head."""
    places, reached = into.indices(points)
    inside = into.head[tuple(np.rint(places).astype(int))]
    held = points[reached][inside]
    held = held[:: max(1, len(held) // _MOST_POINTS)]
    if not len(held) or not len(surface):
        return np.zeros(0)
    return cKDTree(surface).query(held)[0]


def _surface(copy: HeadCopy) -> np.ndarray:
    """LPS points in mm where the values cross the border of bone along one of the axes."""
    values = sitk.GetArrayFromImage(copy.image)
    bone = values > BONE_HU
    found = []
    for axis in range(3):
        before, after = (
            tuple(part if other == axis else slice(None) for other in range(3)) for part in (slice(0, -1), slice(1, None))
        )
        crossed = (bone[before] != bone[after]) & copy.covered[before] & copy.covered[after]
        places = np.argwhere(crossed).astype(float)
        places[:, axis] += (BONE_HU - values[before][crossed]) / (values[after][crossed] - values[before][crossed])
        found.append(places)
    return copy.points(np.vstack(found))
