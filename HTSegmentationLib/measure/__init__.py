"""Measurements of masks: volumes, HU, diameters, and how well two masks agree."""

from HTSegmentationLib.measure.comparison import MaskComparison, compare_masks
from HTSegmentationLib.measure.mask import MaskMeasurements, measure_mask
from HTSegmentationLib.measure.overlap import Overlap, measure_overlap

__all__ = ["MaskComparison", "MaskMeasurements", "Overlap", "compare_masks", "measure_mask", "measure_overlap"]
