"""The three diameters of a hemorrhage that clinicians measure by hand: A, B and C of the ABC/2 (Tada) estimate.

A is the largest length on the slice on which the hemorrhage's area is largest, B the largest width at a right angle to A on
the same slice, C the depth across the slices. Kothari et al., Stroke 1996;27:1304-1305; as used by Xu et al., "An Automatic
Cascaded Model for Hemorrhagic Stroke Segmentation and Hemorrhagic Volume Estimation", section 5.3.

A and B run from border to border, not between voxel centres. The border between a voxel inside and one outside lies halfway
between their centres, as on a contour at the level 0.5: so a digitised ellipse has the diameters of the true one, within a
fraction of a voxel.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk
from scipy import ndimage
from scipy.spatial import ConvexHull, QhullError
from scipy.spatial.distance import pdist, squareform

from HTSegmentationLib.ct.geometry import index_to_point_matrix, slice_axis, slice_distance_mm
from HTSegmentationLib.errors import SegmentationError

_LINES_PER_VOXEL = 2
"""The width is looked for along lines across the lesion, this many a voxel."""

_STEPS_PER_VOXEL = 8
"""Each line is sampled this much finer than the voxels: a step is about 0.06 mm."""

_BORDER = 0.5
"""Half-way between the centre of a voxel inside (1) and one outside (0)."""


@dataclass(frozen=True)
class Diameters:
    """The three diameters of one lesion.

    Args:
        a_mm: Largest length on the slice of largest area.
        b_mm: Largest width at a right angle to A on that slice, from the first border to the last.
        c_mm: Number of slices that hold the lesion times their distance.
        slice_index: Index of the slice of largest area along the slice axis.
    """

    a_mm: float
    b_mm: float
    c_mm: float
    slice_index: int

    @property
    def abc2_ml(self) -> float:
        """A x B x C / 2 in mL, the form in clinical use."""
        return self.a_mm * self.b_mm * self.c_mm / 2 / 1000

    @property
    def tada_ml(self) -> float:
        """Volume in mL of the ellipsoid with these diameters, pi / 6 x A x B x C (Tada's own formula)."""
        return np.pi / 6 * self.a_mm * self.b_mm * self.c_mm / 1000


def measure_diameters(mask: sitk.Image) -> Diameters:
    """Measures A, B and C of all voxels above zero together, whether they touch each other or not.

    Args:
        mask: 0 outside, (x, y, z), LPS; any direction and spacing, sheared grids included.

    Returns:
        The diameters.

    Raises:
        SegmentationError: No voxel is above zero.

    Example:
        >>> mask = sitk.Image(9, 9, 3, sitk.sitkUInt8)
        >>> mask[2:6, 3:5, 0:2] = 1
        >>> found = measure_diameters(mask)
        >>> round(found.a_mm, 2), found.c_mm
        (4.12, 2.0)
    """
    axis = slice_axis(mask)
    slices = np.moveaxis(sitk.GetArrayViewFromImage(mask) > 0, 2 - axis, 0)
    areas = slices.sum(axis=(1, 2))
    if not areas.any():
        raise SegmentationError("the mask is empty; it has no diameters")
    index = int(np.argmax(areas))
    area = _cropped(slices[index])
    # The array's last axis is x, so that columns of the matrix are taken in the order of the slice's rows and columns.
    outer, inner = (other for other in (2, 1, 0) if other != axis)
    steps = _in_plane(index_to_point_matrix(mask)[:3, [outer, inner]])
    length, direction = _longest(_border_points(area) @ steps.T)
    width = _width_across(area, steps, direction)
    return Diameters(length, width, float(np.count_nonzero(areas)) * slice_distance_mm(mask), index)


def _cropped(area: np.ndarray) -> np.ndarray:
    """The smallest rectangle that holds the area, with one empty voxel about it."""
    rows, columns = np.flatnonzero(area.any(axis=1)), np.flatnonzero(area.any(axis=0))
    return np.pad(area[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1], 1)


def _in_plane(columns: np.ndarray) -> np.ndarray:
    """The slice's two index steps as vectors in mm within the slice, one a column; skewed where the grid is (2, 2)."""
    return np.linalg.qr(columns)[1]


def _border_points(area: np.ndarray) -> np.ndarray:
    """Middles of the edges between voxels inside and outside, as (row, column), shape (n, 2)."""
    points = []
    for axis in (0, 1):
        edges = np.argwhere(np.diff(area.astype(np.int8), axis=axis) != 0).astype(float)
        edges[:, axis] += _BORDER
        points.append(edges)
    return np.concatenate(points)


def _longest(points: np.ndarray) -> tuple[float, np.ndarray]:
    """The largest distance between two points and its direction; only corners of the convex hull can have it."""
    try:
        points = points[ConvexHull(points).vertices]
    except QhullError:  # too thin for a hull
        points = np.unique(points, axis=0)
    distances = squareform(pdist(points))
    one, other = np.unravel_index(np.argmax(distances), distances.shape)
    length = float(distances[one, other])
    return length, (points[other] - points[one]) / length


def _width_across(area: np.ndarray, steps: np.ndarray, direction: np.ndarray) -> float:
    """The longest line across the area at a right angle to ``direction``: from its first border to its last."""
    voxel = float(np.linalg.norm(steps, axis=0).min())
    apart = (voxel / _LINES_PER_VOXEL, voxel / _STEPS_PER_VOXEL)
    frame = np.column_stack([direction, [-direction[1], direction[0]]])
    corners = np.array([[r, c] for r in (0, area.shape[0] - 1) for c in (0, area.shape[1] - 1)]) @ steps.T @ frame
    along, across = (np.arange(corners[:, n].min(), corners[:, n].max() + apart[n], apart[n]) for n in (0, 1))
    places = np.stack(np.meshgrid(along, across, indexing="ij"), axis=-1) @ frame.T @ np.linalg.inv(steps).T
    inside = ndimage.map_coordinates(area.astype(np.float32), np.moveaxis(places, -1, 0), order=1) >= _BORDER
    lines = inside[inside.any(axis=1)]
    between = lines.shape[1] - 1 - lines.argmax(axis=1) - lines[:, ::-1].argmax(axis=1)
    return float(between.max()) * apart[1]
