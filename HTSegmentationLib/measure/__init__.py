"""Measurements of masks: volumes, HU, diameters, and how well two masks agree."""

from HTSegmentationLib.measure.mask import MaskMeasurements, measure_mask
from HTSegmentationLib.measure.overlap import Overlap, measure_overlap

__all__ = ["MaskMeasurements", "Overlap", "measure_mask", "measure_overlap"]
