"""The part of a prepared scan in which a threshold method works: the ROI's box, enhanced."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk

from HTSegmentationLib.ct.geometry import crop, empty_like, grown_box
from HTSegmentationLib.errors import ROIError
from HTSegmentationLib.roi import Roi
from HTSegmentationLib.segmenter import PreparedScan
from HTSegmentationLib.threshold.enhancement import enhance, reach_mm
from HTSegmentationLib.threshold.parameters import EnhancementParameters


@dataclass(frozen=True)
class Region:
    """Images on the ROI's bounding box.

    Args:
        image: The scan's own HU.
        enhanced: HU after skull strip, smoothing and sharpening, ``sitkFloat32``.
        allowed: 1 in the ROI and in the tissue inside the skull, ``sitkUInt8``.
        roi: The ROI.
    """

    image: sitk.Image
    enhanced: sitk.Image
    allowed: sitk.Image
    roi: Roi

    def between(self, lower_hu: float, upper_hu: float) -> sitk.Image:
        """1 where the enhanced image lies in the window, both ends included, in ROI and brain; ``sitkUInt8``."""
        return sitk.BinaryThreshold(self.enhanced, lower_hu, upper_hu, 1, 0) & self.allowed

    def within(self, roi: Roi) -> Region:
        """The part of this region that a smaller ROI holds, filtered as it is.

        Args:
            roi: An ROI that lies in this region's own.

        Raises:
            ROIError: The ROI holds no voxel inside the skull.
        """
        size = roi.mask.GetSize()
        inner = [first - begin for first, begin in zip(roi.index, self.roi.index, strict=True)]
        allowed = roi.mask & crop(self.allowed, inner, size)
        require_inside_skull(allowed)
        return Region(crop(self.image, inner, size), crop(self.enhanced, inner, size), allowed, roi)

    def on_scan(self, mask: sitk.Image, scan_image: sitk.Image) -> sitk.Image:
        """A mask of this region as a mask of the whole scan."""
        return sitk.Paste(empty_like(scan_image), mask, mask.GetSize(), destinationIndex=self.roi.index)


def cut_region(prepared: PreparedScan, roi: Roi | None, parameters: EnhancementParameters) -> Region:
    """Cuts the ROI's box out of the scan and enhances it, with enough margin that the result is that of the whole scan.

    Raises:
        ROIError: The ROI is missing, on another grid, or holds no voxel inside the skull.
    """
    image = prepared.scan.image
    roi = require_roi(roi, image)
    size = roi.mask.GetSize()
    allowed = roi.mask & crop(prepared.tissue_mask, roi.index, size)
    require_inside_skull(allowed)
    reach = [math.ceil(reach_mm(parameters) / spacing) for spacing in image.GetSpacing()]
    start, length = grown_box(roi.index, size, reach, image.GetSize())
    enhanced = enhance(crop(image, start, length), crop(prepared.tissue_mask, start, length), parameters)
    inner = [first - begin for first, begin in zip(roi.index, start, strict=True)]
    return Region(crop(image, roi.index, size), crop(enhanced, inner, size), allowed, roi)


def require_roi(roi: Roi | None, image: sitk.Image) -> Roi:
    """The ROI, if there is one and it was made for this scan.

    Raises:
        ROIError: It is missing, or on another grid.
    """
    if roi is None:
        raise ROIError("this method needs a region of interest around the bleed; draw one")
    roi.require_grid(image)
    return roi


def require_inside_skull(allowed: sitk.Image) -> None:
    """Checks that an ROI holds tissue.

    Args:
        allowed: 1 in the ROI and in the tissue inside the skull.

    Raises:
        ROIError: It holds none.
    """
    if not np.any(sitk.GetArrayViewFromImage(allowed)):
        raise ROIError("the ROI holds no voxel inside the skull; draw it around the bleed in the brain")
