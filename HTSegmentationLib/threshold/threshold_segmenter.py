"""What all threshold methods share: filters, window, closing, remarks."""

from __future__ import annotations

import dataclasses
import math
from abc import abstractmethod

import SimpleITK as sitk

from HTSegmentationLib.ct.scan import CTScan
from HTSegmentationLib.measure.grid_uncertainty import grid_uncertainty_ml
from HTSegmentationLib.progress import Progress, StageClock, silent
from HTSegmentationLib.roi import Roi
from HTSegmentationLib.segmenter import HEMORRHAGE, PreparedScan, SegmentationResult, Segmenter
from HTSegmentationLib.threshold.cautions import first_mask_remarks, region_remarks
from HTSegmentationLib.threshold.closing import closed_in_slices
from HTSegmentationLib.threshold.details import AdaptiveDetails, FixedThresholdDetails
from HTSegmentationLib.threshold.parameters import EnhancementParameters
from HTSegmentationLib.threshold.prepare import prepare
from HTSegmentationLib.threshold.region import Region, cut_region, require_roi
from HTSegmentationLib.threshold.rule_signs import (
    WINDOW_STEP_HU,
    RuleSigns,
    border_distance_hu,
    grown_roi,
    ml_of,
    rule_confidence,
)


class ThresholdSegmenter(Segmenter):
    """A method that finds blood as the voxels of a HU window inside ROI and brain.

    Args:
        parameters: Filters and closing, and what the method adds.
    """

    def __init__(self, parameters: EnhancementParameters) -> None:
        self.parameters = parameters

    @abstractmethod
    def choose(self, region: Region) -> AdaptiveDetails | FixedThresholdDetails:
        """Chooses the window, and tells how."""

    def prepare(self, scan: CTScan, progress: Progress = silent) -> PreparedScan:
        """Finds the brain; the same for every threshold method."""
        return prepare(scan, progress)

    def segment(self, prepared: PreparedScan, roi: Roi | None = None, progress: Progress = silent) -> SegmentationResult:
        """Segments the bleed in the ROI.

        Raises:
            ROIError: The ROI is missing, on another grid, or holds no voxel inside the skull.
        """
        clock = StageClock(progress)
        with clock.stage("filters", 0.0):
            roi = require_roi(roi, prepared.scan.image)
            # The confidence asks what a larger ROI gives: both are filtered at once.
            around = cut_region(prepared, grown_roi(roi, prepared.scan.image), self.parameters)
            region = around.within(roi)
        found, mask = self._found(prepared, region, clock)
        with clock.stage("confidence", 0.9):
            signs = self._signs(region, around, found.details, mask)
            uncertainty_ml = math.hypot(grid_uncertainty_ml(mask), signs.window_uncertainty_ml)
        progress("done", 1.0)
        return dataclasses.replace(
            found,
            stage_seconds={**prepared.stage_seconds, **clock.seconds},
            confidence=rule_confidence(signs),
            uncertainty_ml=uncertainty_ml,
        )

    def preview(self, prepared: PreparedScan, roi: Roi | None = None, progress: Progress = silent) -> SegmentationResult:
        """The mask of :meth:`segment` in half the time, without confidence and uncertainty.

        Raises:
            ROIError: As :meth:`segment`.
        """
        clock = StageClock(progress)
        with clock.stage("filters", 0.0):
            region = cut_region(prepared, roi, self.parameters)
        found, _ = self._found(prepared, region, clock)
        progress("done", 1.0)
        return found

    def _found(self, prepared: PreparedScan, region: Region, clock: StageClock) -> tuple[SegmentationResult, sitk.Image]:
        """What lies in the chosen window, and its mask on the region's grid."""
        with clock.stage("thresholds", 0.7):
            details = self.choose(region)
        with clock.stage("closing", 0.75):
            mask = self._mask(region, details.threshold_hu)
        with clock.stage("remarks", 0.8):
            doubts = first_mask_remarks(details) if isinstance(details, AdaptiveDetails) else []
            remarks = (*prepared.remarks, *region.roi.remarks, *doubts, *region_remarks(region, mask))
            on_scan = region.on_scan(mask, prepared.scan.image)
        result = SegmentationResult(
            method=self.name,
            mask=on_scan,
            labels=(HEMORRHAGE,),
            parameters=self.parameters.as_dict(),
            brain_volume_ml=prepared.brain_volume_ml,
            remarks=remarks,
            stage_seconds={**prepared.stage_seconds, **clock.seconds},
            details=details,
        )
        return result, mask

    def _mask(self, region: Region, window_hu: tuple[float, float]) -> sitk.Image:
        """The voxels of a window in a region, holes closed."""
        return closed_in_slices(region.between(*window_hu), region.allowed, self.parameters.closing_diameter_voxels)

    def _signs(
        self, region: Region, around: Region, details: AdaptiveDetails | FixedThresholdDetails, mask: sitk.Image
    ) -> RuleSigns:
        """What the mask would be with another lower bound and another ROI."""
        lower, upper = details.threshold_hu
        chosen = self.choose(around)
        return RuleSigns(
            volume_ml=ml_of(mask),
            lower_ml=ml_of(self._mask(region, (lower + WINDOW_STEP_HU, upper))),
            upper_ml=ml_of(self._mask(region, (lower - WINDOW_STEP_HU, upper))),
            grown_ml=ml_of(self._mask(around, chosen.threshold_hu)),
            window_changed=chosen.threshold_hu != details.threshold_hu,
            border_distance_hu=border_distance_hu(details),
            guessed=isinstance(details, AdaptiveDetails) and details.sd_hu == 0 and not details.manual,
        )
