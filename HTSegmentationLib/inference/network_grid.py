"""The grid on which a network sees a scan, and the ways there and back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import SimpleITK as sitk
from scipy import ndimage

from HTSegmentationLib.ct.geometry import corner_points, points_to_index

_WHOLE_VOXEL = 1e-3
"""A head that reaches less than this share of a voxel into the next one does not need it."""


@dataclass(frozen=True)
class NetworkGrid:
    """A grid in the patient, along the scan's own axes.

    Args:
        size: Voxels (x, y, z).
        spacing: Their distances in mm.
        origin: The first voxel's centre, LPS mm.
        direction: Direction cosines, as SimpleITK has them.
        on_scan_voxels: Whether its voxel centres are those of the scan, so that nothing is interpolated.
    """

    size: tuple[int, ...]
    spacing: tuple[float, ...]
    origin: tuple[float, ...]
    direction: tuple[float, ...]
    on_scan_voxels: bool

    def resample(self, image: sitk.Image, outside: float, transform: sitk.Transform | None = None) -> np.ndarray:
        """An image's values on this grid, linear between voxels.

        Args:
            image: Any image of the same patient.
            outside: The value beyond the image.
            transform: From points of this grid to points of the image, LPS mm; None when they are the same.

        Returns:
            float32 (z, y, x).
        """
        exact = self.on_scan_voxels and transform is None
        interpolator = sitk.sitkNearestNeighbor if exact else sitk.sitkLinear
        moved = sitk.Transform() if transform is None else transform
        place = (self.origin, self.spacing, self.direction)
        placed = sitk.Resample(image, self.size, moved, interpolator, *place, outside, sitk.sitkFloat32)
        return sitk.GetArrayFromImage(placed)

    def image(self, array: np.ndarray) -> sitk.Image:
        """An array (z, y, x) of values on this grid as an image."""
        image = sitk.GetImageFromArray(array)
        return self._placed(image)

    def back(self, array: np.ndarray, grid: sitk.Image, outside: float) -> np.ndarray:
        """Values on this grid (z, y, x) as values on another one, linear between voxels; ``outside`` beyond this grid."""
        interpolator = sitk.sitkNearestNeighbor if self.on_scan_voxels else sitk.sitkLinear
        placed = sitk.Resample(self.image(array), grid, sitk.Transform(), interpolator, outside, sitk.sitkFloat32)
        return sitk.GetArrayFromImage(placed)

    def cut(self, index: Sequence[int], size: Sequence[int]) -> NetworkGrid:
        """The grid of the box from ``index`` (x, y, z), ``size`` voxels long; it may reach beyond this grid."""
        origin = self._placed(sitk.Image(1, 1, 1, sitk.sitkUInt8)).TransformIndexToPhysicalPoint([int(n) for n in index])
        return replace(self, origin=origin, size=tuple(int(n) for n in size))

    def box_of(self, part: sitk.Image) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """First index and size (x, y, z) of this grid's smallest box that holds all of another image, its edges included."""
        corners = points_to_index(corner_points(part), self._placed(sitk.Image(1, 1, 1, sitk.sitkUInt8)))
        first = np.ceil(corners.min(axis=0) - 0.5 + _WHOLE_VOXEL).astype(int)
        last = np.floor(corners.max(axis=0) + 0.5 - _WHOLE_VOXEL).astype(int)
        first, last = np.maximum(first, 0), np.minimum(last, np.array(self.size) - 1)
        return tuple(map(int, first)), tuple(map(int, last - first + 1))

    def needed_for(self, mask: sitk.Image) -> np.ndarray:
        """Which voxels of this grid the way back to a mask's own grid reads.

        Args:
            mask: Voxels above zero are those whose values are wanted; its axes are this grid's in any order.

        Returns:
            Booleans (z, y, x); exact for masks as thin as one voxel.
        """
        frame = self._placed(sitk.Image(1, 1, 1, sitk.sitkUInt8))
        turned = sitk.DICOMOrient(mask, sitk.DICOMOrientImageFilter.GetOrientationFromDirectionCosines(self.direction))
        array = sitk.GetArrayFromImage(turned) > 0
        for axis, own_size in enumerate(self.size):
            steps = np.zeros((turned.GetSize()[axis], 3), dtype=int)
            steps[:, axis] = np.arange(len(steps))
            points = np.array([turned.TransformIndexToPhysicalPoint(step.tolist()) for step in steps])
            near = np.clip(np.rint(points_to_index(points, frame)[:, axis]).astype(int), -1, own_size)
            places, starts = np.unique(near, return_index=True)
            inside = (places >= 0) & (places < own_size)
            found = np.logical_or.reduceat(array, starts, axis=2 - axis).compress(inside, axis=2 - axis)
            shape = list(found.shape)
            shape[2 - axis] = own_size
            array = np.zeros(shape, dtype=bool)
            array[tuple(places[inside] if n == 2 - axis else slice(None) for n in range(3))] = found
        return ndimage.binary_dilation(array, np.ones((3, 3, 3), dtype=bool))

    def _placed(self, image: sitk.Image) -> sitk.Image:
        image.SetSpacing(self.spacing)
        image.SetOrigin(self.origin)
        image.SetDirection(self.direction)
        return image


