"""The brain at about 1 x 1 x 3 mm beside its mirror image: what the search for hyperdense regions looks at."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk
from scipy import ndimage

from HTSegmentationLib.ct.geometry import (
    array_to_image,
    bounding_box,
    crop,
    grown_box,
    index_to_point_matrix,
    slice_axis,
    voxels_to_ml,
)
from HTSegmentationLib.segmenter import PreparedScan

_IN_PLANE_MM, _THROUGH_PLANE_MM = 1.0, 3.0
"""Voxel size of the copy, so that thin slices have no more noise than thick ones; thicker slices stay as they are."""

_SMOOTHING_MM = 1.2
"""Sigma of the Gaussian: noise of 8 HU falls below 3 HU, and a petechial patch of 4 mm keeps most of its density."""

_MARGIN_MM = 9.0
"""Room about the brain, in which the skull lies."""

_BONE_HU = 200.0
"""Outside the brain, what is above this is bone, or holds enough of it to lift its neighbours."""

_BONE_SHARE = 0.25
"""A voxel of the copy counts as bone from this share on; half would lose a thin table between two voxels."""

CALCIUM_HU = 100.0
"""No blood is denser than this; what is, and lies inside the brain, is calcium, contrast or metal."""

_CALCIUM_SHARE = 0.3
"""A voxel of the copy counts as calcium from this share on."""

_LEAST_WEIGHT = 0.05
"""Where less tissue than this is in reach of the Gaussian, no density is told."""

_KNOWN_WEIGHT = 0.5
"""The mirror image is known where it is tissue by half at least."""


@dataclass(frozen=True)
class BrainCopy:
    """The shrunk brain; all arrays (z, y, x) on one grid.

    Args:
        grid: The copy's grid; its values do not matter.
        density_hu: Smoothed HU of the tissue, bone and air left out of the mean; 0 where there is no tissue.
        mirrored_hu: The same of the mirror image's place; NaN where that is no tissue.
        tissue: Where there is tissue.
        depth_mm: Distance to the brain's border, slices above and below included; 0 outside.
        midline_mm: Signed distance to the plane of symmetry, above 0 on the patient's left.
        calcium: Inside the brain, voxels denser than any blood.
        bone: Voxels of the skull.
    """

    grid: sitk.Image
    density_hu: np.ndarray
    mirrored_hu: np.ndarray
    tissue: np.ndarray
    depth_mm: np.ndarray
    midline_mm: np.ndarray
    calcium: np.ndarray
    bone: np.ndarray

    @property
    def spacing_mm(self) -> tuple[float, ...]:
        """Voxel size along the arrays' axes (z, y, x)."""
        return self.grid.GetSpacing()[::-1]

    @property
    def slice_array_axis(self) -> int:
        """The array axis that runs across the slices."""
        return 2 - slice_axis(self.grid)

    @property
    def voxel_ml(self) -> float:
        """Volume of a voxel in mL."""
        return voxels_to_ml(1, self.grid)

    def points(self, indices: np.ndarray) -> np.ndarray:
        """Centres of voxels, given by their indices in the arrays, shape (n, 3), as LPS mm, shape (n, 3)."""
        return _points(indices, self.grid)


def copy_brain(prepared: PreparedScan, mirror: sitk.Transform) -> BrainCopy:
    """Shrinks and smooths a prepared scan, and lays its mirror image beside it.

    Args:
        prepared: The scan with its masks.
        mirror: From a point of the patient to its mirror image; see ``inference.symmetric.mirror_transform``.

    Example:
        >>> copy_brain(prepared, mirror_transform(prepared)).density_hu.shape   # doctest: +SKIP
        (30, 170, 140)
    """
    image = prepared.scan.image
    factors, box = _layout(image, prepared.brain_mask)
    own, brain, tissue = (crop(part, *box) for part in (image, prepared.brain_mask, prepared.tissue_mask))
    weight = _share(tissue, factors)
    spacing = weight.GetSpacing()[::-1]
    hu = sitk.GetArrayFromImage(sitk.BinShrink(sitk.Mask(sitk.Cast(own, sitk.sitkFloat32), tissue), factors))
    weights = _smoothed(sitk.GetArrayFromImage(weight), spacing)
    density = np.where(weights > _LEAST_WEIGHT, _smoothed(hu, spacing) / np.maximum(weights, _LEAST_WEIGHT), 0)
    inside = sitk.GetArrayFromImage(_share(brain, factors)) > 1 / 2
    present = sitk.GetArrayFromImage(weight) > 1 / 2
    return BrainCopy(
        grid=weight,
        density_hu=density.astype(np.float32),
        mirrored_hu=_mirrored(density, weights > _LEAST_WEIGHT, weight, mirror),
        tissue=present,
        # Padded, since the scan's end is the brain's border, too.
        depth_mm=ndimage.distance_transform_edt(np.pad(inside, 1), sampling=spacing)[1:-1, 1:-1, 1:-1].astype(np.float32),
        midline_mm=_midline_mm(weight, mirror),
        calcium=(sitk.GetArrayFromImage(_share((own > CALCIUM_HU) & brain, factors)) > _CALCIUM_SHARE) & inside,
        bone=sitk.GetArrayFromImage(_share((own > _BONE_HU) & (brain == 0), factors)) > _BONE_SHARE,
    )


