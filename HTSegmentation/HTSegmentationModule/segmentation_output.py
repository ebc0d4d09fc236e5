"""Results as segments of a segmentation node: "Hemorrhage", or one for each class that a network tells apart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import SimpleITK as sitk
import slicer
import vtk

from HTSegmentationLib.ct.geometry import bounding_box, crop, index_to_point_matrix
from HTSegmentationLib.errors import UsageError
from HTSegmentationLib.export.slicer_segmentation import terminology_entry
from HTSegmentationLib.segmenter import HEMORRHAGE, Label, SegmentationResult
from HTSegmentationModule.segmentation_conversion import orientedImage
from HTSegmentationModule.subject_hierarchy import placeBeside
from HTSegmentationModule.translation import tr as _
from HTSegmentationModule.volume_conversion import ijkToRas, isOwnGrid
from HTSegmentationModule.world import RAS_TO_LPS, asVtk, linearToWorld

_OWN_SEGMENTS = "HTSegmentation.Segments"
"""The attribute of a segmentation that names the segments of the last result, one a line, the hemorrhage first."""


def requireUsableOutput(segmentationNode: Any, volumeNode: Any) -> None:
    """Checks, before any work is done, that a result can be written into a segmentation.

    Args:
        segmentationNode: The segmentation that the user chose.
        volumeNode: The CT.

    Raises:
        UsageError: It is gone, or other segments in it stand in the way; the message says what to do.
    """
    if segmentationNode.GetScene() is None:
        raise UsageError(_("the output segmentation was removed from the scene; choose another one"))
    if not _otherSegments(segmentationNode):
        return
    name = segmentationNode.GetName()
    if segmentationNode.GetSegmentation().GetSourceRepresentationName() != _binary():
        text = _("{name} keeps its segments as surfaces; choose another output segmentation")
        raise UsageError(text.format(name=name))
    if linearToWorld(segmentationNode) is None:
        text = _("{name} holds segments under a transform that deforms them; choose another output segmentation")
        raise UsageError(text.format(name=name))


def outputSegmentation(volumeNode: Any, result: SegmentationResult, segmentationNode: Any = None) -> Any:
    """The segmentation that takes a result: placed, transformed and displayed as it must be.

    Args:
        volumeNode: The CT that the result was made from.
        result: The result.
        segmentationNode: The segmentation to use; None for a new one.

    Returns:
        The segmentation. Its reference geometry is the volume's, or the regular grid of the world that the volume was
        resampled to. It lies under the volume's transform (or none, on a grid of the world), unless it holds other
        segments that must stay where they are.

    Raises:
        UsageError: The volume is gone, or the segmentation cannot take the result.
    """
    if volumeNode is None or volumeNode.GetScene() is None:
        raise UsageError(_("the CT was removed from the scene while it was segmented; load it again"))
    node = segmentationNode
    if node is None:
        name = _("{name} hemorrhage").format(name=volumeNode.GetName())
        scene = volumeNode.GetScene()
        node = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", scene.GenerateUniqueName(name))
    requireUsableOutput(node, volumeNode)
    onVolume = isOwnGrid(volumeNode, result.mask)
    if not _otherSegments(node):
        node.SetAndObserveTransformNodeID(volumeNode.GetTransformNodeID() if onVolume else None)
        if node.GetSegmentation().GetSourceRepresentationName() != _binary():
            node.GetSegmentation().RemoveAllSegments()
            node.GetSegmentation().SetSourceRepresentationName(_binary())
    if onVolume:
        node.SetReferenceImageGeometryParameterFromVolumeNode(volumeNode)
    else:
        _setReferenceGrid(node, volumeNode, result.mask)
    if node.GetDisplayNode() is None:
        node.CreateDefaultDisplayNodes()
    placeBeside(node, volumeNode)
    return node


def writeSegments(segmentationNode: Any, volumeNode: Any, result: SegmentationResult) -> str:
    """Writes each of the result's labels as a segment; one of that name is replaced and keeps its ID.

    Args:
        segmentationNode: What :func:`outputSegmentation` gave.
        volumeNode: The CT.
        result: The result.

    Returns:
        The ID of the first label's segment, which is the one that is measured and shown.
    """
    surface = slicer.vtkSegmentationConverter.GetSegmentationClosedSurfaceRepresentationName()
    shown = segmentationNode.GetSegmentation().ContainsRepresentation(surface)
    written = [writeSegment(segmentationNode, volumeNode, result.mask, label) for label in result.labels]
    if shown:
        segmentationNode.CreateClosedSurfaceRepresentation()
    segmentationNode.SetAttribute(_OWN_SEGMENTS, "\n".join(written))
    segmentationNode.Modified()
    return written[0]


def writeSegment(segmentationNode: Any, volumeNode: Any, mask: sitk.Image, label: Label) -> str:
    """Writes one label's voxels as a segment; one of that name is replaced and keeps its ID.

    Args:
        segmentationNode: What :func:`outputSegmentation` gave.
        volumeNode: The CT.
        mask: Label values on the result's grid.
        label: Value, name, term and colour.

    Returns:
        The segment's ID.

    Raises:
        UsageError: The segmentation does not take it.
    """
    labelmap = _labelmap(segmentationNode, volumeNode, mask, label)
    segmentation = segmentationNode.GetSegmentation()
    segmentID = segmentation.GetSegmentIdBySegmentName(label.name) or segmentation.AddEmptySegment("", label.name)
    segment = segmentation.GetSegment(segmentID)
    segment.SetColor(*(part / 255 for part in label.color))
    segment.SetTerminology(terminology_entry(label))
    ids = vtk.vtkStringArray()
    ids.InsertNextValue(segmentID)
    logic = slicer.vtkSlicerSegmentationsModuleLogic
    if not logic.ImportLabelmapToSegmentationNode(labelmap, segmentationNode, ids):
        text = _("the result could not be written into {name}; choose another output segmentation")
        raise UsageError(text.format(name=segmentationNode.GetName()))
    return segmentID


def hemorrhageSegmentID(segmentationNode: Any) -> str:
    """The ID of the last result's hemorrhage; of a segment called "Hemorrhage" if there was no result; else empty."""
    segmentation = segmentationNode.GetSegmentation()
    for segmentID in ownSegmentIDs(segmentationNode)[:1]:
        return segmentID
    return segmentation.GetSegmentIdBySegmentName(HEMORRHAGE.name)