def network_grid(
    image: sitk.Image,
    orientation: str = "LPS",
    spacing_mm: Sequence[float | None] = (None, None, None),
    size: Sequence[int] | None = None,
) -> NetworkGrid:
    """The grid that covers a whole scan as a network wants to see it.

    Its axes are those of the scan, put in the order and turned to the ends that ``orientation`` names; a head that lay
    oblique in the scanner stays so, as in the scans that networks were trained on. Its outer edges are the scan's, with
    less than a voxel of surplus shared by both ends.

    Args:
        image: The scan.
        orientation: Where x, y and z rise to: three letters of L or R, A or P, S or I in any order.
        spacing_mm: Distances (x, y, z) in mm on the oriented axes; None keeps the scan's.
        size: Voxels (x, y, z) into which the whole scan is resized; None follows from the spacing.

    Example:
        >>> grid = network_grid(sitk.Image(100, 100, 20, sitk.sitkInt16), spacing_mm=(2, 2, None))
        >>> grid.size, grid.spacing
        ((50, 50, 20), (2.0, 2.0, 1.0))
    """
    frame = sitk.Image(image.GetSize(), sitk.sitkUInt8)
    frame.CopyInformation(image)
    turned = sitk.DICOMOrient(frame, orientation)
    # The second corner of each pair in this order lies one edge further along x, y and z.
    corners = corner_points(turned)
    edges = corners[[4, 2, 1]] - corners[0]
    lengths = np.linalg.norm(edges, axis=1)
    own = np.array(turned.GetSize())
    if size is not None:
        count = np.array(size)
        spacing = lengths / count
    else:
        spacing = np.array([given or kept for given, kept in zip(spacing_mm, turned.GetSpacing(), strict=True)], dtype=float)
        wanted = np.ceil(lengths / spacing - _WHOLE_VOXEL).astype(int)
        kept = np.array([given is None for given in spacing_mm])
        count = np.where(kept, own, np.maximum(wanted, 1))
    axes = np.array(turned.GetDirection()).reshape(3, 3)
    middle = corners.mean(axis=0)
    origin = middle - axes @ (spacing * (count - 1) / 2)
    same = bool(np.array_equal(count, own) and np.allclose(spacing, turned.GetSpacing(), rtol=_WHOLE_VOXEL / own.max()))
    return NetworkGrid(
        tuple(int(n) for n in count),
        tuple(float(s) for s in (turned.GetSpacing() if same else spacing)),
        turned.GetOrigin() if same else tuple(float(o) for o in origin),
        turned.GetDirection(),
        same,
    )
