"""What a user must be told of a threshold's result: known failures of the method, and what may pass for blood."""

from __future__ import annotations

import math

import numpy as np
import SimpleITK as sitk
from scipy import ndimage

from HTSegmentationLib.ct.geometry import slice_distance_mm, voxels_to_ml
from HTSegmentationLib.measure.grid_uncertainty import end_slices_uncertainty_ml
from HTSegmentationLib.remark import Remark, Severity
from HTSegmentationLib.threshold.details import AdaptiveDetails
from HTSegmentationLib.threshold.region import Region

_NEAR_BORDER_HU = 0.5
"""An SD this near to a border of the rule table fires another row after a small change of the ROI."""

_DENSER_THAN_BLOOD_HU = 90.0
"""Acute clots reach about 90 HU; what is denser is contrast, calcium or metal."""

_DENSE_VOLUME_ML = 0.1
"""Less than this above 90 HU is noise or a vessel's wall."""

_BONE_RIM_MM = 2.0
"""This near to the skull a blurred bone edge is above 90 HU without any contrast."""

_OUTSIDE_BRAIN_SHARE = 0.05
"""A hand-drawn ROI that reaches out by less than this needs no word."""

_THICK_SLICES_MM = 2.5
"""From this slice distance on, the first and the last slice of a bleed weigh in its volume."""


def first_mask_remarks(details: AdaptiveDetails) -> list[Remark]:
    """Doubts about the rule that fired."""
    if details.manual:
        return [Remark("manual-threshold", "The final threshold was set by hand and does not follow the rule table.")]
    lower, upper = details.threshold_hu
    if details.sd_hu == 0:
        first = "{:g} to {:g} HU".format(*details.first_threshold_hu)
        text = (
            f"The ROI holds {details.first_mask_voxels} voxels of {first}, so its SD is 0 and the published rule takes "
            f"{lower:g} to {upper:g} HU. That is normal grey matter: unless blood is seen in the ROI, this mask is no bleed."
        )
        return [Remark("first-mask-empty", text, Severity.WARNING)]
    borders = [rule.sd_up_to for rule in details.rules if math.isfinite(rule.sd_up_to) and rule.sd_up_to > 0]
    near = [border for border in borders if abs(details.sd_hu - border) <= _NEAR_BORDER_HU]
    if not near:
        return []
    text = (
        f"The SD of {details.sd_hu:.2f} HU is near the rule's border of {near[0]:g} HU: a slightly different ROI gives "
        f"another threshold than {lower:g} to {upper:g} HU. Compare the neighbouring row."
    )
    return [Remark("sd-near-border", text, Severity.CAUTION)]


def region_remarks(region: Region, mask: sitk.Image) -> list[Remark]:
    """Doubts about the ROI and the mask, both on the region's grid."""
    roi = sitk.GetArrayViewFromImage(region.roi.mask) > 0
    allowed = sitk.GetArrayViewFromImage(region.allowed) > 0
    array = sitk.GetArrayViewFromImage(mask) > 0
    remarks = [*outside_brain_remarks(roi, allowed), *_denser_than_blood(region, allowed)]
    if not array.any():
        return [*remarks, Remark("mask-empty", "Nothing in the ROI lies within the threshold: the volume is 0 mL.")]
    return [*remarks, *_touches_skull(region, array), *thick_slice_remarks(mask)]


def outside_brain_remarks(roi: np.ndarray, allowed: np.ndarray) -> list[Remark]:
    """Whether the ROI reaches out of the brain; both (z, y, x) on the ROI's box."""
    share = 1 - np.count_nonzero(allowed) / np.count_nonzero(roi)
    if share < _OUTSIDE_BRAIN_SHARE:
        return []
    return [Remark("roi-outside-brain", f"{share:.0%} of the ROI lies outside the brain mask and was left out.")]


def _denser_than_blood(region: Region, allowed: np.ndarray) -> list[Remark]:
    dense = (sitk.GetArrayViewFromImage(region.image) > _DENSER_THAN_BLOOD_HU) & allowed
    if not dense.any():
        return []
    spacing = region.image.GetSpacing()[::-1]
    depth = ndimage.distance_transform_edt(allowed, sampling=spacing) if not allowed.all() else np.inf
    volume = voxels_to_ml(int(np.count_nonzero(dense & (depth > _BONE_RIM_MM))), region.image)
    if volume < _DENSE_VOLUME_ML:
        return []
    text = (
        f"{volume:.1f} mL of the ROI is above {_DENSER_THAN_BLOOD_HU:g} HU: contrast staining, calcification or metal is "
        "likely, and staining beside it can look like blood. The threshold leaves the densest part out."
    )
    return [Remark("contrast-suspected", text, Severity.CAUTION)]


def _touches_skull(region: Region, mask: np.ndarray) -> list[Remark]:
    in_roi_outside_brain = (sitk.GetArrayViewFromImage(region.roi.mask) > 0) & (
        sitk.GetArrayViewFromImage(region.allowed) == 0
    )
    touching = np.count_nonzero(ndimage.binary_dilation(in_roi_outside_brain) & mask)
    if touching == 0:
        return []
    text = (
        "The mask touches the skull, where a blurred bone edge has the density of blood. Look at its outer rim and draw the "
        "ROI off the skull if the bleed does not reach it."
    )
    return [Remark("mask-touches-skull", text, Severity.CAUTION)]


def thick_slice_remarks(mask: sitk.Image) -> list[Remark]:
    """What thick slices leave open in the volume of a mask that is not empty."""
    step = slice_distance_mm(mask)
    if step < _THICK_SLICES_MM:
        return []
    uncertainty_ml = end_slices_uncertainty_ml(mask)
    text = (
        f"Slices are {step:.1f} mm apart: where the bleed ends within its first and last slice is not known, which leaves "
        f"about {uncertainty_ml:.1f} mL of uncertainty in the volume."
    )
    return [Remark("thick-slices", text)]
