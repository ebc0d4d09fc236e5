"""The preview's own segmentation: an outline that is never saved, never listed, and leaves the user's segments alone."""

from __future__ import annotations

from typing import Any

import SimpleITK as sitk
import slicer

from HTSegmentationModule.translation import tr as _

_SEGMENT_ID = "HemorrhagePreview"

_COLOR = (1.0, 0.8, 0.2)
"""Amber: not the hemorrhage's own red, so that nobody takes the preview for the result."""

_FILL_OPACITY = 0.25


class PreviewSegment:
    """Shows a mask in the views without adding anything to the scene that a user can see, edit or save."""

    def __init__(self) -> None:
        self._nodeID = ""

    @property
    def node(self) -> Any:
        """The hidden segmentation node; None while nothing is shown or after the scene was closed."""
        return slicer.mrmlScene.GetNodeByID(self._nodeID) if self._nodeID and slicer.mrmlScene else None

    def show(self, mask: sitk.Image, roi: Any) -> None:
        """Shows the part of a mask that lies in the ROI's box, which is all of it.

        Args:
            mask: On the scan's grid, in world LPS.
            roi: The ROI that bounded it; None shows the whole mask.
        """
        from HTSegmentationLib.ct.geometry import index_to_point_matrix
        from HTSegmentationModule.segmentation_conversion import orientedImage
        from HTSegmentationModule.world import RAS_TO_LPS

        first, size = ((0, 0, 0), mask.GetSize()) if roi is None else (roi.index, roi.mask.GetSize())
        box = tuple(slice(i, i + n) for i, n in zip(first[::-1], size[::-1], strict=True))
        part = sitk.GetArrayViewFromImage(mask)[box]
        labelmap = orientedImage(part, RAS_TO_LPS @ index_to_point_matrix(mask), first)
        node = self.node
        if node is None:
            self._nodeID = _addedNode(labelmap).GetID()
        else:
            slicer.vtkSlicerSegmentationsModuleLogic.SetBinaryLabelmapToSegment(labelmap, node, _SEGMENT_ID)

    def remove(self) -> None:
        """Takes the preview out of the scene."""
        node = self.node
        self._nodeID = ""
        if node is not None:
            display = node.GetDisplayNode()
            slicer.mrmlScene.RemoveNode(node)
            # Slicer may have taken it out along with its segmentation.
            if display is not None and display.GetScene() is not None:
                slicer.mrmlScene.RemoveNode(display)


def _addedNode(labelmap: Any) -> Any:
    """A hidden segmentation with this one segment, in the scene."""
    node = _unlisted("vtkMRMLSegmentationNode")
    display = _unlisted("vtkMRMLSegmentationDisplayNode")
    display.SetOpacity2DFill(_FILL_OPACITY)
    display.SetVisibility3D(False)
    slicer.mrmlScene.AddNode(display)
    # It has display and segment before it is added: the Data module logs an error for each change of a segmentation that it
    # does not list.
    node.SetScene(slicer.mrmlScene)
    node.SetAndObserveDisplayNodeID(display.GetID())
    segment = slicer.vtkSegment()
    segment.SetName(_("Hemorrhage (preview)"))
    segment.SetColor(*_COLOR)
    segment.AddRepresentation(slicer.vtkSegmentationConverter.GetSegmentationBinaryLabelmapRepresentationName(), labelmap)
    node.GetSegmentation().AddSegment(segment, _SEGMENT_ID)
    slicer.mrmlScene.AddNode(node)
    return node


def _unlisted(className: str) -> Any:
    """A new node of that class, not yet in the scene, that is neither listed nor saved."""
    node = slicer.mrmlScene.CreateNodeByClass(className)
    node.UnRegister(None)
    node.SetName(_("Hemorrhage (preview)"))
    node.SetHideFromEditors(True)
    node.SetSaveWithScene(False)
    node.SetUndoEnabled(False)
    return node
