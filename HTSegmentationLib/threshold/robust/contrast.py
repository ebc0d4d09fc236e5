"""How much denser each voxel is than the tissue around it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import SimpleITK as sitk
from scipy import ndimage

from HTSegmentationLib.ct.geometry import crop, grown_box, slice_axis
from HTSegmentationLib.roi import Roi
from HTSegmentationLib.segmenter import PreparedScan
from HTSegmentationLib.threshold.region import require_inside_skull, require_roi
from HTSegmentationLib.threshold.robust.parameters import RobustParameters
from HTSegmentationLib.threshold.tissue_model import TissueModel

TOUCHING = np.ones((3, 3, 3), bool)
"""Voxels that touch at a face, an edge or a corner belong together."""

_CELL_MM = 2.0
"""The tissue around is measured on cells of this width: it varies over centimetres."""

_REACH_SIGMAS = 3.0
"""Beyond this many sigmas of the background's Gaussian tissue does not count."""

_THICK_SLICE_MM = 2.5
"""From this slice distance on, a Gaussian across slices would mix tissue with what lies 3 mm away: it is left out."""

_FLUID_BELOW_WHITE_HU = 13.0
"""Tissue this much darker than white matter is mostly CSF and no part of the background; infarcts lie above it."""

_HOT_ABOVE_GREY_HU = 6.0
"""What is this much denser than grey matter is no background, wherever it lies."""

_HOT_CONTRAST_HU = 9.0
"""What is this much denser than its surroundings is no background: about half the contrast of faint blood."""

_HALO_MM = 1.0
"""So far beside hot tissue partial volume lifts the background."""

_CALCIUM_HALO_MM = 1.6
"""So far beside a dense core the scanner's blur and partial volume lift tissue to the density of blood."""

_CALCIUM_VOXELS = 3
"""A core of calcium has this many voxels; one or two are noise in dense blood."""

_LEAST_WEIGHT = 0.02
"""Cells with less tissue than this within reach take the median of the others."""

_HALF = 0.5
"""A cell belongs to what fills half of it; its border lies half a cell from its middle."""

ANOTHER_SLICE_MM = 1000.0
"""Other slices are farther away than anything in the own one."""


@dataclass(frozen=True)
class LocalContrast:
    """Arrays (z, y, x) on the ROI's bounding box.

    Args:
        image: The scan's own HU there, as an image on its grid.
        smoothed: HU smoothed within slices, inside tissue alone.
        background: HU of the brain tissue around each voxel, without blood, fluid and calcium.
        contrast: ``smoothed - background``.
        tissue: Brain tissue in the ROI, without bone's rim and without voxels denser than blood.
        depth_mm: Distance within the slice to the border of the tissue, to about 1 mm.
        roi: The ROI.
        inside: The ROI inside the skull, calcium included.
        index: First index (x, y, z) of the box in the scan.
    """

    image: sitk.Image
    smoothed: np.ndarray
    background: np.ndarray
    contrast: np.ndarray
    tissue: np.ndarray
    depth_mm: np.ndarray
    roi: np.ndarray
    inside: np.ndarray
    index: tuple[int, int, int]

    @cached_property
    def pieces(self) -> tuple[np.ndarray, int]:
        """Number of the piece of the ROI that each voxel lies in, 0 outside, and how many there are."""
        return (self.roi.astype(np.int32), 1) if self.roi.all() else ndimage.label(self.roi, TOUCHING)


def local_contrast(
    prepared: PreparedScan, roi: Roi | None, model: TissueModel, parameters: RobustParameters
) -> LocalContrast:
    """Measures the contrast of each voxel of the ROI to the tissue around it.

    The background is the mean of brain tissue weighted by a Gaussian; hot tissue and its halo are left out in a second
    pass. It is measured beyond the ROI, so that it does not depend on how the ROI was drawn.

    Raises:
        ROIError: The ROI is missing, on another grid, or holds no voxel inside the skull.
    """
    image = prepared.scan.image
    roi = require_roi(roi, image)
    reach_mm = _REACH_SIGMAS * parameters.background_mm + _HALO_MM
    margin = [math.ceil(reach_mm / spacing) for spacing in image.GetSpacing()]
    start, length = grown_box(roi.index, roi.mask.GetSize(), margin, image.GetSize())
    part = sitk.Cast(crop(image, start, length), sitk.sitkFloat32)
    inside = crop(prepared.tissue_mask, start, length)
    values = sitk.GetArrayFromImage(part)
    cells = _Cells(part, values.shape)
    within = (sitk.GetArrayFromImage(inside) > 0) & np.isfinite(values)
    dense = within & (values > parameters.densest_hu)
    soft = within & ~dense & ~cells.widened(_connected(dense), _CALCIUM_HALO_MM)
    smoothed = _smoothed(values, soft, part, parameters)
    background = _background(smoothed, soft, cells, model, parameters)
    depth = cells.depth_mm(within)
    inner = tuple(
        slice(first - begin, first - begin + size)
        for first, begin, size in zip(roi.index[::-1], start[::-1], roi.mask.GetSize()[::-1], strict=True)
    )
    require_inside_skull(roi.mask & crop(prepared.tissue_mask, roi.index, roi.mask.GetSize()))
    mask = sitk.GetArrayFromImage(roi.mask) > 0
    smoothed, background, depth, soft = (array[inner] for array in (smoothed, background, depth, soft))
    return LocalContrast(
        image=crop(image, roi.index, roi.mask.GetSize()),
        smoothed=smoothed,
        background=background,
        contrast=smoothed - background,
        tissue=soft & mask,
        depth_mm=depth,
        roi=mask,
        inside=within[inner] & mask,
        index=roi.index,
    )


