"""The solid part of a bleed amid ribbons of dense tissue, which are likely staining."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from HTSegmentationLib.ct.geometry import slice_axis, voxels_to_ml
from HTSegmentationLib.threshold.robust.contrast import LocalContrast

_FADING_EDGE_HU_PER_MM = 7.2
"""Stained masks have fainter borders than this, at most 7.1 on the scans of the fitted seed; many of blood alone have
steeper ones, and nothing is left out of them."""

_SOLID_SIGMA_MM, _SOLID_SHARE = 2.0, 0.92
"""A voxel is solid where the mask fills this share of a Gaussian about it: clots do, gyri and petechiae hardly anywhere."""

_THICK_SLICE_MM = 3.0
"""Thicker slices are looked at one by one: a Gaussian across them would reach beyond what is known."""

_LEAST_CORE_ML = 3.0
"""A hematoma has a solid core of this volume; smaller ones are also found in confluent petechiae, of which all is blood."""

_SECOND_CORE = 0.2
"""And it is one: another core of more than this share makes petechiae, or staining everywhere, more likely."""

_RIM_MM = 4.0
"""A hematoma's rim reaches this far beyond its core. 4 and 5 mm differ by 0.001 in mean Dice, 7 mm costs 0.008."""

_MOST_KEPT = 0.75
"""Where core and rim are more than this share of the mask, the rest is the hematoma's own outline."""

_TOUCHING = np.ones((3, 3, 3), bool)


def solid_part(field: LocalContrast, mask: np.ndarray, edge_hu_per_mm: float) -> np.ndarray:
    """Leaves out what lies around a solid core where that is likely staining.

    Contrast agent in infarcted cortex can be as dense as blood, and no bound on the density tells the two. But a hematoma
    is solid, and what is stained are ribbons of grey matter. Where a mask with a faint border holds one solid core of 3 mL
    or more and much else, the core and the rim around it are kept. Each piece of the ROI is judged by itself.

    Args:
        field: The ROI's box.
        mask: The bleed, (z, y, x).
        edge_hu_per_mm: Mean gradient along its border.

    Returns:
        The mask, or a part of it.
    """
    if edge_hu_per_mm >= _FADING_EDGE_HU_PER_MM:
        return mask
    spacing = field.image.GetSpacing()[::-1]
    across = 2 - slice_axis(field.image)
    sigma = [
        0.0 if axis == across and step > _THICK_SLICE_MM else _SOLID_SIGMA_MM / step for axis, step in enumerate(spacing)
    ]
    pieces, _ = ndimage.label(field.roi, _TOUCHING)
    kept = mask.copy()
    for number, box in enumerate(ndimage.find_objects(pieces), start=1):
        own = mask[box] & (pieces[box] == number)
        filled = ndimage.gaussian_filter(own.astype(np.float32), sigma, mode="constant")
        core = _single_core(own & (filled >= _SOLID_SHARE))
        if voxels_to_ml(int(np.count_nonzero(core)), field.image) < _LEAST_CORE_ML:
            continue
        near = own & (ndimage.distance_transform_edt(~core, sampling=spacing) <= _RIM_MM)
        if np.count_nonzero(near) <= _MOST_KEPT * np.count_nonzero(own):
            kept[box] &= near | ~own
    return kept


def _single_core(solid: np.ndarray) -> np.ndarray:
    """The largest connected part of what is solid; nothing where another one is nearly as large."""
    cores, _ = ndimage.label(solid, _TOUCHING)
    sizes = np.bincount(cores.ravel())[1:]
    if sizes.size == 0:
        return solid
    largest = int(np.argmax(sizes))
    rivals = np.delete(sizes, largest)
    return (cores == largest + 1) & (rivals <= _SECOND_CORE * sizes[largest]).all()
