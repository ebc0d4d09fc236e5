"""The live preview: at most one result at a time, never more often than the window stays smooth."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import qt
import slicer

from HTSegmentationModule.background_work import BackgroundWork
from HTSegmentationModule.preview_segment import PreviewSegment
from HTSegmentationModule.segmenting import gather

_WAIT_MS = 30
"""From the first change to the result: fast enough to follow a handle that is dragged."""

_PAUSE_MS = 250
"""The hand rests: time to find out how sure the method is, which nobody reads while the volume still moves."""

_SLOW_MS = 150
"""What takes longer than this would be felt as a stutter, and is made in a thread."""


class Preview:
    """Segments again when something that matters changed.

    While results are fast the preview follows a movement, one result every 30 ms at most. When the last one was slow (a very
    large ROI), the next is made in a thread, one at a time, so that the window never stutters. Uncertainty and confidence
    follow when the movement has ended.

    Args:
        logic: The module's logic.
        parent: The widget with which the timer ends.
        onResult: Called with (result, what it was made from) when the preview shows something new, and again when the method
            has found out how sure it is.
        onFailed: Called with the error when it cannot.
        onBack: Called when the inputs are again those that were applied.
    """

    def __init__(
        self,
        logic: Any,
        parent: Any,
        onResult: Callable[[Any, Any], None],
        onFailed: Callable[[Exception], None],
        onBack: Callable[[], None],
    ) -> None:
        self._logic, self._onResult, self._onFailed, self._onBack = logic, onResult, onFailed, onBack
        self._parameterNode: Any = None
        self._shown: tuple | None = None
        self._applied: tuple | None = None
        self._roi: tuple = (None, None)
        self.segment = PreviewSegment()
        self.lastMs = 0.0
        self._timer = qt.QTimer(parent)
        self._timer.setSingleShot(True)
        self._work = BackgroundWork(parent)
        self._timer.connect("timeout()", self.update)
        self._pause = qt.QTimer(parent)
        self._pause.setSingleShot(True)
        self._pause.connect("timeout()", self._weigh)
        self._unweighed: Any = None

    def request(self, parameterNode: Any) -> None:
        """Asks for a new result soon."""
        self._parameterNode = parameterNode
        if not self._timer.isActive():
            self._timer.start(_WAIT_MS)

    def update(self) -> None:
        """Segments now, unless what is shown or was applied still holds."""
        parameterNode = self._parameterNode
        if parameterNode is None or not self._logic.isPrepared(parameterNode.inputVolume, parameterNode.assumeHU):
            return
        try:
            inputs = inputsOf(parameterNode)
            if inputs == self._shown or self._work.running:
                return
            self._shown, self._unweighed = inputs, None
            if inputs == self._applied:
                self.segment.remove()
                self._onBack()
                return
            self._segment(self._gather(parameterNode, inputs[-2:]))
        except Exception as error:  # a preview must never end in a traceback
            self._fail(error)

    def _gather(self, parameterNode: Any, place: tuple) -> Any:
        """With the ROI of before as long as CT and ROIs are the same: a slider that moves need not wait for it."""
        known, roi = self._roi
        gathered = gather(self._logic, parameterNode, roi if known == place else None)
        self._roi = place, gathered.roi
        return gathered

    def _segment(self, gathered: Any) -> None:
        """Here if that is fast, else beside the window; a large ROI takes a second."""
        start = time.perf_counter()
        if self.lastMs > _SLOW_MS:
            self._work.start(
                gathered.preview,
                _silent,
                lambda result: self._showLate(result, gathered, start),
                self._failLate,
            )
        else:
            self._show(gathered.preview(_silent), gathered, start)

    def _show(self, result: Any, gathered: Any, start: float) -> None:
        self.segment.show(result.mask, gathered.roi)
        self._onResult(result, gathered)
        self.lastMs = 1000 * (time.perf_counter() - start)
        if result.uncertainty_ml is None:
            self._unweighed = gathered
            self._pause.start(_PAUSE_MS)

    def _weigh(self) -> None:
        """Finds out, beside the window, how sure the method is of what is shown."""
        gathered = self._unweighed
        if gathered is None or self._work.running:
            return

        def tell(result: Any) -> None:
            if self._unweighed is gathered:
                self._unweighed = None
                self._onResult(result, gathered)
            self.update()

        self._work.start(gathered.run, _silent, tell, self._failLate)

    def _showLate(self, result: Any, gathered: Any, start: float) -> None:
        try:
            self._show(result, gathered, start)
        except Exception as error:  # as in update
            self._fail(error)
            return
        # What was changed meanwhile is still to be shown.
        self.update()

    def _failLate(self, error: Exception) -> None:
        self._fail(error)
        self.update()

    def _fail(self, error: Exception) -> None:
        self._unweighed = None
        self.segment.remove()
        self._onFailed(error)

    def applied(self, parameterNode: Any) -> None:
        """The present inputs have their result in the scene: no preview until one of them changes."""
        self.clear()
        self._shown = self._applied = inputsOf(parameterNode)

    def isApplied(self, parameterNode: Any) -> bool:
        """Whether the present inputs are those of the last run.

        Raises:
            HTSegError: A parameter is not usable.
        """
        return self._applied is not None and inputsOf(parameterNode) == self._applied

    def clear(self) -> None:
        """Shows nothing."""
        self._timer.stop()
        self._pause.stop()
        self._work.cancel()
        self._parameterNode = self._shown = self._unweighed = None
        self.segment.remove()

    def close(self) -> None:
        """Ends with the panel."""
        self.forget()
        self._work.stop()

    def forget(self) -> None:
        """Shows nothing and knows nothing of what was applied, for a scene that is closed."""
        self.clear()
        self._applied, self._roi = None, (None, None)


def _silent(stage: str, fraction: float) -> None:
    """A preview shows its result, not its progress."""


def inputsOf(parameterNode: Any) -> tuple:
    """Everything that a result depends on, in a form that can be compared.

    Raises:
        HTSegError: A parameter is not usable.
    """
    from HTSegmentationModule.parameters import toLibrary
    from HTSegmentationModule.readiness import roiNodesOf
    from HTSegmentationModule.scan_cache import volumeKey

    volumeNode = parameterNode.inputVolume
    volume = None if volumeNode is None else (volumeNode.GetID(), volumeKey(volumeNode))
    rois = (*(_shapeKey(node) for node in roiNodesOf(parameterNode)), _segmentKey(parameterNode))
    how = toLibrary(parameterNode)
    # Where a network runs does not change what it finds, but whether it can be run.
    return parameterNode.method, parameterNode.device if how is None else how, parameterNode.assumeHU, volume, rois


def _shapeKey(node: Any) -> Any:
    """The shape in the world: a node's modification time does not tell of every moved point."""
    from HTSegmentationLib.errors import HTSegError
    from HTSegmentationModule.roi_conversion import shapeOfMarkups

    try:
        return shapeOfMarkups(node)[0]
    except HTSegError as error:
        return str(error)


def _segmentKey(parameterNode: Any) -> Any:
    from HTSegmentationModule.world import placeKey

    node, segmentID = parameterNode.roiSegmentation, parameterNode.roiSegmentID
    segment = None if node is None else node.GetSegmentation().GetSegment(segmentID)
    if segment is None:
        return None
    name = slicer.vtkSegmentationConverter.GetSegmentationBinaryLabelmapRepresentationName()
    voxels = segment.GetRepresentation(name)
    changed = node.GetSegmentation().GetMTime(), segment.GetMTime(), 0 if voxels is None else voxels.GetMTime()
    return node.GetID(), segmentID, changed, placeKey(node)
