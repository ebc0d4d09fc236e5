"""Where the simulated head is modelled, and how that is sampled for the scan.

Shapes are implicit functions on a coarse grid that is fixed in mm, so that the same seed gives the same head at any
slice thickness and matrix. They are smooth, so that their level sets stay crisp when they are interpolated to the
scan's pixels.

Two frames: *scan* coordinates in mm about the middle of the field of view, and *head* coordinates in mm about the
anterior commissure; both have x to the left, y to posterior, z to superior. The head is turned in the scan.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

_STEP_MM = 2.0
"""Spacing of the modelling grid in-plane: gyri are 10 mm wide, thinner things are drawn from distances."""

_STEP_Z_MM = 2.5
"""Spacing of the modelling grid through-plane."""

_HALF_WIDTH_MM = 100.0
"""Half the grid's width: heads are 140-175 mm wide, ears included."""

_HALF_LENGTH_MM = 118.0
"""Half the grid's length: heads are 170-215 mm long."""

_BOTTOM_MM, _TOP_MM = -95.0, 120.0
"""The grid's height in head coordinates: from the upper jaw to above the vertex."""

HEAD_CENTER_Y_MM = 16.0
"""The head's middle lies this far behind the anterior commissure; it is put in the middle of the scan."""


@dataclass(frozen=True)
class Pose:
    """How the head lies in the scanner.

    Args:
        angles_deg: Turns about x (nodding), y (tilting to a shoulder) and z (looking aside).
        shift_mm: Offset (x, y) of the head's middle from the middle of the field of view.
    """

    angles_deg: tuple[float, float, float]
    shift_mm: tuple[float, float]

    @cached_property
    def rotation(self) -> np.ndarray:
        """The 3x3 matrix from head to scan coordinates."""
        matrix = np.eye(3)
        for axis, angle in enumerate(np.deg2rad(self.angles_deg)):
            turn = np.eye(3)
            i, j = (axis + 1) % 3, (axis + 2) % 3
            turn[i, i] = turn[j, j] = np.cos(angle)
            turn[i, j], turn[j, i] = -np.sin(angle), np.sin(angle)
            matrix = turn @ matrix
        return matrix

    def to_head(self, x: np.ndarray, y: np.ndarray, z: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Scan coordinates as head coordinates, in mm."""
        x, y = x - self.shift_mm[0], y - self.shift_mm[1]
        back = self.rotation.T.astype(np.float32)
        turned = [row[0] * x + row[1] * y + row[2] * z for row in back]
        return turned[0], turned[1] + np.float32(HEAD_CENTER_Y_MM), turned[2]

    def to_scan(self, point: tuple[float, float, float]) -> np.ndarray:
        """One point in head coordinates as scan coordinates, in mm."""
        offset = np.array(point, float) - (0, HEAD_CENTER_Y_MM, 0)
        return self.rotation @ offset + (*self.shift_mm, 0)


class HeadGrid:
    """The modelling grid: rectilinear in scan coordinates, with each node's head coordinates.

    Args:
        pose: How the head lies in the scanner.
    """

    def __init__(self, pose: Pose) -> None:
        self.pose = pose
        self.axis_x = np.arange(-_HALF_WIDTH_MM, _HALF_WIDTH_MM + 1, _STEP_MM, dtype=np.float32)
        self.axis_y = np.arange(-_HALF_LENGTH_MM, _HALF_LENGTH_MM + 1, _STEP_MM, dtype=np.float32)
        self.axis_z = np.arange(_BOTTOM_MM, _TOP_MM + 1, _STEP_Z_MM, dtype=np.float32)
        self.shape = (len(self.axis_z), len(self.axis_y), len(self.axis_x))
        z, y, x = np.meshgrid(self.axis_z, self.axis_y, self.axis_x, indexing="ij", sparse=True)
        self.x, self.y, self.z = (np.broadcast_to(a, self.shape) for a in pose.to_head(x, y, z))

    @property
    def spacing(self) -> tuple[float, float, float]:
        """Spacing (z, y, x) in mm."""
        return _STEP_Z_MM, _STEP_MM, _STEP_MM

    def slab(self, stack: np.ndarray, z: float) -> np.ndarray:
        """Fields (field, z, y, x) interpolated linearly at one scan height z; beyond the grid, its end slices."""
        position = float(np.clip((z - self.axis_z[0]) / _STEP_Z_MM, 0, self.shape[0] - 1))
        below = min(int(position), self.shape[0] - 2)
        share = np.float32(position - below)
        return stack[:, below] * (1 - share) + stack[:, below + 1] * share


class PlaneSampler:
    """Interpolates slabs of the modelling grid to pixels in-plane, cubically, by one matrix for rows and one for columns.

    Args:
        grid: The modelling grid.
        y: The pixel rows' scan coordinates in mm.
        x: The pixel columns' scan coordinates in mm.
    """

    def __init__(self, grid: HeadGrid, y: np.ndarray, x: np.ndarray) -> None:
        self._rows = cubic_matrix(y, grid.axis_y)
        self._columns = np.ascontiguousarray(cubic_matrix(x, grid.axis_x).T)

    def __call__(self, slab: np.ndarray) -> np.ndarray:
        """Fields (field, y, x) on the modelling grid as fields (field, rows, columns) at the pixels."""
        return np.matmul(self._rows, np.matmul(slab, self._columns))


def cubic_matrix(positions: np.ndarray, axis: np.ndarray) -> np.ndarray:
    """Catmull-Rom weights, shape (positions, nodes), that interpolate an evenly spaced axis; clamped at its ends."""
    steps = np.clip((positions - axis[0]) / (axis[1] - axis[0]), 0, len(axis) - 1.001)
    base = np.floor(steps).astype(int)
    t = steps - base
    taps = (
        -0.5 * t**3 + t**2 - 0.5 * t,
        1.5 * t**3 - 2.5 * t**2 + 1,
        -1.5 * t**3 + 2 * t**2 + 0.5 * t,
        0.5 * t**3 - 0.5 * t**2,
    )
    weights = np.zeros((len(steps), len(axis)), np.float32)
    for offset, tap in enumerate(taps, start=-1):
        np.add.at(weights, (np.arange(len(steps)), np.clip(base + offset, 0, len(axis) - 1)), tap)
    return weights
