"""Measures a segment as it is now, hand-made corrections included."""

from __future__ import annotations

import math
from typing import Any

import SimpleITK as sitk

from HTSegmentationLib.ct.geometry import corner_points, points_to_index
from HTSegmentationLib.ct.regular_grid import AIR_HU
from HTSegmentationLib.errors import UsageError
from HTSegmentationLib.measure import measure_mask, measure_overlap
from HTSegmentationLib.measure.agreement import measure_agreement
from HTSegmentationLib.measure.surface import hd95_mm
from HTSegmentationLib.remark import Remark, Severity
from HTSegmentationLib.roi import Roi
from HTSegmentationLib.segmenter import PreparedScan
from HTSegmentationModule.outcome import Measurement, SegmentMeasurement
from HTSegmentationModule.segmentation_conversion import latticeIndex, maskOnGrid, segmentMask
from HTSegmentationModule.segmentation_output import hemorrhageSegmentID, ownSegmentIDs
from HTSegmentationModule.translation import tr as _


def measureSegment(
    segmentationNode: Any,
    segmentID: str | None,
    image: sitk.Image | None = None,
    reference: tuple[Any, str] | None = None,
    roi: Roi | None = None,
) -> Measurement:
    """Measures a segment in world space.

    A segment that shares the scan's voxels is measured on them, so that its volume is that of its voxels exactly. One with
    voxels of its own (made on another scan, or oversampled in the Segment Editor) is measured on its own voxels, and the
    scan's HU are interpolated there.

    Args:
        segmentationNode: The segmentation, under transforms of any kind.
        segmentID: The segment; None for "Hemorrhage".
        image: The scan in HU, LPS mm of the world; None leaves out all HU.
        reference: Segmentation and segment ID to compare with; None for no comparison.
        roi: The ROI on the scan's grid, for the agreement with the reference inside it; None leaves that out.

    Raises:
        UsageError: A segmentation or segment is missing.
    """
    if segmentationNode is None:
        raise UsageError(_("there is no segmentation to measure; press Apply first"))
    mask = segmentMask(segmentationNode, segmentID or hemorrhageSegmentID(segmentationNode), image)
    truth = None if reference is None else segmentMask(*reference, mask if image is None else image)
    onScan = image is not None and (mask is None or _isInside(mask, image))
    remarks = []
    if image is not None and not onScan:
        text = _("The segment has voxels of its own or reaches out of the scan: it was measured on its own voxels.")
        remarks.append(Remark("segment-other-grid", text, Severity.NOTE))
    grid = image if onScan else _around(mask, truth)
    here = maskOnGrid(mask, grid)
    measured = measure_mask(here, _huOn(grid, image))
    if reference is None:
        return Measurement(measured, remarks=tuple(remarks))
    there = maskOnGrid(truth, grid)
    if truth is not None and not sitk.GetArrayViewFromImage(there).any():
        text = _("The reference lies outside the scan: check that it was made for this patient's scan.")
        remarks.append(Remark("reference-outside", text, Severity.WARNING))
    elif truth is not None and latticeIndex(truth, grid) is None:
        text = _("The reference has voxels of its own; it was resampled to the segment's with nearest neighbours.")
        remarks.append(Remark("reference-resampled", text, Severity.NOTE))
    agreement = measure_agreement(here, there, roi) if onScan and roi is not None else None
    return Measurement(measured, measure_overlap(here, there), hd95_mm(here, there), agreement, tuple(remarks))


def measureFurther(segmentationNode: Any, prepared: PreparedScan | None = None) -> list[SegmentMeasurement]:
    """Measures the segments of the last result's classes after the hemorrhage, as :func:`measureSegment` does.

    Args:
        segmentationNode: The segmentation that the result was written to.
        prepared: The scan that it was made from; None leaves out all HU.
    """
    image = None if prepared is None else prepared.scan.image
    segmentation = segmentationNode.GetSegmentation()
    return [
        SegmentMeasurement(
            segmentID, segmentation.GetSegment(segmentID).GetName(), measureSegment(segmentationNode, segmentID, image)
        )
        for segmentID in ownSegmentIDs(segmentationNode)
        if segmentID != hemorrhageSegmentID(segmentationNode)
    ]


def _huOn(grid: sitk.Image, image: sitk.Image | None) -> sitk.Image | None:
    if image is None or grid is image:
        return image
    return sitk.Resample(image, grid, sitk.Transform(), sitk.sitkLinear, AIR_HU, sitk.sitkFloat32)


def _isInside(mask: sitk.Image, image: sitk.Image) -> bool:
    """Whether all voxels of a mask are voxels of the scan."""
    start = latticeIndex(mask, image)
    if start is None:
        return False
    return all(a >= 0 and a + n <= m for a, n, m in zip(start, mask.GetSize(), image.GetSize(), strict=True))


def _around(mask: sitk.Image | None, truth: sitk.Image | None) -> sitk.Image:
    """The mask's grid, as large as it takes to hold the truth as well; a voxel of nothing if there is neither."""
    if mask is None or truth is None:
        return next((found for found in (mask, truth) if found is not None), sitk.Image(1, 1, 1, sitk.sitkUInt8))
    corners = points_to_index(corner_points(truth), mask)
    before = [max(0, math.ceil(-low)) for low in corners.min(axis=0)]
    after = [max(0, math.ceil(high) - n + 1) for high, n in zip(corners.max(axis=0), mask.GetSize(), strict=True)]
    return sitk.ConstantPad(mask, before, after, 0)
