"""What methods that look at the whole scan share: cutting to the ROI, and what must be said of the result."""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk

from HTSegmentationLib.remark import Remark, Severity
from HTSegmentationLib.roi import Roi


def cut_to_roi(image: sitk.Image, roi: Roi | None) -> sitk.Image:
    """A mask or probability that is 0 outside the ROI; as it is without one."""
    return image if roi is None else sitk.Mask(image, roi.on_grid(image))


def found_remarks(mask: sitk.Image, roi: Roi | None, warning: str = "") -> list[Remark]:
    """What must be said of a result.

    Args:
        mask: The mask, cut to the ROI already.
        roi: The region of interest, if there was one; its own remarks are told as well.
        warning: What the model's makers warn of.
    """
    remarks = [] if roi is None else list(roi.remarks)
    if warning:
        remarks.append(Remark("model-warning", warning, Severity.WARNING))
    if roi is not None:
        text = "The network saw the whole scan; what it found outside the ROI is not in the mask."
        remarks.append(Remark("roi-restricts", text))
    if not np.any(sitk.GetArrayViewFromImage(mask)):
        place = "the scan" if roi is None else "the ROI"
        remarks.append(Remark("mask-empty", f"The network found nothing in {place}: the volume is 0 mL."))
    return remarks
