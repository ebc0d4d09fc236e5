"""How far the surfaces of two masks lie apart."""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk
from scipy import ndimage
from scipy.spatial import cKDTree

from HTSegmentationLib.ct.geometry import bounding_box, crop, index_to_point_matrix
from HTSegmentationLib.measure.mask import require_same_grid

_PERCENTILE = 95
"""The share (%) of surface voxels that lie no further than the distance given: the farthest 5% may be outliers."""

_FACES = ndimage.generate_binary_structure(3, 1)
"""A voxel belongs to the surface if a voxel at one of its six faces is outside."""


def hd95_mm(mask: sitk.Image, reference: sitk.Image, label: int = 1) -> float | None:
    """The 95th percentile of the Hausdorff distance of one label of two masks.

    From each surface voxel of the one, the distance to the nearest surface voxel of the other is taken, between the voxels'
    centres, in mm of the patient; of the two directions' 95th percentiles (interpolated linearly) the larger one counts.
    What touches the border of the image has a surface there, too.

    Args:
        mask: Label values, (x, y, z), LPS; sheared grids included.
        reference: The truth, on the same grid.
        label: The value to compare.

    Returns:
        The distance in mm; 0 if both are empty, None if one is: there is no distance to nothing.

    Raises:
        UsageError: The masks lie on different grids.

    Example:
        >>> mask, reference = sitk.Image(9, 9, 1, sitk.sitkUInt8), sitk.Image(9, 9, 1, sitk.sitkUInt8)
        >>> mask[2, 4, 0] = 1
        >>> reference[5, 4, 0] = 1
        >>> hd95_mm(mask, reference)
        3.0
    """
    require_same_grid(mask, reference, "mask", "reference")
    one, other = _surface_points(mask, label), _surface_points(reference, label)
    if one is None and other is None:
        return 0.0
    if one is None or other is None:
        return None
    there, back = cKDTree(other).query(one)[0], cKDTree(one).query(other)[0]
    return float(max(np.percentile(there, _PERCENTILE), np.percentile(back, _PERCENTILE)))


def _surface_points(mask: sitk.Image, label: int) -> np.ndarray | None:
    """Centres of the surface's voxels in mm (n, 3); None for an empty mask."""
    box = bounding_box(mask == label)
    if box is None:
        return None
    inside = sitk.GetArrayFromImage(crop(mask, *box)) == label
    surface = inside & ~ndimage.binary_erosion(inside, _FACES)
    return (np.argwhere(surface)[:, ::-1] + np.array(box[0])) @ index_to_point_matrix(mask)[:3, :3].T
