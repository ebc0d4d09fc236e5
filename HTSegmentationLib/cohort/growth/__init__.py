"""Two scans of one patient: aligned by the skull, and the bleed's growth from one to the other."""

from HTSegmentationLib.cohort.growth.alignment import Alignment, align_scans
from HTSegmentationLib.cohort.growth.carry import on_baseline, scan_on_baseline
from HTSegmentationLib.cohort.growth.growth import Growth, compare_scans
from HTSegmentationLib.measure.grid_uncertainty import grid_uncertainty_ml

__all__ = [
    "Alignment",
    "Growth",
    "align_scans",
    "compare_scans",
    "grid_uncertainty_ml",
    "on_baseline",
    "scan_on_baseline",
]
