"""How the mask of a window would change had window or ROI been a little different, and what that says of it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk

from HTSegmentationLib.ct.geometry import crop, empty_like, grown_box, slice_axis, voxels_to_ml
from HTSegmentationLib.roi import Roi
from HTSegmentationLib.segmenter import Confidence
from HTSegmentationLib.threshold.details import AdaptiveDetails, FixedThresholdDetails
from HTSegmentationLib.threshold.doubts import Doubt, weighed

WINDOW_STEP_HU = 2.0
"""The window is moved by this much: the calibration of scanners differs by as much."""

ROI_GROWTH_MM = 5.0
"""The ROI is grown by this much within slices: hands differ by as much."""

_NEAR_BORDER_HU = 1.0
"""An SD this near to a border of the rule table fires another row after a small change of the ROI."""

_LOG_ODDS = 1.5
"""Log odds of Dice 0.6 or more where no sign is bad. This and the weights below were fitted on simulated scans with all
confounders, of one seed, and rounded."""

_USUAL_SPREAD, _PER_SPREAD = 0.07, 18.0
"""Moving the lower bound by 2 HU changes the volume of a well-bounded bleed by at most this share."""

_PER_GROWTH = 2.5
"""What a larger ROI adds is no part of a bleed that the ROI was drawn around."""

_CHANGED, _NEAR, _GUESSED = 1.5, 0.3, 4.0
"""Another row for a slightly larger ROI; an SD near to a border; a window that no voxel speaks for."""

_LEAST_ML, _SURE_SHARE, _PER_DOUBT = 0.3, 0.3, 1.0
"""Uncertainty of a fixed window beside its own sensitivity: a constant, a share of the volume, and how much more in a mask
in which there is no confidence. Fitted on simulated scans of one seed, so that about 0.7 of the true volumes lie within one
and 0.92 within 1.96 uncertainties: faint blood is missed and staining taken for blood by as much."""

_EMPTY = Confidence(0.3, "nothing in the ROI lies within the window: faint blood would be missed")
"""Of an empty mask: fixed windows miss faint blood more often than there is none."""


@dataclass(frozen=True)
class RuleSigns:
    """Measurements of the mask of a window, none of which needs a reference.

    Args:
        volume_ml: Its volume.
        lower_ml: Volume with the lower bound 2 HU higher.
        upper_ml: Volume with the lower bound 2 HU lower.
        grown_ml: Volume when the ROI is grown by 5 mm.
        window_changed: Whether the grown ROI fires another row of the table.
        border_distance_hu: Distance of the SD from the nearest border of the table; infinite without a table.
        guessed: Whether the window was taken without any voxel to go by: the first mask has an SD of 0.
    """

    volume_ml: float
    lower_ml: float
    upper_ml: float
    grown_ml: float
    window_changed: bool
    border_distance_hu: float
    guessed: bool

    @property
    def bound_uncertainty_ml(self) -> float:
        """How far the volume changes when the lower bound moves by 2 HU: half of what lies between both, in mL."""
        return (self.upper_ml - self.lower_ml) / 2

    @property
    def window_uncertainty_ml(self) -> float:
        """One standard deviation in mL of what a window leaves open, calibrated on simulated scans.

        What the bound's 2 HU change and what may be mistaken for blood or missed, added as squares; the second part is
        ``0.3 mL + V x (0.3 + (1 - confidence))``.
        """
        mistaken_ml = _LEAST_ML + self.volume_ml * (_SURE_SHARE + _PER_DOUBT * (1 - rule_confidence(self).value))
        return math.hypot(self.bound_uncertainty_ml, mistaken_ml)


def grown_roi(roi: Roi, image: sitk.Image) -> Roi:
    """The ROI and everything within 5 mm of it in its slices, as far as the scan reaches.

    Args:
        roi: The ROI.
        image: The scan.
    """
    across = slice_axis(image)
    steps = [0 if axis == across else round(ROI_GROWTH_MM / spacing) for axis, spacing in enumerate(image.GetSpacing())]
    index, size = grown_box(roi.index, roi.mask.GetSize(), steps, image.GetSize())
    before = [a - b for a, b in zip(roi.index, index, strict=True)]
    after = [n - a - m for n, a, m in zip(size, before, roi.mask.GetSize(), strict=True)]
    grown = sitk.BinaryDilate(sitk.ConstantPad(roi.mask, before, after), steps, sitk.sitkBox)
    # Padding gives the grid another first index; a crop of the scan has the one that it must have.
    mask = sitk.Paste(empty_like(crop(image, index, size)), grown, size)
    return Roi(mask, index, roi.scan_size, roi.sources, roi.remarks)


def ml_of(mask: sitk.Image) -> float:
    """Volume of a mask in mL."""
    return voxels_to_ml(int(np.count_nonzero(sitk.GetArrayFromImage(mask))), mask)


def border_distance_hu(details: AdaptiveDetails | FixedThresholdDetails) -> float:
    """Distance of the SD from the nearest border of the table above 0; infinite where no table was asked."""
    if not isinstance(details, AdaptiveDetails) or details.manual:
        return math.inf
    borders = [rule.sd_up_to for rule in details.rules if math.isfinite(rule.sd_up_to) and rule.sd_up_to > 0]
    return min((abs(details.sd_hu - border) for border in borders), default=math.inf)


def rule_confidence(signs: RuleSigns) -> Confidence:
    """The confidence in the mask of a window, and what speaks most against it.

    Args:
        signs: What was measured of it.
    """
    if signs.volume_ml == 0:
        return _EMPTY
    spread = signs.bound_uncertainty_ml / signs.volume_ml
    growth = max(signs.grown_ml / signs.volume_ml - 1, 0.0)
    doubts = [
        Doubt(
            _PER_SPREAD * max(spread - _USUAL_SPREAD, 0),
            f"low contrast to the tissue around: 2 HU change the volume by {spread:.0%}",
        ),
        Doubt(
            _PER_GROWTH * min(growth, 1.0), f"an ROI 5 mm larger gives {growth:.0%} more: something else in it is as dense"
        ),
        Doubt(_CHANGED * signs.window_changed, "an ROI 5 mm larger fires another row of the rule table"),
        Doubt(_NEAR * (signs.border_distance_hu <= _NEAR_BORDER_HU), _near_words(signs)),
        Doubt(_GUESSED * signs.guessed, "the first threshold found nothing to measure: the window is a guess"),
    ]
    return weighed(_LOG_ODDS, doubts, "the volume hardly depends on ROI and window")


def _near_words(signs: RuleSigns) -> str:
    return f"the SD is {signs.border_distance_hu:.1f} HU from where another row of the rule table fires"
