"""The turn and shift that lay one head upon another, by least squares (Gauss and Newton) on the copies' values.

With all six numbers solved for at once, the fit ends after a handful of steps and comes to the same place from starts 20
degrees and several cm apart; descending along the gradient, as registration programs do by default, stalls on the way there.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage
from scipy.spatial.transform import Rotation

from HTSegmentationLib.cohort.growth.head_copy import HeadCopy
from HTSegmentationLib.ct.geometry import index_to_point_matrix

_MOST_SAMPLES = 60_000
"""Voxels that are compared; six numbers need no more."""

_LEAST_OVERLAP = 0.3
"""A pose in which the scans share less of the smaller head than this is none."""

_OUTLIER_DEVIATIONS = 3.0
"""Differences beyond this many robust deviations weigh less and less (Huber): jaw, tubes, a new burr hole."""

_LEAST_DEVIATION_HU = 20.0
"""Differences below this are noise, whatever the rest looks like."""

_MAD_TO_SD = 1.4826
"""From the median absolute deviation to the standard deviation of a normal distribution."""

_LONGEST_STEP_MM = 25.0
"""A step that moves the skull further than this is shortened: so far, edges are not straight."""

_LEVER_MM = 90.0
"""Half a head: what a turn of one radian moves the skull by."""

_DAMPING = 1e-3
"""Keeps the equations solvable where a turn leaves the picture nearly as it is."""


@dataclass(frozen=True, eq=False)
class Pose:
    """A turn about the origin and a shift: ``point @ rotation.T + shift``.

    Args:
        rotation: 3x3, orthonormal.
        shift: Millimetres, shape (3,).
    """

    rotation: np.ndarray
    shift: np.ndarray

    @classmethod
    def turned_about(cls, center: np.ndarray, rotation: np.ndarray, target: np.ndarray) -> Pose:
        """The pose that turns about ``center`` and brings it to ``target``."""
        return cls(rotation, target - rotation @ center)

    def moved(self, points: np.ndarray) -> np.ndarray:
        """Points (n, 3) in the other scan."""
        return points @ self.rotation.T + self.shift

    def inverse(self) -> Pose:
        """The way back."""
        return Pose(self.rotation.T, -self.rotation.T @ self.shift)


class RigidFit:
    """Fits poses of one head in another scan.

    Args:
        fixed: The head whose points are looked up.
        moving: The scan in which they are looked up.
    """

    def __init__(self, fixed: HeadCopy, moving: HeadCopy) -> None:
        indices = np.argwhere(fixed.head)
        indices = indices[:: max(1, -(-len(indices) // _MOST_SAMPLES))]
        self._points = fixed.points(indices)
        self._values = _values(fixed)[tuple(indices.T)]
        self._moving = moving
        self._picture = _values(moving)
        step = index_to_point_matrix(moving.image)[0, 0]
        self._slopes = np.gradient(self._picture, step)[::-1]

    def compared(self, pose: Pose) -> tuple[np.ndarray, np.ndarray]:
        """Values of both heads at the same places, as far as both scans reach."""
        places, reached = self._moving.indices(pose.moved(self._points))
        return self._values[reached], _read(self._picture, places)

    def cost(self, pose: Pose) -> float:
        """Mean squared difference in HU squared; infinite where the scans share too little."""
        own, other = self.compared(pose)
        if own.size < _LEAST_OVERLAP * len(self._points):
            return np.inf
        return float(np.square(other - own).mean())

    def fit(self, pose: Pose, *, rounds: int, until_mm: float) -> Pose:
        """The pose after so many rounds, or after a step that moves the skull by less than ``until_mm``."""
        for _ in range(rounds):
            moved = pose.moved(self._points)
            places, reached = self._moving.indices(moved)
            if np.count_nonzero(reached) < _LEAST_OVERLAP * len(self._points):
                return pose
            center = moved.mean(axis=0)
            slopes = np.stack([_read(slope, places) for slope in self._slopes], axis=1)
            step = _step(_read(self._picture, places) - self._values[reached], moved[reached] - center, slopes)
            turn, shift = Rotation.from_rotvec(step[:3]).as_matrix(), step[3:]
            pose = Pose(turn @ pose.rotation, turn @ (pose.shift - center) + center + shift)
            if _length_mm(step) < until_mm:
                break
        return pose


def _step(differences: np.ndarray, arms: np.ndarray, slopes: np.ndarray) -> np.ndarray:
    """Turn (radians about x, y, z) and shift (mm) that lessen the weighted squares most, were edges straight."""
    deviation = max(_MAD_TO_SD * float(np.median(np.abs(differences))), _LEAST_DEVIATION_HU)
    weights = np.minimum(1.0, _OUTLIER_DEVIATIONS * deviation / np.maximum(np.abs(differences), 1e-9))
    columns = np.hstack([np.cross(arms, slopes), slopes])
    weighted = columns * weights[:, None]
    matrix = weighted.T @ columns
    damped = matrix + np.diag(_DAMPING * np.diag(matrix) + np.finfo(float).eps)
    step = -np.linalg.solve(damped, weighted.T @ differences)
    return step * min(1.0, _LONGEST_STEP_MM / max(_length_mm(step), 1e-9))


def _length_mm(step: np.ndarray) -> float:
    return float(_LEVER_MM * np.linalg.norm(step[:3]) + np.linalg.norm(step[3:]))


def _values(copy: HeadCopy) -> np.ndarray:
    """As 64-bit numbers: sums of squares of 60,000 differences lose their last digits otherwise."""
    import SimpleITK as sitk

    return sitk.GetArrayFromImage(copy.image).astype(float)


def _read(volume: np.ndarray, places: np.ndarray) -> np.ndarray:
    return ndimage.map_coordinates(volume, places, order=1, mode="nearest")
