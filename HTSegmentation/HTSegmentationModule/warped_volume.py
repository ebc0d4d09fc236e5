"""Volumes that lie in the world through a transform that is not linear, on a regular grid.

Slicer's DICOM reader puts gantry tilt and uneven gaps into such a transform: it moves each slice as a whole. These slices
go to the library as they are. Other transforms (deformations) are applied voxel by voxel.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import SimpleITK as sitk
import vtk
from vtk.util.numpy_support import numpy_to_vtk, vtk_to_numpy

from HTSegmentationLib.ct.geometry import nearest_rotation
from HTSegmentationLib.ct.regular_grid import AIR_HU
from HTSegmentationLib.ct.slice_stack import SliceStack
from HTSegmentationLib.ct.volume_limits import MOST_VOXELS
from HTSegmentationLib.errors import SegmentationError
from HTSegmentationLib.remark import Remark, Severity
from HTSegmentationModule.translation import tr as _
from HTSegmentationModule.world import RAS_TO_LPS, asVtk, pointsToWorld, transformToWorld

_FLAT_MM = 0.05
"""A slice is flat, and parallel to the others, if none of its points is further than this from where it should be."""

_SAMPLES = 9
"""Points along each edge of the volume from which its extent in the world is told."""


def slicesInWorld(volumeNode: Any, pixels: np.ndarray, ijkToRas: np.ndarray) -> SliceStack | None:
    """The volume's slices where the transform puts them.

    Args:
        volumeNode: The volume, for its transform.
        pixels: HU, shape (z, y, x).
        ijkToRas: From index to the volume's own RAS mm (4, 4).

    Returns:
        The slices in LPS mm; None if the transform bends, stretches or turns any of them against the others.
    """
    count, rows, columns = pixels.shape
    across, down, levels = np.linspace(0, columns - 1, 3), np.linspace(0, rows - 1, 3), np.arange(count)
    k, j, i = (axis.ravel() for axis in np.meshgrid(levels, down, across, indexing="ij"))
    points = pointsToWorld(volumeNode, _own(np.column_stack([i, j, k]), ijkToRas)).reshape(count, 3, 3, 3)
    row = (points[:, :, -1] - points[:, :, 0]).mean(axis=(0, 1)) / (columns - 1)
    column = (points[:, -1] - points[:, 0]).mean(axis=(0, 1)) / (rows - 1)
    expected = points[:, :1, :1] + across[None, None, :, None] * row + down[None, :, None, None] * column
    spacing = float(np.linalg.norm(row)), float(np.linalg.norm(column))
    skew = abs(row @ column) / (spacing[0] * spacing[1]) * max(columns * spacing[0], rows * spacing[1])
    if np.abs(points - expected).max() > _FLAT_MM or skew > _FLAT_MM:
        return None
    row, column = row / spacing[0], column / spacing[1]
    normal = np.cross(row, column)
    positions = points[:, 0, 0]
    normal *= np.sign((positions[-1] - positions[0]) @ normal) / np.linalg.norm(normal)
    stack = SliceStack(pixels, positions, row, column, normal, spacing)
    return stack if stack.gaps.min() > _FLAT_MM else None


def straightened(volumeNode: Any, pixels: np.ndarray, ijkToRas: np.ndarray) -> tuple[sitk.Image, list[Remark]]:
    """The volume as the world sees it, resampled by linear interpolation; air where nothing was measured.

    The grid has the directions and the spacing of the volume where its transform is left out, and holds all of it.

    Args:
        volumeNode: The volume, for its transform.
        pixels: HU, shape (z, y, x).
        ijkToRas: From index to the volume's own RAS mm (4, 4).

    Returns:
        The image (``sitkFloat32``, LPS mm) and what must be told.

    Raises:
        SegmentationError: The transform blows the volume up beyond all measure.
    """
    spacing = np.linalg.norm(ijkToRas[:3, :3], axis=0)
    axes = nearest_rotation(ijkToRas[:3, :3] / spacing)
    inWorld = _surface(volumeNode, pixels.shape, ijkToRas) @ axes
    low = inWorld.min(axis=0)
    size = np.ceil((inWorld.max(axis=0) - low) / spacing - 1e-6).astype(int).clip(1)
    if np.prod(size, dtype=float) > MOST_VOXELS:
        raise SegmentationError(_("the volume's transform makes it far too large; remove the transform or harden it"))
    geometry = np.eye(4)
    geometry[:3, :3] = axes * spacing
    geometry[:3, 3] = axes @ (low + spacing / 2)
    values = _resliced(volumeNode, pixels.astype(np.float32), ijkToRas, geometry, size)
    image = sitk.GetImageFromArray(values)
    toLps = RAS_TO_LPS @ geometry
    image.SetSpacing(spacing.tolist())
    image.SetDirection((toLps[:3, :3] / spacing).ravel().tolist())
    image.SetOrigin(toLps[:3, 3].tolist())
    text = _("The volume lies under a transform that deforms it; it was resampled onto a regular grid of the world.")
    return image, [Remark("transform-resampled", text, Severity.NOTE)]


def _resliced(volumeNode: Any, pixels: np.ndarray, ijkToRas: np.ndarray, geometry: np.ndarray, size: np.ndarray):
    source = vtk.vtkImageData()
    source.SetDimensions(*pixels.shape[::-1])
    source.GetPointData().SetScalars(numpy_to_vtk(np.ascontiguousarray(pixels).ravel()))
    # From the new grid's index through world and the volume's own space to the volume's index.
    way = vtk.vtkGeneralTransform()
    way.PostMultiply()
    way.Concatenate(asVtk(geometry))
    fromWorld = transformToWorld(volumeNode)
    fromWorld.Inverse()
    way.Concatenate(fromWorld)
    way.Concatenate(asVtk(np.linalg.inv(ijkToRas)))
    reslice = vtk.vtkImageReslice()
    reslice.SetInputData(source)
    reslice.SetResliceTransform(way)
    reslice.SetInterpolationModeToLinear()
    reslice.SetBackgroundLevel(AIR_HU)
    reslice.SetOutputOrigin(0, 0, 0)
    reslice.SetOutputSpacing(1, 1, 1)
    reslice.SetOutputExtent(0, int(size[0]) - 1, 0, int(size[1]) - 1, 0, int(size[2]) - 1)
    reslice.Update()
    return vtk_to_numpy(reslice.GetOutput().GetPointData().GetScalars()).reshape(size[::-1])


def _surface(volumeNode: Any, shape: tuple[int, ...], ijkToRas: np.ndarray) -> np.ndarray:
    """Points (n, 3) all over and inside the volume's box of voxels, as RAS mm of the world."""
    lines = [np.linspace(-0.5, n - 0.5, _SAMPLES) for n in shape[::-1]]
    index = np.stack(np.meshgrid(*lines, indexing="ij"), axis=-1).reshape(-1, 3)
    return pointsToWorld(volumeNode, _own(index, ijkToRas)) * np.diag(RAS_TO_LPS)[:3]


def _own(index: np.ndarray, ijkToRas: np.ndarray) -> np.ndarray:
    return index @ ijkToRas[:3, :3].T + ijkToRas[:3, 3]