def ownSegmentIDs(segmentationNode: Any) -> list[str]:
    """The segments of the last result that are still there, the hemorrhage first."""
    segmentation = segmentationNode.GetSegmentation()
    ids = (segmentationNode.GetAttribute(_OWN_SEGMENTS) or "").split("\n")
    return [segmentID for segmentID in ids if segmentID and segmentation.GetSegment(segmentID) is not None]


def replacedSegmentIDs(segmentationNode: Any, labels: Sequence[Label]) -> list[str]:
    """The IDs of the segments that a result with these labels would replace."""
    segmentation = segmentationNode.GetSegmentation()
    found = (segmentation.GetSegmentIdBySegmentName(label.name) for label in labels)
    return [segmentID for segmentID in found if segmentID]


def _labelmap(segmentationNode: Any, volumeNode: Any, mask: sitk.Image, label: Label):
    """The label's filled part in the segmentation's own coordinates; a single empty voxel for a label without voxels."""
    first, size = bounding_box(mask == label.value) or ((0, 0, 0), (1, 1, 1))
    array = sitk.GetArrayFromImage(crop(mask, first, size)) == label.value
    if isOwnGrid(volumeNode, mask) and segmentationNode.GetParentTransformNode() is volumeNode.GetParentTransformNode():
        geometry = ijkToRas(volumeNode)
    else:
        geometry = np.linalg.inv(linearToWorld(segmentationNode)) @ RAS_TO_LPS @ index_to_point_matrix(mask)
    return orientedImage(array, geometry, first)


def _setReferenceGrid(segmentationNode: Any, volumeNode: Any, mask: sitk.Image) -> None:
    """Makes a grid of the world the segmentation's reference geometry, and names the volume as its source."""
    geometry = np.linalg.inv(linearToWorld(segmentationNode)) @ RAS_TO_LPS @ index_to_point_matrix(mask)
    whole = slicer.vtkOrientedImageData()
    whole.SetExtent(*(n for size in mask.GetSize() for n in (0, size - 1)))
    whole.SetGeometryFromImageToWorldMatrix(asVtk(geometry))
    converter = slicer.vtkSegmentationConverter
    segmentationNode.GetSegmentation().SetConversionParameter(
        converter.GetReferenceImageGeometryParameterName(), converter.SerializeImageGeometry(whole)
    )
    role = slicer.vtkMRMLSegmentationNode.GetReferenceImageGeometryReferenceRole()
    segmentationNode.SetNodeReferenceID(role, volumeNode.GetID())


def _otherSegments(segmentationNode: Any) -> bool:
    own = set(ownSegmentIDs(segmentationNode)) | {hemorrhageSegmentID(segmentationNode)} - {""}
    return segmentationNode.GetSegmentation().GetNumberOfSegments() > len(own)


def _binary() -> str:
    return slicer.vtkSegmentationConverter.GetSegmentationBinaryLabelmapRepresentationName()
