"""Regions of interest: what the user drew, as voxels of the scan's grid."""

from HTSegmentationLib.roi.make import read_roi, roi_from_box, roi_from_shapes
from HTSegmentationLib.roi.mask_files import read_labels, read_mask
from HTSegmentationLib.roi.region import Roi
from HTSegmentationLib.roi.shapes import BoxShape, CurveShape, Shape

__all__ = [
    "BoxShape",
    "CurveShape",
    "Roi",
    "Shape",
    "read_labels",
    "read_mask",
    "read_roi",
    "roi_from_box",
    "roi_from_shapes",
]
