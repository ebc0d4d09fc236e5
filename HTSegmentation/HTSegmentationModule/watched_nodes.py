"""Watches the nodes that a preview depends on: moved handles, new points, transforms, voxels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import slicer
import vtk
from slicer.util import VTKObservationMixin

from HTSegmentationModule.readiness import roiNodesOf


class WatchedNodes(VTKObservationMixin):
    """Calls back when CT, ROIs or ROI segment change.

    Args:
        onChanged: Called with (caller, event).
    """

    def __init__(self, onChanged: Callable[[Any, Any], None]) -> None:
        VTKObservationMixin.__init__(self)
        self._onChanged = onChanged
        self._watched: list[Any] = []

    def follow(self, parameterNode: Any) -> None:
        """Watches the nodes that a parameter node names now, and no others."""
        volumeNode, segmentation = parameterNode.inputVolume, parameterNode.roiSegmentation
        nodes = [node for node in (volumeNode, *roiNodesOf(parameterNode), segmentation) if node is not None]
        if nodes == self._watched:
            return
        self.removeObservers()
        self._watched = nodes
        moved = slicer.vtkMRMLTransformableNode.TransformModifiedEvent
        for node in nodes:
            self.addObserver(node, moved, self._onChanged)
        if volumeNode is not None:
            self.addObserver(volumeNode, slicer.vtkMRMLVolumeNode.ImageDataModifiedEvent, self._onChanged)
        for node in roiNodesOf(parameterNode):
            for event in (
                vtk.vtkCommand.ModifiedEvent,
                slicer.vtkMRMLDisplayableNode.DisplayModifiedEvent,
                slicer.vtkMRMLMarkupsNode.PointModifiedEvent,
                slicer.vtkMRMLMarkupsNode.PointPositionDefinedEvent,
                slicer.vtkMRMLMarkupsNode.PointRemovedEvent,
            ):
                self.addObserver(node, event, self._onChanged)
        if segmentation is not None:
            self.addObserver(
                segmentation.GetSegmentation(), slicer.vtkSegmentation.SourceRepresentationModified, self._onChanged
            )

    def removeObservers(self, method: Any = None) -> None:
        """Watches nothing."""
        VTKObservationMixin.removeObservers(self, method)
        self._watched = []
