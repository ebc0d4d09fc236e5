"""The choice of a reference segment in the Segment Statistics plugin's options."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import slicer

from HTSegmentationModule.translation import tr as _


class ReferenceSelector:
    """A segmentation and one of its segments, in one widget.

    Args:
        selector: A ``qMRMLSegmentSelectorWidget``.
        onChosen: Called with the segmentation node's ID and the segment's ID, both empty for none.
    """

    def __init__(self, selector: Any, onChosen: Callable[[str, str], None]) -> None:
        self._selector, self._onChosen, self._showing = selector, onChosen, False
        selector.connect("currentNodeChanged(vtkMRMLNode*)", lambda *_node: self._changed())
        selector.connect("currentSegmentChanged(QString)", lambda *_segment: self._changed())

    def show(self, nodeID: str | None, segmentID: str | None) -> None:
        """Shows a choice without telling of it."""
        self._showing = True
        try:
            self._selector.setCurrentNode(slicer.mrmlScene.GetNodeByID(nodeID) if nodeID else None)
            if segmentID:
                self._selector.setCurrentSegmentID(segmentID)
        finally:
            self._showing = False

    def _changed(self) -> None:
        if self._showing:
            return
        node = self._selector.currentNode()
        segment = self._selector.currentSegmentID() if node is not None else ""
        self._onChosen("" if node is None else node.GetID(), segment or "")


def addReferenceSelector(optionsWidget: Any, onChosen: Callable[[str, str], None]) -> ReferenceSelector | None:
    """Adds the choice to a plugin's options; None where the application has no such widget.

    Args:
        optionsWidget: The plugin's widget, with a form layout.
        onChosen: As for :class:`ReferenceSelector`.
    """
    if not hasattr(slicer, "qMRMLSegmentSelectorWidget"):
        return None
    selector = slicer.qMRMLSegmentSelectorWidget()
    selector.setMRMLScene(slicer.mrmlScene)
    selector.noneEnabled = True
    selector.toolTip = _("Segment that hemorrhages are compared with: Dice, volume difference, HD95. None: no comparison.")
    optionsWidget.layout().addRow(_("Reference:"), selector)
    return ReferenceSelector(selector, onChosen)
