"""Geometry of image grids: the one place that multiplies spacings and directions.

Points are in mm, LPS (x to the patient's left, y to posterior, z to superior), as in SimpleITK and DICOM. Index order is
SimpleITK's (x, y, z); arrays from ``sitk.GetArrayViewFromImage`` are (z, y, x).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import SimpleITK as sitk

_GRID_TOLERANCE_VOXELS = 0.01
"""Two grids are the same when no corner differs by more than this share of the smallest spacing."""


def index_to_point_matrix(image: sitk.Image) -> np.ndarray:
    """The 4x4 matrix from index (x, y, z, 1) to LPS point in mm; rotation, shear and spacing all in it."""
    dimension = image.GetDimension()
    direction = np.array(image.GetDirection(), dtype=float).reshape(dimension, dimension)
    matrix = np.eye(4)
    matrix[:3, :3] = direction @ np.diag(image.GetSpacing())
    matrix[:3, 3] = image.GetOrigin()
    return matrix


def nearest_rotation(axes: np.ndarray) -> np.ndarray:
    """The orthonormal 3x3 matrix nearest to one whose columns are nearly so; mirrored axes stay mirrored."""
    u, _, v = np.linalg.svd(axes)
    # ITK's own decomposition stumbles over entries like 1e-17, and says so on the terminal.
    return np.round(u @ v, 12) + 0.0


def voxel_volume_mm3(image: sitk.Image) -> float:
    """Volume of one voxel in mm3: the determinant of the grid's matrix, so that sheared grids are right, too."""
    return float(abs(np.linalg.det(index_to_point_matrix(image)[:3, :3])))


def voxels_to_ml(voxels: int, image: sitk.Image) -> float:
    """Volume in mL of that many voxels of this grid."""
    return voxels * voxel_volume_mm3(image) / 1000.0


def slice_axis(image: sitk.Image) -> int:
    """Which index axis (0, 1, 2) runs across the axial slices: the one nearest to the patient's head-foot axis."""
    return int(np.argmax(np.abs(index_to_point_matrix(image)[2, :3] / np.asarray(image.GetSpacing()))))


def corner_points(image: sitk.Image) -> np.ndarray:
    """The eight outer corners of the grid's voxels (half a voxel beyond the centres), LPS mm, shape (8, 3)."""
    size = np.array(image.GetSize())
    corners = np.array([[x, y, z, 1.0] for x in (0, 1) for y in (0, 1) for z in (0, 1)])
    corners[:, :3] = corners[:, :3] * size - 0.5
    return (index_to_point_matrix(image) @ corners.T).T[:, :3]


def same_grid(first: sitk.Image, second: sitk.Image) -> bool:
    """Whether two images have the same size and, within 1% of a voxel, the same place in the patient."""
    if first.GetSize() != second.GetSize():
        return False
    difference = np.abs(corner_points(first) - corner_points(second)).max()
    return bool(difference <= _GRID_TOLERANCE_VOXELS * min(first.GetSpacing()))


def crop(image: sitk.Image, index: Sequence[int], size: Sequence[int]) -> sitk.Image:
    """The part of the image from ``index`` (x, y, z), ``size`` voxels long; it keeps its place in the patient."""
    return sitk.RegionOfInterest(image, [int(n) for n in size], [int(n) for n in index])


def bounding_box(mask: sitk.Image) -> tuple[tuple[int, int, int], tuple[int, int, int]] | None:
    """First index and size (x, y, z) of the smallest box that holds every voxel above zero; None when there is none."""
    array = sitk.GetArrayViewFromImage(mask)
    first, size = [], []
    for axis in (2, 1, 0):
        others = tuple(other for other in range(3) if other != axis)
        filled = np.flatnonzero(array.any(axis=others))
        if filled.size == 0:
            return None
        first.append(int(filled[0]))
        size.append(int(filled[-1] - filled[0] + 1))
    return (first[0], first[1], first[2]), (size[0], size[1], size[2])


def grown_box(
    index: Sequence[int], size: Sequence[int], margin: Sequence[int], limit: Sequence[int]
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The box grown by ``margin`` voxels on each side, cut at the image's size ``limit``; all in (x, y, z)."""
    start = tuple(max(0, i - m) for i, m in zip(index, margin, strict=True))
    end = tuple(min(n, i + s + m) for i, s, m, n in zip(index, size, margin, limit, strict=True))
    return start, tuple(e - s for s, e in zip(start, end, strict=True))


def empty_like(image: sitk.Image, pixel_type: int = sitk.sitkUInt8) -> sitk.Image:
    """An image of zeros on the same grid."""
    empty = sitk.Image(image.GetSize(), pixel_type)
    empty.CopyInformation(image)
    return empty


def array_to_image(array: np.ndarray, grid: sitk.Image) -> sitk.Image:
    """A (z, y, x) array as an image on ``grid``; booleans become 0 and 1 of type uint8."""
    image = sitk.GetImageFromArray(array.astype(np.uint8) if array.dtype == bool else array)
    image.CopyInformation(grid)
    return image


def points_to_index(points: np.ndarray, image: sitk.Image) -> np.ndarray:
    """Continuous indices (x, y, z) of LPS points in mm, shape (n, 3); whole numbers are voxel centres."""
    matrix = index_to_point_matrix(image)
    return np.linalg.solve(matrix[:3, :3], (np.asarray(points, dtype=float) - matrix[:3, 3]).T).T


def beyond_grid(points: np.ndarray, image: sitk.Image) -> np.ndarray:
    """Which LPS points (n, 3) in mm lie beyond the grid's outer voxel borders, for each index axis; booleans (n, 3)."""
    from_border = points_to_index(points, image) + 0.5
    return (from_border < 0) | (from_border >= np.array(image.GetSize()))


def slice_distance_mm(image: sitk.Image) -> float:
    """Distance in mm between two axial slices along their normal; differs from the spacing on sheared grids only."""
    columns = index_to_point_matrix(image)[:3, :3]
    first, second = (columns[:, axis] for axis in range(3) if axis != slice_axis(image))
    return voxel_volume_mm3(image) / float(np.linalg.norm(np.cross(first, second)))


def slice_number(image: sitk.Image, index: int) -> int:
    """The number of an axial slice as users count it, from 1 at the inferior end; ``index`` runs along :func:`slice_axis`.

    Example:
        >>> slice_number(sitk.Image(8, 8, 5, sitk.sitkUInt8), 0)
        1
    """
    axis = slice_axis(image)
    upward = index_to_point_matrix(image)[2, axis] > 0
    return index + 1 if upward else image.GetSize()[axis] - index
