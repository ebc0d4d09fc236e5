"""Segments as the library's masks, where they lie in the world."""

from __future__ import annotations

from typing import Any

import numpy as np
import SimpleITK as sitk
import slicer
import vtk
from vtk.util.numpy_support import numpy_to_vtk, vtk_to_numpy

from HTSegmentationLib.ct.geometry import crop, empty_like, index_to_point_matrix, points_to_index
from HTSegmentationLib.errors import UsageError
from HTSegmentationLib.roi.parts import mask_on_grid
from HTSegmentationModule.translation import tr as _
from HTSegmentationModule.world import RAS_TO_LPS, asArray, asVtk, linearToWorld, transformToWorld

_SAME_LATTICE_VOXELS = 0.01
"""Two grids share their voxels if, anywhere on them, they differ by no more than this share of a voxel."""


def requireSegment(segmentationNode: Any, segmentID: str) -> str:
    """Checks that a segment is there.

    Returns:
        Names of segmentation and segment, for messages.

    Raises:
        UsageError: The segmentation is missing or was removed, or it has no such segment.
    """
    if segmentationNode is None or segmentationNode.GetScene() is None:
        raise UsageError(_("the segmentation is not in the scene any more; choose another one"))
    segment = segmentationNode.GetSegmentation().GetSegment(segmentID) if segmentID else None
    if segment is None:
        raise UsageError(_("{name} has no such segment; choose one of its segments").format(name=segmentationNode.GetName()))
    return f"{segmentationNode.GetName()}, {segment.GetName()}"


def segmentMask(segmentationNode: Any, segmentID: str, grid: sitk.Image | None = None) -> sitk.Image | None:
    """A segment as it is now: hand-drawn changes and transforms included.

    Args:
        segmentationNode: The segmentation, under transforms of any kind.
        segmentID: The segment.
        grid: Any image of the world; a segment under a transform that is not linear is sampled on its grid. None leaves
            the choice to Slicer.

    Returns:
        1 inside, 0 outside, ``sitkUInt8``, LPS mm of the world, on the segment's own voxels as far as they are filled;
        None if it holds no voxel.

    Raises:
        UsageError: The segment is not there, or has no voxels and none can be made.
    """
    name = requireSegment(segmentationNode, segmentID)
    labelmap = _labelmap(segmentationNode, segmentID, name)
    if labelmap is None:
        return None
    toWorld = linearToWorld(segmentationNode)
    if toWorld is None:
        return _sampled(labelmap, transformToWorld(segmentationNode), grid)
    return _image(labelmap, RAS_TO_LPS @ toWorld @ _geometry(labelmap))


def latticeIndex(mask: sitk.Image, grid: sitk.Image) -> tuple[int, int, int] | None:
    """Where a mask begins on a grid (x, y, z) whose voxels it shares; None if it has voxels of its own."""
    corners = np.array([[x, y, z] for x in (0, 1) for y in (0, 1) for z in (0, 1)]) * (np.array(mask.GetSize()) - 1)
    matrix = index_to_point_matrix(mask)
    found = points_to_index(corners @ matrix[:3, :3].T + matrix[:3, 3], grid)
    start = np.rint(found[0]).astype(int)
    if np.abs(found - corners - start).max() > _SAME_LATTICE_VOXELS:
        return None
    return int(start[0]), int(start[1]), int(start[2])


def maskOnGrid(mask: sitk.Image | None, grid: sitk.Image) -> sitk.Image:
    """A mask as an image of exactly this grid, 0 and 1; nearest neighbours where it has voxels of its own.

    Args:
        mask: What :func:`segmentMask` gives.
        grid: Only its grid is used.
    """
    result = empty_like(grid)
    if mask is None:
        return result
    start = latticeIndex(mask, grid)
    if start is None:
        part = mask_on_grid(mask, grid, "mask")
        if not part.array.any():
            return result
        piece = sitk.GetImageFromArray(part.array.astype(np.uint8))
        return sitk.Paste(result, piece, piece.GetSize(), destinationIndex=part.index)
    first = np.maximum(start, 0)
    last = np.minimum(np.array(start) + mask.GetSize(), grid.GetSize())
    if (last <= first).any():
        return result
    piece = crop(mask, first - start, last - first)
    return sitk.Paste(result, piece, piece.GetSize(), destinationIndex=[int(n) for n in first])


