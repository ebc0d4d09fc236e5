"""Which voxels count in a comparison: those of an ROI, of the brain, or of the whole image.

Sensitivity, specificity and AUC depend on how much healthy tissue is counted: on a whole head the specificity of any small
mask is 1.
"""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk

from HTSegmentationLib.ct.geometry import crop
from HTSegmentationLib.errors import UsageError
from HTSegmentationLib.measure.mask import require_same_grid
from HTSegmentationLib.measure.pair import MaskPair
from HTSegmentationLib.roi import Roi

Domain = Roi | sitk.Image | None
"""An ROI, a mask of the brain (above zero inside the skull), or None for the whole image."""


def only_domain(mask: sitk.Image, roi: Roi | None, brain: sitk.Image | None) -> Domain:
    """The one domain that is given, checked.

    Raises:
        UsageError: Both are given, or the brain mask lies on another grid.
        ROIError: The ROI was made for another grid.
    """
    if roi is not None and brain is not None:
        raise UsageError("voxels are counted in an ROI or in the brain; give one of the two")
    domain = brain if roi is None else roi
    require_domain(mask, domain)
    return domain


def require_domain(mask: sitk.Image, domain: Domain) -> None:
    """Checks that a domain lies on the grid of the mask.

    Raises:
        UsageError: The brain mask does not.
        ROIError: The ROI was made for another grid.
    """
    if isinstance(domain, Roi):
        domain.require_grid(mask)
    elif domain is not None:
        require_same_grid(domain, mask, "brain mask", "mask")


def domain_name(domain: Domain) -> str:
    """``"ROI"``, ``"brain"`` or ``"image"``."""
    if domain is None:
        return "image"
    return "ROI" if isinstance(domain, Roi) else "brain"


def domain_voxels(pair: MaskPair, domain: Domain) -> int:
    """How many voxels of the scan the domain holds."""
    if domain is None:
        return int(np.prod(pair.scan_size, dtype=np.int64))
    if isinstance(domain, Roi):
        return domain.voxel_count
    return int(np.count_nonzero(sitk.GetArrayViewFromImage(domain) > 0))


def inside_box(pair: MaskPair, domain: Domain) -> np.ndarray:
    """Which voxels of the pair's box lie in the domain; booleans (z, y, x)."""
    if isinstance(domain, Roi):
        return _roi_in_box(pair, domain)
    if domain is None:
        return np.ones(pair.found.shape, dtype=bool)
    return sitk.GetArrayFromImage(crop(domain, pair.index, pair.grid.GetSize())) > 0


def values_inside(image: sitk.Image, domain: Domain) -> np.ndarray:
    """The values of an image on the scan's grid in the domain, in one row."""
    if isinstance(domain, Roi):
        cut = sitk.GetArrayFromImage(crop(image, domain.index, domain.mask.GetSize()))
        return cut[sitk.GetArrayViewFromImage(domain.mask) > 0]
    values = sitk.GetArrayViewFromImage(image)
    return values.ravel() if domain is None else values[sitk.GetArrayViewFromImage(domain) > 0]


def _roi_in_box(pair: MaskPair, roi: Roi) -> np.ndarray:
    """The ROI is kept as its own box; what both boxes share is put in its place."""
    inside = np.zeros(pair.found.shape, dtype=bool)
    here, there = [], []
    for ours, theirs, size, its in zip(pair.index, roi.index, pair.grid.GetSize(), roi.mask.GetSize(), strict=True):
        first, last = max(ours, theirs), min(ours + size, theirs + its)
        if first >= last:
            return inside
        here.insert(0, slice(first - ours, last - ours))
        there.insert(0, slice(first - theirs, last - theirs))
    inside[tuple(here)] = sitk.GetArrayViewFromImage(roi.mask)[tuple(there)] > 0
    return inside
