"""What the histogram shows of a result: the HU of the ROI, which of them were taken for blood, and between which bounds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import SimpleITK as sitk

from HTSegmentationModule.translation import tr as _

LOWEST_HU, HIGHEST_HU = 0, 120
"""The range that is drawn: from water to beyond the densest clot."""


@dataclass(frozen=True)
class HistogramContent:
    """One picture's worth of numbers.

    Args:
        counts: Voxels of each HU from LOWEST_HU to HIGHEST_HU, both included.
        marked: Those of them that are drawn in the bleed's colour.
        band: The bounds in HU, as a shade behind the bars; None for none.
        bracket: A range in HU, as a bracket above the bars; None for none.
        word: What the bracket is.
        meaning: What is drawn, for the tooltip.
    """

    counts: np.ndarray
    marked: np.ndarray
    band: tuple[float, float] | None
    bracket: tuple[float, float] | None
    word: str
    meaning: str


def contentOf(gathered: Any, result: Any) -> HistogramContent | None:
    """What a result's histogram shows; None for a method that has no bounds in HU, and without an ROI.

    Args:
        gathered: What the result was made from; None for none.
        result: The library's result; None for none.

    Example:
        >>> contentOf(gathered, result).band   # doctest: +SKIP
        (45.0, 75.0)
    """
    details = None if result is None else result.details
    if gathered is None or gathered.roi is None:
        return None
    if hasattr(details, "threshold_hu"):
        return _ofWindow(huCounts(gathered.prepared, gathered.roi), details)
    if hasattr(details, "background_hu"):
        return _ofContrast(gathered, result)
    return None


def huCounts(prepared: Any, roi: Any, mask: Any = None) -> np.ndarray:
    """Voxels of each whole HU of the drawn range in the ROI inside the brain.

    Args:
        prepared: The prepared scan.
        roi: The ROI on its grid.
        mask: Counts only what lies in this mask on the scan's grid, too; None counts all.

    Returns:
        Counts, one for each HU from LOWEST_HU to HIGHEST_HU, both included.
    """
    from HTSegmentationLib.ct.geometry import crop

    size = roi.mask.GetSize()
    image, brain = crop(prepared.scan.image, roi.index, size), crop(prepared.brain_mask, roi.index, size)
    inside = (sitk.GetArrayViewFromImage(roi.mask) > 0) & (sitk.GetArrayViewFromImage(brain) > 0)
    if mask is not None:
        part = crop(mask, roi.index, size)
        inside &= sitk.GetArrayViewFromImage(part) > 0
    values = np.rint(sitk.GetArrayViewFromImage(image)[inside]).astype(np.int64) - LOWEST_HU
    count = HIGHEST_HU - LOWEST_HU + 1
    return np.bincount(values[(values >= 0) & (values < count)], minlength=count)


def _ofWindow(counts: np.ndarray, details: Any) -> HistogramContent:
    """A threshold in HU, the same for every voxel of the ROI."""
    lower, upper = details.threshold_hu
    hu = np.arange(LOWEST_HU, HIGHEST_HU + 1)
    first = getattr(details, "first_threshold_hu", None)
    meaning = _("HU of all voxels that lie in the ROI and in the brain, unfiltered. Filled: the final threshold.")
    if first is not None:
        meaning += " " + _("Line above: the first threshold.")
    within = np.where((hu >= lower) & (hu <= upper), counts, 0)
    return HistogramContent(counts, within, (lower, upper), first, _("first threshold"), meaning)


def _ofContrast(gathered: Any, result: Any) -> HistogramContent:
    """A bound above the tissue around each voxel: in HU another one everywhere, so the mask's own voxels are marked."""
    details = result.details
    counts = huCounts(gathered.prepared, gathered.roi)
    marked = huCounts(gathered.prepared, gathered.roi, result.mask)
    meaning = _("HU of all voxels that lie in the ROI and in the brain, unfiltered. Filled: the voxels of the mask.")
    if details.bound is None or not marked.any():
        return HistogramContent(counts, marked, None, None, "", meaning)
    around, contrast = details.background_hu, details.bound.contrast_hu
    meaning += " " + _(
        "Line above: from the tissue around the bleed to the lower bound. Shaded: about the bounds in HU, since the lower "
        "one is a contrast to the tissue around each voxel of the smoothed scan. The mask reaches to both sides of it."
    )
    bracket, band = (around, around + contrast), (around + contrast, details.densest_hu)
    return HistogramContent(counts, marked, band, bracket, _("contrast {hu:.1f} HU").format(hu=contrast), meaning)
