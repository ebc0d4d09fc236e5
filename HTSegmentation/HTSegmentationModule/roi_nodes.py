"""Regions of interest as nodes of the scene, all of one look."""

from __future__ import annotations

from typing import Any

import slicer

_COLOR = (0.25, 0.75, 0.95)
"""Light blue: seen on CT and on the segment's red, in both themes."""


def newRoiNode(kind: str, name: str) -> Any:
    """Adds an ROI that has no shape yet.

    Args:
        kind: Class name of the markups node.
        name: Its name; made unique where a node has it already.
    """
    scene = slicer.mrmlScene
    # Slicer's unique names never come again, even when nobody has them any more.
    node = scene.AddNewNodeByClass(kind, scene.GenerateUniqueName(name) if scene.GetFirstNodeByName(name) else name)
    node.CreateDefaultDisplayNodes()
    display = node.GetDisplayNode()
    display.SetSelectedColor(*_COLOR)
    display.SetColor(*_COLOR)
    display.SetPropertiesLabelVisibility(False)
    display.SetPointLabelsVisibility(False)
    return node


def showInViews(node: Any) -> None:
    """Moves all slice views to the middle of an ROI, if there are views."""
    if slicer.app.layoutManager() is None:
        return
    bounds = [0.0] * 6
    node.GetRASBounds(bounds)
    center = [(low + high) / 2 for low, high in zip(bounds[::2], bounds[1::2], strict=True)]
    slicer.modules.markups.logic().JumpSlicesToLocation(*center, True)
