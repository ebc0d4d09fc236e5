"""Segmentation in three steps, so that the middle one, which may be long, can run beside the window."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from HTSegmentationModule.translation import tr as _

if TYPE_CHECKING:
    from HTSegmentationLib.progress import Progress
    from HTSegmentationLib.roi import Roi
    from HTSegmentationLib.segmenter import PreparedScan, SegmentationResult
    from HTSegmentationModule.outcome import Outcome


@dataclass(frozen=True)
class Gathered:
    """All that a segmentation needs, taken from the nodes.

    Args:
        prepared: The prepared scan.
        roi: The ROI; None for a method that does without one.
        run: Segments; knows no node and may run in a thread.
        preview: The same mask as fast as can be, for a method that takes longer to tell how sure it is.
    """

    prepared: PreparedScan
    roi: Roi | None
    run: Callable[[Progress], SegmentationResult]
    preview: Callable[[Progress], SegmentationResult]


def applyMethod(logic: Any, parameterNode: Any, progress: Progress | None = None) -> Outcome:
    """The whole segmentation, see ``HTSegmentationLogic.apply``."""
    from HTSegmentationLib.errors import Cancelled
    from HTSegmentationLib.progress import part_of, silent
    from HTSegmentationModule.input_checks import requireInputs
    from HTSegmentationModule.readiness import isNetwork

    told = progress or silent
    requireInputs(parameterNode)
    # A network takes most of the time, a threshold next to none.
    prepared = 0.2 if isNetwork(parameterNode) else 0.8
    logic.prepare(parameterNode.inputVolume, part_of(told, 0.0, prepared), parameterNode.assumeHU)
    result = gather(logic, parameterNode).run(part_of(told, prepared, 0.95))
    told("measuring", 0.95)
    outcome = finish(logic, parameterNode, result)
    # All is done and written: it is too late to stop.
    with contextlib.suppress(Cancelled):
        told("measuring", 1.0)
    return outcome


def gather(logic: Any, parameterNode: Any, roi: Roi | None = None) -> Gathered:
    """Takes from the nodes what a segmentation needs; for the main thread.

    Args:
        logic: The module's logic.
        parameterNode: Names the nodes.
        roi: The ROI if it is known and neither it nor the CT was changed; None takes it from the nodes.

    Raises:
        UsageError: The CT is not prepared.
        HTSegError: A parameter is out of its range, or the ROI is not usable.
    """
    from HTSegmentationLib.errors import UsageError
    from HTSegmentationModule.readiness import needsRoi
    from HTSegmentationModule.roi_conversion import hasRoi

    prepared = logic.prepared(parameterNode.inputVolume, parameterNode.assumeHU)
    if prepared is None:
        raise UsageError(_("the scan is not prepared yet; prepare it first"))
    if roi is None and (needsRoi(parameterNode) or hasRoi(parameterNode)):
        roi = logic.roi(parameterNode, parameterNode.inputVolume)
    segmenter = logic.segmenter(parameterNode)
    return Gathered(
        prepared,
        roi,
        run=lambda progress: segmenter.segment(prepared, roi, progress),
        preview=lambda progress: segmenter.preview(prepared, roi, progress),
    )


def finish(logic: Any, parameterNode: Any, result: SegmentationResult) -> Outcome:
    """Writes the segments, measures them and updates the table; for the main thread.

    Raises:
        HTSegError: A node is gone, or cannot take the result.
    """
    from HTSegmentationModule.measuring import measureFurther
    from HTSegmentationModule.outcome import Outcome

    segmentID = logic.writeSegment(parameterNode, result)
    measurement = logic.measure(parameterNode, segmentID)
    further = tuple(measureFurther(parameterNode.outputSegmentation, logic.prepared(parameterNode.inputVolume)))
    remarks = tuple(dict.fromkeys((*result.remarks, *measurement.mask.remarks, *measurement.remarks)))
    outcome = Outcome(result, parameterNode.outputSegmentation, segmentID, measurement, remarks, further)
    logic.updateTable(parameterNode, outcome)
    return outcome
