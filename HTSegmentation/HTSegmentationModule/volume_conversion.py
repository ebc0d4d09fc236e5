"""Volume nodes as the library's scans."""

from __future__ import annotations

from typing import Any

import numpy as np
import SimpleITK as sitk
import vtk
from vtk.util.numpy_support import vtk_to_numpy

from HTSegmentationLib.ct.geometry import empty_like, nearest_rotation, same_grid
from HTSegmentationLib.ct.hu_check import check_hu
from HTSegmentationLib.ct.regular_grid import regular_image
from HTSegmentationLib.ct.scan import CTScan, ScanSource
from HTSegmentationLib.ct.slice_stack import SliceStack
from HTSegmentationLib.ct.values import tidy_values
from HTSegmentationLib.ct.volume import Volume
from HTSegmentationLib.ct.volume_limits import require_axes
from HTSegmentationLib.errors import InputError, UsageError
from HTSegmentationLib.remark import Remark
from HTSegmentationModule.translation import tr as _
from HTSegmentationModule.warped_volume import slicesInWorld, straightened
from HTSegmentationModule.world import RAS_TO_LPS, asArray, linearToWorld


def scanFromVolume(volumeNode: Any, assumeHU: bool = False) -> CTScan:
    """A volume as a scan in world space.

    A volume whose axes stand at right angles in the world keeps its own grid, voxel for voxel. Any other is resampled once
    onto a regular grid of the world: slice by slice where its slices stay flat and parallel (gantry tilt, uneven gaps),
    else voxel by voxel (deformations). A remark tells of it.

    Args:
        volumeNode: A scalar volume with one number a voxel, under transforms of any kind.
        assumeHU: Whether to take the values for HU whatever they look like.

    Returns:
        The scan; LPS mm.

    Raises:
        InputError: There is no volume, it is empty, not scalar, or its values are not HU.
    """
    name = requireVolume(volumeNode)
    view = voxels(volumeNode)
    # The library changes arrays in place where it may; these belong to the scene.
    view.flags.writeable = False
    pixels, remarks = tidy_values(view, name, hu_offset=0.0)
    try:
        remarks += check_hu(pixels, name, assumeHU)
    except InputError as error:
        advice = _("load the CT itself in HU, or tick 'Values are HU' if they are")
        raise InputError(name, error.problem, advice) from error
    image, moved = _image(volumeNode, pixels)
    source = ScanSource(path=name, format="memory")
    return CTScan(image, source, (*remarks, *moved))


def gridOfVolume(volumeNode: Any) -> sitk.Image:
    """The grid on which the volume's scan lies, without its values where that is possible (``sitkUInt8``, zeros).

    Raises:
        InputError: There is no volume that could be a scan.
    """
    requireVolume(volumeNode)
    matrix = volumeToWorld(volumeNode)
    if matrix is not None:
        volume = Volume(np.broadcast_to(np.uint8(0), voxels(volumeNode).shape), matrix)
        if volume.is_rectangular():
            return _emptyImage(volume)
    return empty_like(_image(volumeNode, voxels(volumeNode))[0])


def isOwnGrid(volumeNode: Any, image: sitk.Image) -> bool:
    """Whether an image lies, voxel for voxel, on the volume's own grid as it is placed in the world now."""
    if volumeNode.GetImageData() is None or image.GetSize() != volumeNode.GetImageData().GetDimensions():
        return False
    matrix = volumeToWorld(volumeNode)
    volume = None if matrix is None else Volume(np.broadcast_to(np.uint8(0), image.GetSize()[::-1]), matrix)
    return volume is not None and volume.is_rectangular() and same_grid(image, _emptyImage(volume))


def requireVolume(volumeNode: Any) -> str:
    """Checks that a node can be a scan at all.

    Returns:
        The node's name, for messages.

    Raises:
        InputError: It has no voxels, several numbers a voxel, or axes that span no space.
        UsageError: There is no volume, or it was removed from the scene.
    """
    if volumeNode is None:
        raise UsageError(_("no CT is chosen; load one and choose it as CT volume"))
    name = volumeNode.GetName() or volumeNode.GetID() or "CT"
    if volumeNode.GetScene() is None:
        raise UsageError(_("{name} was removed from the scene; choose another CT volume").format(name=name))
    image = volumeNode.GetImageData()
    if image is None or image.GetPointData().GetScalars() is None or min(image.GetDimensions()) < 1:
        raise InputError(name, _("it holds no voxels"), _("load the CT again"))
    if image.GetNumberOfScalarComponents() != 1 or volumeNode.IsA("vtkMRMLVectorVolumeNode"):
        count = image.GetNumberOfScalarComponents()
        problem = _("it has {count} numbers for each voxel (colour or vector), one is expected").format(count=count)
        raise InputError(name, problem, _("choose the CT itself"))
    if min(image.GetDimensions()) < 2:  # noqa: PLR2004  (a plane has a single layer)
        size = " x ".join(str(n) for n in image.GetDimensions())
        raise InputError(name, _("it is no volume: its size is {size}").format(size=size), _("choose the whole scan"))
    require_axes(name, ijkToRas(volumeNode))
    return name


def voxels(volumeNode: Any) -> np.ndarray:
    """The volume's values without a copy, shape (z, y, x)."""
    image = volumeNode.GetImageData()
    return vtk_to_numpy(image.GetPointData().GetScalars()).reshape(image.GetDimensions()[::-1])


def ijkToRas(volumeNode: Any) -> np.ndarray:
    """The matrix (4, 4) from index (i, j, k) to the volume's own RAS mm, without its transforms."""
    matrix = vtk.vtkMatrix4x4()
    volumeNode.GetIJKToRASMatrix(matrix)
    return asArray(matrix)


def volumeToWorld(volumeNode: Any) -> np.ndarray | None:
    """The matrix (4, 4) from index (i, j, k) to LPS mm of the world; None if the way is not linear."""
    toWorld = linearToWorld(volumeNode)
    return None if toWorld is None else RAS_TO_LPS @ toWorld @ ijkToRas(volumeNode)


def _image(volumeNode: Any, pixels: np.ndarray) -> tuple[sitk.Image, list[Remark]]:
    matrix = volumeToWorld(volumeNode)
    stack: SliceStack | None
    if matrix is not None:
        require_axes(volumeNode.GetName(), matrix)
        volume = Volume(pixels, matrix)
        if volume.is_rectangular():
            return volume.image(pixels), []
        stack = volume.stack(pixels)
    else:
        stack = slicesInWorld(volumeNode, pixels, ijkToRas(volumeNode))
    if stack is not None:
        return regular_image(stack)
    return straightened(volumeNode, pixels, ijkToRas(volumeNode))


def _emptyImage(volume: Volume) -> sitk.Image:
    image = sitk.Image(volume.pixels.shape[::-1], sitk.sitkUInt8)
    image.SetSpacing(volume.spacing.tolist())
    image.SetDirection(nearest_rotation(volume.matrix[:3, :3] / volume.spacing).ravel().tolist())
    image.SetOrigin(volume.matrix[:3, 3].tolist())
    return image
