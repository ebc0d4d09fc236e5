"""What the logic hands back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from HTSegmentationLib.measure import MaskMeasurements, Overlap
    from HTSegmentationLib.measure.agreement import Agreement
    from HTSegmentationLib.remark import Remark
    from HTSegmentationLib.segmenter import SegmentationResult


@dataclass(frozen=True)
class Measurement:
    """A segment measured as it is now.

    Args:
        mask: Volume, HU, diameters, components; lengths in mm and volumes in mL of world space.
        overlap: Agreement with the reference segment; None without one.
        hd95Mm: 95th percentile of the surface distances to the reference in mm; None without a reference, or if one
            of the two is empty.
        agreement: Sensitivity, specificity and AUC inside the ROI; None without reference or ROI.
        remarks: What must be told of how it was measured.
    """

    mask: MaskMeasurements
    overlap: Overlap | None = None
    hd95Mm: float | None = None
    agreement: Agreement | None = None
    remarks: tuple[Remark, ...] = ()


@dataclass(frozen=True)
class SegmentMeasurement:
    """One of a result's further segments, measured.

    Args:
        segmentID: The segment.
        name: Its name.
        measurement: Its measurements, without any comparison.
    """

    segmentID: str
    name: str
    measurement: Measurement


@dataclass(frozen=True)
class Outcome:
    """What Apply made.

    Args:
        result: The library's result.
        segmentationNode: The segmentation node that holds the segment.
        segmentID: The hemorrhage's segment.
        measurement: That segment, measured.
        remarks: Everything that must reach the user, each once.
        further: The segments of the other classes, measured; empty for a method of one class.
    """

    result: SegmentationResult
    segmentationNode: Any
    segmentID: str
    measurement: Measurement
    remarks: tuple[Remark, ...] = ()
    further: tuple[SegmentMeasurement, ...] = ()
