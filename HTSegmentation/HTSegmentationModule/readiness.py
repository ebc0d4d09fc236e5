"""What is still missing before Apply can work, as the sentence that its tooltip and the message line show."""

from __future__ import annotations

from typing import Any

from HTSegmentationModule.translation import tr as _


def roiNodesOf(parameterNode: Any) -> list[Any]:
    """The ROI markups that are still in the scene."""
    return [node for node in parameterNode.roiNodes if node is not None and node.GetScene() is not None]


def needsRoi(parameterNode: Any, methodName: str | None = None) -> bool:
    """Whether the method works only inside an ROI."""
    from HTSegmentationLib.methods import method

    return method(methodName or parameterNode.method).needs_roi


def isNetwork(parameterNode: Any) -> bool:
    """Whether the method is a network, which runs in the worker process and has no live preview."""
    from HTSegmentationLib.methods import method

    return method(parameterNode.method).is_network


def missing(parameterNode: Any, methodName: str | None = None) -> str:
    """The next step; empty when Apply can be pressed.

    Args:
        parameterNode: The parameter node.
        methodName: Name of another method than the one that the parameter node names.
    """
    from HTSegmentationLib.errors import HTSegError
    from HTSegmentationModule.parameters import toLibrary

    lacking = missingCT(parameterNode)
    if lacking:
        return lacking
    try:
        toLibrary(parameterNode, methodName)
        roi = _missingRoi(parameterNode) if needsRoi(parameterNode, methodName) else ""
        return roi or _missingPackage(methodName or parameterNode.method)
    except HTSegError as error:
        text = str(error)
        return text[:1].upper() + text[1:] + "."


def missingCT(parameterNode: Any) -> str:
    """The next step before anything can be done with the CT; empty when it is there."""
    if parameterNode is None or parameterNode.inputVolume is None:
        return _("Choose the CT.")
    if parameterNode.inputVolume.GetImageData() is None:
        return _("The chosen CT holds no image; choose another.")
    return ""


def _missingRoi(parameterNode: Any) -> str:
    if parameterNode.roiSegmentation is not None and parameterNode.roiSegmentID:
        return ""
    nodes = roiNodesOf(parameterNode)
    if not nodes:
        return _("Draw an ROI around the bleed: press Box or Curve.")
    if not any(_isDrawn(node) for node in nodes):
        return _("Finish the curve: click around the bleed on one slice, at least three points, then right-click.")
    return ""


def _missingPackage(methodName: str) -> str:
    """What a network needs and Slicer's Python lacks; looked up, not imported, since that takes seconds."""
    from HTSegmentationLib.inference.environment.packages import is_there
    from HTSegmentationLib.methods import method

    chosen = method(methodName)
    kind = "" if chosen.model is None else chosen.model.description.kind
    needed = {"torch": "PyTorch"} if chosen.is_network else {}
    needed |= {"nnunetv2": "nnU-Net"} if kind == "nnunet" else {}
    lacking = [title for module, title in needed.items() if not is_there(module)]
    if not lacking:
        return ""
    text = _("{packages} is not installed: open Networks on this computer, and press Install.")
    return text.format(packages=_(" and ").join(lacking))


def _isDrawn(node: Any) -> bool:
    if node.IsA("vtkMRMLMarkupsROINode"):
        return node.GetNumberOfDefinedControlPoints() > 0
    return node.GetNumberOfDefinedControlPoints() >= 3  # noqa: PLR2004  (a curve needs three points to bound anything)
