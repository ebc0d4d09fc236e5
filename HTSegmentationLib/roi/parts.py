"""Parts of a region of interest on a scan's grid: from masks, cut to slices, joined."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import SimpleITK as sitk

from HTSegmentationLib.ct.geometry import (
    beyond_grid,
    bounding_box,
    corner_points,
    crop,
    index_to_point_matrix,
    points_to_index,
    same_grid,
    slice_axis,
    slice_number,
    voxels_to_ml,
)
from HTSegmentationLib.errors import ParameterError, ROIError
from HTSegmentationLib.remark import Remark, Severity

_VOLUME_CHANGE = 0.1
"""A resampled ROI whose volume changes by more than a tenth deserves a look."""


@dataclass(frozen=True)
class GridPart:
    """Some voxels of a scan's grid.

    Args:
        index: Index (x, y, z) of the box's first voxel in the scan.
        array: Booleans (z, y, x) of the box; of size 0 when it holds nothing.
        remarks: What the user must be told.
        problem: When no voxel is held, why, and what to do; it starts with the name of the file or flag.
    """

    index: tuple[int, int, int]
    array: np.ndarray
    remarks: tuple[Remark, ...] = ()
    problem: str = ""

    @classmethod
    def nothing(cls, problem: str) -> GridPart:
        """A part without a voxel."""
        return cls((0, 0, 0), np.zeros((0, 0, 0), dtype=bool), problem=problem)

    @property
    def end(self) -> np.ndarray:
        """Index (x, y, z) one beyond the box's last voxel."""
        return np.array(self.index) + self.array.shape[::-1]


def mask_on_grid(mask: sitk.Image, image: sitk.Image, name: str) -> GridPart:
    """All voxels above zero of a mask, on the grid of ``image``.

    Args:
        mask: Whole numbers, three dimensions, on any grid.
        image: The scan; only its grid is used.
        name: What messages call the mask.

    Returns:
        The voxels. A mask on another grid is resampled: each voxel of the scan takes the mask's voxel that holds its centre.
    """
    remarks = _label_remarks(mask)
    box = bounding_box(mask)
    if box is None:
        return GridPart.nothing(f"{name}: no voxel of it is above 0; give a mask that is not empty")
    if same_grid(mask, image):
        return GridPart(box[0], sitk.GetArrayFromImage(crop(mask, *box)) > 0, tuple(remarks))
    drawn = crop(mask, *box)
    corners = points_to_index(corner_points(drawn), image)
    limit = np.array(image.GetSize())
    first = np.clip(np.floor(corners.min(axis=0)), 0, limit).astype(int)
    last = np.clip(np.ceil(corners.max(axis=0)), -1, limit - 1).astype(int)
    if (last < first).any():
        return GridPart.nothing(f"{name}: it lies outside the scan; give a mask of this scan")
    grid = crop(image, first, last - first + 1)
    array = sitk.GetArrayFromImage(sitk.Resample(drawn, grid, sitk.Transform(), sitk.sitkNearestNeighbor, 0)) > 0
    if not array.any():
        return GridPart.nothing(f"{name}: on the scan's grid no voxel of it is left; give a mask of this scan")
    remarks += _resampling_remarks(drawn, array, image)
    return GridPart(tuple(first.tolist()), array, tuple(remarks))


def joined(parts: Sequence[GridPart]) -> GridPart:
    """The union of parts; those that hold no voxel become remarks.

    Raises:
        ROIError: No part holds a voxel.
    """
    filled = [part for part in parts if part.array.any()]
    if not filled:
        raise ROIError(next((part.problem for part in parts if part.problem), "no ROI was given; draw one on the scan"))
    first = np.min([part.index for part in filled], axis=0)
    size = np.max([part.end for part in filled], axis=0) - first
    union = np.zeros(size[::-1], dtype=bool)
    for part in filled:
        start = (np.array(part.index) - first)[::-1]
        union[tuple(slice(a, a + n) for a, n in zip(start, part.array.shape, strict=True))] |= part.array
    remarks = [remark for part in filled for remark in part.remarks]
    remarks += [Remark("roi-part-empty", _sentence(part.problem), Severity.CAUTION) for part in parts if part.problem]
    return GridPart(tuple(first.tolist()), union, tuple(remarks))


