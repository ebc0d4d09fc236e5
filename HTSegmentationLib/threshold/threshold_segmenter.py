"""What all threshold methods share: filters, window, closing, remarks."""

from __future__ import annotations

from abc import abstractmethod

from HTSegmentationLib.ct.scan import CTScan
from HTSegmentationLib.progress import Progress, StageClock, silent
from HTSegmentationLib.roi import Roi
from HTSegmentationLib.segmenter import HEMORRHAGE, PreparedScan, SegmentationResult, Segmenter
from HTSegmentationLib.threshold.cautions import first_mask_remarks, region_remarks
from HTSegmentationLib.threshold.closing import closed_in_slices
from HTSegmentationLib.threshold.details import AdaptiveDetails, FixedThresholdDetails
from HTSegmentationLib.threshold.parameters import EnhancementParameters
from HTSegmentationLib.threshold.prepare import prepare
from HTSegmentationLib.threshold.region import Region, cut_region


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
            region = cut_region(prepared, roi, self.parameters)
        with clock.stage("thresholds", 0.7):
            details = self.choose(region)
            within = region.between(*details.threshold_hu)
        with clock.stage("closing", 0.8):
            mask = closed_in_slices(within, region.allowed, self.parameters.closing_diameter_voxels)
        with clock.stage("remarks", 0.9):
            doubts = first_mask_remarks(details) if isinstance(details, AdaptiveDetails) else []
            remarks = (*prepared.remarks, *region.roi.remarks, *doubts, *region_remarks(region, mask))
            on_scan = region.on_scan(mask, prepared.scan.image)
        progress("done", 1.0)
        return SegmentationResult(
            method=self.name,
            mask=on_scan,
            labels=(HEMORRHAGE,),
            parameters=self.parameters.as_dict(),
            brain_volume_ml=prepared.brain_volume_ml,
            remarks=remarks,
            stage_seconds={**prepared.stage_seconds, **clock.seconds},
            details=details,
        )
