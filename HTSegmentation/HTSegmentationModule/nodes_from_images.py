"""The library's images as nodes of the scene: simulated cases and what the library has read from files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import SimpleITK as sitk
import slicer

from HTSegmentationLib.ct.geometry import bounding_box, crop, index_to_point_matrix
from HTSegmentationModule.segmentation_conversion import orientedImage
from HTSegmentationModule.world import RAS_TO_LPS, asVtk

if TYPE_CHECKING:
    from HTSegmentationLib.segmenter import Label

BRAIN_WINDOW_HU, BRAIN_LEVEL_HU = 80.0, 40.0
"""The window in which radiologists look at brain and fresh blood."""

ROI_COLOR, REFERENCE_COLOR = (86, 180, 233), (241, 214, 69)
"""Blue and yellow: not the red of results, so that all can be seen at once, also by the colour-blind."""


def volumeFromImage(image: sitk.Image, name: str) -> Any:
    """A scan as a volume node, shown in the brain window.

    Args:
        image: HU, LPS mm.
        name: The node's name.
    """
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", name)
    node.SetIJKToRASMatrix(asVtk(RAS_TO_LPS @ index_to_point_matrix(image)))
    slicer.util.updateVolumeFromArray(node, sitk.GetArrayFromImage(image))
    showAsBrain(node)
    return node


def showAsBrain(volumeNode: Any) -> None:
    """Shows a volume in grey, in the brain window."""
    volumeNode.CreateDefaultDisplayNodes()
    display = volumeNode.GetDisplayNode()
    display.SetAndObserveColorNodeID("vtkMRMLColorTableNodeGrey")
    display.SetAutoWindowLevel(False)
    display.SetWindowLevel(BRAIN_WINDOW_HU, BRAIN_LEVEL_HU)


def segmentationOfVolume(volumeNode: Any, name: str) -> Any:
    """An empty segmentation node on the volume's grid."""
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", name)
    node.CreateDefaultDisplayNodes()
    node.SetReferenceImageGeometryParameterFromVolumeNode(volumeNode)
    return node


def segmentFromMask(
    segmentationNode: Any, mask: sitk.Image, name: str, color: tuple[int, int, int], label: Label | None = None
) -> str:
    """Adds the voxels above 0 of a mask as a segment.

    Args:
        segmentationNode: Where it goes; under no transform.
        mask: LPS mm, axes at any angle; empty masks become empty segments.
        name: The segment's name.
        color: Red, green, blue, 0 to 255.
        label: What it is, for the terminology; without it the segment is anything.

    Returns:
        The segment's ID.
    """
    index, size = bounding_box(mask) or ((0, 0, 0), (1, 1, 1))
    part = sitk.GetArrayFromImage(crop(mask, index, size)) > 0
    labelmap = orientedImage(part, RAS_TO_LPS @ index_to_point_matrix(mask), index)
    shares = [value / 255 for value in color]
    segmentID = segmentationNode.AddSegmentFromBinaryLabelmapRepresentation(labelmap, name, shares)
    if label is not None:
        from HTSegmentationLib.export.slicer_segmentation import terminology_entry

        segmentationNode.GetSegmentation().GetSegment(segmentID).SetTerminology(terminology_entry(label))
    return segmentID
