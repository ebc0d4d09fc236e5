"""What a grid leaves open in the volume of a mask."""

from __future__ import annotations

import math

import numpy as np
import SimpleITK as sitk

from HTSegmentationLib.ct.geometry import bounding_box, crop, slice_axis, voxels_to_ml

_UNIFORM_VARIANCE = 1 / 12
"""Variance of a number of which nothing is known but that it lies within an interval of length 1."""


def grid_uncertainty_ml(mask: sitk.Image) -> float:
    """One standard deviation, in mL, of what slices and voxels leave open in a volume.

    Two independent parts, added as squares:

    - where the bleed ends within its first and its last slice: ``hypot(A_first, A_last) x d / 2`` with the areas A of the
      mask in these slices and their distance d, as in the remark ``thick-slices`` of the threshold methods;
    - how much of each border voxel within slices is blood: ``v x sqrt(n / 12)`` for n border voxels of volume v, the share
      of blood in each being anything from none to all.

    What the method or the hand that drew the mask took for blood by mistake is not in it.

    Args:
        mask: Above zero in the bleed; (x, y, z).

    Returns:
        0 for an empty mask.

    Example:
        >>> mask = sitk.Image(20, 20, 4, sitk.sitkUInt8)
        >>> mask[5:15, 5:15, 1:3] = 1
        >>> round(grid_uncertainty_ml(mask), 4)   # hypot(100, 100) / 2 and sqrt(72 / 12) mm3
        0.0708
    """
    found = _slices_of(mask)
    if found is None:
        return 0.0
    slices, lesion = found
    border_ml = voxels_to_ml(1, lesion) * math.sqrt(_border_voxels(slices) * _UNIFORM_VARIANCE)
    return math.hypot(end_slices_uncertainty_ml(mask), border_ml)


def end_slices_uncertainty_ml(mask: sitk.Image) -> float:
    """The first part of :func:`grid_uncertainty_ml`: where the bleed ends within its first and its last slice, in mL."""
    found = _slices_of(mask)
    if found is None:
        return 0.0
    slices, lesion = found
    areas_ml = [voxels_to_ml(int(np.count_nonzero(slices[end])), lesion) for end in (0, -1)]
    # A slice's area times its thickness is its volume.
    return math.hypot(*areas_ml) / 2


def _slices_of(mask: sitk.Image) -> tuple[np.ndarray, sitk.Image] | None:
    """The mask's own box with the slices first, and as an image; None for an empty mask."""
    box = bounding_box(mask)
    if box is None:
        return None
    lesion = crop(mask, *box)
    return np.moveaxis(sitk.GetArrayFromImage(lesion) > 0, 2 - slice_axis(lesion), 0), lesion


def _border_voxels(slices: np.ndarray) -> int:
    """Voxels with a side in their slice that is not the mask's."""
    padded = np.pad(slices, ((0, 0), (1, 1), (1, 1)))
    inner = padded[:, :-2, 1:-1] & padded[:, 2:, 1:-1] & padded[:, 1:-1, :-2] & padded[:, 1:-1, 2:]
    return int(np.count_nonzero(slices & ~inner))