def orientedImage(array: np.ndarray, geometry: np.ndarray, first: tuple[int, int, int]) -> slicer.vtkOrientedImageData:
    """A part of a mask as Slicer's labelmap.

    Args:
        array: 0 and 1, shape (z, y, x).
        geometry: From index to RAS mm of the whole grid (4, 4).
        first: Index (x, y, z) of the part's first voxel in the whole grid.
    """
    labelmap = slicer.vtkOrientedImageData()
    labelmap.SetExtent(
        *(int(n) for start, size in zip(first, array.shape[::-1], strict=True) for n in (start, start + size - 1))
    )
    scalars = numpy_to_vtk(np.ascontiguousarray(array, dtype=np.uint8).ravel(), deep=True)
    scalars.SetName("ImageScalars")
    labelmap.GetPointData().SetScalars(scalars)
    labelmap.SetGeometryFromImageToWorldMatrix(asVtk(geometry))
    return labelmap


def _labelmap(segmentationNode: Any, segmentID: str, name: str) -> slicer.vtkOrientedImageData | None:
    """The segment alone, in the segmentation's own RAS; None if it holds nothing."""
    binary = slicer.vtkSegmentationConverter.GetSegmentationBinaryLabelmapRepresentationName()
    labelmap = slicer.vtkOrientedImageData()
    if segmentationNode.GetSegmentation().GetSegment(segmentID).GetRepresentation(binary) is not None:
        segmentationNode.GetBinaryLabelmapRepresentation(segmentID, labelmap)
    else:
        made = slicer.vtkSlicerSegmentationsModuleLogic.CreateRepresentationForOneSegment(
            segmentationNode.GetSegmentation(), segmentID, binary
        )
        if made is None:
            raise UsageError(_("{name} cannot be turned into voxels; choose another segment").format(name=name))
        labelmap.ShallowCopy(made)
    extent = [0, -1, 0, -1, 0, -1]
    if labelmap.GetPointData().GetScalars() is None:
        return None
    if not slicer.vtkOrientedImageDataResample.CalculateEffectiveExtent(labelmap, extent):
        return None
    cut = slicer.vtkOrientedImageData()
    slicer.vtkOrientedImageDataResample.CopyImage(labelmap, cut, extent)
    return cut


def _geometry(labelmap: slicer.vtkOrientedImageData) -> np.ndarray:
    """From index to RAS mm (4, 4)."""
    matrix = vtk.vtkMatrix4x4()
    labelmap.GetImageToWorldMatrix(matrix)
    return asArray(matrix)


def _image(labelmap: slicer.vtkOrientedImageData, matrix: np.ndarray) -> sitk.Image:
    """A labelmap with its matrix from index to LPS mm; axes at any angle, as a hardened tilt leaves them."""
    extent = np.array(labelmap.GetExtent()).reshape(3, 2)
    shape = (extent[:, 1] - extent[:, 0] + 1)[::-1]
    array = vtk_to_numpy(labelmap.GetPointData().GetScalars()).reshape(shape)
    image = sitk.GetImageFromArray((array > 0).astype(np.uint8))
    spacing = np.linalg.norm(matrix[:3, :3], axis=0)
    image.SetSpacing(spacing.tolist())
    image.SetDirection((matrix[:3, :3] / spacing).ravel().tolist())
    image.SetOrigin((matrix[:3, :3] @ extent[:, 0] + matrix[:3, 3]).tolist())
    return image


def _sampled(labelmap: slicer.vtkOrientedImageData, toWorld: vtk.vtkGeneralTransform, grid: sitk.Image | None) -> sitk.Image:
    if grid is None:
        slicer.vtkOrientedImageDataResample.TransformOrientedImage(labelmap, toWorld)
        return _image(labelmap, RAS_TO_LPS @ _geometry(labelmap))
    geometry = RAS_TO_LPS @ index_to_point_matrix(grid)
    reference = slicer.vtkOrientedImageData()
    reference.SetExtent(*(n for size in grid.GetSize() for n in (0, size - 1)))
    reference.SetGeometryFromImageToWorldMatrix(asVtk(geometry))
    sampled = slicer.vtkOrientedImageData()
    slicer.vtkOrientedImageDataResample.ResampleOrientedImageToReferenceOrientedImage(
        labelmap, reference, sampled, False, False, toWorld
    )
    return _image(sampled, RAS_TO_LPS @ geometry)
