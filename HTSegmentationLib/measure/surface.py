"""How far the surfaces of two masks lie apart."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
import SimpleITK as sitk
from scipy.spatial import cKDTree

from HTSegmentationLib.ct.geometry import index_to_point_matrix
from HTSegmentationLib.measure.pair import MaskPair

_PERCENTILE = 95
"""The share (%) of surface voxels that lie no further than the distance given: the farthest 5% may be outliers."""


@dataclass(frozen=True)
class SurfaceDistances:
    """The distances of two surfaces; both empty: 0, one empty: None, for there is no distance to nothing.

    Args:
        hd95_mm: 95th percentile of the Hausdorff distance in mm: the larger one of both directions' percentiles.
        mean_mm: Mean of all distances of both directions in mm (average symmetric surface distance).
    """

    hd95_mm: float | None
    mean_mm: float | None

    def as_dict(self) -> dict[str, float | None]:
        """The measurements as plain values, for JSON and tables."""
        return asdict(self)


def measure_surfaces(
    mask: sitk.Image, reference: sitk.Image, label: int = 1, reference_label: int | None = None
) -> SurfaceDistances:
    """The distances between the surfaces of one label of two masks.

    From each surface voxel of the one, the distance to the nearest surface voxel of the other is taken, between the voxels'
    centres, in mm of the patient. The 95th percentile is interpolated linearly, and of the two directions the larger one
    counts. The mean is the sum of both directions' distances over the number of both surfaces' voxels: Heimann et al., IEEE
    Trans Med Imaging 2009;28:1251-1265. Each surface voxel counts the same, whatever the area it stands for. A voxel belongs
    to the surface if a voxel at one of its six faces is outside; what touches the border of the image has a surface there,
    too.

    Args:
        mask: Label values, (x, y, z), LPS; sheared grids included.
        reference: The truth, on the same grid.
        label: The value to compare.
        reference_label: Its value in the reference; the same if None.

    Raises:
        UsageError: The masks lie on different grids.

    Example:
        >>> mask, reference = sitk.Image(9, 9, 1, sitk.sitkUInt8), sitk.Image(9, 9, 1, sitk.sitkUInt8)
        >>> mask[2, 4, 0] = 1
        >>> reference[4:6, 4, 0] = 1
        >>> found = measure_surfaces(mask, reference)
        >>> round(found.mean_mm, 2), round(found.hd95_mm, 2)
        (2.33, 2.95)
    """
    return surfaces_of(MaskPair.of(mask, reference, label, reference_label))


def hd95_mm(mask: sitk.Image, reference: sitk.Image, label: int = 1) -> float | None:
    """The 95th percentile of the Hausdorff distance of one label of two masks; see :func:`measure_surfaces`.

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
    return measure_surfaces(mask, reference, label).hd95_mm


def surfaces_of(pair: MaskPair) -> SurfaceDistances:
    """The distances between the surfaces of a pair."""
    one, other = _surface(pair.found), _surface(pair.true)
    if not one.any() or not other.any():
        same = None if one.any() or other.any() else 0.0
        return SurfaceDistances(same, same)
    steps = index_to_point_matrix(pair.grid)[:3, :3].T
    there, back = _distances(one, other, steps), _distances(other, one, steps)
    farthest = max(np.percentile(there, _PERCENTILE), np.percentile(back, _PERCENTILE))
    return SurfaceDistances(float(farthest), float((there.sum() + back.sum()) / (there.size + back.size)))


def _surface(inside: np.ndarray) -> np.ndarray:
    """The voxels with a face to the outside; slices of the array are far quicker than a general erosion."""
    padded = np.pad(inside, 1)
    middle = slice(1, -1)
    interior = inside.copy()
    for axis in range(3):
        for shift in (slice(None, -2), slice(2, None)):
            part = [middle] * 3
            part[axis] = shift
            interior &= padded[tuple(part)]
    return inside & ~interior


def _distances(surface: np.ndarray, to: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """The distance in mm of each surface voxel to the nearest of the other; those in both need no search."""
    distances = np.zeros(np.count_nonzero(surface))
    apart = surface & ~to
    if apart.any():
        tree = cKDTree(_points(to, steps), balanced_tree=False)
        distances[: np.count_nonzero(apart)] = tree.query(_points(apart, steps))[0]
    return distances


def _points(voxels: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """Centres of voxels in mm from the box's corner (n, 3)."""
    return np.argwhere(voxels)[:, ::-1].astype(np.float64) @ steps
