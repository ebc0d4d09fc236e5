"""What must be right before any work is done."""

from __future__ import annotations

from typing import Any

from HTSegmentationLib.errors import UsageError
from HTSegmentationLib.methods import method
from HTSegmentationModule.parameters import toLibrary
from HTSegmentationModule.roi_conversion import hasRoi, requireShapes
from HTSegmentationModule.segmentation_conversion import requireSegment
from HTSegmentationModule.segmentation_output import replacedSegmentIDs, requireUsableOutput
from HTSegmentationModule.translation import tr as _
from HTSegmentationModule.volume_conversion import requireVolume


def requireInputs(parameterNode: Any) -> None:
    """Checks all that a parameter node names, as far as that is possible without looking at voxels.

    Raises:
        HTSegError: A node is missing or not usable, a parameter is out of its range, or the result would replace a segment
            that it is made from or compared with.
    """
    requireVolume(parameterNode.inputVolume)
    toLibrary(parameterNode)
    chosen = method(parameterNode.method)
    if chosen.needs_roi or hasRoi(parameterNode):
        requireShapes(parameterNode)
    output = parameterNode.outputSegmentation
    if parameterNode.referenceSegmentation is not None:
        requireSegment(parameterNode.referenceSegmentation, parameterNode.referenceSegmentID)
    if output is None:
        return
    requireUsableOutput(output, parameterNode.inputVolume)
    replaced = replacedSegmentIDs(output, chosen.labels)
    text = _("the result would replace the {role}, {name}; choose another output segmentation, or rename that segment")
    for role, node, segmentID in (
        (_("reference"), parameterNode.referenceSegmentation, parameterNode.referenceSegmentID),
        (_("region of interest"), parameterNode.roiSegmentation, parameterNode.roiSegmentID),
    ):
        if node is output and segmentID in replaced:
            raise UsageError(text.format(role=role, name=requireSegment(node, segmentID)))
