"""One segmentation as plain values for JSON."""

from __future__ import annotations

import platform
from typing import Any

import SimpleITK as sitk

from HTSegmentationLib.ct.scan import CTScan
from HTSegmentationLib.measure.mask import MaskMeasurements
from HTSegmentationLib.remark import Remark
from HTSegmentationLib.roi import Roi
from HTSegmentationLib.segmenter import SegmentationResult
from HTSegmentationLib.version import __version__

RECORD_FORMAT = 1
"""Raised when a key of the record changes its name or its meaning."""


def result_record(
    scan: CTScan, roi: Roi | None, result: SegmentationResult, measurements: MaskMeasurements
) -> dict[str, Any]:
    """Everything that is known of one segmentation as plain values.

    Args:
        scan: The scan as it was read.
        roi: The region of interest; None where the method did without.
        result: What the method found.
        measurements: Those of its first label.
    """
    return {
        "format": RECORD_FORMAT,
        "versions": versions(),
        "scan": {
            "path": scan.source.path,
            "format": scan.source.format,
            "series": scan.source.series,
            "size": list(scan.image.GetSize()),
            "spacing_mm": list(scan.image.GetSpacing()),
        },
        "roi": None if roi is None else {"sources": list(roi.sources), "volume_ml": roi.volume_ml},
        "method": result.method,
        "parameters": dict(result.parameters),
        "details": result.details.as_dict() if result.details else {},
        "labels": [
            {"value": label.value, "name": label.name, "volume_ml": result.volume_ml(label)} for label in result.labels
        ],
        "uncertainty_ml": result.uncertainty_ml,
        "confidence": None if result.confidence is None else result.confidence.as_dict(),
        "brain_volume_ml": result.brain_volume_ml,
        "measurements": measurements.as_dict(),
        "remarks": [remark.as_dict() for remark in remarks_of(result, measurements)],
        "stage_seconds": dict(result.stage_seconds),
    }


def versions() -> dict[str, str]:
    """The versions of what results depend on."""
    return {
        "htsegmentation": __version__,
        "python": platform.python_version(),
        "SimpleITK": sitk.Version.VersionString(),
    }


def remarks_of(result: SegmentationResult, measurements: MaskMeasurements) -> tuple[Remark, ...]:
    """The remarks of a segmentation and of its measurements, those with a code that was said already left out."""
    codes = {remark.code for remark in result.remarks}
    return (*result.remarks, *(remark for remark in measurements.remarks if remark.code not in codes))
