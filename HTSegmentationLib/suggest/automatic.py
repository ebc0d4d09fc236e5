"""Segmentation without a drawn region: what the search proposes takes its place."""

from __future__ import annotations

from dataclasses import dataclass

import SimpleITK as sitk

from HTSegmentationLib.ct.geometry import empty_like
from HTSegmentationLib.progress import Progress, part_of, silent
from HTSegmentationLib.roi import Roi
from HTSegmentationLib.segmenter import HEMORRHAGE, Label, PreparedScan, SegmentationResult, Segmenter
from HTSegmentationLib.suggest.suggest import Suggestions, suggest_regions

AUTO = "auto"
"""What stands for a region that the program is to find, where a file could be named."""


@dataclass(frozen=True)
class AutomaticSegmentation:
    """What was found without a drawn region.

    Args:
        suggestions: The regions.
        roi: The proposed ones as the method got them; None if there is none.
        result: The segmentation; an empty mask if there is none.
    """

    suggestions: Suggestions
    roi: Roi | None
    result: SegmentationResult


def segment_automatically(
    segmenter: Segmenter,
    prepared: PreparedScan,
    *,
    labels: tuple[Label, ...] = (HEMORRHAGE,),
    progress: Progress = silent,
) -> AutomaticSegmentation:
    """Searches a prepared scan for what may be a bleed and segments it there.

    Nothing found is a result, not an error: the mask is empty, and a remark says why.

    Args:
        segmenter: The method.
        prepared: The scan, prepared by that method.
        labels: The classes of the method's masks; for the empty one.
        progress: Told the stages; may stop the work.

    Example:
        >>> method = AdaptiveThreshold()                                                  # doctest: +SKIP
        >>> segment_automatically(method, method.prepare(scan)).result.volume_ml()        # doctest: +SKIP
    """
    suggestions = suggest_regions(prepared, progress=part_of(progress, 0.0, 0.6))
    roi = suggestions.roi(prepared.scan.image)
    if roi is None:
        return AutomaticSegmentation(suggestions, None, _empty(segmenter, prepared, suggestions, labels))
    result = segmenter.segment(prepared, roi, part_of(progress, 0.6, 1.0))
    return AutomaticSegmentation(suggestions, roi, result)


def _empty(
    segmenter: Segmenter, prepared: PreparedScan, suggestions: Suggestions, labels: tuple[Label, ...]
) -> SegmentationResult:
    parameters = getattr(segmenter, "parameters", None)
    return SegmentationResult(
        method=segmenter.name,
        mask=empty_like(prepared.scan.image, sitk.sitkUInt8),
        labels=labels,
        parameters={} if parameters is None else parameters.as_dict(),
        brain_volume_ml=prepared.brain_volume_ml,
        remarks=(*prepared.remarks, *suggestions.remarks),
        stage_seconds={**prepared.stage_seconds, **suggestions.stage_seconds},
    )