def cut_to_slices(part: GridPart, image: sitk.Image, slice_range: tuple[int, int]) -> GridPart:
    """The part of a part that lies in the slices from the first to the last number, both included.

    Args:
        part: What to cut.
        image: The scan.
        slice_range: Two slice numbers in any order, counted from 1 at the inferior end.

    Raises:
        ParameterError: A number is no slice of the scan.
        ROIError: Nothing lies in these slices.
    """
    axis = slice_axis(image)
    count = image.GetSize()[axis]
    first, last = sorted(slice_range)
    if not 1 <= first <= last <= count:
        raise ParameterError(f"slice range {first}-{last}: the scan's slices are numbered from 1 (inferior) to {count}")
    numbers = np.array([slice_number(image, part.index[axis] + n) for n in range(part.array.shape[2 - axis])])
    kept = np.expand_dims((numbers >= first) & (numbers <= last), [n for n in range(3) if n != 2 - axis])
    array = part.array & kept
    held = numbers[part.array.any(axis=tuple(n for n in range(3) if n != 2 - axis))]
    if not array.any():
        there = f"it lies in slices {held.min()} to {held.max()}"
        raise ROIError(f"the ROI holds no voxel in slices {first} to {last}; {there}: choose among those")
    text = f"The ROI was cut to slices {first} to {last} of {count}, counted from the inferior end."
    remarks = [Remark("roi-slices", text)] if array.sum() < part.array.sum() else []
    return replace(part, array=array, remarks=(*part.remarks, *remarks))


def partly_outside(share: float) -> Remark:
    """The remark on an ROI of which ``share`` (0 to 1) lies outside the scan."""
    percent = "Less than 1%" if round(100 * share) < 1 else f"{share:.0%}"
    text = f"{percent} of the ROI's volume lies outside the scan and was left out; check that it was drawn on this scan."
    return Remark("roi-partly-outside", text, Severity.CAUTION)


def _label_remarks(mask: sitk.Image) -> list[Remark]:
    values = np.flatnonzero(np.bincount(sitk.GetArrayViewFromImage(mask).ravel()))
    labels = [str(value) for value in values if value > 0]
    text = f"The ROI's mask holds the labels {', '.join(labels)}; all of them count as ROI."
    return [Remark("roi-all-labels", text)] if len(labels) > 1 else []


def _resampling_remarks(drawn: sitk.Image, array: np.ndarray, image: sitk.Image) -> list[Remark]:
    places = np.argwhere(sitk.GetArrayViewFromImage(drawn) > 0)[:, ::-1]
    matrix = index_to_point_matrix(drawn)
    outside = float(beyond_grid(places @ matrix[:3, :3].T + matrix[:3, 3], image).any(axis=1).mean())
    before, after = voxels_to_ml(len(places), drawn), voxels_to_ml(int(array.sum()), image)
    text = (
        f"The ROI's mask has voxels of {_by(drawn)} mm, the scan {_by(image)} mm on another grid; it was resampled "
        f"with nearest neighbours (from {before:.2f} to {after:.2f} mL)."
    )
    changed = abs(after - before) > _VOLUME_CHANGE * before
    remarks = [Remark("roi-resampled", text, Severity.CAUTION if changed else Severity.NOTE)]
    return [*remarks, partly_outside(outside)] if outside > 0 else remarks


def _by(image: sitk.Image) -> str:
    return " x ".join(f"{length:.2f}" for length in image.GetSpacing())


def _sentence(problem: str) -> str:
    return f"A part of the ROI was left out: {problem}."
