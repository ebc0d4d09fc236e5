"""A small copy of a scan in which bone outweighs all else: what two scans of one head are aligned on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk
from scipy import ndimage

from HTSegmentationLib.ct.geometry import array_to_image, corner_points, index_to_point_matrix, points_to_index, voxels_to_ml
from HTSegmentationLib.errors import SegmentationError

BONE_HU = 300.0
"""Above it is bone, even thin bone that a thick slice blurs; no blood and no brain is."""

STEP_MM = 2.5
"""Edge of the copy's cubes: half of a usual slice distance, so that nothing of a skull's shape is lost."""

_WINDOW_HU = (-150.0, 900.0)
"""The copy's values are cut to these. Skin against air and bone against the rest stand out; blood and oedema, which differ
from scan to scan, are a thirtieth of it, and metal counts for no more than bone."""

_ROUND_THE_SKULL_MM = 12.0
"""Skin and the air before it count; what is further off the skull (table, pillow, tubes) does not."""

_LEAST_SKULL_ML = 20.0
"""Less bone than this in one piece cannot be aligned; a whole skull has some 500 mL."""

_AIR_HU = -1000.0
"""Outside the scan; marked as such, and counted nowhere."""

_TOUCHING = np.ones((3, 3, 3), dtype=bool)
"""Voxels that touch at a corner hang together."""


@dataclass(frozen=True, eq=False)
class HeadCopy:
    """A head on a grid of cubes along the patient's axes.

    Args:
        image: HU within the window, smoothed, ``sitkFloat32``.
        covered: Where the scan reaches; booleans (z, y, x).
        head: Skull, what it holds, and what is round about it, as far as the scan reaches; booleans (z, y, x).
        skull: Bone in one piece; booleans (z, y, x).
    """

    image: sitk.Image
    covered: np.ndarray
    head: np.ndarray
    skull: np.ndarray

    @classmethod
    def of(cls, image: sitk.Image) -> HeadCopy:
        """Copies a scan.

        Args:
            image: HU (x, y, z), of any direction and spacing.

        Raises:
            SegmentationError: The scan holds no skull.

        Example:
            >>> HeadCopy.of(read_ct("head.nii.gz").image).image.GetSpacing()   # doctest: +SKIP
            (2.5, 2.5, 2.5)
        """
        small, covered = _on_cubes(image)
        values = sitk.GetArrayFromImage(small)
        skull = _largest((values > BONE_HU) & covered)
        if voxels_to_ml(int(np.count_nonzero(skull)), small) < _LEAST_SKULL_ML:
            raise SegmentationError(
                f"the scan holds no {_LEAST_SKULL_ML:g} mL of bone in one piece to align it by; check that it is a head CT"
            )
        off = sitk.SignedMaurerDistanceMap(array_to_image(skull, small), False, False, True)
        head = sitk.GetArrayFromImage(off) < _ROUND_THE_SKULL_MM
        for section in head:
            section[:] = ndimage.binary_fill_holes(section)
        windowed = array_to_image(np.clip(values, *_WINDOW_HU), small)
        return cls(sitk.SmoothingRecursiveGaussian(windowed, STEP_MM / 2), covered, head & covered, skull)

    def shrunk(self, factor: int) -> HeadCopy:
        """The same on cubes ``factor`` times as long."""
        image = sitk.BinShrink(self.image, [factor] * 3)
        parts = []
        for part in (self.covered, self.head, self.skull):
            share = sitk.BinShrink(array_to_image(part.astype(np.float32), self.image), [factor] * 3)
            parts.append(sitk.GetArrayFromImage(share) >= 0.5)  # noqa: PLR2004  (half a cube and more)
        return HeadCopy(image, *parts)

    def points(self, indices: np.ndarray) -> np.ndarray:
        """LPS points in mm of indices (z, y, x), which need not be whole; shape (n, 3)."""
        matrix = index_to_point_matrix(self.image)
        return indices[:, ::-1] @ matrix[:3, :3].T + matrix[:3, 3]

    def indices(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Indices (z, y, x) of LPS points, shape (3, n), of those that the scan covers; and which these are."""
        places = points_to_index(points, self.image)[:, ::-1]
        nearest = np.rint(places).astype(int)
        reached = ((places >= 0) & (places <= np.array(self.covered.shape) - 1)).all(axis=1)
        reached[reached] = self.covered[tuple(nearest[reached].T)]
        return places[reached].T, reached


def _on_cubes(image: sitk.Image) -> tuple[sitk.Image, np.ndarray]:
    """HU on cubes about the whole scan, and where the scan reaches."""
    factors = [max(1, int(STEP_MM // spacing)) for spacing in image.GetSpacing()]
    small = sitk.Cast(sitk.BinShrink(image, factors), sitk.sitkFloat32)
    low, high = (extreme(corner_points(image), axis=0) for extreme in (np.min, np.max))
    grid = sitk.Image([int(count) for count in np.ceil((high - low) / STEP_MM)], sitk.sitkFloat32)
    grid.SetSpacing([STEP_MM] * 3)
    grid.SetOrigin((low + STEP_MM / 2).tolist())
    # Beyond the scan its edge goes on, so that smoothing makes no edge where only the scan ends.
    cubes = sitk.Resample(small, grid, sitk.Transform(), sitk.sitkLinear, _AIR_HU, sitk.sitkFloat32, True)
    ones = sitk.Cast(small, sitk.sitkUInt8) * 0 + 1
    covered = sitk.Resample(ones, grid, sitk.Transform(), sitk.sitkNearestNeighbor, 0)
    return cubes, sitk.GetArrayFromImage(covered) > 0


def _largest(bone: np.ndarray) -> np.ndarray:
    parts, count = ndimage.label(bone, _TOUCHING)
    if count == 0:
        return bone
    return parts == 1 + np.argmax(np.bincount(parts.ravel())[1:])
