"""Closing of holes within slices."""

from __future__ import annotations

import SimpleITK as sitk

from HTSegmentationLib.ct.geometry import bounding_box, crop, slice_axis


def closed_in_slices(mask: sitk.Image, allowed: sitk.Image, diameter_voxels: int) -> sitk.Image:
    """Fills holes and gaps narrower than a disc, slice by slice, and nothing outside ``allowed``.

    Across slices the same kernel would reach 16 to 20 mm, so it is kept within them.

    Args:
        mask: 0 and 1, ``sitkUInt8``.
        allowed: 0 and 1 on the same grid: the ROI inside the brain.
        diameter_voxels: Diameter of the disc in voxels; its radius is half of it, rounded down. Below 2 nothing is done.

    Returns:
        0 and 1, ``sitkUInt8``, on the same grid.

    Source: the adaptive-threshold paper, section 2.2 ("kernel size = 4, to fill holes").
    """
    radius = [diameter_voxels // 2] * 3
    radius[slice_axis(mask)] = 0
    if max(radius) == 0:
        return mask
    box = bounding_box(mask)
    if box is None:
        return mask
    # Closing changes nothing outside the mask's own box. The filter's safe border pads it, so that a mask at the box's edge
    # is closed as it would be inside.
    closed = sitk.BinaryMorphologicalClosing(crop(mask, *box), radius, sitk.sitkBall, 1.0, True)
    return sitk.Paste(mask, closed, closed.GetSize(), destinationIndex=box[0]) & allowed
