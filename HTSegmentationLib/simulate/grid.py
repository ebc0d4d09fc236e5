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

_BLOCK_PIXELS = 48
"""Pixels in a block of an interpolation: fewer make many small products, more make them full of zeros."""

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

    @property
    def axes(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Scan coordinates (z, y, x) in mm along the grid's axes."""
        return self.axis_z, self.axis_y, self.axis_x

    @property
    def voxel_ml(self) -> float:
        """Volume of one of its cells in mL."""
        return float(np.prod(self.spacing)) / 1000

    def slab(self, stack: np.ndarray, z: float) -> np.ndarray:
        """Fields (field, z, y, x) interpolated linearly at one scan height z; beyond the grid, its end slices."""
        position = float(np.clip((z - self.axis_z[0]) / _STEP_Z_MM, 0, self.shape[0] - 1))
        below = min(int(position), self.shape[0] - 2)
        share = np.float32(position - below)
        return stack[:, below] * (1 - share) + stack[:, below + 1] * share


class PlaneSampler:
    """Interpolates fields on a plane of nodes to pixels, cubically, by products with small matrices.

    A pixel depends on four nodes alone, so that each block of pixels is a product with the few nodes that it lies among.

    Args:
        nodes: The nodes' scan coordinates along y and x in mm, evenly spaced.
        y: The pixel rows' scan coordinates in mm.
        x: The pixel columns' scan coordinates in mm.
    """

    def __init__(self, nodes: tuple[np.ndarray, np.ndarray], y: np.ndarray, x: np.ndarray) -> None:
        self._size = (len(y), len(x))
        self._rows = _blocks(cubic_matrix(y, nodes[0]))
        self._columns = [(pixels, among, m.T.copy()) for pixels, among, m in _blocks(cubic_matrix(x, nodes[1]))]

    def __call__(self, slab: np.ndarray) -> np.ndarray:
        """Fields (field, y, x) at the nodes as fields (field, rows, columns) at the pixels."""
        rows, columns = self._size
        half = np.empty((*slab.shape[:2], columns), np.float32)
        for pixels, nodes, matrix in self._columns:
            np.matmul(slab[:, :, nodes], matrix, out=half[:, :, pixels])
        result = np.empty((len(slab), rows, columns), np.float32)
        for pixels, nodes, matrix in self._rows:
            np.matmul(matrix, half[:, nodes], out=result[:, pixels])
        return result


def _blocks(matrix: np.ndarray) -> list[tuple[slice, slice, np.ndarray]]:
    """Rows of the matrix in blocks: which rows, between which columns they are not zero, and the block itself."""
    blocks = []
    for first in range(0, len(matrix), _BLOCK_PIXELS):
        pixels = slice(first, min(first + _BLOCK_PIXELS, len(matrix)))
        filled = np.flatnonzero(matrix[pixels].any(axis=0))
        nodes = slice(int(filled[0]), int(filled[-1]) + 1)
        blocks.append((pixels, nodes, matrix[pixels, nodes].copy()))
    return blocks


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