def _smoothed(values: np.ndarray, soft: np.ndarray, grid: sitk.Image, parameters: RobustParameters) -> np.ndarray:
    """A Gaussian that sees tissue alone: smoothed values over smoothed weights, so that bone and air lend it nothing."""
    across = slice_axis(grid)
    spacing = grid.GetSpacing()
    sigmas = [
        0.0 if axis == across and spacing[axis] >= _THICK_SLICE_MM else parameters.smoothing_mm / spacing[axis]
        for axis in range(3)
    ][::-1]
    weights = soft.astype(np.float32)
    blurred, weight = (
        ndimage.gaussian_filter(array, sigmas, truncate=_REACH_SIGMAS) for array in (np.where(soft, values, 0), weights)
    )
    return blurred / np.maximum(weight, _LEAST_WEIGHT)


def _connected(dense: np.ndarray) -> np.ndarray:
    """Dense voxels without those that stand alone: noise in blood."""
    labels, count = ndimage.label(dense)
    return (np.bincount(labels.ravel(), minlength=count + 1) >= _CALCIUM_VOXELS)[labels] & dense


def _background(
    smoothed: np.ndarray, soft: np.ndarray, cells: _Cells, model: TissueModel, parameters: RobustParameters
) -> np.ndarray:
    """HU of the tissue around each voxel."""
    solid = soft & (smoothed > model.white_hu - _FLUID_BELOW_WHITE_HU)
    cool = smoothed < model.grey_hu + _HOT_ABOVE_GREY_HU
    first = cells.mean_around(smoothed, solid & cool, parameters.background_mm)
    hot = cells.widened(~cool | (smoothed - first > _HOT_CONTRAST_HU), _HALO_MM)
    return cells.mean_around(smoothed, solid & ~hot, parameters.background_mm)


class _Cells:
    """A coarse copy of an array's grid.

    Args:
        grid: The grid, for its spacing.
        shape: The array's shape (z, y, x).
    """

    def __init__(self, grid: sitk.Image, shape: tuple[int, ...]) -> None:
        self.spacing = grid.GetSpacing()[::-1]
        self._across = 2 - slice_axis(grid)
        self._shape = shape
        self._factors = [max(1, round(_CELL_MM / step)) for step in self.spacing]
        self._cell_mm = [step * factor for step, factor in zip(self.spacing, self._factors, strict=True)]

    def mean_around(self, values: np.ndarray, where: np.ndarray, sigma_mm: float) -> np.ndarray:
        """Mean of values where ``where`` holds, weighted by a Gaussian about each voxel; float32 of the array's shape."""
        sigmas = [sigma_mm / step for step in self._cell_mm]
        total, weight = (
            ndimage.gaussian_filter(self._shrunk(array), sigmas, truncate=_REACH_SIGMAS)
            for array in (np.where(where, values, 0).astype(np.float32), where.astype(np.float32))
        )
        known = weight > _LEAST_WEIGHT
        means = total / np.maximum(weight, _LEAST_WEIGHT)
        means[~known] = np.median(means[known]) if known.any() else 0.0
        return self._spread(means)

    def widened(self, mask: np.ndarray, by_mm: float) -> np.ndarray:
        """The mask and what lies within a box of so many mm about each of its voxels."""
        for axis, spacing in enumerate(self.spacing):
            step = round(by_mm / spacing)
            if step > 0:
                mask = ndimage.maximum_filter1d(mask.view(np.uint8), 2 * step + 1, axis=axis).view(bool)
        return mask

    def depth_mm(self, inside: np.ndarray) -> np.ndarray:
        """Distance of each voxel to the border of a mask within its slice, in mm, 0 outside."""
        cells = self._shrunk(inside.astype(np.float32)) > _HALF
        if cells.all():
            return np.full(self._shape, np.inf, np.float32)
        sampling = [ANOTHER_SLICE_MM if axis == self._across else step for axis, step in enumerate(self._cell_mm)]
        distance = ndimage.distance_transform_edt(cells, sampling=sampling)
        inner_mm = min(step for axis, step in enumerate(self._cell_mm) if axis != self._across)
        return self._spread(np.maximum(distance - inner_mm * _HALF, 0).astype(np.float32))

    def _shrunk(self, array: np.ndarray) -> np.ndarray:
        """The mean of each cell, what lies beyond the array counted as 0."""
        for axis, factor in enumerate(self._factors):
            if factor == 1:
                continue
            beyond = [(0, -length % factor if a == axis else 0) for a, length in enumerate(array.shape)]
            array = np.moveaxis(np.pad(array, beyond), axis, 0)
            array = np.moveaxis(sum(array[first::factor] for first in range(factor)) / np.float32(factor), 0, axis)
        return array

    def _spread(self, cells: np.ndarray) -> np.ndarray:
        """Linear between the cells' middles."""
        for axis, (factor, length) in enumerate(zip(self._factors, self._shape, strict=True)):
            if factor == 1:
                continue
            place = np.clip((np.arange(length) + 0.5) / factor - 0.5, 0, cells.shape[axis] - 1)
            low = np.minimum(place.astype(int), max(cells.shape[axis] - 2, 0))
            high = np.minimum(low + 1, cells.shape[axis] - 1)
            share = (place - low).astype(np.float32).reshape([-1 if a == axis else 1 for a in range(3)])
            cells = np.take(cells, low, axis) * (1 - share) + np.take(cells, high, axis) * share
        return cells
