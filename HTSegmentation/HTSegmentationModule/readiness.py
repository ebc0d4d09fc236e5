"""What is still missing before Apply can work, as the sentence that its tooltip and the message line show."""

from __future__ import annotations

from typing import Any

from HTSegmentationModule.translation import tr as _


def roiNodesOf(parameterNode: Any) -> list[Any]:
    """The ROI markups that are still in the scene."""
    return [node for node in parameterNode.roiNodes if node is not None and node.GetScene() is not None]


def needsRoi(parameterNode: Any) -> bool:
    """Whether the method works only inside an ROI."""
    from HTSegmentationLib.methods import method

    return method(parameterNode.method).needs_roi


def missing(parameterNode: Any) -> str:
    """The next step; empty when Apply can be pressed."""
    from HTSegmentationLib.errors import HTSegError
    from HTSegmentationModule.parameters import toLibrary

    if parameterNode.inputVolume is None:
        return _("Choose the CT.")
    if parameterNode.inputVolume.GetImageData() is None:
        return _("The chosen CT holds no image; choose another.")
    try:
        toLibrary(parameterNode)
        return _missingRoi(parameterNode) if needsRoi(parameterNode) else ""
    except HTSegError as error:
        text = str(error)
        return text[:1].upper() + text[1:] + "."


def _missingRoi(parameterNode: Any) -> str:
    if parameterNode.roiSegmentation is not None and parameterNode.roiSegmentID:
        return ""
    nodes = roiNodesOf(parameterNode)
    if not nodes:
        return _("Draw an ROI around the bleed: press Box or Curve.")
    if not any(_isDrawn(node) for node in nodes):
        return _("Finish the curve: click around the bleed on one slice, at least three points, then right-click.")
    return ""


def _isDrawn(node: Any) -> bool:
    if node.IsA("vtkMRMLMarkupsROINode"):
        return node.GetNumberOfDefinedControlPoints() > 0
    return node.GetNumberOfDefinedControlPoints() >= 3  # noqa: PLR2004  (a curve needs three points to bound anything)
