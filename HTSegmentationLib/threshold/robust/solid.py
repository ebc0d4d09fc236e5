"""The solid core of a bleed amid ribbons of dense tissue, which are likely staining."""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk
from scipy import ndimage

from HTSegmentationLib.ct.geometry import slice_axis, voxels_to_ml
from HTSegmentationLib.threshold.robust.contrast import TOUCHING

_SOLID_SIGMA_MM, _SOLID_SHARE = 2.0, 0.92
"""A voxel is solid where the mask fills this share of a Gaussian about it: clots do, gyri and petechiae hardly anywhere."""

_THICK_SLICE_MM = 3.0
"""Thicker slices are looked at one by one: a Gaussian across them would reach beyond what is known."""

_LEAST_CORE_ML = 2.0
"""A hematoma has a solid core of this volume; smaller ones are also found in confluent petechiae, of which all is blood."""

_SECOND_CORE = 0.35
"""And it is one: another core of more than this share makes petechiae, or staining everywhere, more likely."""

_RIM_MM = 4.0
"""A hematoma's rim reaches this far beyond its core; 4 and 5 mm do alike."""

_MOST_KEPT = 0.75
"""Where core and rim are more than this share of the mask, the rest is the hematoma's own outline."""


def filled_share(mask: np.ndarray, image: sitk.Image, sigma_mm: float) -> np.ndarray:
    """The share of a Gaussian about each voxel that a mask fills, float32 (z, y, x); within slices alone if they are thick.

    Args:
        mask: The mask, (z, y, x).
        image: An image on its grid.
        sigma_mm: The Gaussian's sigma.
    """
    across = 2 - slice_axis(image)
    sigma = [
        0.0 if axis == across and step > _THICK_SLICE_MM else sigma_mm / step
        for axis, step in enumerate(image.GetSpacing()[::-1])
    ]
    return ndimage.gaussian_filter(mask.astype(np.float32), sigma, mode="constant")


def solid_part(mask: np.ndarray, image: sitk.Image) -> np.ndarray:
    """The solid core of a mask and the rim around it; all of the mask where it has not one such core and much else.

    Args:
        mask: The mask, (z, y, x).
        image: An image on its grid.
    """
    core = _single_core(mask & (filled_share(mask, image, _SOLID_SIGMA_MM) >= _SOLID_SHARE))
    if voxels_to_ml(int(np.count_nonzero(core)), image) < _LEAST_CORE_ML:
        return mask
    near = mask & (ndimage.distance_transform_edt(~core, sampling=image.GetSpacing()[::-1]) <= _RIM_MM)
    return near if np.count_nonzero(near) <= _MOST_KEPT * np.count_nonzero(mask) else mask


def _single_core(solid: np.ndarray) -> np.ndarray:
    """The largest connected part of what is solid; nothing where another one is nearly as large."""
    cores, _ = ndimage.label(solid, TOUCHING)
    sizes = np.bincount(cores.ravel())[1:]
    if sizes.size == 0:
        return solid
    largest = int(np.argmax(sizes))
    rivals = np.delete(sizes, largest)
    return (cores == largest + 1) & (rivals <= _SECOND_CORE * sizes[largest]).all()