def _layout(image: sitk.Image, brain: sitk.Image) -> tuple[list[int], tuple[tuple[int, ...], tuple[int, ...]]]:
    """By how much each axis is shrunk, and the box that is copied."""
    across = slice_axis(image)
    wanted = [_THROUGH_PLANE_MM if axis == across else _IN_PLANE_MM for axis in range(3)]
    factors = [max(1, round(mm / spacing)) for mm, spacing in zip(wanted, image.GetSpacing(), strict=True)]
    # Whole voxels of the copy on each side, or shrinking would cut the brain's last voxels off.
    pairs = zip(image.GetSpacing(), factors, strict=True)
    margin = [math.ceil(_MARGIN_MM / spacing / factor) * factor for spacing, factor in pairs]
    return factors, grown_box(*bounding_box(brain), margin, image.GetSize())


def _share(mask: sitk.Image, factors: list[int]) -> sitk.Image:
    return sitk.BinShrink(sitk.Cast(mask > 0, sitk.sitkFloat32), factors)


def _smoothed(array: np.ndarray, spacing: tuple[float, ...]) -> np.ndarray:
    return ndimage.gaussian_filter(array, [_SMOOTHING_MM / mm for mm in spacing], mode="constant", truncate=3.0)


def _mirrored(density: np.ndarray, known: np.ndarray, grid: sitk.Image, mirror: sitk.Transform) -> np.ndarray:
    there, weight = (
        sitk.GetArrayFromImage(sitk.Resample(array_to_image(array.astype(np.float32), grid), mirror))
        for array in (density * known, known)
    )
    return np.where(weight > _KNOWN_WEIGHT, there / np.maximum(weight, _KNOWN_WEIGHT), np.nan).astype(np.float32)


def _midline_mm(grid: sitk.Image, mirror: sitk.Transform) -> np.ndarray:
    """Half the way from each voxel to its mirror image; the mirror is affine, so the grid's corners tell all of it."""
    size = np.array(grid.GetSize()[::-1])
    first, *ends = (_half_way(index, grid, mirror) for index in np.vstack([np.zeros(3), np.diag(np.maximum(size - 1, 1))]))
    axes = np.meshgrid(*(np.arange(n) / max(n - 1, 1) for n in size), indexing="ij", sparse=True)
    return (first + sum(share * (end - first) for share, end in zip(axes, ends, strict=True))).astype(np.float32)


def _half_way(index: np.ndarray, grid: sitk.Image, mirror: sitk.Transform) -> float:
    point = _points(index[None], grid)[0]
    normal = _normal(mirror)
    return float(normal @ (point - np.array(mirror.TransformPoint(point.tolist())))) / 2


def _normal(mirror: sitk.Transform) -> np.ndarray:
    """The unit vector across the plane of symmetry, toward the patient's left (LPS)."""
    origin = np.array(mirror.TransformPoint((0.0, 0.0, 0.0)))
    moved = np.array([np.array(mirror.TransformPoint(unit)) - origin for unit in np.eye(3).tolist()]).T
    # A reflection is I - 2 n n': what it takes from the identity is n in every column.
    across = (np.eye(3) - moved)[:, 0]
    return across / np.linalg.norm(across)


def _points(array_indices: np.ndarray, grid: sitk.Image) -> np.ndarray:
    matrix = index_to_point_matrix(grid)
    return array_indices[:, ::-1] @ matrix[:3, :3].T + matrix[:3, 3]
